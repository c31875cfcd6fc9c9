//! Evidence from runs and files of saved logits.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pyo3::prelude::*;
use serde::Deserialize;
use sureness_bench::Failure;
use sureness_bench::evidence::{Drop, Selection, Texts, load};

use super::Evidence;
use crate::refusal::refusal;

/// What to read, as Python passes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    questions: Option<PathBuf>,
    models: Vec<String>,
    tasks: Vec<String>,
    strategies: Vec<String>,
    drop_ids: Option<BTreeSet<i64>>,
    mixed_prompts: bool,
}

/// From JSON.
pub(super) fn selection(runs: Vec<PathBuf>, text: &str) -> PyResult<Selection> {
    let given: Given = serde_json::from_str(text).map_err(|error| {
        refusal(
            format_args!("a setting cannot be read: {error}"),
            "see help(sureness.read) for the settings and their values",
        )
    })?;
    let drop = given.drop_ids.map_or_else(Drop::default, |ids| Drop {
        ids,
        ..Drop::default()
    });
    Ok(Selection {
        questions: given.questions,
        drop,
        models: given.models,
        tasks: given.tasks,
        strategies: given.strategies,
        mixed_prompts: given.mixed_prompts,
        covers_given: true,
        ..Selection::of(runs)
    })
}

/// Loads them and checks that they can be compared.
pub(super) fn read(selection: &Selection) -> Result<Evidence, Failure> {
    let loaded = load(selection, &Texts::default())?;
    let config = loaded.config.unwrap_or_default();
    let mut evidence = loaded.evidence;
    evidence.temper(config.tempered);
    Ok(Evidence {
        rows: evidence,
        config,
        warnings: loaded.warnings,
        notes: loaded.notes,
    })
}
