//! The function in a session, in the reference and in identities.

use codeanatomy::exec::{Environment, open_session_with};
use codeanatomy::session::{Machine, Preset, RuntimeProfile};
use codeanatomy::udf::platform::reference;
use codeanatomy::udf::snapshot;
use codeanatomy::vocab::UnixMillis;
use codeanatomy_functions_example::library;

#[test]
fn a_function_of_another_crate_is_in_session_snapshot_docs_and_identities_at_once() {
    let machine = Machine {
        cores: 2,
        memory_bytes: 8 << 30,
    };
    let (profile, _) = RuntimeProfile::preset(Preset::Dev).build(machine).unwrap();
    let library = library().unwrap();
    let (session, notices) = open_session_with(&profile, UnixMillis(0), |platform| {
        platform.with_library(library.clone())
    })
    .unwrap();
    assert_eq!(notices, []);
    let snapshot = snapshot(&session.state());
    let function = snapshot.get("net_price").unwrap();
    assert_eq!(
        (function.library.as_str(), function.version),
        ("functions-example", Some(1))
    );
    assert!(
        Environment::of(&session)
            .functions
            .contains_key("net_price")
    );
    assert!(reference(&library).contains("### `net_price(gross)`"));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let example = library.get("net_price").unwrap().docs().examples[0];
        let rows = session
            .context()
            .sql(example.sql)
            .await
            .unwrap()
            .to_string()
            .await
            .unwrap();
        assert!(rows.contains(example.rows[0]), "{rows}");
    });
}
