//! `sureness`: measures how sure a language model is, and whether it should be.

/// As the standard one, for all modules below, but never the end of the program: see
/// [`show::terminal::say`].
macro_rules! eprintln {
    ($($words:tt)*) => {
        $crate::show::terminal::say(format!($($words)*))
    };
}

mod args;
mod commands;
mod error;
mod metrics;
mod settings;
mod show;

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = args::parse(std::env::args_os());
    commands::execute(command).unwrap_or_else(|failure| error::report(&failure))
}
