//! Whatever the planner accepts, a kernel takes: no panic, and the result that was promised.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use codeanatomy_udf::{Implementation, Library};
use datafusion::arrow::array::{Array, ArrayRef, make_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};

use crate::random::Random;

const SEED: u64 = 20_261_127;
const ROWS: usize = 9;

/// One call: the arguments as the planner hands them over.
struct Trial {
    fields: Vec<FieldRef>,
    arrays: Vec<ArrayRef>,
    constant: Vec<bool>,
}

/// Makes a random call that the planner accepts, if this one is.
fn trial(function: &ScalarUDF, random: &mut Random) -> Option<Trial> {
    let count = 1 + random.below(4);
    let types: Vec<DataType> = (0..count)
        .map(|_| match random.below(7) {
            0 => DataType::Utf8,
            1 => DataType::Int64,
            2 => DataType::Boolean,
            3 => codeanatomy_udf::span_type(),
            _ => random.data_type(2),
        })
        .collect();
    let fields: Vec<FieldRef> = types
        .iter()
        .map(|data_type| Arc::new(Field::new("value", data_type.clone(), true)))
        .collect();
    let coerced = fields_with_udf(&fields, function).ok()?;
    let mut arrays = Vec::new();
    for (data_type, field) in types.iter().zip(&coerced) {
        let array = random.array(data_type, ROWS);
        arrays.push(cast(&array, field.data_type()).ok()?);
    }
    let constant = (0..count).map(|_| random.below(3) == 0).collect();
    Some(Trial {
        fields: coerced,
        arrays,
        constant,
    })
}

fn call(
    function: &ScalarUDF,
    trial: &Trial,
    args: Vec<ColumnarValue>,
    rows: usize,
) -> Result<ColumnarValue, String> {
    let scalars: Vec<Option<&ScalarValue>> = args
        .iter()
        .map(|value| match value {
            ColumnarValue::Scalar(value) => Some(value),
            ColumnarValue::Array(_) => None,
        })
        .collect();
    let field = function
        .return_field_from_args(ReturnFieldArgs {
            arg_fields: &trial.fields,
            scalar_arguments: &scalars,
        })
        .map_err(|error| error.to_string())?;
    let args = ScalarFunctionArgs {
        args: args.clone(),
        arg_fields: trial.fields.clone(),
        number_rows: rows,
        return_field: Arc::clone(&field),
        config_options: Arc::new(ConfigOptions::default()),
    };
    let value = function
        .invoke_with_args(args)
        .map_err(|error| error.to_string())?;
    assert_eq!(&value.data_type(), field.data_type(), "{}", function.name());
    if let ColumnarValue::Array(array) = &value {
        assert_eq!(array.len(), rows, "{}", function.name());
        assert!(
            field.is_nullable() || array.logical_null_count() == 0,
            "{}",
            function.name()
        );
        array.to_data().validate_full().unwrap();
    }
    Ok(value)
}

/// Calls in several ways, which must agree.
fn check(function: &ScalarUDF, trial: &Trial) -> bool {
    let first = |array: &ArrayRef| ScalarValue::try_from_array(array, 0);
    let Ok(values) = trial
        .arrays
        .iter()
        .map(first)
        .collect::<Result<Vec<_>, _>>()
    else {
        return false;
    };
    let mixed = |constant: &[bool]| -> Vec<ColumnarValue> {
        let parts = trial.arrays.iter().zip(&values).zip(constant);
        parts
            .map(|((array, value), constant)| {
                if *constant {
                    ColumnarValue::Scalar(value.clone())
                } else {
                    ColumnarValue::Array(Arc::clone(array))
                }
            })
            .collect()
    };
    let spread = |constant: &[bool]| -> Vec<ColumnarValue> {
        let parts = trial.arrays.iter().zip(&values).zip(constant);
        parts
            .map(|((array, value), constant)| {
                ColumnarValue::Array(if *constant {
                    value.to_array_of_size(ROWS).unwrap()
                } else {
                    Arc::clone(array)
                })
            })
            .collect()
    };
    let all = vec![true; trial.arrays.len()];
    let none = vec![false; trial.arrays.len()];
    for constant in [&trial.constant, &all] {
        let one = call(function, trial, mixed(constant), ROWS);
        let other = call(function, trial, spread(constant), ROWS);
        if let (Ok(one), Ok(other)) = (one, other) {
            let one = one.into_array(ROWS).unwrap();
            let other = other.into_array(ROWS).unwrap();
            assert_eq!(
                texts(&one),
                texts(&other),
                "{}: constants {constant:?}",
                function.name()
            );
        }
    }
    let Ok(whole) = call(function, trial, mixed(&none), ROWS) else {
        return true;
    };
    let whole = whole.into_array(ROWS).unwrap();
    let (start, len) = (2, ROWS - 4);
    let slices = trial
        .arrays
        .iter()
        .map(|array| ColumnarValue::Array(array.slice(start, len)));
    if let Ok(part) = call(function, trial, slices.collect(), len) {
        let part = part.into_array(len).unwrap();
        assert_eq!(
            texts(&part),
            texts(&whole.slice(start, len)),
            "{}: a slice",
            function.name()
        );
    }
    true
}

/// Rows as text; unlike arrays, they are equal where numbers are none.
fn texts(array: &ArrayRef) -> Vec<String> {
    let array = make_array(array.to_data());
    (0..array.len())
        .map(|row| array_value_to_string(&array, row).unwrap())
        .collect()
}

#[test]
fn no_input_of_an_accepted_type_makes_a_scalar_function_panic() {
    println!("seed {SEED}");
    let mut random = Random::new(SEED);
    for entry in Library::builtin().entries() {
        let Implementation::Scalar(function) = entry.implementation() else {
            continue;
        };
        // Functions of the engine are not ours to test.
        if entry.version().is_none() || entry.is_async() {
            continue;
        }
        let mut accepted = 0;
        for attempt in 0..3_000 {
            let Some(trial) = trial(function, &mut random) else {
                continue;
            };
            let outcome = catch_unwind(AssertUnwindSafe(|| check(function, &trial)));
            let types: Vec<&DataType> =
                trial.fields.iter().map(|field| field.data_type()).collect();
            match outcome {
                Ok(called) => accepted += usize::from(called),
                Err(_) => panic!("{} over {types:?}, attempt {attempt}", entry.name()),
            }
            if accepted >= 100 {
                break;
            }
        }
        assert!(
            accepted >= 10,
            "{} was called {accepted} times only",
            entry.name()
        );
    }
}
