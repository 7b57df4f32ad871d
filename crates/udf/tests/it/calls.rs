//! A table with every kind of argument, and a call of each scalar function over it.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, Int64Builder,
    ListBuilder, MapBuilder, StringArray, StringBuilder, StructArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};

/// Calls over the columns of [`columns`].
pub(crate) const CALLS: [&str; 40] = [
    "stable_hash64(s)",
    "stable_hash64(x)",
    "stable_hash128(s)",
    "stable_hash128(x)",
    "prefixed_hash64(p, s)",
    "prefixed_hash64('p', s)",
    "prefixed_hash_parts64(p, s, n, l, NULL)",
    "stable_id(p, s)",
    "stable_id('p', s)",
    "stable_id_parts(p, s, n)",
    "stable_id_parts('p', s)",
    "stable_hash_any(s, p, n, b, l, i, m, a, f, d, x)",
    "span_make(n, k)",
    "span_make(n, k, 1, b)",
    "span_len(a)",
    "span_overlaps(a, z)",
    "span_overlaps(a, span_make(1, 4))",
    "span_contains(a, z)",
    "span_contains(a, n)",
    "span_id(p, s, a)",
    "interval_align_score(a, z)",
    "utf8_normalize(s)",
    "utf8_normalize(s, 'NFKC', true, true)",
    "utf8_normalize(s, 'NFD', b)",
    "utf8_null_if_blank(s)",
    "qname_normalize(s)",
    "qname_normalize(s, p)",
    "map_normalize(m)",
    "map_get_default(m, p, n)",
    "map_get_default(m, 'a', 0)",
    "list_compact(l)",
    "list_unique_sorted(l)",
    "list_unique_sorted(i)",
    "arrow_metadata(s)",
    "semantic_tag('unit:ms', s)",
    "col_to_byte(s, n)",
    "col_to_byte(s, n, 'utf16')",
    "cdf_change_rank(c)",
    "cdf_is_upsert(c)",
    "cdf_is_delete(c)",
];

const ROWS: usize = 36;

/// The columns: an id, then text, numbers, lists, maps and spans, with nulls, empty values,
/// characters of every length and the largest numbers among them.
pub(crate) fn columns() -> Vec<(&'static str, ArrayRef)> {
    let texts = [
        Some("abc"),
        Some(""),
        None,
        Some(" "),
        Some("Straße"),
        Some("ﬁ\u{345}"),
        Some("e\u{301}"),
        Some("日本語 😀"),
        Some("a::b.c/d"),
        Some("\u{a0}x  y"),
        Some("NFC"),
        Some("insert"),
    ];
    let prefixes = [Some("a"), Some("b"), None, Some(""), Some("größe")];
    let numbers = [
        Some(0),
        Some(3),
        None,
        Some(-1),
        Some(i64::MAX),
        Some(i64::MIN),
        Some(1),
    ];
    let kinds = [
        Some("insert"),
        Some("update_preimage"),
        Some("update_postimage"),
        Some("delete"),
        None,
        Some("other"),
    ];
    let text = |values: &[Option<&'static str>]| -> ArrayRef {
        let values = (0..ROWS).map(|row| values[row % values.len()]);
        Arc::new(values.collect::<StringArray>())
    };
    let number = |shift: usize| -> ArrayRef {
        let values = (0..ROWS).map(|row| numbers[(row + shift) % numbers.len()]);
        Arc::new(values.collect::<Int64Array>())
    };
    let mut lists = ListBuilder::new(StringBuilder::new());
    let mut integers = ListBuilder::new(Int64Builder::new());
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for row in 0..ROWS {
        for index in 0..row % 4 {
            lists
                .values()
                .append_option(texts[(row * 5 + index * 7) % texts.len()]);
            integers
                .values()
                .append_option(numbers[(row * 3 + index * 2) % numbers.len()]);
            maps.keys()
                .append_value(["b", "a", "", "a"][(row + index) % 4]);
            maps.values()
                .append_option(numbers[(row + index) % numbers.len()]);
        }
        let valid = row % 9 != 8;
        lists.append(valid);
        integers.append(valid);
        maps.append(valid).unwrap();
    }
    let span = |shift: i64| -> ArrayRef {
        let starts: Int64Array = (0..ROWS as i64)
            .map(|row| ((row + shift) % 11 != 10).then_some((row * shift) % 7))
            .collect();
        let ends: Int64Array = (0..ROWS as i64)
            .map(|row| Some((row + shift) % 9))
            .collect();
        let fields = Fields::from(vec![
            Field::new("start", DataType::Int64, true),
            Field::new("end", DataType::Int64, true),
        ]);
        Arc::new(StructArray::new(
            fields,
            vec![Arc::new(starts), Arc::new(ends)],
            None,
        ))
    };
    let floats = [Some(0.5), Some(-0.0), None, Some(f64::NAN), Some(f64::MAX)];
    vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..ROWS as i64))),
        ("s", text(&texts)),
        ("p", text(&prefixes)),
        ("c", text(&kinds)),
        ("n", number(0)),
        ("k", number(3)),
        (
            "b",
            Arc::new(
                (0..ROWS)
                    .map(|row| (row % 5 != 4).then_some(row % 2 == 0))
                    .collect::<BooleanArray>(),
            ),
        ),
        ("l", Arc::new(lists.finish())),
        ("i", Arc::new(integers.finish())),
        ("m", Arc::new(maps.finish())),
        ("a", span(1)),
        ("z", span(2)),
        (
            "f",
            Arc::new(
                (0..ROWS)
                    .map(|row| floats[row % 5])
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "d",
            Arc::new(
                (0..ROWS as i32)
                    .map(|row| (row % 6 != 5).then_some(row * 1000 - 9))
                    .collect::<Date32Array>(),
            ),
        ),
        (
            "x",
            Arc::new(
                (0..ROWS)
                    .map(|row| (row % 4 != 3).then(|| vec![row as u8; row % 5]))
                    .collect::<BinaryArray>(),
            ),
        ),
    ]
}
