//! Imports evaluations of other tools as runs in a store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sureness_analysis::number::counted;
use sureness_conformal::{Guessing, Row};
use sureness_importers::{Format, Imported, ImportedRow, Model, Options, Values};
use sureness_questions::answers;
use sureness_record::{LOW_MASS, ModelIdentity};
use sureness_scorers::{OptionScores, Usage};
use sureness_store::{GroupImport, ImportOutcome, RowImport, RunImport, Store};

use crate::error::Failure;
use crate::evidence::guessing_warning;
use crate::evidence::key::KeyFile;
use crate::folder;

/// What an import brought.
#[derive(Debug)]
pub struct Import {
    /// One entry per model.
    pub models: Vec<ModelImport>,
    /// Notes for the user on files that were left out.
    pub notes: Vec<String>,
    /// What makes the figures doubtful.
    pub warnings: Vec<String>,
}

/// The import of one model.
#[derive(Debug)]
pub struct ModelImport {
    /// One entry per task and strategy.
    pub groups: Vec<Imported>,
    /// The run it became.
    pub outcome: ImportOutcome,
}

impl Import {
    /// What is missing from the groups, and where they contradict their files, one sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let groups = self.models.iter().flat_map(|model| &model.groups);
        groups.flat_map(doubts).collect()
    }
}

fn doubts(import: &Imported) -> Vec<String> {
    let mut reasons: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for row in &import.rows {
        if let Err(error) = &row.scores {
            let example = || (0, format!("{}: {error}", row.question.id));
            reasons.entry(error.kind()).or_insert_with(example).0 += 1;
        }
    }
    let missing = reasons.values().map(|(failed, example)| {
        let have = if *failed == 1 { "has" } else { "have" };
        let failed = counted(*failed, "question");
        format!("{import}: {failed} {have} no answer, such as {example}")
    });
    let check = import.check.as_ref().filter(|check| !check.agrees());
    let contradiction = check.map(|check| {
        let first = match &check.first_difference {
            Some(id) => format!("; the first question that differs is {id}"),
            None => String::new(),
        };
        format!(
            "{import}: the accuracy{} is {:.2} % here and {:.2} % in the file{first}",
            check.rule(),
            check.ours * 100.0,
            check.theirs * 100.0
        )
    });
    missing.chain(contradiction).collect()
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
    // Other formats read any layout, and hold it against their prompts.
    if let Some(questions) = &options.questions
        && imports.iter().any(is_table)
    {
        check_key(questions, options.any_questions, &imports)?;
    }
    let warnings = warnings(&imports, options.questions.as_deref());
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
        warnings,
    })
}

/// Refuses a file of questions that belongs to another data set than the scores, by their names.
fn check_key(questions: &Path, any: bool, imports: &[Imported]) -> Result<(), Failure> {
    let (_, source) = answers::read_with_source(questions)?;
    let key = KeyFile::new(questions, source.as_deref()).for_any_file(any);
    let tables = imports.iter().filter(|import| is_table(import));
    let files = tables.flat_map(|import| &import.files);
    let checked = files.map(|file| key.check(Path::new(&file.name)));
    Failure::all(checked.filter_map(Result::err)).map_or(Ok(()), Err)
}

/// What makes the figures of imports doubtful.
fn warnings(imports: &[Imported], questions: Option<&Path>) -> Vec<String> {
    // Other imports are held against their file's own accuracy.
    let alone = |import: &&Imported| {
        let own = matches!(
            import.format,
            Format::Batch | Format::Vllm | Format::Promptfoo
        );
        is_table(import) || own && import.check.is_none()
    };
    let guessing = imports
        .iter()
        .filter(alone)
        .map(|import| (import.to_string(), Guessing::of(rows(import))));
    let guessing = guessing_warning(questions, &guessing.collect::<Vec<_>>());
    let of_imports = imports.iter().flat_map(|import| {
        let own = import.warnings.iter().cloned();
        let letters = import.values == Values::Labels;
        let mass = import
            .mean_mass()
            .filter(|mass| letters && *mass < LOW_MASS);
        own.chain(mass.map(|mass| sureness_report::improbable(mass, false)))
            .map(move |warning| format!("{import}: {warning}"))
    });
    guessing.into_iter().chain(of_imports).collect()
}

fn is_table(import: &Imported) -> bool {
    matches!(import.format, Format::Table | Format::Paper)
}

/// The answered rows of an import.
fn rows(import: &Imported) -> impl Iterator<Item = Row<'_>> {
    import.rows.iter().filter_map(|row| {
        let question = &row.question;
        Some(Row {
            key: &question.content,
            cluster: question.cluster.as_ref().map(<[u8; 32]>::as_slice),
            logits: (&row.scores.as_ref().ok()?.logprobs).into(),
            right: question.right,
            dont_know: question.dont_know,
            none_of_the_above: question.none_of_the_above,
        })
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
        words: None,
    });
    RowImport {
        question: row.question.clone(),
        outcome,
    }
}
