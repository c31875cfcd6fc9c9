//! The `sureness` binary: measures how sure a language model is, and whether it should be.

/// Shadows `std::eprintln!` so that a closed stderr never panics: see [`show::terminal::say`].
macro_rules! eprintln {
    ($($format:tt)*) => {
        $crate::show::terminal::say(&format!($($format)*))
    };
}

mod args;
mod commands;
mod config;
mod error;
mod metrics;
mod settings;
mod show;

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = args::parse(std::env::args_os());
    command
        .and_then(commands::execute)
        .unwrap_or_else(|failure| error::report(&failure))
}
