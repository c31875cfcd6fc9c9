//! `sureness data`: the questions that tasks are asked from.

mod check;
mod choice;
mod library;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use sureness_questions::{DataError, Dataset, Format, LoadOptions, Task, load, pack};

use crate::error::CliError;
use crate::folders;
use crate::terminal::{self, count, counted};
use choice::task_id;
use library::{Library, Source};

pub(crate) use choice::{Said, dataset_for, named_task};

/// Lists, checks and imports questions.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the tasks and what each is asked from
    List,
    /// Read a data set and show what it holds; nothing is stored
    Check {
        /// File or folder of questions
        path: PathBuf,
        /// Task the questions belong to [default: told from the layout]
        #[arg(long, value_name = "NAME")]
        task: Option<String>,
        #[command(flatten)]
        layout: Layout,
    },
    /// Store a data set, so that `sureness run --tasks TASK` asks its questions
    Import {
        /// Task the questions belong to: qa, rc, ci, drs, ds or a name of your own
        task: String,
        /// File or folder of questions
        #[arg(required_unless_present = "remove")]
        path: Option<PathBuf>,
        #[command(flatten)]
        layout: Layout,
        /// Store it as a task of its own that is asked like TASK
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// Remove what was imported for TASK
        #[arg(long, conflicts_with_all = ["path", "format", "examples", "name"])]
        remove: bool,
    },
}

/// How a data set is read.
#[derive(Debug, clap::Args)]
struct Layout {
    /// Layout of the questions [default: told from the content]
    #[arg(long, value_parser = format_by_name, value_name = "FORMAT")]
    format: Option<Format>,
    /// File or folder of few-shot examples, instead of the data set's own
    #[arg(long, value_name = "PATH")]
    examples: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: DataArgs) -> Result<ExitCode, CliError> {
    match args.action {
        Action::List => list(&Library::open()?),
        Action::Check { path, task, layout } => check(&path, task.as_deref(), &layout),
        Action::Import {
            task,
            path,
            layout,
            name,
            remove: _,
        } => match path {
            Some(path) => import(&task, &path, &layout, name.as_deref()),
            None => remove(&task),
        },
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a layout's name on the command line.
pub(crate) fn format_by_name(name: &str) -> Result<Format, String> {
    Format::by_name(name).ok_or_else(|| {
        format!(
            "the formats are {}",
            Format::ALL.map(Format::name).join(", ")
        )
    })
}

/// The library's errors name file, line and field; this keeps text and hint.
pub(crate) fn input_error(error: &DataError) -> CliError {
    CliError::input(error).hint(error.hint().unwrap_or_default())
}

fn list(library: &Library) -> Result<(), CliError> {
    let benchmark = Task::benchmark().map(|task| task.id);
    let mut ids = library.ids()?;
    ids.retain(|id| !benchmark.contains(id));

    let header = [
        "TASK",
        "WHAT IT ASKS",
        "QUESTIONS",
        "EXAMPLES",
        "ASKED FROM",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for id in benchmark.iter().chain(&ids) {
        rows.push(row(library, id));
    }
    let mut text = terminal::columns(rows, &[2, 3]);
    text += "\nQuestions of your own: sureness data import TASK FILE\nImports are kept in ";
    text += &folders::display(library.folder());
    terminal::print(&(text + "\n"))
}

/// One task's line. A damaged import is shown as such; the other lines are still of use.
fn row(library: &Library, id: &str) -> Vec<String> {
    let (task, counts, from) = match library.origin(id) {
        Err(_) => (
            named_task(id),
            None,
            "a damaged import: import it again".to_owned(),
        ),
        Ok(Some(origin)) => {
            let from = format!(
                "{} ({}), imported {}",
                origin.source, origin.format, origin.imported
            );
            (origin.task, Some((origin.questions, origin.examples)), from)
        }
        Ok(None) => {
            let counts =
                pack::dataset(id, false).map(|pack| (pack.questions.len(), pack.examples.len()));
            (named_task(id), counts, "built-in pack".to_owned())
        }
    };
    let (questions, examples) = match counts {
        Some((questions, examples)) => (count(questions), count(examples)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    vec![task.id, task.title, questions, examples, from]
}

fn check(path: &Path, task: Option<&str>, layout: &Layout) -> Result<(), CliError> {
    let format = layout.format_of(path)?;
    let task = match task {
        Some(name) => named_task(&task_id(name)?),
        None => usual_task(format, path),
    };
    let dataset = layout.load(path, format, task)?;
    let reading = check::Reading {
        path: path.display().to_string(),
        format: (format, layout.format.is_none()),
        examples: match &layout.examples {
            Some(path) => format!("from {}", path.display()),
            None => "from the data set".to_owned(),
        },
    };
    terminal::print(&check::describe(&dataset, &reading)?)
}

fn import(task: &str, path: &Path, layout: &Layout, name: Option<&str>) -> Result<(), CliError> {
    let mut task = named_task(&task_id(task)?);
    if let Some(name) = name {
        task = renamed(task, name)?;
    }
    let library = Library::open()?;
    let format = layout.format_of(path)?;
    // Without abstention options: whether they are asked is for each run to say.
    let dataset = layout.load(path, format, task)?;
    let source = Source {
        name: file_name(path),
        examples_name: layout.examples.as_deref().map(file_name),
        format,
        imported: today(),
        blake3: digest(path)?,
    };
    let former = library.store(&dataset, source)?;
    let id = &dataset.task.id;
    if let Some(former) = former {
        eprintln!("replaced {}, imported {}", former.source, former.imported);
    }
    eprintln!(
        "task {id} is now asked from {}: {}, {}\nnext: sureness run --tasks {id}",
        file_name(path),
        counted(dataset.questions.len(), "question"),
        counted(dataset.examples.len(), "few-shot example"),
    );
    Ok(())
}

fn remove(task: &str) -> Result<(), CliError> {
    let id = task_id(task)?;
    let library = Library::open()?;
    if !library.remove(&id)? {
        return Err(
            CliError::input(format_args!("nothing was imported for task {id}"))
                .hint("`sureness data list` shows what was"),
        );
    }
    match Task::by_name(&id) {
        Some(_) => eprintln!("removed; task {id} is asked from the built-in pack again"),
        None => eprintln!("removed; there is no task {id} any more"),
    }
    Ok(())
}

/// The task under another name. The names of the five mean the five.
fn renamed(task: Task, name: &str) -> Result<Task, CliError> {
    let id = task_id(name)?;
    if id == task.id {
        return Ok(task);
    }
    if Task::by_name(name).is_some() {
        return Err(
            CliError::input(format_args!("{name} already means the task {id}")).hint(format_args!(
                "choose another name, or leave --as out and import it as {id}"
            )),
        );
    }
    Ok(Task {
        title: Task::custom(&id).title,
        id,
        ..task
    })
}

impl Layout {
    fn format_of(&self, path: &Path) -> Result<Format, CliError> {
        match self.format {
            Some(format) => Ok(format),
            None => Format::detect(path).map_err(|error| input_error(&error)),
        }
    }

    fn load(&self, path: &Path, format: Format, task: Task) -> Result<Dataset, CliError> {
        let options = LoadOptions {
            format: Some(format),
            examples: self.examples.clone(),
            abstention: false,
            ..LoadOptions::new(task)
        };
        load(path, &options).map_err(|error| input_error(&error))
    }
}

/// The task that a layout's data set serves in the benchmark; else one named after the file.
fn usual_task(format: Format, path: &Path) -> Task {
    let id = match format {
        Format::Mmlu => "qa",
        Format::CosmosQaCsv | Format::CosmosQaJsonl => "rc",
        Format::HellaSwag => "ci",
        Format::HaluEvalDialogue => "drs",
        Format::HaluEvalSummarization => "ds",
        Format::Paper | Format::Jsonl | Format::Csv => {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            return named_task(&task_id(&stem).unwrap_or_else(|_| "own".to_owned()));
        }
    };
    named_task(id)
}

fn file_name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = absolute.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// BLAKE3 of a file, or of a folder's CSV files with their names, in alphabetical order.
fn digest(path: &Path) -> Result<String, CliError> {
    let hash = || {
        let mut hasher = blake3::Hasher::new();
        if path.is_dir() {
            for file in csv_files(path)? {
                let name = file.strip_prefix(path).unwrap_or(&file).to_string_lossy();
                let content = std::fs::read(&file)?;
                for part in [name.as_bytes(), &content] {
                    hasher
                        .update(&(part.len() as u64).to_le_bytes())
                        .update(part);
                }
            }
        } else {
            hasher.update_reader(std::fs::File::open(path)?)?;
        }
        std::io::Result::Ok(hasher.finalize().to_hex().to_string())
    };
    hash().map_err(|error| {
        CliError::input(format_args!("{} cannot be read: {error}", path.display()))
    })
}

fn csv_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            files.append(&mut csv_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Today's date (UTC) as `2025-01-31`.
fn today() -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    date(now.as_secs() / 86_400)
}

/// The Gregorian date of a day counted from 1 January 1970.
fn date(mut day: u64) -> String {
    let mut year = 1970;
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for days in [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
    ] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days_and_years() {
        let dates = [0, 59, 365, 11_016, 11_017, 19_782, 20_819, 20_820].map(date);
        let expected = [
            "1970-01-01",
            "1970-03-01",
            "1971-01-01",
            "2000-02-29",
            "2000-03-01",
            "2024-02-29",
            "2027-01-01",
            "2027-01-02",
        ];
        assert_eq!(dates, expected);
    }

    #[test]
    fn another_name_keeps_the_task_but_not_its_title() {
        let task = renamed(named_task("ds"), "News-2").unwrap();
        assert_eq!(
            (task.id.as_str(), task.title.as_str(), task.shots),
            ("news-2", "news 2", 1)
        );
        assert!(renamed(named_task("ds"), "mmlu").is_err());
        assert_eq!(renamed(named_task("qa"), "mmlu").unwrap(), named_task("qa"));
    }
}
