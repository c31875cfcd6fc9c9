//! From failures to messages and exit codes.

use std::process::ExitCode;

use sureness_bench::{Failure, Kind};

/// Interrupted; everything answered so far is kept.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// Prints a failure, and what was wrong before it, to stderr; gives the exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    for earlier in failure.earlier() {
        report(earlier);
    }
    // Meaning is never carried by colour alone, so plain text will do everywhere.
    eprintln!("error: {failure}");
    if let Some(hint) = failure.to_do() {
        eprintln!("hint: {hint}");
    }
    ExitCode::from(match failure.of_kind() {
        Kind::Unfinished => 1,
        Kind::Input => 2,
        Kind::Interrupted => EXIT_INTERRUPTED,
    })
}
