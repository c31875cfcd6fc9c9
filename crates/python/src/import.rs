//! Evaluations of other tools.

use std::collections::HashSet;
use std::path::PathBuf;

use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use sureness_bench::{Import, ModelImport};
use sureness_importers::{Format, Normalise, Options};

use crate::evidence::json;
use crate::refusal::{failed, refusal};

/// What to import, as Python passes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    format: Option<String>,
    questions: Option<PathBuf>,
    model: Option<String>,
    task: Option<String>,
    strategy: Option<String>,
    drop_ids: Option<HashSet<String>>,
    tasks: Vec<String>,
    skip: Vec<String>,
    normalise: String,
}

/// What an import brought.
#[derive(Serialize)]
struct Brought {
    groups: Vec<Group>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Group {
    model: String,
    task: String,
    strategy: String,
    questions: usize,
    run: i64,
}

/// Imports files into the store of `output_dir`; `options` is JSON. Returns what came, as JSON.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over lists")]
pub(crate) fn import_files(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    options: &str,
    output_dir: PathBuf,
) -> PyResult<String> {
    let options = read(options)?;
    let import = py.detach(|| sureness_bench::import(&paths, &options, &output_dir));
    json(&brought(import.map_err(|failure| failed(&failure))?))
}

fn read(text: &str) -> PyResult<Options> {
    let given: Given = serde_json::from_str(text).map_err(|error| {
        refusal(
            format_args!("a setting cannot be read: {error}"),
            "see help(sureness.import_results) for the settings and their values",
        )
    })?;
    Ok(Options {
        format: given.format.as_deref().map(format).transpose()?,
        questions: given.questions,
        any_questions: false,
        model: given.model,
        task: given.task,
        strategy: given.strategy,
        drop_ids: given.drop_ids,
        tasks: given.tasks,
        skip: given.skip,
        normalise: normalise(&given.normalise)?,
    })
}

fn format(name: &str) -> PyResult<Format> {
    let found = Format::ALL.into_iter().find(|format| format.name() == name);
    found.ok_or_else(|| {
        let known = Format::ALL.map(Format::name).join(", ");
        refusal(
            format_args!("format {name:?} is unknown"),
            &format!("choose among {known}, or leave it out to detect it"),
        )
    })
}

fn normalise(name: &str) -> PyResult<Normalise> {
    let known = [
        Normalise::None,
        Normalise::Chars,
        Normalise::Bytes,
        Normalise::Tokens,
    ];
    let found = known.into_iter().find(|by| by.name() == name);
    found.ok_or_else(|| {
        refusal(
            format_args!("normalise {name:?} is unknown"),
            &format!("choose among {}", known.map(Normalise::name).join(", ")),
        )
    })
}

fn brought(import: Import) -> Brought {
    let doubts = import.doubts();
    let mut found = Brought {
        groups: Vec::new(),
        notes: import.notes,
        warnings: import.warnings,
    };
    found.warnings.extend(doubts);
    for ModelImport { groups, outcome } in import.models {
        for group in groups {
            found.groups.push(Group {
                model: group.model.name.clone(),
                task: group.task.clone(),
                strategy: group.strategy.clone(),
                questions: group.rows.len(),
                run: outcome.run(),
            });
            found.notes.extend(group.notes);
        }
    }
    found
}
