//! What each function does at its borders.

use codeanatomy_udf::PlatformOptions;

use crate::support::{error, rows, session, session_with};

/// Checks expressions against their values.
fn check(cases: &[(&str, &str)]) {
    let context = session();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(call, expected)| {
            let found = rows(&context, &format!("SELECT {call}"));
            (found != [*expected]).then(|| format!("{call}: {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hashes_know_null_from_empty_and_text_from_numbers() {
    check(&[
        ("stable_hash64('') = stable_hash64(X'')", "true"),
        ("stable_hash64('1') = stable_hash64('1 ')", "false"),
        ("stable_hash128(NULL)", "NULL"),
        ("prefixed_hash64(NULL, 'a')", "NULL"),
        ("stable_id('p', NULL)", "NULL"),
        ("stable_id_parts(NULL, 'a')", "NULL"),
        (
            "stable_id_parts('p', NULL) = stable_id_parts('p', '')",
            "false",
        ),
        (
            "stable_id_parts('p', 1) = stable_id_parts('p', '1')",
            "false",
        ),
        (
            "stable_id_parts('p', 1) = stable_id_parts('p', arrow_cast(1, 'UInt16'))",
            "true",
        ),
        (
            "stable_id_parts('p', 'a', NULL) = stable_id_parts('p', 'a')",
            "false",
        ),
        ("stable_hash_any(1.0) = stable_hash_any(1)", "false"),
        (
            "stable_hash_any(arrow_cast(0.0, 'Float64')) = stable_hash_any(arrow_cast('-0', 'Float64'))",
            "true",
        ),
        ("stable_hash_any('a') = stable_hash_any(X'61')", "false"),
        ("stable_hash_any(NULL) IS NOT NULL", "true"),
    ]);
}

#[test]
fn spans_are_half_open_and_never_below_zero() {
    check(&[
        ("span_make(0, 0)", "{start: 0, end: 0}"),
        ("span_make(-1, 3)", "NULL"),
        ("span_make(NULL, 3)", "NULL"),
        ("span_make(3, 2)", "NULL"),
        ("span_make(3, 2, 1, false)", "{start: 2, end: 2}"),
        ("span_make(1, 9223372036854775807, 0, false)", "NULL"),
        ("span_make(0, 5, 1)", "NULL"),
        (
            "span_len(span_make(0, 9223372036854775807))",
            "9223372036854775807",
        ),
        ("span_len(NULL)", "NULL"),
        ("span_len(span_make(4, 4))", "0"),
        ("span_overlaps(span_make(4, 4), span_make(0, 9))", "false"),
        ("span_overlaps(NULL, span_make(0, 9))", "NULL"),
        ("span_contains(span_make(0, 9), span_make(9, 9))", "true"),
        ("span_contains(span_make(0, 9), 0)", "true"),
        ("span_contains(span_make(0, 9), 9)", "false"),
        ("span_contains(span_make(0, 9), NULL)", "NULL"),
        (
            "span_contains(span_make(0, 9), 18446744073709551615)",
            "false",
        ),
        (
            "interval_align_score(span_make(3, 3), span_make(3, 3))",
            "1.0",
        ),
        (
            "interval_align_score(span_make(3, 3), span_make(4, 4))",
            "0.0",
        ),
        (
            "interval_align_score(span_make(0, 2), span_make(2, 4))",
            "0.0",
        ),
        (
            "span_len(named_struct('end', 5, 'name', 'x', 'start', arrow_cast(2, 'UInt8')))",
            "3",
        ),
        ("span_id('p', NULL, span_make(0, 1))", "NULL"),
        ("span_id('p', 'a', span_make(1, 0))", "NULL"),
    ]);
}

#[test]
fn normal_forms_are_those_of_unicode() {
    check(&[
        ("utf8_normalize('e\u{301}') = '\u{e9}'", "true"),
        ("utf8_normalize('\u{e9}', 'nfd') = 'e\u{301}'", "true"),
        ("utf8_normalize('①ﬁ', 'NFC')", "①ﬁ"),
        ("utf8_normalize('①ﬁ', 'NFKD')", "1fi"),
        ("utf8_normalize('\u{fb01}', 'NONE') = '\u{fb01}'", "true"),
        (
            "utf8_normalize('STRASSE', 'NFC', true) = utf8_normalize('straße', 'NFC', true)",
            "true",
        ),
        (
            "utf8_normalize('ΣΊΣΥΦΟΣ', 'NFC', true) = utf8_normalize('σίσυφος', 'NFC', true)",
            "true",
        ),
        (
            "utf8_normalize('A\u{a0}\u{3000} B', 'NFC', false, true)",
            "A B",
        ),
        ("utf8_normalize('   ', 'NFC', false, true) = ''", "true"),
        ("utf8_normalize(NULL)", "NULL"),
        ("utf8_normalize('a', NULL)", "NULL"),
        ("utf8_normalize('a', 'NFC', NULL)", "NULL"),
        ("utf8_normalize('')", ""),
    ]);
    let message = error(&session(), "SELECT utf8_normalize('a', 'NFX')");
    assert!(
        message.contains("`NFX`") && message.contains("NFKD"),
        "{message}"
    );
}

#[test]
fn blanks_and_names() {
    check(&[
        ("utf8_null_if_blank('')", "NULL"),
        ("utf8_null_if_blank('\u{2003}')", "NULL"),
        ("utf8_null_if_blank('\u{200b}') IS NULL", "false"),
        ("utf8_null_if_blank(NULL)", "NULL"),
        ("qname_normalize('..')", "NULL"),
        ("qname_normalize(NULL, 'a')", "NULL"),
        ("qname_normalize('a', NULL)", "a"),
        ("qname_normalize('abc', 'ab')", "ab.abc"),
        ("qname_normalize('ab', 'ab')", "ab"),
        ("qname_normalize(' a . b ')", "a.b"),
        ("qname_normalize('ﬁ', 'A')", "A.fi"),
    ]);
}

#[test]
fn lists_and_maps() {
    check(&[
        ("list_unique_sorted([2, NULL, 2, 1])", "[1, 2]"),
        ("list_unique_sorted(make_array())", "[]"),
        (
            "list_unique_sorted(arrow_cast(NULL, 'List(Int64)'))",
            "NULL",
        ),
        ("list_unique_sorted(NULL)", "NULL"),
        (
            "list_unique_sorted(['b', 'B', 'a', 'é', 'b'])",
            "[B, a, b, é]",
        ),
        ("list_unique_sorted([[2], [1], [2]])", "[[1], [2]]"),
        ("list_unique_sorted([true, false, true])", "[false, true]"),
        (
            "list_unique_sorted(arrow_cast([2, 1, 2], 'FixedSizeList(3, Int64)'))",
            "[1, 2]",
        ),
        ("list_compact(make_array(NULL, NULL))", "[]"),
        ("map_normalize(MAP {'b': 1, 'a': NULL})", "{a: NULL, b: 1}"),
        ("map_normalize(MAP {2: 'x', -1: 'y'})", "{-1: y, 2: x}"),
        (
            "map_get_default(MAP {'a': arrow_cast(NULL, 'Int64')}, 'a', 7)",
            "7",
        ),
        ("map_get_default(MAP {'a': 1}, NULL, 7)", "7"),
        ("map_get_default(MAP {'a': 1}, 'b', NULL)", "NULL"),
    ]);
    let context = session();
    let message = error(&context, "SELECT list_unique_sorted(1)");
    assert!(message.contains("takes a list, found Int64"), "{message}");
    let message = error(&context, "SELECT map_get_default(MAP {'a': 1}, 'b', 'x')");
    assert!(message.contains('x'), "{message}");
}

#[test]
fn columns_of_a_line_become_bytes() {
    check(&[
        ("col_to_byte('abc', 3)", "3"),
        ("col_to_byte('abc', 4)", "NULL"),
        ("col_to_byte('abc', -1)", "NULL"),
        ("col_to_byte('', 0)", "0"),
        ("col_to_byte('éa', 1, 'utf8')", "NULL"),
        ("col_to_byte('éa', 2, 'UTF8')", "2"),
        ("col_to_byte('a😀b', 3, 'utf16')", "5"),
        ("col_to_byte('a😀b', 2, 'utf16')", "NULL"),
        ("col_to_byte('a😀b', 2, 'utf32')", "5"),
        ("col_to_byte('a', 9223372036854775807)", "NULL"),
        ("col_to_byte(NULL, 1)", "NULL"),
        ("col_to_byte('a', 1, NULL)", "NULL"),
    ]);
    let message = error(&session(), "SELECT col_to_byte('a', 1, 'chars')");
    assert!(message.contains("`chars`"), "{message}");
}

#[test]
fn changes_of_a_feed() {
    check(&[
        (
            "cdf_change_rank('update_preimage'), cdf_change_rank('delete')",
            "0 | 1",
        ),
        ("cdf_change_rank('update_postimage')", "3"),
        ("cdf_change_rank('INSERT')", "NULL"),
        ("cdf_change_rank(NULL)", "NULL"),
        (
            "cdf_is_upsert('insert'), cdf_is_upsert('delete')",
            "true | false",
        ),
        ("cdf_is_delete('insert')", "false"),
    ]);
}

#[test]
fn a_tag_is_metadata_of_the_column() {
    check(&[
        (
            "arrow_metadata(semantic_tag('b', semantic_tag('a', 1)), 'codeanatomy.semantic_tag')",
            "b",
        ),
        ("semantic_tag('a', NULL)", "NULL"),
    ]);
    let context = session();
    for wrong in [
        "semantic_tag(' ', 1)",
        "semantic_tag(NULL, 1)",
        "semantic_tag(7, 1)",
    ] {
        let message = error(&context, &format!("SELECT {wrong}"));
        assert!(message.contains("semantic_tag takes"), "{message}");
    }
}

#[test]
fn wrong_arguments_are_errors_of_planning() {
    let context = session_with(PlatformOptions::default());
    for (wrong, says) in [
        ("stable_hash64(1)", "stable_hash64"),
        ("stable_id_parts('a')", "at least one part"),
        ("stable_id_parts(1, 'a')", "takes text as its prefix"),
        ("span_len(1)", "takes a span"),
        ("span_overlaps(span_make(1, 2), 1)", "argument 2"),
        ("span_make('a', 1)", "span_make"),
        ("map_normalize(1)", "takes a map"),
        ("utf8_normalize(1)", "utf8_normalize"),
    ] {
        let message = error(&context, &format!("SELECT {wrong}"));
        assert!(message.contains(says), "{wrong}: {message}");
    }
}
