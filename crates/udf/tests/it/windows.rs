//! Window functions: equal to a naive computation.

use std::sync::Arc;

use datafusion::arrow::array::{Array, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::ScalarValue;

use crate::arrays::{Random, array, sortable_types};
use crate::support::{error, register, rows, session};

/// The value that a row looks at: `offset` rows up (down if negative), nulls passed over if asked.
fn naive(
    values: &[ScalarValue],
    row: usize,
    offset: i64,
    ignore_nulls: bool,
) -> Option<&ScalarValue> {
    if offset == 0 {
        return values.get(row);
    }
    let mut at = i64::try_from(row).unwrap();
    let mut left = offset.abs();
    while left > 0 {
        at -= offset.signum();
        let value = usize::try_from(at).ok().and_then(|at| values.get(at))?;
        if !(ignore_nulls && value.is_null()) {
            left -= 1;
        }
    }
    values.get(usize::try_from(at).unwrap())
}

#[test]
fn lag_and_lead_are_what_counting_rows_gives() {
    let context = session();
    for seed in 0..3 {
        let random = &mut Random::new(seed + 30);
        for data_type in sortable_types() {
            let len = 20 + random.below(10);
            let partitions = array(random, &DataType::UInt64, len);
            let values = array(random, &data_type, len);
            let numbers: Vec<i64> = (0..i64::try_from(len).unwrap()).collect();
            let order = Arc::new(Int64Array::from(numbers));
            register(
                &context,
                &[
                    ("p", Arc::clone(&partitions)),
                    ("v", Arc::clone(&values)),
                    ("n", order),
                ],
                &[len / 2, len - len / 2],
            );
            let offset = i64::try_from(random.below(5)).unwrap() - 1;
            for (name, sign) in [("lag_partition", 1), ("lead_partition", -1)] {
                for (clause, ignore_nulls) in [("", false), ("ignore nulls", true)] {
                    let sql = format!(
                        "select {name}(v, {offset}) {clause} over (partition by p order by n) from t order by n"
                    );
                    let found = rows(&context, &sql);
                    let expected = expected(&partitions, &values, offset * sign, ignore_nulls);
                    assert_eq!(found, expected, "seed {seed} {data_type}: {sql}");
                }
            }
        }
    }
}

fn expected(
    partitions: &dyn Array,
    values: &dyn Array,
    offset: i64,
    ignore_nulls: bool,
) -> Vec<String> {
    let of = |array: &dyn Array, row| ScalarValue::try_from_array(array, row).unwrap();
    let options = FormatOptions::default().with_null("NULL");
    (0..values.len())
        .map(|row| {
            let same: Vec<usize> = (0..values.len())
                .filter(|other| of(partitions, *other) == of(partitions, row))
                .collect();
            let position = same.iter().position(|other| *other == row).unwrap();
            let within: Vec<ScalarValue> = same.iter().map(|row| of(values, *row)).collect();
            let found = naive(&within, position, offset, ignore_nulls);
            let null = ScalarValue::try_from(values.data_type()).unwrap();
            let shown = found.unwrap_or(&null).to_array().unwrap();
            let format = ArrayFormatter::try_new(&shown, &options);
            format.unwrap().value(0).to_string()
        })
        .collect()
}

#[test]
fn rows_are_numbered_from_one_within_their_partition() {
    let context = session();
    let random = &mut Random::new(40);
    let partitions = array(random, &DataType::Utf8, 200);
    let order = array(random, &DataType::Int64, 200);
    register(&context, &[("p", partitions), ("n", order)], &[64, 100, 36]);
    let sql = |function: &str| {
        format!(
            "select p, n, {function}() over (partition by p order by n) as k from t order by p, n, k"
        )
    };
    assert_eq!(
        rows(&context, &sql("row_number_partition")),
        rows(&context, &sql("row_number"))
    );
}

#[test]
fn a_default_stands_where_there_is_no_row_and_takes_the_type_of_the_value() {
    let context = session();
    let t = "from (values (1, 'a'), (2, null), (3, 'c')) as t(n, v) order by n";
    let window = "over (order by n)";
    for (call, expected) in [
        ("lag_partition(v, 1, 'none')", ["none", "a", "NULL"]),
        ("lead_partition(v, 1, 'none')", ["NULL", "c", "none"]),
        ("lag_partition(n, 1, '7')", ["7", "1", "2"]),
        ("lag_partition(v, 0)", ["a", "NULL", "c"]),
        (
            "lead_partition(n, 9223372036854775807)",
            ["NULL", "NULL", "NULL"],
        ),
        ("lag_partition(n, -1)", ["2", "3", "NULL"]),
        ("lag_partition(null, 1, 5)", ["5", "NULL", "NULL"]),
    ] {
        let sql = format!("select {call} {window} {t}");
        assert_eq!(rows(&context, &sql), expected, "{call}");
    }
    let sql = format!("select lag_partition(v, 1, 'none') ignore nulls {window} {t}");
    assert_eq!(rows(&context, &sql), ["none", "a", "a"]);
}

#[test]
fn what_an_offset_cannot_be_is_refused() {
    let context = session();
    let t = "over (order by n) from (values (1)) as t(n)";
    for (call, message) in [
        ("lag_partition()", "takes 1 to 3 arguments, not 0"),
        (
            "lag_partition(n, 'a')",
            "the offset of `lag_partition` is an integer",
        ),
        (
            "lead_partition(n, n)",
            "the offset of `lead_partition` must be a constant",
        ),
        (
            "lead_partition(n, 1, n)",
            "the default of `lead_partition` must be a constant",
        ),
        (
            "lag_partition(n, null)",
            "the offset of `lag_partition` must not be null",
        ),
        ("lag_partition(n, 1, 2, 3)", "takes 1 to 3 arguments, not 4"),
    ] {
        let found = error(&context, &format!("select {call} {t}"));
        assert!(found.contains(message), "{call}: {found}");
    }
}
