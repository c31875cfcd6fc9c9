//! The result of an import.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use sureness_record::QuestionRecord;
use sureness_scorers::ScoreError;

use crate::error::printable;
use crate::{Format, Normalise};

/// Settings that replace or complete the content of files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format; `None` detects it from the content.
    pub format: Option<Format>,
    /// Right answers for files without them: a file in the paper's JSON layout.
    pub questions: Option<PathBuf>,
    /// Whether `questions` decides where a table's own answers contradict it, and is taken where a
    /// file's name tells another data set.
    pub any_questions: bool,
    /// The model's name, instead of the one in the file.
    pub model: Option<String>,
    /// The task's name, instead of the one in the file.
    pub task: Option<String>,
    /// The strategy's name, instead of the one in the file.
    pub strategy: Option<String>,
    /// Ids of questions to skip, with or without the category that a pooled task puts in front. `None`
    /// skips the paper's few-shot examples (1, 3, 5, 7, 9) in its pickles and nothing in other files.
    pub drop_ids: Option<HashSet<String>>,
    /// Tasks to import, by their names or those of their groups; `*` at the end stands for any rest.
    /// Empty for all.
    pub tasks: Vec<String>,
    /// Tasks to leave out, likewise.
    pub skip: Vec<String>,
    /// What log-likelihoods of options are divided by.
    pub normalise: Normalise,
}

/// All imports of one call.
#[derive(Debug, Clone, Default)]
pub struct Imports {
    /// One per model, task and strategy.
    pub groups: Vec<Imported>,
    /// Notes for the user on files that were left out.
    pub notes: Vec<String>,
}

/// One model's answers to one task with one strategy.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The model.
    pub model: Model,
    /// The task's name in the file.
    pub task: String,
    /// The strategy's name, or the number of shots.
    pub strategy: String,
    /// The format of the files.
    pub format: Format,
    /// The files, without their folders.
    pub files: Vec<SourceFile>,
    /// The kind of scores.
    pub values: Values,
    /// Settings of the evaluation by name, without secrets.
    pub settings: BTreeMap<String, String>,
    /// The questions, in file order.
    pub rows: Vec<ImportedRow>,
    /// Questions of the data set, where a limit left some of them out.
    pub planned: Option<usize>,
    /// The file's accuracy beside ours, if it states one.
    pub check: Option<AccuracyCheck>,
    /// Notes for the user, such as skipped rows.
    pub notes: Vec<String>,
    /// What makes the figures doubtful.
    pub warnings: Vec<String>,
}

/// The model as a file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Properties that can change a score: revision, data type, chat template. No secrets.
    pub details: BTreeMap<String, String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFile {
    /// Its name, without the folder.
    pub name: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub digest: String,
}

impl SourceFile {
    /// The file at a path, with the hash of its bytes.
    pub(crate) fn new(path: &Path, digest: &blake3::Hash) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            name: name.into_owned(),
            digest: digest.to_hex().to_string(),
        }
    }
}

/// The kind of scores of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Values {
    /// Natural log-probabilities of the options' labels as the next token.
    Labels,
    /// Log-likelihoods of the options' whole texts.
    Continuations,
    /// Logits: defined up to a constant per question.
    Logits,
}

impl Values {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Labels => "log-probabilities of labels",
            Self::Continuations => "log-likelihoods of continuations",
            Self::Logits => "logits",
        }
    }
}

/// One question and the model's scores.
#[derive(Debug, Clone)]
pub struct ImportedRow {
    /// The question; its id is unique within the import, its cluster `None` if the file has no text.
    pub question: QuestionRecord,
    /// The scores of the options, or why they are missing.
    pub scores: Result<RowScores, ScoreError>,
}

/// A model's scores of the options of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct RowScores {
    /// One finite score per option, of the kind [`Imported::values`].
    pub logprobs: Vec<f64>,
    /// Whether each was observed; otherwise the score is an upper bound.
    pub observed: Vec<bool>,
    /// Total probability of the observed options, in 0..=1; `None` if unknown.
    pub mass: Option<f64>,
}

impl RowScores {
    /// The option with the highest score, the first of equals, which harnesses count as the answer.
    pub fn top(&self) -> usize {
        let mut top = 0;
        for (index, value) in self.logprobs.iter().enumerate() {
            if self.logprobs.get(top).is_none_or(|best| value > best) {
                top = index;
            }
        }
        top
    }

    /// The scores in another order: option `at` of these is option `order[at]` there.
    pub(crate) fn in_order(&self, order: &[usize]) -> Self {
        let mut ordered = self.clone();
        for (at, index) in order.iter().enumerate() {
            if let (Some(to), Some(from)) =
                (ordered.logprobs.get_mut(*index), self.logprobs.get(at))
            {
                *to = *from;
            }
            if let (Some(to), Some(from)) =
                (ordered.observed.get_mut(*index), self.observed.get(at))
            {
                *to = *from;
            }
        }
        ordered
    }
}

/// The accuracy that the file states beside the one of the imported rows.
#[derive(Debug, Clone, PartialEq)]
pub struct AccuracyCheck {
    /// Share of the answered rows whose top option is right, by the file's rule.
    pub ours: f64,
    /// The file's accuracy.
    pub theirs: f64,
    /// The file's name of its rule, such as `acc`, or `acc_norm`, which divides by the length.
    pub metric: String,
    /// Id of the first question where the two disagree.
    pub first_difference: Option<String>,
}

impl AccuracyCheck {
    /// The metric in brackets, unless it is plain accuracy; empty or with a blank before it.
    pub fn rule(&self) -> String {
        match &*self.metric {
            "acc" | "accuracy" => String::new(),
            other => format!(" ({other})"),
        }
    }

    /// The warning on a further metric that differs.
    pub(crate) fn difference(&self) -> Option<String> {
        (!self.agrees()).then(|| {
            format!(
                "{} is {:.2} % here and {:.2} % in the file",
                printable(&self.metric),
                self.ours * 100.0,
                self.theirs * 100.0
            )
        })
    }

    /// Whether the two agree.
    pub fn agrees(&self) -> bool {
        // Files round to 15 or more digits.
        self.first_difference.is_none() && (self.ours - self.theirs).abs() < 1e-9
    }
}

impl fmt::Display for Imported {
    /// Model, task and strategy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.model.name, self.task, self.strategy)
    }
}

impl Imported {
    /// An import without rows, files, settings and remarks, whose scores are of labels.
    pub(crate) fn empty(model: Model, task: String, strategy: String, format: Format) -> Self {
        Self {
            model,
            task,
            strategy,
            format,
            files: Vec::new(),
            values: Values::Labels,
            settings: BTreeMap::new(),
            rows: Vec::new(),
            planned: None,
            check: None,
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The number of rows with scores.
    pub fn answered(&self) -> usize {
        self.rows.iter().filter(|row| row.scores.is_ok()).count()
    }

    /// Share of the answered rows whose top option is right; `None` without answered rows.
    pub fn accuracy(&self) -> Option<f64> {
        let answered = self.answered();
        let right = |row: &&ImportedRow| {
            let scores = row.scores.as_ref();
            scores.is_ok_and(|scores| row.question.right.contains(scores.top()))
        };
        let right = self.rows.iter().filter(right).count();
        (answered > 0).then(|| right as f64 / answered as f64)
    }

    /// Mean probability that the model gave to all options of a question together; `None` if unknown.
    pub fn mean_mass(&self) -> Option<f64> {
        let scores = self.rows.iter().filter_map(|row| row.scores.as_ref().ok());
        let masses: Option<Vec<f64>> = scores.map(|scores| scores.mass).collect();
        let masses = masses.filter(|masses| !masses.is_empty())?;
        Some(masses.iter().sum::<f64>() / masses.len() as f64)
    }
}
