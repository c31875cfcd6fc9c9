//! `sureness model`: lists, fetches and locates known models.

use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use sureness_bench::models::{self, CATALOGUE, Known, State, Update};
use sureness_bench::{Failure, user_folders};

use crate::args::model::{Action, ModelArgs};
use crate::show::terminal;

/// Runs the command.
pub(super) fn run(args: ModelArgs) -> Result<ExitCode, Failure> {
    let folder = models::folder()?;
    match args.action {
        Action::List => list(&folder),
        Action::Fetch { name, from } => fetch(models::by_name(&name)?, &folder, from.as_deref()),
        Action::Where { name } => locate(models::by_name(&name)?, &folder),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn list(folder: &Path) -> Result<(), Failure> {
    let mut rows = vec![
        ["NAME", "SIZE", "LICENCE", "STATE", "NOTE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for model in &CATALOGUE {
        let state = match models::state(model, folder)? {
            State::InPlace => "fetched",
            State::Absent => "not fetched",
            State::Damaged => "damaged",
        };
        rows.push(vec![
            model.name.to_owned(),
            models::megabytes(model.size),
            model.licence.to_owned(),
            state.to_owned(),
            model.note.to_owned(),
        ]);
    }
    let table = terminal::columns(rows, &[1]);
    terminal::print(&format!(
        "{table}\nModels are stored in {}\n",
        user_folders::display(folder)
    ))
}

fn fetch(model: &Known, folder: &Path, from: Option<&Path>) -> Result<(), Failure> {
    let path = model.path(folder);
    let shown = user_folders::display(&path);
    match models::state(model, folder)? {
        State::InPlace => {
            eprintln!("{} is already fetched: {shown}", model.name);
            return Ok(());
        }
        State::Damaged => eprintln!("{shown} has the wrong checksum and will be replaced"),
        State::Absent => {}
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(
        "  {bar:30} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left",
    ) {
        bar.set_style(style);
    }
    let fetched = models::fetch(model, folder, from, &|update| match update {
        // Suspending an unstarted bar would draw it empty.
        Update::Step(text) if bar.position() == 0 => eprintln!("{text}"),
        Update::Step(text) => bar.suspend(|| eprintln!("{text}")),
        Update::Bytes { done, total } => {
            bar.set_length(total);
            bar.set_position(done);
        }
    });
    bar.finish_and_clear();
    fetched?;
    eprintln!("fetched {}: {shown}", model.name);
    Ok(())
}

fn locate(model: &Known, folder: &Path) -> Result<(), Failure> {
    let path = model.path(folder);
    let problem = match models::state(model, folder)? {
        State::InPlace => return terminal::print(&format!("{}\n", path.display())),
        State::Absent => format!("{} is not fetched", model.name),
        State::Damaged => format!("{} has the wrong checksum", user_folders::display(&path)),
    };
    let fetch = format!("run `sureness model fetch {}`", model.name);
    Err(Failure::new(problem).hint(fetch))
}
