//! The examples of the documentation.

use codeanatomy_udf::{Kind, Library};

use crate::support::{rows, session};

#[test]
fn every_example_gives_the_rows_that_it_shows() {
    let context = session();
    let mut wrong = Vec::new();
    for entry in Library::builtin().entries() {
        for example in entry.docs().examples {
            let rows = rows(&context, example.sql);
            if rows != example.rows {
                wrong.push(format!(
                    "{}\n  gives {rows:?}\n  shows {:?}",
                    example.sql, example.rows
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_is_documented_in_full() {
    for entry in Library::builtin().entries() {
        let (name, docs) = (entry.name(), entry.docs());
        // What a table function reads is outside of any query.
        assert!(
            entry.kind() == Kind::Table || !docs.examples.is_empty(),
            "{name} has no example"
        );
        assert!(docs.summary.ends_with('.'), "{name}: {}", docs.summary);
        assert!(docs.returns.ends_with('.'), "{name}: {}", docs.returns);
        let called = entry
            .names()
            .any(|known| docs.syntax.starts_with(&format!("{known}(")));
        assert!(called, "{name}: {}", docs.syntax);
        for (argument, meaning) in docs.arguments {
            assert!(docs.syntax.contains(argument), "{name}: {argument}");
            assert!(meaning.ends_with('.'), "{name}: {meaning}");
        }
        let texts = docs.notes.iter().chain([&docs.summary, &docs.returns]);
        for text in texts {
            assert!(!text.contains("  "), "{name}: {text}");
        }
    }
}
