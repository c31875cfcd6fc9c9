//! `sureness`: measures how sure a language model is, and whether it should be.

/// As the standard one, for all modules below, but never the end of the program: see
/// [`terminal::say`].
macro_rules! eprintln {
    ($($words:tt)*) => {
        $crate::terminal::say(format!($($words)*))
    };
}

mod args;
mod commands;
mod error;
mod folders;
mod metrics;
mod models;
mod session;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse(std::env::args_os()).and_then(commands::execute) {
        Ok(code) => code,
        Err(error) => error.report(),
    }
}
