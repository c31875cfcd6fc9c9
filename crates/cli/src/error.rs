//! Turns failures into messages and exit codes.

use std::process::ExitCode;

use sureness_bench::{Failure, Kind};

/// Exit code of an interrupted command; all answers so far are saved.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// Prints a failure and those before it to stderr; returns the exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    for earlier in failure.earlier() {
        report(earlier);
    }
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
