//! `sureness data`: the data sets of tasks.

mod check;
mod hub;

use std::path::Path;
use std::process::ExitCode;

use sureness_analysis::number::{count, counted};
use sureness_bench::questions::hub::DatasetName;
use sureness_bench::questions::{Library, Place, named_task, task_id};
use sureness_bench::{Failure, user_folders};
use sureness_questions::{Dataset, Format, LoadOptions, Task, pack};

use crate::args::data::{Action, DataArgs, Layout};
use crate::show::terminal;

/// Runs the command.
pub(super) fn run(args: DataArgs) -> Result<ExitCode, Failure> {
    match args.action {
        Action::List => list(&Library::open()?),
        Action::Check { path, task, layout } => check(&path, task.as_deref(), &layout),
        Action::Fetch { name } => hub::fetch(&name),
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

fn list(library: &Library) -> Result<(), Failure> {
    let benchmark = Task::benchmark().map(|task| task.id);
    let mut ids = library.ids()?;
    ids.retain(|id| !benchmark.contains(id));

    let header = ["TASK", "TITLE", "QUESTIONS", "EXAMPLES", "SOURCE"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for id in benchmark.iter().chain(&ids) {
        rows.push(row(library, id));
    }
    let mut text = terminal::columns(rows, &[2, 3]);
    text += "\nImport your own questions: sureness data import TASK FILE\nImports are stored in ";
    text += &user_folders::display(library.folder());
    text += &format!("\n\n{}", hub::list(&sources(library, &ids)));
    terminal::print(&text)
}

/// The imported tasks, with the layout and the source of each.
fn sources(library: &Library, own: &[String]) -> Vec<hub::Imported> {
    let benchmark = Task::benchmark().map(|task| task.id);
    let ids = benchmark.iter().chain(own);
    let origins = ids.filter_map(|id| library.origin(id).ok().flatten());
    let imported = origins.map(|origin| hub::Imported {
        task: origin.task.id,
        format: origin.format,
        source: origin.source,
    });
    imported.collect()
}

/// One task's row. A damaged import is marked as such and does not fail the listing.
fn row(library: &Library, id: &str) -> Vec<String> {
    let (task, counts, from) = match library.origin(id) {
        Err(_) => (named_task(id), None, "damaged; import it again".to_owned()),
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

fn check(path: &Path, task: Option<&str>, layout: &Layout) -> Result<(), Failure> {
    let place = Place::find(path, stated(layout))?;
    let format = format_of(layout, &place)?;
    let task = match task {
        Some(name) => named_task(&task_id(name)?),
        None => default_task(format, path),
    };
    if let Some(note) = &place.note {
        eprintln!("note: {note}");
    }
    let dataset = read(&place, layout, format, task)?;
    let reading = check::Reading {
        path: place.path.display().to_string(),
        format: (format, layout.format.is_none() && layout.columns.is_none()),
        files: files(&place, format)?,
        examples: match &layout.examples {
            Some(path) => format!("from {}", path.display()),
            None => "from the data set".to_owned(),
        },
    };
    terminal::print(&check::describe(&dataset, &reading)?)
}

/// Describes which files of a folder or a pattern are read.
fn files(place: &Place, format: Format) -> Result<Option<String>, Failure> {
    let path = &place.path;
    let files = match &place.fetched {
        Some(files) => files.clone(),
        None if path.is_file() || format == Format::Mmlu => return Ok(None),
        None => sureness_questions::files(path, Some(format))?,
    };
    let mut text = count(files.questions.len());
    if let Some(split) = files.split {
        text += &format!(" of split {}", split.name());
    }
    if !files.examples.is_empty() {
        text += &format!("; {} with few-shot examples", count(files.examples.len()));
    }
    if !files.others.is_empty() {
        text += &format!("; {} not read", count(files.others.len()));
    }
    Ok(Some(text))
}

fn import(task: &str, path: &Path, layout: &Layout, name: Option<&str>) -> Result<(), Failure> {
    let mut task = named_task(&task_id(task)?);
    if let Some(name) = name {
        task = renamed(task, name)?;
    }
    let library = Library::open()?;
    let place = Place::find(path, stated(layout))?;
    if let Some(note) = &place.note {
        eprintln!("note: {note}");
    }
    let format = format_of(layout, &place)?;
    // Without abstention options, which each run adds or leaves out.
    let dataset = read(&place, layout, format, task)?;
    let former = library.import(&dataset, &place, layout.examples.as_deref(), format)?;
    let id = &dataset.task.id;
    if dataset.left_out > 0 {
        let rows = counted(dataset.left_out, "row");
        eprintln!("note: left out {rows} with the content of a few-shot example");
    }
    if !dataset.unread.is_empty() {
        eprintln!("note: not read from the data: {}", dataset.unread);
    }
    if let Some(former) = former {
        eprintln!("replaced {}, imported {}", former.source, former.imported);
    }
    eprintln!(
        "task {id} now uses {}: {}, {}\nnext: sureness run --tasks {id}",
        place.name(),
        counted(dataset.questions.len(), "question"),
        counted(dataset.examples.len(), "few-shot example"),
    );
    Ok(())
}

fn remove(task: &str) -> Result<(), Failure> {
    let id = task_id(task)?;
    let library = Library::open()?;
    if !library.remove(&id)? {
        return Err(
            Failure::new(format_args!("task {id} has no imported data set"))
                .hint("list the imported ones with `sureness data list`"),
        );
    }
    match Task::by_name(&id) {
        Some(_) => eprintln!("removed; task {id} uses the built-in pack again"),
        None => eprintln!("removed; task {id} no longer exists"),
    }
    Ok(())
}

/// The task under another name, which must not be a name of a benchmark task.
fn renamed(task: Task, name: &str) -> Result<Task, Failure> {
    let id = task_id(name)?;
    if id == task.id {
        return Ok(task);
    }
    if Task::by_name(name).is_some() {
        return Err(
            Failure::new(format_args!("{name} is already a name of task {id}")).hint(format_args!(
                "choose another name, or omit --as and import it as {id}"
            )),
        );
    }
    Ok(Task {
        title: Task::custom(&id).title,
        id,
        ..task
    })
}

/// The layout that the flags state.
fn stated(layout: &Layout) -> Option<Format> {
    let columns = layout.columns.as_ref().map(|_| Format::Columns);
    columns.or(layout.format)
}

fn format_of(layout: &Layout, place: &Place) -> Result<Format, Failure> {
    match stated(layout).or(place.format) {
        Some(format) => Ok(format),
        None => Ok(Format::detect(&place.path)?),
    }
}

fn read(place: &Place, layout: &Layout, format: Format, task: Task) -> Result<Dataset, Failure> {
    let options = LoadOptions {
        // All files of a folder must have the layout that was detected in the first.
        format: layout.format.or(place.path.is_file().then_some(format)),
        columns: layout.columns.clone(),
        examples: layout.examples.clone(),
        abstention: false,
        ..LoadOptions::new(task)
    };
    place.load(&options)
}

/// The benchmark task of a layout, else a task named after the file or the data set of the hub.
fn default_task(format: Format, path: &Path) -> Task {
    if let Some(id) = task_of(format) {
        return named_task(id);
    }
    let name = path.to_str().and_then(|path| path.parse().ok());
    let name = name.filter(|_| Place::is_on_hub(path));
    let path = name.map_or(path.to_owned(), |name: DatasetName| name.repo.into());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    named_task(&task_id(&stem).unwrap_or_else(|_| "own".to_owned()))
}

/// The benchmark task of a layout.
fn task_of(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::Mmlu => "qa",
        Format::CosmosQaCsv | Format::CosmosQaJsonl => "rc",
        Format::HellaSwag => "ci",
        Format::HaluEvalDialogue => "drs",
        Format::HaluEvalSummarization => "ds",
        Format::Public(layout) => layout.task,
        Format::Paper
        | Format::Jsonl
        | Format::Csv
        | Format::Parquet
        | Format::Open
        | Format::Columns => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
