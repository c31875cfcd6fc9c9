//! The page of one run.

use serde_json::json;
use sureness_bench::live::FolderRuns;
use sureness_bench::{Failure, date};

use super::settings;
use crate::live::Update;
use crate::site::{RunId, Site};

/// The page of a run as it stands.
pub(crate) fn run(site: &Site, id: RunId, update: &Update) -> Result<String, Failure> {
    let folder = site.folder(id)?;
    let runs = FolderRuns::open(&folder)?.runs()?;
    let Some(info) = runs.iter().find(|info| info.id == id.run) else {
        return Err(no_run(id));
    };
    let neighbour = |other: Option<&sureness_store::RunInfo>| {
        other.map(|other| format!("{}/run/{}/{}", site.base(), id.folder, other.id))
    };
    let earlier = runs.iter().rev().find(|other| other.id < id.run);
    let later = runs.iter().find(|other| other.id > id.run);
    let values = json!({
        "model": info.model.name,
        "place": format!("{}#{}", folder.display(), id.run),
        "started": date(info.started_at),
        "events": format!("{}/run/{}/{}/events", site.base(), id.folder, id.run),
        "earlier": neighbour(earlier),
        "later": neighbour(later),
        "parts": update.fragments,
        "last": update.last,
        "settings": site.section(&settings::of_run(info))?,
    });
    let title = format!("{} · run {}", info.model.name, id.run);
    site.page("run.html", &title, values)
}

/// The page before the first run has begun.
pub(crate) fn waiting(site: &Site) -> Result<String, Failure> {
    let folders: Vec<String> = site
        .folders()
        .roots()
        .iter()
        .map(|root| root.display().to_string())
        .collect();
    site.page(
        "waiting.html",
        "Waiting for the run",
        json!({ "folders": folders }),
    )
}

fn no_run(id: RunId) -> Failure {
    Failure::new(format!("there is no run {} in this folder", id.run))
        .hint("open the list of runs: the address may be an old one")
}
