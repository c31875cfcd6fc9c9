//! Errors of an import.

use std::fmt;
use std::path::{Path, PathBuf};
use sureness_questions::RightOptions;

use sureness_questions::DataError;
use sureness_scorers::replay::ReplayError;

use crate::Refusal;

/// Maximum characters shown of text from a file.
const MAX_SHOWN: usize = 80;

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub struct ImportError {
    /// The file or folder.
    pub file: PathBuf,
    /// Where in it.
    pub place: Place,
    /// The field.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line, from 1.
    Line(usize),
    /// A row of a list or a table, from 1.
    Row(usize),
    /// A sample of a log, or a member of an archive, by its name.
    Sample(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Sample(name) => write!(f, "sample {name}"),
        }
    }
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Larger than any such file should be.
    #[error("is larger than {0} MiB")]
    TooLarge(u64),
    /// The format is unknown.
    #[error("has an unknown format")]
    UnknownFormat,
    /// A folder without anything to import.
    #[error("contains no files to import")]
    NothingHere,
    /// Nothing is left after `--tasks` and `--skip`.
    #[error("nothing is left to import")]
    NothingChosen,
    /// No questions.
    #[error("contains no questions")]
    Empty,
    /// Broken JSON.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// A field is missing.
    #[error("missing")]
    Missing,
    /// A field is of the wrong kind.
    #[error("expected {expected}, found {found}")]
    Type {
        /// Expected kind.
        expected: &'static str,
        /// Actual value.
        found: String,
    },
    /// Generated text instead of log-likelihoods.
    #[error("the answer is text: a generative task has no log-likelihoods of options")]
    Generation,
    /// A score that is not finite.
    #[error("option {option}{} has no finite log-likelihood, but {value}", of(id))]
    NotFinite {
        /// The question's id; empty where the place alone tells the question.
        id: String,
        /// Letter of the option.
        option: char,
        /// The score.
        value: String,
    },
    /// A log-probability above zero.
    #[error(
        "option {option}{} has the log-likelihood {value}, which is above 0",
        of(id)
    )]
    Positive {
        /// The question's id; empty where the place alone tells the question.
        id: String,
        /// Letter of the option.
        option: char,
        /// The score.
        value: f64,
    },
    /// A sample of another kind of task.
    #[error("missing, since the task is not multiple choice")]
    NoChoices,
    /// A question needs 2 to 26 options.
    #[error("there are {0} options, but a question has 2 to 26")]
    OptionCount(usize),
    /// An answer that is not one of the options.
    #[error("the answer {answer} is not one of the {options} options")]
    Answer {
        /// The answer, as written.
        answer: String,
        /// Number of options.
        options: usize,
    },
    /// An answer that is the letter or the number of one option and the text of another.
    #[error("the answer {0} is the letter or number of one option and the text of another")]
    AmbiguousAnswer(String),
    /// The right answer is missing.
    #[error("the right answer is missing")]
    NoAnswer,
    /// More than one option is right.
    #[error("more than one option is right ({0})")]
    SeveralAnswers(String),
    /// The same id twice.
    #[error("duplicate id {id}, first seen in {first}")]
    RepeatedId {
        /// The id.
        id: String,
        /// Where it was first seen.
        first: String,
    },
    /// The model's name is missing.
    #[error("the model's name is missing")]
    NoModel,
    /// The task's name is missing.
    #[error("the task's name is missing")]
    NoTask,
    /// A request whose prompt is unknown.
    #[error("the prompt is missing, so that the question is unknown")]
    NoPrompt,
    /// A prompt without lettered options.
    #[error("the prompt shows no options with letters, one per line (A. …, B. …)")]
    NoLetters,
    /// A request that does not show the question with its id.
    #[error("the prompt of {id} does not show the question {id} of {}", questions.display())]
    OtherPrompt {
        /// The id.
        id: String,
        /// The file of questions.
        questions: PathBuf,
    },
    /// A request that shows other options than the question has.
    #[error(
        "the prompt does not show the options of question {id} of {} with a letter each",
        questions.display()
    )]
    OtherOptions {
        /// The question's id.
        id: String,
        /// The file of questions.
        questions: PathBuf,
    },
    /// A request that shows two questions.
    #[error(
        "the prompt of {id} shows both the question {first} and the question {second} of {}",
        questions.display()
    )]
    Ambiguous {
        /// The request.
        id: String,
        /// A question's id.
        first: String,
        /// Another one's.
        second: String,
        /// The file of questions.
        questions: PathBuf,
    },
    /// Results of promptfoo whose provider kept too little.
    #[error(
        "of {provider}, promptfoo kept the log-probability of each written token alone (logProbs), not \
         those of the other letters"
    )]
    WrittenOnly {
        /// The provider.
        provider: String,
    },
    /// Requests of a batch without its results.
    #[error("contains the requests of a batch, but not their results")]
    OnlyRequests,
    /// A failed request among results of several models.
    #[error("the failed request names no model, and the results are those of several")]
    WhoseErrors,
    /// Neither answers in the file nor a file of questions.
    #[error("the file has no right answers")]
    NoAnswers,
    /// Ids that are not among the questions.
    #[error("id {id}{others} not in {}", questions.display())]
    UnknownId {
        /// The first.
        id: String,
        /// ` is`, or ` and 3 others are`.
        others: String,
        /// The file of questions.
        questions: PathBuf,
    },
    /// A table's own answer is another one than that of the questions.
    #[error(
        "id {id} has the answer {own}, but {theirs} in {}{others}",
        questions.display()
    )]
    Contradicted {
        /// The first such question.
        id: String,
        /// Its answer in the table.
        own: String,
        /// Its right options in the questions.
        theirs: RightOptions,
        /// The file of questions.
        questions: PathBuf,
        /// `; so has 1 other`, or nothing.
        others: String,
    },
    /// More or fewer scores than options.
    #[error("id {id} has {scores} scores, but {options} options in {}", questions.display())]
    OtherWidth {
        /// The question.
        id: String,
        /// Number of scores.
        scores: usize,
        /// Number of options.
        options: usize,
        /// The file of questions.
        questions: PathBuf,
    },
    /// The options were shown in another order than the log has them.
    #[error(
        "the solver shuffled the choices: the letters in the log-probabilities are those that the model saw, and the log does not say which option had which letter"
    )]
    Shuffled,
    /// The model could choose several options.
    #[error("the solver lets the model choose several options (multiple_correct)")]
    SeveralPossible,
    /// Targets that could be indices or texts.
    #[error(
        "the right answers can be read as numbers of options or as their texts, and nothing decides between the two"
    )]
    AmbiguousTargets,
    /// Names on the command line that nothing has.
    #[error("{flag}: no {what} is called {names}")]
    UnknownNames {
        /// The flag.
        flag: &'static str,
        /// What it names.
        what: &'static str,
        /// The names.
        names: String,
        /// Some names that exist.
        known: String,
    },
    /// A format that is recognised but not read.
    #[error("{0}")]
    Foreign(&'static str),
    /// Results of the harness, named instead of its samples.
    #[error("contains results of lm-evaluation-harness, which are read beside their samples")]
    Results,
    /// A compressed file of a kind that is not read compressed.
    #[error("is compressed with gzip")]
    Compressed,
    /// No question has log-probabilities.
    #[error("no sample has log-probabilities of the most probable tokens")]
    NoLogprobs,
    /// A Parquet file that cannot be read.
    #[error("{0}")]
    Parquet(String),
    /// The archive is broken.
    #[error("the archive is damaged: {0}")]
    Archive(String),
    /// A log of an unknown version.
    #[error("the log has version {0}; versions 1 to 3 are supported")]
    Version(u64),
    /// A log of a harness lacks what its kind needs.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Two imports of the same group.
    #[error("has task {task} with strategy {strategy} of {model}, as {other} does")]
    Twice {
        /// The model.
        model: String,
        /// The task.
        task: String,
        /// The strategy.
        strategy: String,
        /// The other file.
        other: String,
    },
    /// Saved logits that cannot be read; the message names the file.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A file of questions that cannot be read; the message names the file.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Their messages name the place, or there is none.
        if matches!(
            *self.problem,
            Problem::Replay(_)
                | Problem::Data(_)
                | Problem::UnknownNames { .. }
                | Problem::NothingChosen
        ) {
            return write!(f, "{}", self.problem);
        }
        write!(f, "{}", self.file.display())?;
        if self.place != Place::File {
            write!(f, ", {}", self.place)?;
        }
        if let Some(field) = &self.field {
            write!(f, ", field {field:?}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// ` of question 12`; nothing without an id.
fn of(id: &str) -> String {
    if id.is_empty() {
        return String::new();
    }
    format!(" of question {id}")
}

impl Problem {
    /// The problem of a score, with the question that it belongs to.
    pub(crate) fn of_question(mut self, question: &str) -> Self {
        if let Self::NotFinite { id, .. } | Self::Positive { id, .. } = &mut self {
            *id = printable(question);
        }
        self
    }
    /// Whether the file is sound, but of a kind that has no option probabilities to import, or empty,
    /// as after a failed start. Next to files that can be imported, such a one is left out.
    pub(crate) fn is_kind(&self) -> bool {
        if let Self::Refused(refusal) = self {
            return refusal.is_kind();
        }
        matches!(
            self,
            Self::Generation
                | Self::Empty
                | Self::NoChoices
                | Self::OptionCount(_)
                | Self::NoAnswer
                | Self::SeveralAnswers(_)
                | Self::SeveralPossible
                | Self::AmbiguousTargets
                | Self::Shuffled
                | Self::NoLogprobs
                | Self::Foreign(_)
                | Self::Results
                | Self::OnlyRequests
                | Self::WrittenOnly { .. }
        )
    }

    /// An error in the file as a whole.
    pub(crate) fn of(self, file: &Path) -> ImportError {
        self.at(file, Place::File)
    }

    /// An error at a place in a file.
    pub(crate) fn at(self, file: &Path, place: Place) -> ImportError {
        ImportError {
            file: file.to_owned(),
            place,
            field: None,
            problem: Box::new(self),
        }
    }

    /// Names the field.
    pub(crate) fn field(self, field: &str) -> Fault {
        Fault {
            field: Some(field.to_owned()),
            problem: self,
        }
    }
}

/// A problem and its field, without file and place.
#[derive(Debug)]
pub(crate) struct Fault {
    field: Option<String>,
    problem: Problem,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            field: None,
            problem,
        }
    }
}

impl Fault {
    /// The error at a place in a file.
    pub(crate) fn at(self, file: &Path, place: Place) -> ImportError {
        ImportError {
            field: self.field,
            ..self.problem.at(file, place)
        }
    }
}

/// Untrusted text for a terminal: control characters escaped, truncated.
pub(crate) fn printable(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(MAX_SHOWN)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_debug());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
