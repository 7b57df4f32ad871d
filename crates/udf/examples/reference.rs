//! Prints `docs/functions.md`.

use codeanatomy_udf::{Library, platform::reference};

fn main() {
    print!("{}", reference(&Library::builtin()));
}
