//! Early decisions about which model is better.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use serde::Deserialize;
use sureness_analysis::settled::{Incomparable, Stopping};
use sureness_anytime::{Goal, Metric};

use super::options::share;
use crate::refusal::refusal;

/// When to stop, as Python passes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    confidence: f64,
    /// Figures, each with the difference below which models count as equal.
    metrics: BTreeMap<Metric, Option<f64>>,
    max_questions: Option<usize>,
}

/// From JSON.
pub(super) fn stopping(text: &str) -> PyResult<Stopping> {
    let given: Given = serde_json::from_str(text).map_err(|error| {
        refusal(
            format_args!("a setting cannot be read: {error}"),
            "choose metrics among acc, size and uacc, with margins that are numbers or None",
        )
    })?;
    let settled = |metric: &&Metric| !Metric::SETTLED.contains(metric);
    if let Some(metric) = given.metrics.keys().find(settled) {
        return Err(refusal(
            format_args!("{metric} cannot be settled early"),
            "choose among acc, size and uacc",
        ));
    }
    Ok(Stopping {
        goal: Goal::Settled,
        deployed: None,
        confidence: share(Some(given.confidence), "confidence", 0.95)?,
        metrics: given.metrics.into_iter().collect(),
        max_questions: given.max_questions,
        per_task: false,
    })
}

/// Models that were not asked alike.
pub(super) fn refused(Incomparable(reason): &Incomparable) -> PyErr {
    refusal(
        format_args!("these models cannot be compared: {reason}"),
        "compare at least two models that were asked the same questions in the same way",
    )
}
