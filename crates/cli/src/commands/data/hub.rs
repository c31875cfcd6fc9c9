//! Data sets of the Hugging Face hub.

use std::path::Path;

use sureness_analysis::number::counted;
use sureness_bench::models::megabytes;
use sureness_bench::questions::Place;
use sureness_bench::questions::hub::{Cached, DatasetName, Hub};
use sureness_bench::{Failure, user_folders};
use sureness_questions::{Format, Layout};

use super::task_of;
use crate::show::terminal;

/// Fetches a data set and prints the paths of its files.
pub(super) fn fetch(name: &str) -> Result<(), Failure> {
    let name: DatasetName = name.parse()?;
    let place = Place::find(Path::new(&name.to_string()), None)?;
    if let Some(note) = &place.note {
        eprintln!("note: {note}");
    }
    let files = place.fetched.unwrap_or_default();
    eprintln!(
        "fetched {}: {} of questions, {} of few-shot examples",
        place.path.display(),
        counted(files.questions.len(), "file"),
        counted(files.examples.len(), "file"),
    );
    let mut text = String::new();
    for file in files.questions.iter().chain(&files.examples) {
        text += &format!("{}\n", file.display());
    }
    terminal::print(&text)
}

/// An imported task.
pub(super) struct Imported {
    pub(super) task: String,
    /// The name of its layout.
    pub(super) format: String,
    pub(super) source: String,
}

/// The data sets whose layout is known, with what is fetched and imported of each, and all else that is
/// in the hub's cache.
pub(super) fn list(imported: &[Imported]) -> String {
    let (hub, problem) = match Hub::from_env() {
        Ok(hub) => (Some(hub), None),
        Err(error) => (None, Some(error)),
    };
    let cached = hub.as_ref().map(Hub::cached).unwrap_or_default();
    let mut text = known(&cached, imported);
    let others = cached
        .iter()
        .filter(|set| Layout::all().all(|layout| !layout.hub.contains(&&*set.repo)));
    let others: Vec<_> = others
        .map(|set| vec![name(&set.repo), fetched(set)])
        .collect();
    if !others.is_empty() {
        let header = ["OTHER DATA SET", "FETCHED"].map(str::to_owned).to_vec();
        let rows = std::iter::once(header).chain(others);
        text += &format!("\n{}", terminal::columns(rows, &[]));
    }
    text += "\nFetch from the hub: sureness data fetch hf:NAME\n\
             Import from the hub: sureness data import TASK hf:NAME\n\
             Ask without an import: sureness run --data TASK=hf:NAME\n";
    if let Some(hub) = hub {
        let folder = user_folders::display(hub.cache());
        text += &format!("The hub's files are stored in {folder}\n");
    }
    if let Some(problem) = problem {
        text += &format!("The hub's cache is not listed: {problem}\n");
    }
    text
}

/// A row for each known data set: of the hub by its name, others as files.
fn known(cached: &[Cached], imported: &[Imported]) -> String {
    let header = ["DATA SET", "FORMAT", "TASK", "FETCHED", "IMPORTED AS"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let on_hub =
        Layout::all().flat_map(|layout| layout.hub.iter().map(move |repo| (layout, *repo)));
    for (layout, repo) in on_hub {
        let begins = format!("hf:{repo}@");
        let tasks = tasks(imported, |it| it.source.starts_with(&begins));
        let fetched = cached.iter().find(|set| set.repo == repo).map(fetched);
        rows.push(vec![
            name(repo),
            layout.name.to_owned(),
            layout.task.to_owned(),
            fetched.unwrap_or_else(|| "-".to_owned()),
            tasks,
        ]);
    }
    // Files have no name of their own, so that the format stands for all data sets in it.
    let files = Format::ALL
        .into_iter()
        .map(|format| (format.name(), task_of(format)));
    let layouts = Layout::all().map(|layout| (layout.name, Some(layout.task)));
    for (format, task) in files.chain(layouts) {
        let of_file = |it: &Imported| it.format == format && !it.source.starts_with("hf:");
        let tasks = tasks(imported, of_file);
        let has_name = Layout::by_name(format).is_some_and(|layout| !layout.hub.is_empty());
        let Some(task) = task.filter(|_| !has_name || tasks != "-") else {
            continue;
        };
        let cells = ["files", format, task, "-"].map(str::to_owned);
        rows.push(cells.into_iter().chain([tasks]).collect());
    }
    terminal::columns(rows, &[])
}

/// The tasks that fit, by name.
fn tasks(imported: &[Imported], fits: impl Fn(&Imported) -> bool) -> String {
    let tasks: Vec<&str> = imported
        .iter()
        .filter(|it| fits(it))
        .map(|it| &*it.task)
        .collect();
    if tasks.is_empty() {
        "-".to_owned()
    } else {
        tasks.join(", ")
    }
}

fn name(repo: &str) -> String {
    format!("hf:{repo}")
}

/// Revisions and size of a data set in the cache.
fn fetched(set: &Cached) -> String {
    let revisions = set.revisions.join(", ");
    let files = counted(set.files, "file");
    format!("{revisions} ({files}, {})", megabytes(set.bytes))
}
