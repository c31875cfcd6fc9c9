//! Merges samples files into imports: the subjects of a group become one task.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::file::{Further, Samples};
use super::part::{Part, ResultsRead};
use super::pool;
use super::sample::Metric;
use crate::asked::note_of;
use crate::choice::{Choice, left_out};
use crate::imported::{AccuracyCheck, Imported, Model, Options, Values};
use crate::likelihood::Normalise;
use crate::read::Found;
use crate::{Format, ImportError, Problem};

/// Imports samples files, of each model and task the fullest.
pub(crate) fn import(paths: &[PathBuf], choice: &Choice<'_>, options: &Options) -> Found {
    let mut found = Found::default();
    let mut results = ResultsRead::default();
    let mut parts = Vec::new();
    for path in paths {
        let open = || File::open(path).map_err(|error| Problem::Io(error).of(path));
        let part = results
            .beside(path)
            .and_then(|results| Part::read(path, results, choice, options, open));
        match part {
            Ok(part) => parts.extend(part),
            Err(error) => found.errors.push(error),
        }
    }
    let (mut parts, mut notes) = pool::fullest(parts);
    if options.strategy.is_none() {
        pool::tell_templates_apart(&mut parts);
    }
    notes.extend(pool::split_groups(&mut parts));
    found.notes = notes;
    let mut groups: BTreeMap<(Model, String, String), Vec<Part>> = BTreeMap::new();
    for part in parts {
        let (model, strategy) = (part.model.clone(), part.strategy.clone());
        let key = (model, part.merged_task().to_owned(), strategy);
        groups.entry(key).or_default().push(part);
    }
    for ((model, task, strategy), parts) in groups {
        match merge(model, task, strategy, parts, options.normalise) {
            Ok(import) => found.imports.push(import),
            Err(error) => found.errors.push(error),
        }
    }
    found
}

/// Imports one file from memory; `None` if its task is not chosen.
pub(crate) fn import_bytes(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Option<Imported>, ImportError> {
    let Some(part) = Part::read(path, None, choice, options, || Ok(bytes))? else {
        return Ok(None);
    };
    let (model, strategy) = (part.model.clone(), part.strategy.clone());
    let task = part.merged_task().to_owned();
    merge(model, task, strategy, vec![part], options.normalise).map(Some)
}

/// One import of the files of one (model, task, strategy).
fn merge(
    model: Model,
    task: String,
    strategy: String,
    parts: Vec<Part>,
    normalise: Normalise,
) -> Result<Imported, ImportError> {
    let mut imported = Imported::empty(model, task, strategy, Format::LmEval);
    let mut check = Check::default();
    let mut limit = Limit::default();
    let mut dropped = 0;
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for part in parts {
        if let Some(other) = seen.insert(part.task.clone(), part.path.clone()) {
            let twice = Problem::Twice {
                model: imported.model.name,
                task: part.task,
                strategy: imported.strategy,
                other: other.display().to_string(),
            };
            return Err(twice.of(&part.path));
        }
        dropped += part.samples.dropped;
        limit.add(&part);
        note_settings(&part, &mut imported);
        let category = part.category().map(str::to_owned);
        let metric = part.samples.metric.unwrap_or(Metric::Acc);
        let filter = part.samples.filter.as_deref().unwrap_or("none");
        // The stated figure counts the questions that are left out as well.
        let stated = part
            .results
            .as_ref()
            .filter(|_| part.samples.dropped == 0)
            .and_then(|results| results.accuracy(&part.task, metric.name(), filter));
        imported.values = imported.values.max(part.samples.values);
        check.add(&part.samples, category.as_deref(), stated);
        imported.files.push(part.samples.source);
        for mut row in part.samples.rows {
            if let Some(category) = &category {
                row.question.id = format!("{category}/{}", row.question.id);
                row.question.category = Some(category.clone());
            }
            imported.rows.push(row);
        }
    }
    imported.notes.extend(left_out(dropped));
    imported
        .notes
        .extend(limit.note(imported.rows.len() + dropped));
    imported.planned = limit.all();
    if normalise != Normalise::None {
        let note = note_of(imported.values, normalise, "");
        imported.notes.extend(note);
    } else if imported.values == Values::Continuations {
        imported.notes.push(continuations(check.metric));
    }
    if check.shares {
        imported.notes.push(
            "several options are right, and the file's figure is the share of probability that they \
             have together, which the check repeats; the accuracy here is how often the most probable \
             option is one of them"
                .to_owned(),
        );
    }
    check.finish(&mut imported, normalise);
    Ok(imported)
}

fn continuations(metric: Option<Metric>) -> String {
    let file = if metric == Some(Metric::AccNorm) {
        "the file's figure is acc_norm, which divides by the length of the text, and the accuracy here \
         does not"
    } else {
        "compare with the harness's acc, not with acc_norm"
    };
    format!(
        "log-likelihoods are of whole continuations: probabilities are shares among the options of a \
         question, and long options have less; {file}"
    )
}

/// Adds what results and samples of a file tell beside its rows.
fn note_settings(part: &Part, imported: &mut Imported) {
    let task = &part.task;
    for note in &part.samples.notes {
        imported.notes.push(format!("{task}: {note}"));
    }
    let Some(results) = &part.results else {
        return;
    };
    let count = part.samples.rows.len() + part.samples.dropped;
    if let Some(planned) = results.documents(task).filter(|it| *it != count as u64) {
        imported.notes.push(format!(
            "{task}: {count} questions in the file, but {planned} in the results"
        ));
    }
    let settings = [
        ("lm_eval version", results.version().map(str::to_owned)),
        ("shots", part.shots().map(|shots| shots.to_string())),
        (
            "chat template",
            Some(part.template.trim_start_matches('-').to_owned()),
        ),
        ("limit", results.limit()),
    ];
    for (key, value) in settings {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            imported.settings.insert(key.to_owned(), value);
        }
    }
}

/// Which part of the data sets was evaluated.
#[derive(Default)]
struct Limit {
    all: usize,
    limited: bool,
    flag: Option<String>,
}

impl Limit {
    fn add(&mut self, part: &Part) {
        let known = part.all_documents();
        self.limited |= known.is_some();
        self.all += known.unwrap_or(part.samples.rows.len() + part.samples.dropped);
        // A limit above the size of the data set leaves nothing out.
        let results = part.results.as_ref();
        let results =
            results.filter(|it| known.is_some() || it.all_documents(&part.task).is_none());
        let flag = results.and_then(|results| results.limit());
        self.flag = self.flag.take().or(flag);
    }

    /// The number of questions of the data sets, if only some were evaluated.
    fn all(&self) -> Option<usize> {
        self.limited.then_some(self.all)
    }

    fn note(&self, count: usize) -> Option<String> {
        let flag = self
            .flag
            .as_ref()
            .map(|limit| format!(" (--limit {limit})"));
        let flag = flag.unwrap_or_default();
        match self.all() {
            Some(all) => Some(format!("a limited run{flag}: {count} of {all} questions")),
            None if self.flag.is_some() => Some(format!("a limited run{flag}")),
            None => None,
        }
    }
}

/// Shares of probability may differ by this much: the harness adds them in another order, and may write
/// log-likelihoods with fewer digits.
const ROUNDING: f64 = 1e-4;

/// The accuracy in the files beside the one of the rows.
#[derive(Default)]
struct Check {
    rows: usize,
    ours: f64,
    theirs: f64,
    unknown: bool,
    metric: Option<Metric>,
    shares: bool,
    first_difference: Option<String>,
    further: BTreeMap<Metric, (Further, usize)>,
}

impl Check {
    fn add(&mut self, samples: &Samples, category: Option<&str>, stated: Option<f64>) {
        let (mut known, mut counted) = (0, 0.0);
        self.shares |= samples.shares;
        self.metric = self.metric.max(samples.metric);
        for (metric, of_file) in &samples.further {
            let (further, rows) = self.further.entry(*metric).or_default();
            further.ours += of_file.ours;
            further.theirs += of_file.theirs;
            further.differ |= of_file.differ;
            *rows += samples.rows.len();
        }
        let verdicts = samples.judged.iter().zip(&samples.correct);
        for (row, (ours, correct)) in samples.rows.iter().zip(verdicts) {
            self.rows += 1;
            self.ours += ours;
            if let Some(correct) = *correct {
                known += 1;
                counted += correct;
                if (correct - ours).abs() > ROUNDING && self.first_difference.is_none() {
                    let id = &row.question.id;
                    let id = category.map_or_else(|| id.clone(), |it| format!("{it}/{id}"));
                    self.first_difference = Some(id);
                }
            }
        }
        match stated {
            Some(accuracy) => self.theirs += accuracy * samples.rows.len() as f64,
            None if known == samples.rows.len() => self.theirs += counted,
            None => self.unknown = true,
        }
    }

    /// Puts the comparison by the rule that decides into the import, and a warning for each further
    /// one that differs.
    fn finish(self, imported: &mut Imported, normalise: Normalise) {
        let check = |metric: Metric, ours: f64, theirs: f64, rows: usize| AccuracyCheck {
            ours: ours / rows as f64,
            theirs: theirs / rows as f64,
            first_difference: None,
            metric: metric.name().to_owned(),
        };
        let mut others = Vec::new();
        for (metric, (it, rows)) in &self.further {
            let check = check(*metric, it.ours as f64, it.theirs as f64, *rows);
            // Differences may add up to nothing.
            let first_difference = it.differ.then(String::new);
            others.push(AccuracyCheck {
                first_difference,
                ..check
            });
        }
        if let Some(metric) = self.metric.filter(|_| self.rows > 0 && !self.unknown) {
            let check = AccuracyCheck {
                first_difference: self.first_difference,
                ..check(metric, self.ours, self.theirs, self.rows)
            };
            // Divided scores have no comparison with a figure of another rule.
            if normalise == Normalise::None || normalise.rules().contains(&metric.rule()) {
                imported.check = Some(check);
            } else {
                others.push(check);
            }
        }
        let warnings = others.iter().filter_map(AccuracyCheck::difference);
        imported.warnings.extend(warnings);
    }
}
