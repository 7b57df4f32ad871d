//! Functions against the plain kernel or the built-in next to them, over the same batches.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot run has nothing to say"
)]

use std::sync::{Arc, LazyLock};

use codeanatomy_udf::{Implementation, Library};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, Int64Builder, ListBuilder, StringArray, StringBuilder,
};
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::functions_nested::{set_ops::array_distinct_udf, sort::array_sort_udf};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use divan::Bencher;

const STRINGS: usize = 10_000_000;
const BATCH: usize = 8_192;
const LISTS: usize = 100_000;

fn main() {
    divan::main();
}

/// Ten million strings of 8 to 24 bytes, in batches.
static SHORT_STRINGS: LazyLock<Vec<ArrayRef>> = LazyLock::new(|| {
    (0..STRINGS.div_ceil(BATCH))
        .map(|batch| {
            let rows = batch * BATCH..((batch + 1) * BATCH).min(STRINGS);
            let texts =
                rows.map(|row| format!("key-{:x}", row * 2_654_435_761 % (1 << (16 + row % 48))));
            Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
        })
        .collect()
});

/// ASCII text of about 40 bytes, some of it in capitals and with white space to collapse.
static ASCII: LazyLock<Vec<ArrayRef>> = LazyLock::new(|| {
    (0..128)
        .map(|batch| {
            let texts = (0..BATCH)
                .map(|row| format!("The Quick  Brown fox {} jumps over", batch * BATCH + row));
            Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
        })
        .collect()
});

/// Lists of 10 numbers of which about 6 differ.
static NUMBERS: LazyLock<ArrayRef> = LazyLock::new(|| {
    let mut lists = ListBuilder::new(Int64Builder::new());
    for row in 0..LISTS {
        for index in 0..10 {
            lists
                .values()
                .append_value(((row * 31 + index * index * 7) % 9) as i64);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
});

/// Lists of 10 words of which about 6 differ.
static WORDS: LazyLock<ArrayRef> = LazyLock::new(|| {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..LISTS {
        for index in 0..10 {
            lists
                .values()
                .append_value(format!("word-{}", (row * 31 + index * index * 7) % 9));
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
});

fn function(name: &str) -> Arc<ScalarUDF> {
    match Library::builtin()
        .get(name)
        .map(|entry| entry.implementation().clone())
    {
        Some(Implementation::Scalar(function)) => function,
        _ => unreachable!("{name} is a scalar function"),
    }
}

fn call(function: &ScalarUDF, args: Vec<ColumnarValue>, rows: usize) -> ArrayRef {
    let fields: Vec<FieldRef> = args
        .iter()
        .map(|arg| Arc::new(Field::new("value", arg.data_type(), true)) as FieldRef)
        .collect();
    let scalars: Vec<Option<&ScalarValue>> = args
        .iter()
        .map(|arg| match arg {
            ColumnarValue::Scalar(value) => Some(value),
            ColumnarValue::Array(_) => None,
        })
        .collect();
    let return_field = function
        .return_field_from_args(ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &scalars,
        })
        .expect("the call is valid");
    let args = ScalarFunctionArgs {
        args: args.clone(),
        arg_fields: fields.clone(),
        number_rows: rows,
        return_field,
        config_options: Arc::new(ConfigOptions::default()),
    };
    let value = function.invoke_with_args(args).expect("the call succeeds");
    value.into_array(rows).expect("the result is an array")
}

fn over(function: &ScalarUDF, array: &ArrayRef, rest: &[ScalarValue]) -> ArrayRef {
    let mut args = vec![ColumnarValue::Array(Arc::clone(array))];
    args.extend(rest.iter().cloned().map(ColumnarValue::Scalar));
    call(function, args, array.len())
}

/// `stable_hash64`: at least 0.8 of the speed of `hash_10m_short_strings_plain`.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn hash_10m_short_strings_function(bencher: Bencher<'_, '_>) {
    let function = function("stable_hash64");
    let batches = &*SHORT_STRINGS;
    bencher.bench_local(|| {
        for batch in batches {
            divan::black_box(over(&function, batch, &[]));
        }
    });
}

/// BLAKE3 in a loop over the same bytes.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn hash_10m_short_strings_plain(bencher: Bencher<'_, '_>) {
    let batches = &*SHORT_STRINGS;
    bencher.bench_local(|| {
        for batch in batches {
            let batch = batch.as_string::<i32>();
            let hashes: Vec<i64> = (0..batch.len())
                .map(|row| {
                    let hash = blake3::hash(batch.value(row).as_bytes());
                    let (first, _) = hash.as_bytes().split_at(8);
                    i64::from_be_bytes(first.try_into().expect("8 bytes"))
                })
                .collect();
            divan::black_box(Int64Array::from(hashes));
        }
    });
}

/// `utf8_normalize` of ASCII: at most 1.5 times `normalize_1m_ascii_copy`.
#[divan::bench]
fn normalize_1m_ascii_nfc(bencher: Bencher<'_, '_>) {
    let function = function("utf8_normalize");
    let batches = &*ASCII;
    bencher.bench_local(|| {
        for batch in batches {
            divan::black_box(over(&function, batch, &[]));
        }
    });
}

/// The same with case folding and white space collapsed: bytes are written anew.
#[divan::bench]
fn normalize_1m_ascii_folded_and_collapsed(bencher: Bencher<'_, '_>) {
    let function = function("utf8_normalize");
    let batches = &*ASCII;
    let options = [
        ScalarValue::from("NFKC"),
        ScalarValue::from(true),
        ScalarValue::from(true),
    ];
    bencher.bench_local(|| {
        for batch in batches {
            divan::black_box(over(&function, batch, &options));
        }
    });
}

/// A copy of the same text, row by row.
#[divan::bench]
fn normalize_1m_ascii_copy(bencher: Bencher<'_, '_>) {
    let batches = &*ASCII;
    bencher.bench_local(|| {
        for batch in batches {
            let batch = batch.as_string::<i32>();
            let mut copy = StringBuilder::with_capacity(batch.len(), batch.values().len());
            for row in 0..batch.len() {
                copy.append_value(batch.value(row));
            }
            divan::black_box(copy.finish());
        }
    });
}

fn unique_sorted(bencher: Bencher<'_, '_>, lists: &ArrayRef) {
    let function = function("list_unique_sorted");
    bencher.bench_local(|| over(&function, lists, &[]));
}

fn sort_distinct(bencher: Bencher<'_, '_>, lists: &ArrayRef) {
    let (distinct, sort) = (array_distinct_udf(), array_sort_udf());
    bencher.bench_local(|| over(&sort, &over(&distinct, lists, &[]), &[]));
}

/// `list_unique_sorted`: no slower than `unique_100k_lists_of_numbers_builtin`.
#[divan::bench]
fn unique_100k_lists_of_numbers_function(bencher: Bencher<'_, '_>) {
    unique_sorted(bencher, &NUMBERS);
}

/// `array_sort(array_distinct(list))`.
#[divan::bench]
fn unique_100k_lists_of_numbers_builtin(bencher: Bencher<'_, '_>) {
    sort_distinct(bencher, &NUMBERS);
}

/// `list_unique_sorted`: no slower than `unique_100k_lists_of_words_builtin`.
#[divan::bench]
fn unique_100k_lists_of_words_function(bencher: Bencher<'_, '_>) {
    unique_sorted(bencher, &WORDS);
}

/// `array_sort(array_distinct(list))`.
#[divan::bench]
fn unique_100k_lists_of_words_builtin(bencher: Bencher<'_, '_>) {
    sort_distinct(bencher, &WORDS);
}
