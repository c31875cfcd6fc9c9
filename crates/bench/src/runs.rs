//! Lists the runs of output folders.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sureness_conformal::Mean;
use sureness_questions::Task;
use sureness_report::ModelResult;
use sureness_store::{Reader, RunInfo};

use crate::error::Failure;
use crate::evidence::store_of;
use crate::figures;
use crate::folder::ResultsFiles;
use crate::provenance::date;
use crate::questions::named_task;

/// One run of a store, with its headline figures.
#[derive(Debug, Clone, Serialize)]
pub struct RunEntry {
    /// The run as `analyze` and `report` take it: `FOLDER#3`.
    pub run: String,
    /// Its number in the store.
    pub number: i64,
    /// Start in UTC, such as `2026-03-01T12:00:00Z`.
    pub started_at: String,
    /// End in UTC, if it finished.
    pub finished_at: Option<String>,
    /// The model's name.
    pub model: String,
    /// Task ids, in order.
    pub tasks: Vec<String>,
    /// Strategy names, in order.
    pub strategies: Vec<String>,
    /// Questions, each counted once over all strategies.
    pub questions: usize,
    /// Prompts planned: each question in each strategy.
    pub planned: usize,
    /// Prompts with an answer.
    pub answered: usize,
    /// Whether the run finished.
    pub finished: bool,
    /// Whether another tool asked the questions.
    pub imported: bool,
    /// The shard of the questions that was asked, such as `3/16`.
    pub shard: Option<String>,
    /// Means over tasks and strategies, LAC and APS, as fractions; `None` if nothing could be
    /// evaluated.
    pub figures: Option<Mean>,
    /// Whether the threshold of a group in `figures` is infinite, so that its sets are full.
    pub full_sets: bool,
    /// What speaks against the figures, in a word or two each, such as `prompts cut`.
    pub doubts: Vec<String>,
    /// The newest file with the run's results.
    pub results: Option<PathBuf>,
    /// The command line that wrote it, without secrets.
    pub command: Option<String>,
}

impl RunEntry {
    /// What a reader of the figures must know first: whether the run finished, then what makes them
    /// those of a part, or of no model.
    pub fn state(&self) -> Vec<String> {
        let finished = match (self.finished, self.imported) {
            (false, _) => "unfinished",
            (true, true) => "imported",
            (true, false) => "finished",
        };
        let shard = self.shard.as_ref().map(|shard| format!("shard {shard}"));
        let full = self.full_sets.then(|| "full sets".to_owned());
        std::iter::once(finished.to_owned())
            .chain(shard)
            .chain(full)
            .chain(self.doubts.iter().cloned())
            .collect()
    }
}

/// The runs in these output folders or stores (`FOLDER#3` for run 3 alone), oldest first.
pub fn list(paths: &[PathBuf]) -> Result<Vec<RunEntry>, Failure> {
    let mut entries = Vec::new();
    for path in paths {
        let Some((store, number)) = store_of(path)? else {
            return Err(
                Failure::new(format!("{} does not contain runs", path.display()))
                    .hint("name an output folder or its sureness.sqlite"),
            );
        };
        let named = match number {
            Some(_) => path
                .to_string_lossy()
                .rsplit_once('#')
                .map(|(path, _)| path.into()),
            None => None,
        };
        let named: PathBuf = named.unwrap_or_else(|| path.clone());
        let reader = Reader::open(&store)?;
        let files = ResultsFiles::beside(&store);
        for info in reader.runs()? {
            if number.is_none_or(|number| number == info.id) {
                entries.push(entry(&named, &reader, &files, &info)?);
            }
        }
    }
    Ok(entries)
}

fn entry(
    path: &Path,
    reader: &Reader,
    files: &ResultsFiles,
    info: &RunInfo,
) -> Result<RunEntry, Failure> {
    let mut result = evaluated(reader, info)?;
    for group in &mut result.groups {
        group.cut_prompts = files.cut_prompts(info.id, &group.task, &group.strategy);
    }
    let settings = info.settings.run();
    let file = files.of(info.id);
    let unique = |names: &mut dyn Iterator<Item = String>| {
        let mut list: Vec<String> = Vec::new();
        for name in names {
            if !list.contains(&name) {
                list.push(name);
            }
        }
        list
    };
    let tasks = unique(&mut info.groups.iter().map(|(task, _)| task.clone()));
    let strategies = unique(&mut info.groups.iter().map(|(_, strategy)| strategy.clone()));
    let of_task = |task: &String| {
        let groups = result.groups.iter().filter(|group| group.task == *task);
        groups.map(|group| group.planned).max().unwrap_or(0)
    };
    let evaluations = || {
        result
            .headline_groups()
            .filter_map(|group| group.evaluation.as_ref())
    };
    Ok(RunEntry {
        run: format!("{}#{}", path.display(), info.id),
        number: info.id,
        started_at: date(info.started_at),
        finished_at: info.finished_at.map(date),
        model: info.model.name.clone(),
        questions: tasks.iter().map(of_task).sum(),
        tasks,
        strategies,
        planned: result.asked_groups().map(|group| group.planned).sum(),
        answered: result.asked_groups().map(|group| group.answered).sum(),
        finished: info.finished_at.is_some(),
        imported: settings.is_none(),
        shard: settings
            .and_then(|settings| settings.shard)
            .map(|shard| shard.to_string()),
        figures: result.mean,
        full_sets: evaluations().any(|e| e.lac.qhat.is_none() || e.aps.qhat.is_none()),
        doubts: unique(&mut result.groups.iter().flat_map(|group| {
            let marks = group.marks().into_iter();
            marks.map(str::to_owned).collect::<Vec<_>>()
        })),
        results: file.map(|(path, _)| path.to_owned()),
        command: file.and_then(|(_, provenance)| provenance?.command.clone()),
    })
}

/// The run's figures under its own settings, as its results file has them.
fn evaluated(reader: &Reader, info: &RunInfo) -> Result<ModelResult, Failure> {
    let tasks: Vec<(Task, &str)> = info
        .groups
        .iter()
        .map(|(task, strategy)| (named_task(task), strategy.as_str()))
        .collect();
    let groups: Vec<(&Task, &str)> = tasks.iter().map(|(task, name)| (task, *name)).collect();
    let config = info.settings.run().map(|settings| settings.evaluation);
    let config = config.unwrap_or_default();
    figures::without_intervals(reader, info.id, &info.model, &groups, &config, None)
}
