//! Secrets in files, which no error may show.

use codeanatomy_project::codes;
use codeanatomy_vocab::Error;

use crate::folder::Folder;

/// Everything that an error could show.
fn shown(errors: &[Error]) -> String {
    let mut text = String::new();
    for error in errors {
        text += &format!("{error} {error:?} {:?} {:?}\n", error.help(), error.label());
        if let Some((snippet, _)) = error.location().unwrap().snippet() {
            text += snippet;
        }
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text += &format!("{cause} {cause:?}");
            source = cause.source();
        }
    }
    text
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    for toml in [
        "[datasets.x]\nlocation = 'x'\noptions.aws_secret_access_key = 'hunter2'",
        "[datasets.x]\nlocation = 'x'\noptions.password = \"\"\"\nhunter2\"\"\"",
        "[datasets.x]\nlocation = 'x'\noptions.proxy = 'http://me:hunter2@proxy'",
        "[datasets.x]\nlocation = 's3://key:hunter2@bucket/x'",
        "[datasets.x]\nlocation = 'https://host/x.csv?X-Amz-Signature=hunter2'",
        "[datasets.x]\nlocation = 'https://host/x.csv?sig=hunter2'",
        "[session]\n'datafusion.execution.parquet.crypto.footer_key_as_hex' = 'hunter2'",
    ] {
        let error = Folder::with_toml(toml).error(codes::PLAIN_SECRET);
        let shown = shown(&[error]);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
    let error = Folder::with_toml("[datasets.x]\nlocation = 'x'\noptions.password = 1234")
        .error(codes::PLAIN_SECRET);
    assert!(!shown(&[error]).contains("1234"));
}

#[test]
fn another_error_in_the_file_does_not_show_the_secret_either() {
    for toml in [
        "[datasets.x]\nlocation = 'x'\noptions.password = 'hunter2'\n[otel]\nx = 1",
        "[datasets.x]\nlocation = 'x'\noptions.password = { value = 'hunter2' }",
        "[datasets.x]\nlocation = 'x'\noptions.passwords = ['hunter2']",
        "[datasets.x]\nlocation = 'x'\noptions.password = 'hunter2\n",
        "[datasets.x]\nlocation = 'x'\noptions.password = hunter2\n",
        "[datasets.x]\nlocation = 'x'\noptions = { password = 'hunter2', }}\n",
        "[datasets.x]\nlocation = 's3://me:hunter2@x\n",
        "password = 'hunter2'",
        "[project]\noutput = 's3://me:hunter2@bucket'",
    ] {
        let errors = Folder::with_toml(toml).errors();
        let shown = shown(&errors);
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_reference_to_a_secret_is_shown_as_it_is() {
    let toml = "[datasets.x]\nlocation = 'x'\noptions.password = { env = 'MY_VAR' }\nzzz = 1";
    let error = Folder::with_toml(toml).error(codes::UNKNOWN_KEY);
    assert!(shown(&[error]).contains("MY_VAR"));
}
