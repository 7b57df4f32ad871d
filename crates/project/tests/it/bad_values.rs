//! Keys and values that are wrong.

use codeanatomy_project::codes;
use codeanatomy_vocab::ErrorKind;

use crate::folder::{Folder, marked, place};

#[test]
fn a_file_that_is_not_toml_is_shown_where_it_breaks() {
    let error = Folder::with_toml("[project]\nname = shop\n").error(codes::TOML_SYNTAX);
    assert_eq!(place(&error), "codeanatomy.toml:2:8");
    let error = Folder::with_sidecar("tags = [\n").error(codes::TOML_SYNTAX);
    assert!(place(&error).starts_with("views/a.toml:"), "{error:?}");
    let error = Folder::with_toml("[session]\na = 1\na = 2").error(codes::TOML_SYNTAX);
    assert_eq!(place(&error), "codeanatomy.toml:3:1");
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest() {
    let error = Folder::with_toml("[datasests.x]\nlocation = 'x'").error(codes::UNKNOWN_KEY);
    assert_eq!(error.nearest(), Some("datasets"));
    assert_eq!(place(&error), "codeanatomy.toml:1:2");

    for (toml, at, nearest) in [
        (
            "[project]\nnmae = 'x'",
            "codeanatomy.toml:2:1",
            Some("name"),
        ),
        (
            "[diagnostics]\nprofil = 'dev'",
            "codeanatomy.toml:2:1",
            Some("profile"),
        ),
        ("[defaults]\nzzz = 1", "codeanatomy.toml:2:1", None),
        (
            "[datasets.x]\nlocation = 'x'\nlocaton = 'y'",
            "codeanatomy.toml:3:1",
            Some("location"),
        ),
        (
            "[datasets.x]\nlocation = 'x'\ncsv.delimeter = ';'",
            "codeanatomy.toml:3:5",
            Some("delimiter"),
        ),
        (
            "[datasets.x]\nlocation = 'x'\ncontract = { evolutoin = 'STRICT' }",
            "codeanatomy.toml:3:14",
            Some("evolution"),
        ),
        (
            "[datasets.x]\nlocation = 'x'\ncontract.columns = [{ name = 'a', typ = 'Int64' }]",
            "codeanatomy.toml:3:35",
            Some("type"),
        ),
    ] {
        let error = Folder::with_toml(toml).error(codes::UNKNOWN_KEY);
        assert_eq!(
            (place(&error).as_str(), error.nearest()),
            (at, nearest),
            "{toml}"
        );
        assert!(
            error.expected().unwrap().starts_with("one of `"),
            "{error:?}"
        );
    }
    let error = Folder::with_sidecar("cahce = 'none'").error(codes::UNKNOWN_KEY);
    assert_eq!(error.nearest(), Some("cache"));
    assert_eq!(marked(&error), "cahce");
}

#[test]
fn a_value_of_the_wrong_type_is_marked() {
    for (toml, text) in [
        ("project = 1", "1"),
        ("[[project]]", "project"),
        ("[project]\nname = 1", "1"),
        ("session = []", "[]"),
        ("[session]\npreset = true", "true"),
        ("[session]\nbatch_size = [1]", "[1]"),
        ("[session]\nsince = 2026-01-01", "2026-01-01"),
        ("datasets = 'x'", "'x'"),
        ("[datasets]\nx = 'data/x'", "'data/x'"),
        ("[datasets.x]\nlocation = 1", "1"),
        ("[datasets.x]\nlocation = { env = 'X' }", "{ env = 'X' }"),
        ("[datasets.x]\nlocation = 'x'\nversion = '1'", "'1'"),
        ("[datasets.x]\nlocation = 'x'\nversion = 1.0", "1.0"),
        ("[datasets.x]\nlocation = 'x'\ntimestamp = 5", "5"),
        ("[datasets.x]\nlocation = 'x'\noptions = 5", "5"),
        ("[datasets.x]\nlocation = 'x'\noptions.a = [5]", "[5]"),
        ("[datasets.x]\nlocation = 'x'\ncsv.header = 'yes'", "'yes'"),
        ("[datasets.x]\nlocation = 'x'\ncontract.key = 'id'", "'id'"),
        ("[datasets.x]\nlocation = 'x'\ncontract.key = [7]", "7"),
        (
            "[datasets.x]\nlocation = 'x'\ncontract.columns = ['id']",
            "'id'",
        ),
        ("[defaults]\ncache = 1", "1"),
        ("[diagnostics]\nprofile = 1", "1"),
    ] {
        let error = Folder::with_toml(toml).error(codes::WRONG_TYPE);
        assert_eq!(marked(&error), text, "{toml}");
    }
    for (toml, text) in [
        ("cache = 1", "1"),
        ("description = 1", "1"),
        ("tags = 'x'", "'x'"),
        ("cache = 'delta_output'\npartition_by = 'x'", "'x'"),
        ("params = 1", "1"),
        ("params.x = 'Date32'", "'Date32'"),
        ("params.x = { type = 'Int64', default = [1] }", "[1]"),
    ] {
        let error = Folder::with_sidecar(toml).error(codes::WRONG_TYPE);
        assert_eq!(marked(&error), text, "{toml}");
    }
}

#[test]
fn a_value_that_no_choice_has_is_answered_with_the_choices() {
    for (toml, text, nearest) in [
        (
            "[datasets.x]\nlocation = 'x'\nformat = 'parkuet'",
            "'parkuet'",
            Some("parquet"),
        ),
        (
            "[datasets.x]\nlocation = 'x'\nformat = 'excel'",
            "'excel'",
            None,
        ),
        ("[diagnostics]\nprofile = 'pord'", "'pord'", Some("prod")),
        (
            "[defaults]\ncache = 'delta_outptu'",
            "'delta_outptu'",
            Some("delta_output"),
        ),
    ] {
        let error = Folder::with_toml(toml).error(codes::INVALID_VALUE);
        assert_eq!((marked(&error), error.nearest()), (text, nearest), "{toml}");
    }
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    for toml in [
        "[project]\nname = ' '",
        "[project]\nname = \"a\\nb\"",
        "[project]\noutput = ''",
        "[datasets.x]\nlocation = ''",
        "[datasets.x]\nlocation = '~/data'",
        "[datasets.x]\nlocation = \"a\\u0000b\"",
        "[datasets.x]\nlocation = 'http://[broken'",
        "[datasets.x]\nlocation = 'file://elsewhere/x'",
        "[datasets.x]\nlocation = 'x'\nversion = -1",
        "[datasets.x]\nlocation = 'x'\ntimestamp = 'yesterday'",
        "[datasets.x]\nlocation = 'x'\ntimestamp = '2026-01-15'",
        "[datasets.x]\nlocation = 'x'\ntimestamp = 2026-01-15T10:30:00",
        "[datasets.x]\nlocation = 'x'\ncsv.delimiter = ''",
        "[datasets.x]\nlocation = 'x'\ncsv.delimiter = 'ab'",
        "[datasets.x]\nlocation = 'x'\ncsv.delimiter = 'é'",
        "[datasets.x]\nlocation = 'x'\ncsv.delimiter = '\"'",
        "[datasets.x]\nlocation = 'x'\noptions.token = {}",
        "[datasets.x]\nlocation = 'x'\noptions.token = { env = 'A', file = 'b' }",
        "[datasets.x]\nlocation = 'x'\noptions.token = { vault = 'A' }",
        "[datasets.x]\nlocation = 'x'\noptions.token = { env = '' }",
        "[datasets.x]\nlocation = 'x'\noptions.token = { env = 'A=B' }",
        "[datasets.x]\nlocation = 'x'\ncontract.key = ['']",
    ] {
        Folder::with_toml(toml).error(codes::INVALID_VALUE);
    }
    for toml in [
        "params.'a b' = { type = 'Int64' }",
        "params.1a = { type = 'Int64' }",
        "tags = ['x', ' ']",
    ] {
        Folder::with_sidecar(toml).error(codes::INVALID_VALUE);
    }
}

#[test]
fn a_section_without_a_key_that_it_needs_says_which() {
    let error = Folder::with_toml("[datasets.orders]\nformat = 'csv'").error(codes::MISSING_KEY);
    assert_eq!(error.to_string(), "`[datasets.orders]` has no `location`");
    assert_eq!(place(&error), "codeanatomy.toml:1:11");

    let toml = "[datasets.x]\nlocation = 'x'\ncontract.columns = [{ type = 'Int64' }]";
    let error = Folder::with_toml(toml).error(codes::MISSING_KEY);
    assert_eq!(marked(&error), "{ type = 'Int64' }");

    let error = Folder::with_sidecar("params.since = { default = 1 }").error(codes::MISSING_KEY);
    assert_eq!(place(&error), "views/a.toml:1:8");
}

#[test]
fn a_version_and_a_timestamp_exclude_each_other_and_both_places_are_named() {
    let toml = "[datasets.x]\nversion = 1\nlocation = 'x'\ntimestamp = '2026-01-15T10:30:00Z'";
    let error = Folder::with_toml(toml).error(codes::CONFLICTING_KEYS);
    let message = error.to_string();
    for at in ["codeanatomy.toml:2:1", "codeanatomy.toml:4:1"] {
        assert!(message.contains(at), "{message}");
    }
}

#[test]
fn keys_without_meaning_are_refused() {
    for (toml, text) in [
        (
            "[datasets.x]\nlocation = 'x'\nformat = 'csv'\nversion = 1",
            "version",
        ),
        (
            "[datasets.x]\nlocation = 'x'\nformat = 'json'\ntimestamp = '2026-01-15T10:30:00Z'",
            "timestamp",
        ),
        (
            "[datasets.x]\nlocation = 'x'\nformat = 'delta'\ncsv.header = true",
            "csv",
        ),
    ] {
        let error = Folder::with_toml(toml).error(codes::CONFLICTING_KEYS);
        assert_eq!(marked(&error), text);
    }
    for (toml, text) in [
        ("location = 'x'", "location"),
        ("cache = 'none'\npartition_by = ['x']", "partition_by"),
    ] {
        let error = Folder::with_sidecar(toml).error(codes::CONFLICTING_KEYS);
        assert_eq!(marked(&error), text);
    }
}

#[test]
fn a_setting_given_in_two_spellings_names_both_places() {
    let toml = "[session]\n'datafusion.execution.batch_size' = 1\n\
                [session.datafusion.execution]\nbatch_size = 2";
    let error = Folder::with_toml(toml).error(codes::CONFLICTING_KEYS);
    assert_eq!(place(&error), "codeanatomy.toml:4:1");
    assert!(
        error.to_string().contains("codeanatomy.toml:2:37"),
        "{error}"
    );
}

#[test]
fn a_column_named_twice_is_marked() {
    let error = Folder::with_sidecar("cache = 'delta_output'\npartition_by = ['x', 'y', 'x']")
        .error(codes::DUPLICATE_COLUMN);
    assert_eq!(place(&error), "views/a.toml:2:27");
    assert!(error.to_string().contains("views/a.toml:2:17"), "{error}");

    Folder::with_sidecar("contract.key = ['x', 'x']").error(codes::DUPLICATE_COLUMN);
    Folder::with_sidecar("contract.columns = [{ name = 'x' }, { name = 'x' }]")
        .error(codes::DUPLICATE_COLUMN);
}

#[test]
fn every_bad_value_of_a_list_is_found() {
    let toml = "tags = [1, 'x', '', true]\ncontract.columns = [1, { name = 'x' }, 'y']";
    let errors = Folder::with_sidecar(toml).errors();
    let marks: Vec<&str> = errors.iter().map(marked).collect();
    assert_eq!(marks, ["1", "''", "true", "1", "'y'"]);
}

#[test]
fn what_this_version_cannot_do_is_refused_and_not_ignored() {
    for folder in [
        Folder::with_toml("[otel]\nendpoint = 'http://localhost:4317'"),
        Folder::with_toml("[defaults]\ncache = 'memory'"),
        Folder::with_sidecar("cache = 'memory'"),
        Folder::with_sidecar("cache = 'delta_staging'\nlocation = 'x'"),
    ] {
        let error = folder.error(codes::NOT_IN_THIS_VERSION);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(
            error.to_string().contains("not available in this version"),
            "{error}"
        );
    }
}
