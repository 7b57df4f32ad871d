//! Files that are missing, cannot be read, or hold nothing.

use codeanatomy_project::{Project, codes, discover};
use codeanatomy_vocab::Stage;

use crate::folder::{Folder, place};

#[test]
fn a_folder_without_a_project_says_how_to_make_one() {
    let folder = Folder::empty();
    for error in [
        discover(folder.path()).unwrap_err(),
        discover(&folder.join("missing")).unwrap_err(),
        folder.error(codes::NO_PROJECT),
    ] {
        assert_eq!(error.code(), codes::NO_PROJECT);
        assert_eq!(error.code().stage(), Stage::Configuration);
        assert!(error.help().unwrap().contains("codeanatomy init"));
    }
    assert!(Project::load(&folder.join("missing")).is_err());
}

#[test]
fn a_project_without_views_says_where_to_put_one() {
    let error = Folder::empty()
        .file("codeanatomy.toml", "")
        .error(codes::NO_VIEWS);
    assert!(error.to_string().contains("no folder `views/`"), "{error}");

    let error = Folder::empty()
        .file("codeanatomy.toml", "")
        .file("views/README.md", "soon")
        .error(codes::NO_VIEWS);
    assert!(error.help().unwrap().contains("views/my_view.sql"));
}

#[test]
fn a_view_without_text_is_refused() {
    for text in ["", " \n\t\n", "\u{feff}"] {
        let error = Folder::with_toml("")
            .file("views/b.sql", text)
            .error(codes::EMPTY_VIEW);
        assert_eq!(place(&error), "views/b.sql");
    }
}

#[test]
fn a_view_that_is_not_utf8_is_shown_at_its_first_bad_byte() {
    let error = Folder::with_toml("")
        .file("views/b.sql", b"select 'a'\nfrom caf\xe9 c\n")
        .error(codes::NOT_UTF8);
    assert_eq!(place(&error), "views/b.sql:2:9");
    let message = error.to_string();
    assert!(
        message.contains("offset 19") && message.contains("line 2"),
        "{message}"
    );

    Folder::with_toml("")
        .file("views/a.toml", b"\xff\xfe")
        .error(codes::NOT_UTF8);
    Folder::with_toml("")
        .file("codeanatomy.toml", b"a = '\xff'")
        .error(codes::NOT_UTF8);
}

#[test]
fn a_folder_with_the_name_of_a_file_is_no_file() {
    let folder = Folder::empty()
        .file("codeanatomy.toml/x", "")
        .file("views/a.sql", "select 1");
    folder.error(codes::UNREADABLE);
}

#[test]
fn a_file_too_large_for_a_person_is_not_read() {
    let folder = Folder::with_toml("");
    let file = std::fs::File::create(folder.join("views/b.sql")).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = folder.error(codes::UNREADABLE);
    assert!(error.to_string().contains("more than"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_that_leave_the_project_are_refused() {
    let outside = Folder::empty()
        .file("x.sql", "select 1")
        .file("x.toml", "")
        .file("deep/y.sql", "select 1");
    for (link, target) in [
        ("views/x.sql", "x.sql"),
        ("views/a.toml", "x.toml"),
        ("views/deep", "deep"),
    ] {
        let folder = Folder::with_toml("").link(link, outside.join(target));
        let error = folder.error(codes::BAD_LINK);
        assert_eq!(place(&error), link);
    }
    let folder = Folder::empty()
        .link("codeanatomy.toml", outside.join("x.toml"))
        .link("views", outside.path());
    let errors = folder.errors();
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors.iter().all(|error| error.code() == codes::BAD_LINK));
}

#[cfg(unix)]
#[test]
fn links_that_lead_round_in_a_circle_are_refused() {
    let error = Folder::with_toml("")
        .link("views/again", "../views")
        .error(codes::BAD_LINK);
    assert_eq!(place(&error), "views/again");
    assert!(error.to_string().contains("`views`"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_that_points_nowhere_is_refused() {
    let error = Folder::with_toml("")
        .link("views/x.sql", "gone.sql")
        .error(codes::UNREADABLE);
    assert_eq!(place(&error), "views/x.sql");
}

#[test]
fn all_errors_of_a_folder_come_at_once_and_in_order() {
    let errors = Folder::with_toml(
        "[projct]\nname = 'x'\n[session]\nbatch_size = []\n\
         [datasets.orders]\nfromat = 'csv'\nversion = -1\n[datasets.'b c']\n[otel]\n",
    )
    .file("views/a.toml", "cache = 'disk'\ntags = 1")
    .file("views/b.sql", "")
    .file("views/c.sql", b"\xff")
    .file("views/c.toml", "[[[")
    .file("views/d/a.sql", "select 2")
    .file("views/lost.toml", "")
    .file("views/orders.sql", "select 1")
    .file("macros/m.sql", b"\xff")
    .errors();
    let found: Vec<(&str, String)> = errors
        .iter()
        .map(|error| (error.code().id(), place(error)))
        .collect();
    let expected = [
        ("CA-PROJECT-0003", "codeanatomy.toml:1:2"),
        ("CA-PROJECT-0004", "codeanatomy.toml:4:14"),
        ("CA-PROJECT-0003", "codeanatomy.toml:6:1"),
        ("CA-PROJECT-0005", "codeanatomy.toml:5:11"),
        ("CA-PROJECT-0006", "codeanatomy.toml:7:11"),
        ("CA-VOCAB-0001", "codeanatomy.toml:8:11"),
        ("CA-PROJECT-0005", "codeanatomy.toml:8:11"),
        ("CA-PROJECT-0020", "codeanatomy.toml:9:2"),
        ("CA-PROJECT-0006", "views/a.toml:1:9"),
        ("CA-PROJECT-0004", "views/a.toml:2:8"),
        ("CA-PROJECT-0010", "views/b.sql"),
        ("CA-PROJECT-0009", "views/c.sql:1:1"),
        ("CA-PROJECT-0002", "views/c.toml:1:3"),
        ("CA-PROJECT-0011", "views/d/a.sql"),
        ("CA-PROJECT-0014", "views/lost.toml"),
        ("CA-PROJECT-0013", "views/orders.sql"),
        ("CA-PROJECT-0009", "macros/m.sql:1:1"),
    ];
    let expected = expected.map(|(code, at)| (code, at.to_owned()));
    assert_eq!(found, expected, "{errors:#?}");
}
