//! Failures as Python exceptions.

use std::fmt::Display;

use pyo3::PyErr;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use sureness_bench::{Failure, Kind};

/// A `ValueError` that says what is wrong, and what to do as `hint:`, as the command line does.
pub(crate) fn refusal(message: impl Display, hint: &str) -> PyErr {
    PyValueError::new_err(text(&message.to_string(), Some(hint)))
}

/// A failure of the benchmark with everything that failed before it: `ValueError` for bad input,
/// `RuntimeError` where questions were asked, `KeyboardInterrupt` after an interruption.
pub(crate) fn failed(failure: &Failure) -> PyErr {
    let all = failure.earlier().iter().chain([failure]);
    let texts: Vec<String> = all.map(|one| text(&one.to_string(), one.to_do())).collect();
    let texts = texts.join("\n");
    match failure.of_kind() {
        Kind::Input => PyValueError::new_err(texts),
        Kind::Unfinished => PyRuntimeError::new_err(texts),
        Kind::Interrupted => PyKeyboardInterrupt::new_err(texts),
    }
}

fn text(message: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) if !hint.is_empty() => format!("{message}\nhint: {hint}"),
        _ => message.to_owned(),
    }
}
