//! Imports evaluations of other tools as runs in a store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sureness_importers::{Imported, ImportedRow, Model, Options};
use sureness_record::ModelIdentity;
use sureness_scorers::{OptionScores, Usage};
use sureness_store::{GroupImport, ImportOutcome, RowImport, RunImport, Store};

use crate::error::Failure;
use crate::folder;

/// What an import brought.
#[derive(Debug)]
pub struct Import {
    /// One entry per model.
    pub models: Vec<ModelImport>,
    /// Notes for the user on files that were left out.
    pub notes: Vec<String>,
}

/// The import of one model.
#[derive(Debug)]
pub struct ModelImport {
    /// One entry per task and strategy.
    pub groups: Vec<Imported>,
    /// The run it became.
    pub outcome: ImportOutcome,
}

/// Reads evaluations and writes them to the store in `output_dir`, one run per model.
///
/// # Errors
///
/// All problems of the input, in which case nothing is written.
pub fn import(paths: &[PathBuf], options: &Options, output_dir: &Path) -> Result<Import, Failure> {
    let imported = sureness_importers::import(paths, options).map_err(|errors| {
        Failure::all(errors.into_iter().map(Failure::from))
            .unwrap_or_else(|| Failure::new("nothing to import"))
    })?;
    let (imports, notes) = (imported.groups, imported.notes);
    let questions = imports.iter().map(|import| import.rows.len()).sum();
    let folder = folder::prepare(output_dir, questions)?;
    let mut by_model: BTreeMap<Model, Vec<Imported>> = BTreeMap::new();
    for import in imports {
        by_model
            .entry(import.model.clone())
            .or_default()
            .push(import);
    }
    let runs: Vec<RunImport> = by_model
        .iter()
        .map(|(model, imports)| RunImport {
            model: identity(model, imports),
            groups: imports.iter().map(group).collect(),
        })
        .collect();
    let outcomes = Store::open(&folder.store)?.import_runs(&runs)?;
    let models = by_model.into_values().zip(outcomes);
    let models = models.map(|(groups, outcome)| ModelImport { groups, outcome });
    Ok(Import {
        models: models.collect(),
        notes,
    })
}

fn identity(model: &Model, imports: &[Imported]) -> ModelIdentity {
    let mut details = model.details.clone();
    if let Some(first) = imports.first() {
        details.insert("imported from".to_owned(), first.format.title().to_owned());
    }
    ModelIdentity {
        name: model.name.clone(),
        backend: "import".to_owned(),
        details,
    }
}

fn group(import: &Imported) -> GroupImport {
    let files: Vec<_> = import
        .files
        .iter()
        .map(|file| serde_json::json!({"name": file.name, "blake3": file.digest}))
        .collect();
    let source = serde_json::json!({
        "format": import.format.name(),
        "values": import.values.name(),
        "files": files,
        "settings": import.settings,
    });
    GroupImport {
        task: import.task.clone(),
        strategy: import.strategy.clone(),
        source,
        rows: import.rows.iter().map(row).collect(),
    }
}

fn row(row: &ImportedRow) -> RowImport {
    let outcome = row.scores.clone().map(|scores| OptionScores {
        logprobs: scores.logprobs,
        observed: scores.observed,
        // The store reads NaN as unknown.
        mass: scores.mass.unwrap_or(f64::NAN),
        usage: Usage::default(),
    });
    RowImport {
        question: row.question.clone(),
        outcome,
    }
}
