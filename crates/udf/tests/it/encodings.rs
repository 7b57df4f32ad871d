//! How a column is stored cannot be seen in what a function gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use codeanatomy_udf::{Kind, Library};
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use crate::calls::{CALLS, columns};
use crate::support::{register, rows, session};

#[test]
fn there_is_a_call_of_every_scalar_function() {
    let called: BTreeSet<&str> = CALLS
        .iter()
        .filter_map(|call| call.split('(').next())
        .collect();
    for entry in Library::builtin().entries() {
        if entry.kind() == Kind::Scalar {
            assert!(
                entry.names().any(|name| called.contains(name)),
                "{}",
                entry.name()
            );
        }
    }
}

/// The columns with their text in another encoding, lists with other offsets.
fn stored_as(
    text: &DataType,
    list: &dyn Fn(&DataType) -> DataType,
) -> Vec<(&'static str, ArrayRef)> {
    columns()
        .into_iter()
        .map(|(name, array)| {
            let data_type = match array.data_type() {
                DataType::Utf8 => text.clone(),
                DataType::List(_) => list(array.data_type()),
                other => other.clone(),
            };
            (name, cast(&array, &data_type).unwrap())
        })
        .collect()
}

#[test]
fn encodings_and_the_borders_of_batches_cannot_be_seen() {
    let context = session();
    let query = |call: &str| {
        // A dictionary prints as its text; so does a view.
        format!("SELECT id, {call} AS result FROM t ORDER BY id")
    };
    let n_rows = columns()[0].1.len();
    register(&context, &columns(), &[n_rows]);
    let expected: Vec<Vec<String>> = CALLS
        .iter()
        .map(|call| rows(&context, &query(call)))
        .collect();
    let dictionary =
        |key: DataType, value: DataType| DataType::Dictionary(Box::new(key), Box::new(value));
    let texts = [
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary(DataType::Int32, DataType::Utf8),
        dictionary(DataType::UInt8, DataType::LargeUtf8),
        dictionary(DataType::Int64, DataType::Utf8View),
        DataType::Utf8,
    ];
    let large = |list: &DataType| match list {
        DataType::List(item) => DataType::LargeList(Arc::clone(item)),
        other => other.clone(),
    };
    for (index, text) in texts.iter().enumerate() {
        let same = |list: &DataType| list.clone();
        let columns = if index % 2 == 0 {
            stored_as(text, &large)
        } else {
            stored_as(text, &same)
        };
        for sizes in [vec![n_rows], vec![1, 0, 7, n_rows - 8], vec![1; n_rows]] {
            register(&context, &columns, &sizes);
            for (call, expected) in CALLS.iter().zip(&expected) {
                let found = rows(&context, &query(call));
                assert_eq!(
                    &found,
                    expected,
                    "{call} over {text} in {} batches",
                    sizes.len()
                );
            }
        }
    }
}
