//! Data sets of the Hugging Face hub.

use std::fmt::Write as _;
use std::path::Path;

use sureness_analysis::number::{count, counted};
use sureness_bench::models::megabytes;
use sureness_bench::questions::Place;
use sureness_bench::questions::hub::{DatasetName, Hub};
use sureness_bench::{Failure, user_folders};
use sureness_questions::Layout;

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

/// The data sets of the hub that are in its cache, and those whose layout is known.
pub(super) fn list() -> String {
    let hub = match Hub::from_env() {
        Ok(hub) => hub,
        Err(error) => return format!("The hub's cache is not listed: {error}\n"),
    };
    let mut text = String::new();
    let cached = hub.cached();
    if !cached.is_empty() {
        let header = ["FETCHED FROM THE HUB", "REVISIONS", "FILES", "SIZE"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for set in cached {
            rows.push(vec![
                format!("hf:{}", set.repo),
                set.revisions.join(", "),
                count(set.files),
                megabytes(set.bytes),
            ]);
        }
        text += &terminal::columns(rows, &[2, 3]);
        text += "\n";
    }
    let known: Vec<_> = Layout::all().flat_map(|layout| layout.hub).collect();
    let _ = writeln!(
        text,
        "Fetch from the hub: sureness data fetch hf:NAME\nThe layouts of {} data sets of the hub are \
         known, among them hf:cais/mmlu and hf:allenai/ai2_arc; the guide lists them\nThe hub's files \
         are stored in {}",
        count(known.len()),
        user_folders::display(hub.cache())
    );
    text
}
