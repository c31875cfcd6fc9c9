//! Merges samples files into imports: the subjects of a group become one task.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::file::{self, Samples};
use super::results::Results;
use crate::imported::{AccuracyCheck, Imported, ImportedRow, Model, Options, Values};
use crate::{Format, ImportError, Problem};

/// A samples file with the information in its name and results.
struct Part {
    path: PathBuf,
    model: Model,
    /// The harness's own name of the task.
    task: String,
    date: String,
    /// Its group and the rest of its name.
    group: Option<(String, String)>,
    strategy: String,
    samples: Samples,
    results: Option<Rc<Results>>,
}

impl Part {
    /// The task of the import.
    fn merged_task(&self) -> String {
        match &self.group {
            Some((group, _)) => group.clone(),
            None => self.task.clone(),
        }
    }
}

/// Imports samples files, of each model and task the newest.
pub(crate) fn import(
    paths: &[PathBuf],
    options: &Options,
) -> Result<Vec<Imported>, Vec<ImportError>> {
    let mut read: BTreeMap<PathBuf, Option<Rc<Results>>> = BTreeMap::new();
    let (mut parts, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        let part = results_beside(path, &mut read)
            .and_then(|results| part(path, results, options, || file::read(path)));
        match part {
            Ok(part) => parts.push(part),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut notes = leave_out_older(&mut parts);
    let mut groups: BTreeMap<(Model, String, String), Vec<Part>> = BTreeMap::new();
    for part in parts {
        let (model, strategy) = (part.model.clone(), part.strategy.clone());
        let key = (model, part.merged_task(), strategy);
        groups.entry(key).or_default().push(part);
    }
    let mut imports: Vec<Imported> = groups
        .into_iter()
        .map(|((model, task, strategy), parts)| merge(model, task, strategy, parts))
        .collect();
    if let Some(first) = imports.first_mut() {
        first.notes.append(&mut notes);
    }
    Ok(imports)
}

/// The results of the same date in the same folder.
fn results_beside(
    path: &Path,
    read: &mut BTreeMap<PathBuf, Option<Rc<Results>>>,
) -> Result<Option<Rc<Results>>, ImportError> {
    let Some((_, date)) = file::name_parts(path) else {
        return Ok(None);
    };
    let beside = path.with_file_name(format!("results_{date}.json"));
    if let Some(found) = read.get(&beside) {
        return Ok(found.clone());
    }
    let found = if beside.is_file() {
        Some(Rc::new(Results::read(&beside)?))
    } else {
        None
    };
    read.insert(beside, found.clone());
    Ok(found)
}

/// Imports one file from memory.
pub(crate) fn import_bytes(
    path: &Path,
    bytes: &[u8],
    options: &Options,
) -> Result<Imported, ImportError> {
    let read = || file::read_from(path, bytes);
    let part = part(path, None, options, read)?;
    let (model, strategy) = (part.model.clone(), part.strategy.clone());
    Ok(merge(model, part.merged_task(), strategy, vec![part]))
}

fn part(
    path: &Path,
    results: Option<Rc<Results>>,
    options: &Options,
    read: impl FnOnce() -> Result<Samples, ImportError>,
) -> Result<Part, ImportError> {
    let known = results.as_ref().and_then(|results| results.model());
    let model = match (&options.model, known) {
        (Some(name), known) => Model {
            name: name.clone(),
            details: known.map(|model| model.details).unwrap_or_default(),
        },
        (None, Some(known)) => known,
        (None, None) => return Err(Problem::NoModel.of(path)),
    };
    let (task, date) = match (file::name_parts(path), &options.task) {
        (Some(parts), _) => parts,
        (None, Some(task)) => (task.clone(), String::new()),
        (None, None) => return Err(Problem::NoTask.of(path)),
    };
    let samples = read()?;
    let group = results
        .as_ref()
        .and_then(|results| results.group(&task).map(str::to_owned))
        .or_else(|| group_by_subject(&task, &samples.rows))
        .and_then(|group| {
            let rest = task.strip_prefix(&group)?.strip_prefix('_')?.to_owned();
            Some((group, rest))
        });
    let shots = results.as_ref().and_then(|results| results.shots(&task));
    let chat = results.as_ref().is_some_and(|results| results.is_chat());
    let strategy = match (&options.strategy, shots) {
        (Some(name), _) => name.clone(),
        (None, Some(shots)) if chat => format!("{shots}-shot-chat"),
        (None, Some(shots)) => format!("{shots}-shot"),
        (None, None) => "lm-eval".to_owned(),
    };
    Ok(Part {
        path: path.to_owned(),
        model,
        task,
        date,
        group,
        strategy,
        samples,
        results,
    })
}

/// The group of a task without results: `mmlu` if all rows of `mmlu_anatomy` have the subject
/// `anatomy`.
fn group_by_subject(task: &str, rows: &[ImportedRow]) -> Option<String> {
    let subject = rows.first()?.question.category.as_deref()?;
    let same = rows
        .iter()
        .all(|row| row.question.category.as_deref() == Some(subject));
    let group = task
        .strip_suffix(&subject.replace([' ', '-'], "_"))?
        .strip_suffix('_')?;
    (same && !group.is_empty()).then(|| group.to_owned())
}

/// Keeps the newest of several evaluations of a task; returns notes about the others.
fn leave_out_older(parts: &mut Vec<Part>) -> Vec<String> {
    let mut newest: BTreeMap<(Model, String, String), String> = BTreeMap::new();
    let key = |part: &Part| (part.model.clone(), part.task.clone(), part.strategy.clone());
    for part in &*parts {
        let date = newest.entry(key(part)).or_default();
        if part.date > *date {
            date.clone_from(&part.date);
        }
    }
    let mut notes = Vec::new();
    parts.retain(|part| {
        let keep = newest.get(&key(part)).is_none_or(|date| *date == part.date);
        if !keep {
            notes.push(format!(
                "skipped {}, which a newer evaluation of the same task replaces; import it alone to include it",
                part.path.display()
            ));
        }
        keep
    });
    notes
}

/// One import of the files of one (model, task, strategy).
fn merge(model: Model, task: String, strategy: String, parts: Vec<Part>) -> Imported {
    let mut imported = Imported {
        model,
        task,
        strategy,
        format: Format::LmEval,
        files: Vec::new(),
        values: Values::Labels,
        settings: BTreeMap::new(),
        rows: Vec::new(),
        check: None,
        notes: Vec::new(),
    };
    let mut check = Check::default();
    for part in parts {
        let Part {
            task,
            group,
            samples,
            results,
            ..
        } = part;
        let count = samples.rows.len();
        imported.values = imported.values.max(samples.values);
        for note in samples.notes {
            imported.notes.push(format!("{task}: {note}"));
        }
        if let Some(results) = &results {
            if let Some(planned) = results.documents(&task).filter(|it| *it != count as u64) {
                imported.notes.push(format!(
                    "{task}: {count} questions in the file, but {planned} in the results"
                ));
            }
            if let Some(version) = results.version() {
                let key = "lm_eval version".to_owned();
                imported.settings.insert(key, version.to_owned());
            }
            if let Some(shots) = results.shots(&task) {
                imported
                    .settings
                    .insert("shots".to_owned(), shots.to_string());
            }
        }
        let stated = results.as_ref().and_then(|results| results.accuracy(&task));
        imported.files.push(samples.source);
        let before = imported.rows.len();
        for mut row in samples.rows {
            if let Some((_, category)) = &group {
                row.question.id = format!("{category}/{}", row.question.id);
                row.question.category = Some(category.clone());
            }
            imported.rows.push(row);
        }
        let rows = imported.rows.get(before..).unwrap_or_default();
        check.add(rows, &samples.correct, stated);
    }
    imported.check = check.finish();
    if imported.values == Values::Continuations {
        imported.notes.push(
            "log-likelihoods are of whole continuations: probabilities are shares among the options of a \
             question, and long options have less; compare with the harness's acc, not with acc_norm"
                .to_owned(),
        );
        // Only labels have a mass.
        for row in &mut imported.rows {
            if let Ok(scores) = &mut row.scores {
                scores.mass = None;
            }
        }
    }
    imported
}

/// The accuracy in the files beside the one of the rows.
#[derive(Default)]
struct Check {
    rows: usize,
    ours: usize,
    theirs: f64,
    unknown: bool,
    first_difference: Option<String>,
}

impl Check {
    fn add(&mut self, rows: &[ImportedRow], correct: &[Option<bool>], stated: Option<f64>) {
        let (mut known, mut counted) = (0, 0_usize);
        for (row, correct) in rows.iter().zip(correct) {
            let ours = row
                .scores
                .as_ref()
                .is_ok_and(|scores| scores.top() == row.question.answer);
            self.rows += 1;
            self.ours += usize::from(ours);
            if let Some(correct) = *correct {
                known += 1;
                counted += usize::from(correct);
                if correct != ours && self.first_difference.is_none() {
                    self.first_difference = Some(row.question.id.clone());
                }
            }
        }
        match stated {
            Some(accuracy) => self.theirs += accuracy * rows.len() as f64,
            None if known == rows.len() => self.theirs += counted as f64,
            None => self.unknown = true,
        }
    }

    fn finish(self) -> Option<AccuracyCheck> {
        let rows = self.rows as f64;
        (self.rows > 0 && !self.unknown).then(|| AccuracyCheck {
            ours: self.ours as f64 / rows,
            theirs: self.theirs / rows,
            first_difference: self.first_difference,
        })
    }
}
