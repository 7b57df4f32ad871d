//! The page of functions.

use codeanatomy_udf::{Library, platform::reference};

#[test]
fn the_page_of_functions_is_fresh() {
    let page = include_str!("../../../../docs/functions.md");
    assert!(
        page == reference(&Library::builtin()),
        "run `cargo run -p codeanatomy-udf --example reference > docs/functions.md`"
    );
}
