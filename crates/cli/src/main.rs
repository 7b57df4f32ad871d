//! The `codeanatomy` command line: arguments, rendering and exit codes. What a command does is
//! done by the crates below; nothing here plans, decides or executes.

// From arguments to an exit code.
mod app;
mod args;
mod codes;
mod environment;
mod exit;

// One file for each command.
mod command;

// What a person or a script gets to see.
mod output;
mod progress;
mod render;

// The outside world while a command runs.
mod interrupt;
mod logging;

fn main() -> std::process::ExitCode {
    app::main(std::env::args_os().collect())
}
