//! Coverage-guided fuzzing of what is decoded: forms of plans, and bundles as files.
//!
//! `cargo xtask fuzz` builds this with libFuzzer and runs one target after the other. One program
//! holds all targets, because each links the whole engine; the environment variable
//! `CODEANATOMY_FUZZ_TARGET` names the one to run, and `CODEANATOMY_FUZZ_SEEDS` the folder that gets
//! its seeds first.
//!
//! A target fails by a panic that leaves the decoder, by an answer that breaks a promise, by a hang
//! and by memory without bound.

#![no_main]

#[path = "../../crates/plan/tests/it/corpus.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod corpus;
mod target;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

use self::target::Target;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        // The engine panics on some messages, and the decoders turn that into an error. The hook of
        // libFuzzer would end the process there; a panic that gets out still does.
        std::panic::set_hook(Box::new(|_| {}));
        if let Some(folder) = std::env::var_os("CODEANATOMY_FUZZ_SEEDS") {
            with_target(|target| target.write_seeds(folder.as_ref()));
        }
    },
    |bytes: &[u8]| with_target(|target| target.run(bytes))
);

fn with_target(work: impl FnOnce(&Target)) {
    work(TARGET.get_or_init(Target::from_environment))
}
