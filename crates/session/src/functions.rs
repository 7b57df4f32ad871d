//! The functions of a session, as one digest.

use std::collections::BTreeMap;

use codeanatomy_vocab::{Encoder, Fingerprint};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Signature;

/// One function as the digest sees it.
struct Entry {
    aliases: Vec<String>,
    signature: String,
}

/// The digest of all functions of `state`.
pub(crate) fn digest(state: &SessionState) -> Fingerprint {
    // A registry has an entry for each alias too; under its name and kind a function is one.
    let mut entries: BTreeMap<(u8, String), Entry> = BTreeMap::new();
    let mut add = |kind: u8, name: &str, aliases: &[String], signature: String| {
        let mut aliases = aliases.to_vec();
        aliases.sort_unstable();
        let entry = Entry { aliases, signature };
        entries.insert((kind, name.to_owned()), entry);
    };
    for function in state.scalar_functions().values() {
        let signature = text(function.signature());
        add(0, function.name(), function.aliases(), signature);
    }
    for function in state.aggregate_functions().values() {
        let signature = text(function.signature());
        add(1, function.name(), function.aliases(), signature);
    }
    for function in state.window_functions().values() {
        let signature = text(function.signature());
        add(2, function.name(), function.aliases(), signature);
    }
    for function in state.higher_order_functions().values() {
        let signature = format!("{:?}", function.signature());
        add(3, function.name(), function.aliases(), signature);
    }
    for name in state.table_functions().keys() {
        add(4, name, &[], String::new());
    }
    let mut encoder = Encoder::new("codeanatomy.function_registry", 1);
    encoder.seq(entries.iter(), |encoder, ((kind, name), entry)| {
        encoder.tag(*kind);
        encoder.str(name);
        encoder.seq(entry.aliases.iter(), |encoder, alias| encoder.str(alias));
        encoder.str(&entry.signature);
    });
    encoder.finish()
}

/// The signature with its volatility: its fields are lists and enums, so the text is the same in
/// every process.
fn text(signature: &Signature) -> String {
    format!("{signature:?}")
}
