//! `sureness data`: what each task would be asked from, and how to bring questions of one's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use sureness_questions::{Dataset, Format, LoadOptions, Question, Task, label, load, pack};

use crate::error::CliError;
use crate::{folders, terminal};

/// Flags of `sureness data`.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// The tasks, and where the questions of each come from
    List,
    /// Read questions, check every row, and show what was found
    Check {
        /// A file, or MMLU's folder
        path: PathBuf,
        #[command(flatten)]
        how: How,
        /// The task that the questions belong to
        #[arg(long, value_name = "TASK", default_value = "custom")]
        task: String,
    },
    /// Check questions and keep them, so that `run --tasks TASK` asks them
    Import {
        /// The task: qa, rc, ci, drs, ds, or a name of your own
        task: String,
        /// A file, or MMLU's folder
        path: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Forget an imported task
    Remove {
        /// The task
        task: String,
    },
}

/// How a file is read.
#[derive(Debug, Args)]
struct How {
    /// Layout, where it is not told from the content: mmlu, cosmosqa-csv, cosmosqa-jsonl,
    /// hellaswag, halueval-dialogue, halueval-summarization, paper, jsonl, csv
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// File with the worked examples
    #[arg(long, value_name = "FILE")]
    examples: Option<PathBuf>,
}

/// Carries out `sureness data`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every command takes its arguments"
)]
pub(crate) fn run(args: DataArgs) -> Result<ExitCode, CliError> {
    match &args.command {
        DataCommand::List => list(),
        DataCommand::Check { path, how, task } => {
            let dataset = read(task, path, how, true)?;
            terminal::print(&describe(&dataset))
        }
        DataCommand::Import { task, path, how } => import(task, path, how),
        DataCommand::Remove { task } => {
            let file = imported_file(&task_of(task).id)?;
            std::fs::remove_file(&file).map_err(|e| {
                CliError::input(format!(
                    "task {task} cannot be removed: {}: {e}",
                    file.display()
                ))
                .hint("`sureness data list` shows what is imported")
            })
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The questions of `task`: from `explicit`, else imported ones, else the built-in pack.
pub(crate) fn dataset_for(
    task: &str,
    explicit: Option<&Path>,
    format: Option<Format>,
    examples: Option<&Path>,
    abstention: bool,
) -> Result<Dataset, CliError> {
    let options = LoadOptions {
        format,
        examples: examples.map(Path::to_owned),
        abstention,
        ..LoadOptions::new(task_of(task))
    };
    if let Some(path) = explicit {
        return load_file(path, &options);
    }
    let file = imported_file(&options.task.id)?;
    if file.exists() {
        return load_file(
            &file,
            &LoadOptions {
                format: Some(Format::Jsonl),
                ..options
            },
        );
    }
    pack::dataset(&options.task.id, abstention).ok_or_else(|| {
        CliError::input(format!("there are no questions for task {task:?}")).hint(format!(
            "the built-in tasks are qa, rc, ci, drs and ds; bring your own with --data {task}=FILE or `sureness data import {task} FILE`"
        ))
    })
}

fn task_of(name: &str) -> Task {
    Task::by_name(name).unwrap_or_else(|| Task::custom(name))
}

fn load_file(path: &Path, options: &LoadOptions) -> Result<Dataset, CliError> {
    load(path, options).map_err(|e| CliError::input(&e).hint(e.hint().unwrap_or_default()))
}

fn read(task: &str, path: &Path, how: &How, abstention: bool) -> Result<Dataset, CliError> {
    let format = match &how.format {
        None => None,
        Some(name) => Some(Format::by_name(name).ok_or_else(|| {
            CliError::input(format!("there is no data format {name:?}"))
                .hint("`sureness data check --help` lists the formats")
        })?),
    };
    dataset_for(
        task,
        Some(path),
        format,
        how.examples.as_deref(),
        abstention,
    )
}

fn imported_file(task: &str) -> Result<PathBuf, CliError> {
    let safe = task
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !safe || task.is_empty() || task.starts_with('.') {
        return Err(
            CliError::input(format!("{task:?} cannot be the name of a task"))
                .hint("use letters, digits, _ and - only"),
        );
    }
    Ok(folders::data()?.join("data").join(format!("{task}.jsonl")))
}

fn list() -> Result<(), CliError> {
    let mut rows = vec![
        ["TASK", "QUESTIONS", "FROM", "TITLE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut tasks: Vec<String> = Task::benchmark().into_iter().map(|t| t.id).collect();
    if let Ok(entries) = std::fs::read_dir(folders::data()?.join("data")) {
        let mut own: Vec<String> = entries
            .flatten()
            .filter_map(|e| {
                e.file_name()
                    .to_str()?
                    .strip_suffix(".jsonl")
                    .map(str::to_owned)
            })
            .filter(|id| !tasks.contains(id))
            .collect();
        own.sort();
        tasks.extend(own);
    }
    for task in tasks {
        let file = imported_file(&task)?;
        let dataset = dataset_for(&task, None, None, None, true)?;
        let from = if file.exists() {
            folders::display(&file)
        } else {
            "built-in pack".to_owned()
        };
        rows.push(vec![
            task,
            terminal::count(dataset.questions.len()),
            from,
            dataset.task.title,
        ]);
    }
    terminal::print(&terminal::columns(rows, &[1]))
}

fn describe(dataset: &Dataset) -> String {
    let mut answers: BTreeMap<usize, usize> = BTreeMap::new();
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    let mut categories = std::collections::BTreeSet::new();
    for q in &dataset.questions {
        *answers.entry(q.answer).or_default() += 1;
        *widths.entry(q.options.len()).or_default() += 1;
        categories.extend(&q.category);
    }
    let spread = |counts: Vec<String>| counts.join(", ");
    let mut text = format!(
        "{}\n{}, {}, {}\noptions, abstention included: {}\nanswers: {}\n",
        dataset.source,
        terminal::counted(dataset.questions.len(), "question"),
        terminal::counted(dataset.examples.len(), "worked example"),
        if categories.is_empty() {
            "no categories".to_owned()
        } else {
            format!("categories: {}", categories.len())
        },
        spread(
            widths
                .iter()
                .map(|(n, count)| format!("{count} with {n}"))
                .collect()
        ),
        spread(
            answers
                .iter()
                .map(|(i, count)| format!("{} {count}", label(*i)))
                .collect()
        ),
    );
    if let Some(first) = dataset.questions.first() {
        text.push_str("\nThe first question:\n");
        show(&mut text, first);
    }
    text
}

fn show(text: &mut String, question: &Question) {
    if let Some(context) = &question.context {
        let _ = writeln!(text, "  {}", context.replace('\n', "\n  "));
    }
    let _ = writeln!(text, "  {} [{}]", question.stem, question.id);
    for (i, option) in question.options.iter().enumerate() {
        let mark = if i == question.answer { '*' } else { ' ' };
        let _ = writeln!(text, "  {mark} {}. {option}", label(i));
    }
}

fn import(task: &str, path: &Path, how: &How) -> Result<(), CliError> {
    // Abstention options are added when the questions are asked, so that a run can leave them out.
    let dataset = read(task, path, how, false)?;
    let mut lines = String::new();
    let rows = dataset.examples.iter().map(|q| (q, true));
    for (question, example) in rows.chain(dataset.questions.iter().map(|q| (q, false))) {
        let mut row = serde_json::json!({
            "id": if example { format!("example/{}", question.id) } else { question.id.clone() },
            "question": question.stem, "options": question.options, "answer": question.answer,
        });
        if let Some(category) = &question.category {
            row["category"] = category.clone().into();
        }
        if let Some(context) = &question.context {
            row["context"] = context.clone().into();
        }
        if example {
            row["example"] = true.into();
        }
        let _ = writeln!(lines, "{row}");
    }
    let file = imported_file(&dataset.task.id)?;
    let fail = |e: std::io::Error| {
        CliError::input(format!("cannot write {}: {e}", file.display()))
            .hint("set SURENESS_HOME to a folder that may be written to")
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail)?;
    let new = file.with_extension("new");
    std::fs::write(&new, lines).map_err(fail)?;
    // Read back before it replaces anything: what is kept can be asked.
    let options = LoadOptions {
        format: Some(Format::Jsonl),
        ..LoadOptions::new(dataset.task.clone())
    };
    if let Err(error) = load_file(&new, &options) {
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    std::fs::rename(&new, &file).map_err(fail)?;
    eprintln!(
        "{}: {} and {} kept in {}",
        dataset.task.id,
        terminal::counted(dataset.questions.len(), "question"),
        terminal::counted(dataset.examples.len(), "worked example"),
        folders::display(&file)
    );
    Ok(())
}
