//! Settings by their names.

use pyo3::prelude::*;
use serde::de::DeserializeOwned;
use sureness_conformal::{Protocol, Score};

use crate::refusal::refusal;

/// `standard` or `paper`.
pub(crate) fn protocol(name: &str) -> PyResult<Protocol> {
    named(name, "protocol", &["standard", "paper"])
}

/// `lac` or `aps`.
pub(crate) fn score(name: &str) -> PyResult<Score> {
    named(name, "score", &["lac", "aps"])
}

/// The value that serde knows by this name.
pub(crate) fn named<T: DeserializeOwned>(name: &str, what: &str, known: &[&str]) -> PyResult<T> {
    serde_json::from_value(name.into()).map_err(|_| {
        refusal(
            format_args!("{what} {name:?} is unknown"),
            &format!("choose among {}", known.join(", ")),
        )
    })
}
