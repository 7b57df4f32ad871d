//! Whatever stands in the files, loading ends in a project or in errors.

use codeanatomy_project::Project;
use proptest::prelude::*;

use crate::folder::Folder;

/// Pieces that together are often almost a good file.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "[project]",
        "[session]",
        "[datasets.x]",
        "[datasets.y.contract]",
        "[defaults]",
        "[diagnostics]",
        "[otel]",
        "[[datasets.x.contract.columns]]",
        "[params.p]",
        "[contract]",
        "name",
        "output",
        "location",
        "format",
        "version",
        "timestamp",
        "options",
        "csv",
        "cache",
        "partition_by",
        "columns",
        "key",
        "params",
        "preset",
        "password",
        "=",
        ".",
        ",",
        "\n",
        "\n",
        "{",
        "}",
        "[",
        "]",
        "'x'",
        "\"..\"",
        "'s3://a:b@c'",
        "'delta_output'",
        "'csv'",
        "-1",
        "1.5",
        "true",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "# é",
        "\"\"\"",
        "'''",
        "\\",
        "\u{feff}",
        "\0",
    ]);
    prop_oneof![4 => words.prop_map(str::to_owned), 1 => any::<String>()]
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.join(" ").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loading_never_panics(toml in file(), sidecar in file(), sql in file()) {
        let folder = Folder::with_toml("")
            .file("codeanatomy.toml", &toml)
            .file("views/a.toml", &sidecar)
            .file("views/a.sql", &sql);
        if let Err(errors) = Project::load(folder.path()) {
            for error in errors.iter() {
                prop_assert!(error.help().is_some(), "no help: {error:?}");
                prop_assert!(error.location().is_some(), "no place: {error:?}");
            }
        }
    }
}
