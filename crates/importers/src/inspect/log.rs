//! The part of a log about the evaluation as a whole.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::sample::Sample;
use crate::error::{Fault, Problem};
use crate::imported::Model;
use crate::json;

/// Newest supported version of the schema.
const VERSION: u64 = 3;

/// The fields of a log that are read.
#[derive(Debug, Deserialize)]
pub(super) struct Log {
    #[serde(default)]
    version: Option<u64>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    eval: Value,
    #[serde(default)]
    plan: Value,
    #[serde(default)]
    results: Value,
    pub(super) samples: Option<Vec<Sample>>,
}

/// What tells an evaluation from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The id that the evaluation shares with its retries.
    pub(super) task: Option<String>,
    pub(super) created: Option<String>,
    pub(super) finished: bool,
}

/// The second part of a header, as old archives have it.
#[derive(Debug, Deserialize)]
pub(super) struct Ending {
    status: Option<String>,
    #[serde(default)]
    results: Value,
}

impl Log {
    pub(super) fn add(&mut self, ending: Ending) {
        self.status = ending.status;
        self.results = ending.results;
    }

    /// Refuses logs that would be misread.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if let Some(version) = self.version.filter(|version| *version > VERSION) {
            return Err(Problem::Version(version).field("version"));
        }
        for field in ["model", "task"] {
            if json::text(&self.eval, &format!("/{field}")).is_none() {
                return Err(Problem::Missing.field(&format!("eval.{field}")));
            }
        }
        if self.has_param("multiple_correct") {
            return Err(Problem::SeveralPossible.field("plan.steps"));
        }
        Ok(())
    }

    /// Whether a solver shuffled the options, as far as the plan says so.
    pub(super) fn shuffles(&self) -> bool {
        self.has_param("shuffle")
    }

    /// Whether a solver has a parameter that is neither missing nor false.
    fn has_param(&self, name: &str) -> bool {
        let is_set = |step: &Value| {
            let value = step.get("params").and_then(|params| params.get(name));
            !matches!(value, None | Some(Value::Null | Value::Bool(false)))
        };
        self.steps().iter().any(is_set)
    }

    /// What tells this evaluation from others.
    pub(super) fn identity(&self) -> Identity {
        let text = |pointer| json::text(&self.eval, pointer).map(str::to_owned);
        Identity {
            // A retry keeps the id of the task.
            task: text("/task_id").or_else(|| text("/eval_id")),
            created: text("/created"),
            finished: self.status.as_deref() == Some("success"),
        }
    }

    /// The number of samples of the data set.
    pub(super) fn samples_of_data(&self) -> Option<usize> {
        let samples = self.eval.pointer("/dataset/samples")?.as_u64()?;
        usize::try_from(samples).ok()
    }

    pub(super) fn model(&self) -> Model {
        let name = json::text(&self.eval, "/model").unwrap_or_default();
        Model {
            name: name.to_owned(),
            details: BTreeMap::new(),
        }
    }

    pub(super) fn task(&self) -> String {
        let task = json::text(&self.eval, "/task").unwrap_or_default();
        task.to_owned()
    }

    /// The names of the solvers that ask: `multiple_choice`, `multiple_choice-cot`, or all steps.
    pub(super) fn strategy(&self) -> String {
        let solver = |step: &Value| json::text(step, "/solver").map(str::to_owned);
        let choice = |step: &&Value| solver(step).is_some_and(|it| it.ends_with("multiple_choice"));
        if let Some(step) = self.steps().iter().find(choice) {
            let thinks = step.pointer("/params/cot").and_then(Value::as_bool);
            let thinks = if thinks == Some(true) { "-cot" } else { "" };
            return format!("multiple_choice{thinks}");
        }
        let all: Vec<String> = self.steps().iter().filter_map(solver).collect();
        if all.is_empty() {
            "inspect".to_owned()
        } else {
            all.join("+")
        }
    }

    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        for (key, pointer) in [
            ("inspect_ai version", "/packages/inspect_ai"),
            ("data set", "/dataset/name"),
            ("created", "/created"),
        ] {
            if let Some(text) = json::text(&self.eval, pointer) {
                settings.insert(key.to_owned(), text.to_owned());
            }
        }
        for key in ["temperature", "top_logprobs", "max_tokens"] {
            let value = self.plan.pointer(&format!("/config/{key}"));
            let value = value.or_else(|| {
                let pointer = format!("/model_generate_config/{key}");
                self.eval.pointer(&pointer)
            });
            if let Some(value @ Value::Number(_)) = value {
                settings.insert(key.to_owned(), value.to_string());
            }
        }
        settings
    }

    /// Notes for the user about the log.
    pub(super) fn notes(&self) -> Vec<String> {
        match self.status.as_deref() {
            None | Some("success") => Vec::new(),
            Some(status) => vec![format!(
                "the log's status is {:?}: it may lack samples",
                crate::error::printable(status)
            )],
        }
    }

    /// The accuracy that the log states of a scorer.
    pub(super) fn accuracy(&self, scorer: Option<&str>) -> Option<f64> {
        let is_it = |score: &&Value| scorer.is_none_or(|it| json::text(score, "/name") == Some(it));
        let mut values = self.scores().iter().filter(is_it);
        values.find_map(|score| score.pointer("/metrics/accuracy/value")?.as_f64())
    }

    /// The names of the scorers, in the order of the evaluation.
    pub(super) fn scorers(&self) -> Vec<String> {
        let names = self
            .scores()
            .iter()
            .filter_map(|score| json::text(score, "/name"));
        names.map(str::to_owned).collect()
    }

    fn scores(&self) -> &[Value] {
        let scores = self.results.get("scores").and_then(Value::as_array);
        scores.map_or(&[], Vec::as_slice)
    }

    fn steps(&self) -> &[Value] {
        self.plan
            .get("steps")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}
