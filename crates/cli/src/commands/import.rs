//! `sureness import`: evaluations that were run elsewhere become runs in the store.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use sureness_importers::{Format, Imported, ImportedRow, Model, Options};
use sureness_scorers::{ModelIdentity, OptionScores, Usage};
use sureness_store::{
    GroupImport, ImportOutcome, RowImport, RunImport, Store, StoreError, StoredQuestion,
};

use crate::error::CliError;
use crate::session::room;
use crate::terminal;

/// Flags of the import.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files and folders: samples of lm-evaluation-harness, .eval or .json logs of Inspect, and
    /// .pkl, .csv, .jsonl or .parquet with logits or log-probabilities
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// What the files are
    #[arg(long, value_enum, default_value = "auto")]
    format: FormatArg,
    /// Questions in the paper's JSON layout, for files of logits without answers
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// The model's name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The task's name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// The strategy's name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Ids of questions to leave out, none to keep all [default: the few-shot examples
    /// 1,3,5,7,9 in the paper's pickles]
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    drop_ids: Option<Vec<String>>,
    /// Folder whose sureness.sqlite takes the runs
    #[arg(long, value_name = "DIR", default_value = "results")]
    output_dir: PathBuf,
}

/// `--format`, `None` for `auto`.
#[derive(Debug, Clone, Copy)]
struct FormatArg(Option<Format>);

impl ValueEnum for FormatArg {
    fn value_variants<'a>() -> &'a [Self] {
        const VARIANTS: [FormatArg; 5] = {
            let [a, b, c, d] = Format::ALL;
            [
                FormatArg(None),
                FormatArg(Some(a)),
                FormatArg(Some(b)),
                FormatArg(Some(c)),
                FormatArg(Some(d)),
            ]
        };
        &VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self.0 {
            None => Some(PossibleValue::new("auto").help("Detected from the content")),
            Some(format) => format.to_possible_value(),
        }
    }
}

/// Imports everything, or says all that is wrong with the input and writes nothing.
pub(crate) fn run(args: ImportArgs) -> Result<ExitCode, CliError> {
    let options = Options {
        format: args.format.0,
        questions: args.questions,
        model: args.model,
        task: args.task,
        strategy: args.strategy,
        drop_ids: args.drop_ids.map(|ids| drop_ids(&ids)),
    };
    let imports = match sureness_importers::import(&args.paths, &options) {
        Ok(imports) => imports,
        Err(errors) => return Err(report(errors)),
    };
    let questions = imports.iter().map(|import| import.rows.len()).sum();
    let folder = room::prepare(&args.output_dir, questions)?;
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
    let failed = |error: StoreError| CliError::input(&error).hint(error.hint());
    let mut store = Store::open(&folder.store).map_err(failed)?;
    let outcomes = store.import_runs(&runs).map_err(failed)?;
    let imports: Vec<&Vec<Imported>> = by_model.values().collect();
    show(&imports, &outcomes, &args.output_dir.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn drop_ids(ids: &[String]) -> HashSet<String> {
    let ids = ids.iter().map(|id| id.trim());
    ids.filter(|id| *id != "none" && !id.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Prints all errors but the last, which is given back.
fn report(errors: Vec<sureness_importers::ImportError>) -> CliError {
    let mut errors: Vec<CliError> = errors
        .into_iter()
        .map(|error| CliError::input(&error).hint(error.hint()))
        .collect();
    let last = errors.pop();
    for error in errors {
        error.report();
    }
    last.unwrap_or_else(|| CliError::input("there is nothing to import"))
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
        // The store knows it as "not known".
        mass: scores.mass.unwrap_or(f64::NAN),
        usage: Usage::default(),
    });
    RowImport {
        question: StoredQuestion {
            id: row.id.clone(),
            content: row.content,
            cluster: row.cluster,
            category: row.category.clone(),
            options: row.options,
            answer: row.answer,
            dont_know: row.dont_know,
            none_of_the_above: row.none_of_the_above,
        },
        outcome,
    }
}

/// Prints what there is now, and what to know about it.
fn show(
    imports: &[&Vec<Imported>],
    outcomes: &[ImportOutcome],
    folder: &str,
) -> Result<(), CliError> {
    let head = [
        "model",
        "task",
        "strategy",
        "questions",
        "answered",
        "accuracy",
        "in the file",
        "run",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    for (imports, outcome) in imports.iter().zip(outcomes) {
        for import in *imports {
            rows.push(vec![
                import.model.name.clone(),
                import.task.clone(),
                import.strategy.clone(),
                terminal::count(import.rows.len()),
                terminal::count(import.answered()),
                import.accuracy().map(percent).unwrap_or_default(),
                import
                    .check
                    .as_ref()
                    .map(|check| percent(check.theirs))
                    .unwrap_or_default(),
                outcome.run().to_string(),
            ]);
        }
    }
    terminal::print(&terminal::columns(rows, &[3, 4, 5, 6, 7]))?;
    for (imports, outcome) in imports.iter().zip(outcomes) {
        for import in *imports {
            tell(import);
        }
        let name = imports.first().map_or("", |import| &import.model.name);
        match outcome {
            ImportOutcome::New { .. } => {}
            ImportOutcome::Added { run, groups: 1 } => {
                eprintln!("note: {name}: 1 group was added to run {run}");
            }
            ImportOutcome::Added { run, groups } => {
                eprintln!("note: {name}: {groups} groups were added to run {run}");
            }
            ImportOutcome::Known { run } => {
                eprintln!("note: {name}: imported before, as run {run}; nothing was written");
            }
        }
    }
    eprintln!("Next: sureness analyze {folder}");
    Ok(())
}

/// What a person should know about one import.
fn tell(import: &Imported) {
    let name = format!(
        "{}, {}, {}",
        import.model.name, import.task, import.strategy
    );
    for note in &import.notes {
        eprintln!("note: {name}: {note}");
    }
    let mut reasons: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for row in &import.rows {
        if let Err(error) = &row.scores {
            let example = || (0, format!("{}: {error}", row.id));
            reasons.entry(error.kind()).or_insert_with(example).0 += 1;
        }
    }
    for (count, example) in reasons.values() {
        eprintln!("warning: {name}: {count} without an answer, such as {example}");
    }
    if let Some(check) = import.check.as_ref().filter(|check| !check.agrees()) {
        let first = match &check.first_difference {
            Some(id) => format!("; the first question that differs is {id}"),
            None => String::new(),
        };
        eprintln!(
            "warning: {name}: the accuracy is {:.2} % here and {:.2} % in the file{first}",
            check.ours * 100.0,
            check.theirs * 100.0
        );
    }
}
