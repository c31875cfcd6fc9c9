//! The list of runs: figures, trends, settings side by side.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use sureness_analysis::Unit;
use sureness_analysis::number::{MISSING, count, figure, interval};
use sureness_bench::live::FolderRuns;
use sureness_bench::{Failure, date};
use sureness_report::{GroupResult, IntervalOr, Results};
use sureness_store::RunInfo;

use super::{settings, trend};
use crate::site::{RunId, Site};

/// Runs that are listed, the newest of all folders.
const MOST_LISTED: usize = 400;
/// Finished runs whose figures are kept.
const MOST_KEPT: usize = 2_000;

/// A list stays as it is for so many times the time that it took, so that however many people look at
/// lists, these take at most a fiftieth of one processor.
const REST: u32 = 50;
/// Least time for which a list stays as it is.
const LEAST_REST: Duration = Duration::from_secs(1);

/// What lists need not read again.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    /// Figures of finished runs, which change no more, by folder, run and end.
    figures: Mutex<HashMap<(PathBuf, i64, i64), Arc<Results>>>,
    /// The list and until when it stays as it is.
    list: Mutex<Option<(Instant, String)>>,
}

impl Listings {
    /// The list as it was, if its time is not over.
    fn recent(&self) -> Option<String> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = list.as_ref().filter(|(until, _)| Instant::now() < *until);
        recent.map(|(_, html)| html.clone())
    }

    /// Keeps a list that was begun at this time.
    fn keep(&self, begin: Instant, html: &str) {
        let now = Instant::now();
        let rest = (now - begin).saturating_mul(REST).max(LEAST_REST);
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        *list = Some((now + rest, html.to_owned()));
    }

    /// The figures of a finished run; `None` of others, and of those that cannot be evaluated.
    fn results(&self, folder: &Path, runs: &FolderRuns, info: &RunInfo) -> Option<Arc<Results>> {
        let key = (folder.to_owned(), info.id, info.finished_at?);
        let known = |key| {
            let kept = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(key).cloned()
        };
        if let Some(results) = known(&key) {
            return Some(results);
        }
        let results = Arc::new(runs.results(info).ok()?);
        let mut kept = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&results));
        Some(results)
    }
}

/// A run of the list.
pub(super) struct Listed {
    pub(super) id: RunId,
    pub(super) info: RunInfo,
    /// Answers planned and given.
    pub(super) counts: (usize, usize),
    /// Of a finished run.
    pub(super) results: Option<Arc<Results>>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    link: String,
    number: i64,
    started: String,
    model: String,
    state: &'static str,
    share: f64,
    answered: String,
    planned: String,
    tasks: String,
    figures: Vec<Shown>,
    marks: String,
}

#[derive(Default, Serialize)]
struct Shown {
    value: String,
    interval: Option<String>,
}

/// The page with all runs.
pub(crate) fn runs(site: &Site) -> Result<String, Failure> {
    let values = json!({ "list": list(site)? });
    site.page("runs.html", "Runs", values)
}

/// What changes on this page.
pub(crate) fn list(site: &Site) -> Result<String, Failure> {
    if let Some(recent) = site.listings.recent() {
        return Ok(recent);
    }
    let begin = Instant::now();
    let html = fresh_list(site)?;
    site.listings.keep(begin, &html);
    Ok(html)
}

fn fresh_list(site: &Site) -> Result<String, Failure> {
    let mut folders = Vec::new();
    let mut all = Vec::new();
    for (number, path) in site.folders().current() {
        match of_folder(site, number, &path) {
            Ok(found) => all.extend(found),
            // One folder that cannot be read leaves the others in the list.
            Err(failure) => folders.push(json!({
                "path": path.display().to_string(),
                "message": failure.to_string(),
                "hint": failure.to_do(),
            })),
        }
    }
    all.sort_by_key(|listed| (listed.info.started_at, listed.id.folder, listed.id.run));
    let surplus = all.len().saturating_sub(MOST_LISTED);
    let all = all.split_off(surplus);
    let rows: Vec<Row> = all.iter().rev().map(|listed| row(site, listed)).collect();
    let mut sections = String::new();
    for section in trend::sections(&all) {
        sections += &site.section(&section)?;
    }
    if all.len() > 1 {
        let named: Vec<(String, &RunInfo)> = all
            .iter()
            .map(|listed| (column(&all, listed), &listed.info))
            .collect();
        sections += &site.section(&settings::beside(&named))?;
    }
    let roots = site.folders().roots().iter();
    site.fill(
        "list.html",
        json!({
            "base": site.base(),
            "roots": roots.map(|root| root.display().to_string()).collect::<Vec<_>>(),
            "rows": rows,
            "left_out": (surplus > 0).then(|| count(surplus)),
            "problems": folders,
            "sections": sections,
        }),
    )
}

/// The newest run of all folders; `None` before the first.
pub(crate) fn newest(site: &Site) -> Option<RunId> {
    let folders = site.folders().current().into_iter();
    let newest = folders.filter_map(|(folder, path)| {
        let runs = FolderRuns::open(&path).ok()?.runs().ok()?;
        let last = runs.last()?;
        Some((
            last.started_at,
            RunId {
                folder,
                run: last.id,
            },
        ))
    });
    newest
        .max_by_key(|(started_at, _)| *started_at)
        .map(|(_, id)| id)
}

fn of_folder(site: &Site, folder: usize, path: &Path) -> Result<Vec<Listed>, Failure> {
    let runs = FolderRuns::open(path)?;
    let mut found = Vec::new();
    for info in runs.runs()? {
        let results = site.listings.results(path, &runs, &info);
        found.push(Listed {
            id: RunId {
                folder,
                run: info.id,
            },
            counts: match &results {
                Some(results) => counts(results),
                None => runs.counts(info.id)?,
            },
            results,
            info,
        });
    }
    Ok(found)
}

/// Questions planned and answered, by the figures.
fn counts(results: &Results) -> (usize, usize) {
    let groups = results.models.iter().flat_map(|model| &model.groups);
    groups.fold((0, 0), |(planned, answered), group| {
        (planned + group.planned, answered + group.answered)
    })
}

/// `run 3`, with the date where that tells runs apart, and the folder's number where there are several.
fn column(all: &[Listed], listed: &Listed) -> String {
    let several = all.iter().any(|other| other.id.folder != listed.id.folder);
    let day = date(listed.info.started_at);
    let day = day.split('T').next().unwrap_or_default();
    if several {
        let folder = listed.id.folder + 1;
        return format!("{day} · folder {folder}, run {}", listed.id.run);
    }
    format!("{day} · run {}", listed.id.run)
}

fn row(site: &Site, listed: &Listed) -> Row {
    let Listed { id, info, .. } = listed;
    let (planned, answered) = listed.counts;
    let unique = |names: Vec<&String>| {
        let mut unique: Vec<&str> = Vec::new();
        for name in names {
            if !unique.contains(&name.as_str()) {
                unique.push(name);
            }
        }
        unique.join(", ")
    };
    let imported = info.settings.run().is_none();
    let model = listed.results.as_ref().and_then(|it| it.models.first());
    let marks = model.map_or_else(Vec::new, |model| {
        let marks = model.groups.iter().flat_map(GroupResult::marks);
        let mut marks: Vec<&str> = marks.collect();
        marks.dedup();
        marks
    });
    Row {
        id: format!("{}/{}", id.folder, id.run),
        link: format!("{}/run/{}/{}", site.base(), id.folder, id.run),
        number: id.run,
        started: date(info.started_at)
            .replace('T', " ")
            .trim_end_matches('Z')
            .to_owned(),
        model: info.model.name.clone(),
        state: match (info.finished_at, imported) {
            (Some(_), true) => "imported",
            (Some(_), false) => "finished",
            (None, _) => "unfinished",
        },
        share: if planned == 0 {
            0.0
        } else {
            answered as f64 / planned as f64
        },
        answered: count(answered),
        planned: count(planned),
        tasks: unique(info.groups.iter().map(|(task, _)| task).collect()),
        figures: figures(listed),
        marks: marks.join(", "),
    }
}

/// Accuracy, set size, coverage and `UAcc`.
fn figures(listed: &Listed) -> Vec<Shown> {
    let model = listed.results.as_ref().and_then(|it| it.models.first());
    let Some((model, mean)) = model.and_then(|model| Some((model, model.mean?))) else {
        let none = || Shown {
            value: MISSING.to_owned(),
            interval: None,
        };
        return (0..4).map(|_| none()).collect();
    };
    let intervals = model.intervals.as_ref();
    let shown = |value, unit, ends: Option<&IntervalOr>| Shown {
        value: figure(value, unit),
        interval: match ends {
            Some(IntervalOr::Ends([low, high])) => interval(Some(*low), Some(*high), unit),
            Some(IntervalOr::Missing(why)) => Some(format!("[{why}]")),
            None => None,
        },
    };
    vec![
        shown(mean.acc, Unit::Percent, intervals.map(|i| &i.acc)),
        shown(
            mean.set_size,
            Unit::Number(2),
            intervals.map(|i| &i.set_size),
        ),
        shown(mean.coverage, Unit::Percent, intervals.map(|i| &i.coverage)),
        shown(mean.uacc, Unit::Percent, intervals.map(|i| &i.uacc)),
    ]
}
