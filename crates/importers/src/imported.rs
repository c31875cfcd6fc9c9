//! What every format is read into.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use sureness_scorers::ScoreError;

use crate::Format;

/// How files are read, where the user says more than they do.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format; told from the content where it is not given.
    pub format: Option<Format>,
    /// Right answers for files without them: a file in the paper's JSON layout.
    pub questions: Option<PathBuf>,
    /// The model's name, instead of the one in the file.
    pub model: Option<String>,
    /// The task's name, instead of the one in the file.
    pub task: Option<String>,
    /// The strategy's name, instead of the one in the file.
    pub strategy: Option<String>,
    /// Ids of questions to leave out. Where it is not given, the paper's few-shot examples (1, 3,
    /// 5, 7, 9) are left out of its pickles, and nothing of other files.
    pub drop_ids: Option<HashSet<String>>,
}

/// One model's answers to one task, asked in one way.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Which model.
    pub model: Model,
    /// The task's name, as the file has it.
    pub task: String,
    /// How it was asked: the strategy's name, or the number of shots.
    pub strategy: String,
    /// What it was read from.
    pub format: Format,
    /// The files, without their folders.
    pub files: Vec<SourceFile>,
    /// What the scores are.
    pub values: Values,
    /// What the file tells of the settings, by name. No secrets.
    pub settings: BTreeMap<String, String>,
    /// The questions, in file order.
    pub rows: Vec<ImportedRow>,
    /// The file's own accuracy beside ours, where it has one.
    pub check: Option<AccuracyCheck>,
    /// What a person should know: rows left out, limits of the comparison.
    pub notes: Vec<String>,
}

/// The model, as far as a file tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// What else is known of it that can move a score: revision, type of its numbers, chat
    /// template. No secrets.
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

/// What the scores of an import are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Values {
    /// Natural log-probabilities of the options' labels as the next token.
    Labels,
    /// Log-likelihoods of the options' whole texts.
    Continuations,
    /// Logits: known up to a constant for each question.
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

/// One question and what the model said to it.
#[derive(Debug, Clone)]
pub struct ImportedRow {
    /// The question's id, unique within the import.
    pub id: String,
    /// Digest of the question's content, the same in every model's file. That of
    /// `sureness_questions::Question::content_digest` where the file has the question's text.
    pub content: [u8; 32],
    /// What it shares with the other questions of its cluster:
    /// `sureness_questions::Question::cluster_digest`. `None` where the file has no text.
    pub cluster: Option<[u8; 32]>,
    /// Its category, such as the subject.
    pub category: Option<String>,
    /// Number of options.
    pub options: usize,
    /// Index of the right option.
    pub answer: usize,
    /// Index of "I don't know".
    pub dont_know: Option<usize>,
    /// Index of "None of the above".
    pub none_of_the_above: Option<usize>,
    /// The scores of the options, or why there are none.
    pub scores: Result<RowScores, ScoreError>,
}

/// A model's scores of the options of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct RowScores {
    /// One per option, in option order: what [`Imported::values`] says. Finite.
    pub logprobs: Vec<f64>,
    /// Whether each was observed; else its entry is an upper bound.
    pub observed: Vec<bool>,
    /// Total probability of the observed options, in 0..=1; none where the file cannot tell.
    pub mass: Option<f64>,
}

impl RowScores {
    /// The option with the highest score, the first of equals: what the harnesses count as the
    /// model's answer.
    pub fn top(&self) -> usize {
        let mut top = 0;
        for (index, value) in self.logprobs.iter().enumerate() {
            if self.logprobs.get(top).is_none_or(|best| value > best) {
                top = index;
            }
        }
        top
    }
}

/// The accuracy that the file states beside the one of the imported rows.
#[derive(Debug, Clone, PartialEq)]
pub struct AccuracyCheck {
    /// Share of the answered rows whose top option is right.
    pub ours: f64,
    /// What the file says.
    pub theirs: f64,
    /// The id of the first question that the file counts otherwise.
    pub first_difference: Option<String>,
}

impl AccuracyCheck {
    /// Whether the two agree.
    pub fn agrees(&self) -> bool {
        // Files round to 15 or more digits.
        self.first_difference.is_none() && (self.ours - self.theirs).abs() < 1e-9
    }
}

impl Imported {
    /// How many rows have scores.
    pub fn answered(&self) -> usize {
        self.rows.iter().filter(|row| row.scores.is_ok()).count()
    }

    /// Share of the answered rows whose top option is right; none without an answered row.
    pub fn accuracy(&self) -> Option<f64> {
        let answered = self.answered();
        let right = |row: &&ImportedRow| {
            let scores = row.scores.as_ref();
            scores.is_ok_and(|scores| scores.top() == row.answer)
        };
        let right = self.rows.iter().filter(right).count();
        (answered > 0).then(|| right as f64 / answered as f64)
    }
}
