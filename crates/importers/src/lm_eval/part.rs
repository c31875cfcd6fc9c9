//! A samples file with what its name and the results beside it tell.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::file::{self, Dropping, Samples};
use super::results::Results;
use crate::choice::Choice;
use crate::imported::{ImportedRow, Model, Options};
use crate::{ImportError, Problem};

/// One samples file.
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) model: Model,
    /// The harness's own name of the task.
    pub(super) task: String,
    pub(super) date: String,
    /// The groups that it can be part of, the topmost first.
    pub(super) groups: Vec<String>,
    pub(super) strategy: String,
    /// What tells two chat templates apart.
    pub(super) template: String,
    pub(super) samples: Samples,
    pub(super) results: Option<Rc<Results>>,
}

/// Results files that were read, by path.
#[derive(Default)]
pub(super) struct ResultsRead(BTreeMap<PathBuf, Option<Rc<Results>>>);

impl ResultsRead {
    /// The results of the same date in the same folder, or those of an early version.
    pub(super) fn beside(&mut self, path: &Path) -> Result<Option<Rc<Results>>, ImportError> {
        let name = name_parts(path);
        if let Some((_, date)) = &name {
            let dated = path.with_file_name(format!("results_{date}.json"));
            if let Some(found) = self.read(dated)? {
                return Ok(Some(found));
            }
        }
        // Other programs write a file of this name as well.
        let early = self.read(path.with_file_name("results.json"));
        let early = early.ok().flatten();
        Ok(early.filter(|results| match &name {
            Some((task, _)) => results.has(task),
            None => results.task_of(&stem(path)).is_some(),
        }))
    }

    fn read(&mut self, path: PathBuf) -> Result<Option<Rc<Results>>, ImportError> {
        if let Some(found) = self.0.get(&path) {
            return Ok(found.clone());
        }
        let found = if path.is_file() {
            Some(Rc::new(Results::read(&path)?))
        } else {
            None
        };
        self.0.insert(path, found.clone());
        Ok(found)
    }
}

/// The name of a file without its extensions.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ends = [".jsonl", ".json", ".ndjson"];
    let bare = ends.iter().find_map(|end| name.strip_suffix(end));
    bare.unwrap_or(name).to_owned()
}

/// Task and date of `samples_{task}_{date}.jsonl`.
fn name_parts(path: &Path) -> Option<(String, String)> {
    let stem = stem(path);
    let (task, date) = stem.strip_prefix("samples_")?.rsplit_once('_')?;
    (!task.is_empty()).then(|| (task.to_owned(), date.to_owned()))
}

impl Part {
    /// Reads a file; `None` if its task is not chosen.
    pub(super) fn read<R: Read>(
        path: &Path,
        results: Option<Rc<Results>>,
        choice: &Choice<'_>,
        options: &Options,
        open: impl FnOnce() -> Result<R, ImportError>,
    ) -> Result<Option<Self>, ImportError> {
        let early = results.as_ref().and_then(|it| it.task_of(&stem(path)));
        let (task, date) = match (name_parts(path), early, &options.task) {
            (Some(parts), ..) => parts,
            (None, Some(task), _) => (task.to_owned(), String::new()),
            (None, None, Some(task)) => (task.clone(), String::new()),
            (None, None, None) => return Err(Problem::NoTask.of(path)),
        };
        let mut groups: Vec<String> = Vec::new();
        let mut names = vec![task.clone()];
        if let Some(results) = &results {
            groups.extend(results.groups(&task).into_iter().map(str::to_owned));
            names.extend(results.holders(&task).into_iter().map(str::to_owned));
        }
        // Without results, the rows tell the group.
        if groups.is_empty() && !choice.may_want(&as_refs(&names), &task) {
            return Ok(None);
        }
        if !groups.is_empty() && !choice.wants(&as_refs(&names)) {
            return Ok(None);
        }
        let model = model(path, results.as_deref(), options)?;
        let prefixes = groups
            .iter()
            .filter_map(|group| Some(rest(&task, group)?.to_owned()));
        let prefixes: Vec<String> = prefixes.chain([task.clone()]).collect();
        let dropping = Dropping {
            choice,
            task: &task,
            prefixes: &prefixes,
        };
        let samples = file::read(path, open()?, dropping, options.normalise)?;
        if groups.is_empty() {
            groups.extend(group_by_subject(&task, &samples.rows).map(str::to_owned));
            names.extend(groups.iter().cloned());
            if !choice.wants(&as_refs(&names)) {
                return Ok(None);
            }
        }
        let known = results.as_ref().and_then(|results| results.strategy(&task));
        let strategy = options.strategy.clone().or(known);
        let template = results.as_ref().map(|results| results.template());
        Ok(Some(Self {
            path: path.to_owned(),
            model,
            task,
            date,
            groups,
            strategy: strategy.unwrap_or_else(|| "lm-eval".to_owned()),
            template: template.unwrap_or_default(),
            samples,
            results,
        }))
    }

    /// The task of the import.
    pub(super) fn merged_task(&self) -> &str {
        self.groups.first().unwrap_or(&self.task)
    }

    /// The category that the task is in its group.
    pub(super) fn category(&self) -> Option<&str> {
        rest(&self.task, self.groups.first()?)
    }

    /// Few-shot examples per prompt.
    pub(super) fn shots(&self) -> Option<u64> {
        self.results.as_ref()?.shots(&self.task)
    }

    /// Documents of the data set, where the run was limited to fewer.
    pub(super) fn all_documents(&self) -> Option<usize> {
        let all = self.results.as_ref()?.all_documents(&self.task)?;
        let all = usize::try_from(all).ok()?;
        (all > self.samples.rows.len() + self.samples.dropped).then_some(all)
    }
}

fn as_refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// A task's name without its group's.
fn rest<'a>(task: &'a str, group: &str) -> Option<&'a str> {
    task.strip_prefix(group)?.strip_prefix('_')
}

fn model(path: &Path, results: Option<&Results>, options: &Options) -> Result<Model, ImportError> {
    let known = results.and_then(Results::model);
    match (&options.model, known) {
        (Some(name), known) => Ok(Model {
            name: name.clone(),
            details: known.map(|model| model.details).unwrap_or_default(),
        }),
        (None, Some(known)) => Ok(known),
        (None, None) => Err(Problem::NoModel.of(path)),
    }
}

/// The group of a task without results: `mmlu` if all rows of `mmlu_anatomy` have the subject
/// `anatomy`.
fn group_by_subject<'a>(task: &'a str, rows: &[ImportedRow]) -> Option<&'a str> {
    let subject = rows.first()?.question.category.as_deref()?;
    let same = rows
        .iter()
        .all(|row| row.question.category.as_deref() == Some(subject));
    let rest = file::subject_of(task, subject).filter(|_| same)?;
    task.strip_suffix(rest)?.strip_suffix('_')
}
