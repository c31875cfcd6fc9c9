//! Predictions of OLMES (AI2's `oe_eval`): `task-000-{task}-predictions.jsonl`, beside
//! `task-000-{task}-metrics.json`.
//!
//! The fields are those of `oe_eval/metrics/metric.py` (class `MCAccuracy`) and of
//! `OUTPUT_FORMATS.md` in allenai/olmes, as of 2025: one line per document with `doc_id`, `native_id`,
//! `label`, `metrics`, and in `model_output` one entry per option.

mod output;
mod settings;

use std::path::Path;

use serde_json::Value;

use crate::asked::{self, Asked, Group, Metrics, Ties};
use crate::choice::Choice;
use crate::error::Fault;
use crate::imported::{Imported, Model, Options, SourceFile, Values};
use crate::likelihood::Rule;
use crate::lines::lines;
use crate::{Format, ImportError, Problem, content, json};
use settings::Settings;

/// The harness's metrics that can be computed again.
const METRICS: Metrics = &[
    ("acc_raw", Rule::Sum),
    ("acc_per_token", Rule::Tokens),
    ("acc_per_char", Rule::Chars),
    ("acc_per_byte", Rule::Bytes),
    ("acc_uncond", Rule::Unconditioned),
];

/// What undivided scores compare with.
const PLAIN: &str = "compare with acc_raw of OLMES, not with a normalised figure";

/// Imports a file; nothing if its task is not chosen.
pub(crate) fn import(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let settings = Settings::beside(path)?;
    let task = settings.task.or_else(|| options.task.clone());
    let task = task.ok_or_else(|| Problem::NoTask.of(path))?;
    if !choice.wants(&[&task]) {
        return Ok(Vec::new());
    }
    let name = options.model.clone().or(settings.model);
    let model = Model {
        name: name.ok_or_else(|| Problem::NoModel.of(path))?,
        details: settings.details,
    };
    let import = Imported {
        values: Values::Labels,
        ..Imported::empty(model, task.clone(), settings.strategy, Format::Olmes)
    };
    let mut group = Group::new(import, METRICS, Ties::First);
    let digest = lines(path, bytes, |place, row: Value| {
        let at = |fault: Fault| fault.at(path, place.clone());
        let id = row.get("doc_id").unwrap_or(&Value::Null);
        let id = json::id(id, "doc_id").map_err(at)?;
        if !group.admits(&id, "doc_id", &place, choice).map_err(at)? {
            return Ok(());
        }
        let read = output::read(&row).map_err(at)?;
        if !read.letters {
            group.import.values = Values::Continuations;
        }
        let native = row.get("native_id").map(Value::to_string);
        group.add(Asked {
            question: content::of_name([
                "olmes document",
                &task,
                &id,
                &native.unwrap_or_default(),
                &read.answer.to_string(),
            ]),
            id,
            category: None,
            right: read.answer.into(),
            likelihoods: read.likelihoods,
            observed: read.observed,
            verdicts: verdicts(&row),
        });
        Ok(())
    })?;
    if group.len() == 0 {
        return Err(Problem::Empty.of(path));
    }
    group.import.files = vec![SourceFile::new(path, &digest)];
    let mut import = group.finish(path, options.normalise)?;
    let note = asked::note_of(import.values, options.normalise, PLAIN);
    import.notes.extend(note);
    Ok(vec![import])
}

/// The harness's accuracies of a row.
fn verdicts(row: &Value) -> Vec<(String, f64)> {
    let metrics = row.get("metrics").and_then(Value::as_object);
    let metrics = metrics.into_iter().flatten();
    let accuracies = metrics.filter(|(name, value)| name.starts_with("acc_") && !value.is_null());
    accuracies
        .map(|(name, value)| (name.clone(), asked::verdict(value).unwrap_or(f64::NAN)))
        .collect()
}
