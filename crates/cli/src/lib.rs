//! The `sureness` command as a library, for the binary and for the Python package.

// `println!` panics where its reader has left; `show::terminal::print` does not.
#![warn(clippy::print_stdout)]

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
mod run_line;
mod settings;
mod show;

use std::ffi::OsString;
use std::process::ExitCode;

pub use run_line::RunLine;

/// Runs the command line `args`, the first of which is the program's name, and returns its exit code.
///
/// Exits the process by itself for `--help`, `--version` and unreadable flags.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = args::parse(args.into_iter().collect());
    command
        .and_then(commands::execute)
        .unwrap_or_else(|failure| error::report(&failure))
}
