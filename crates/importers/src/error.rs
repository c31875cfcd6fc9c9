//! Why a file cannot be imported.

use std::fmt;
use std::path::{Path, PathBuf};

use sureness_questions::DataError;
use sureness_scorers::replay::ReplayError;

/// The most characters of a stranger's text that are shown.
const SHOWN: usize = 80;

/// A file that cannot be imported: which, where in it, and why.
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
    /// A sample of a log, or a member of an archive, by its name.
    Sample(String),
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Larger than any such file should be.
    #[error("takes more than {0} MiB")]
    TooLarge(u64),
    /// The format is none that is known.
    #[error("is in no format that can be imported")]
    UnknownFormat,
    /// A folder without anything to import.
    #[error("holds no file that can be imported")]
    NothingHere,
    /// No questions.
    #[error("holds no questions")]
    Empty,
    /// Broken JSON.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// A field is not there.
    #[error("missing")]
    Missing,
    /// A field is of the wrong kind.
    #[error("{expected} needed, {found} found")]
    Type {
        /// What is needed.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// Text that the model wrote, where log-likelihoods are needed.
    #[error("the answer is a text: this task generates and has no log-likelihoods of options")]
    Generation,
    /// A score that is infinite or no number.
    #[error("option {option} has the log-likelihood {value}, which is no finite number")]
    NotFinite {
        /// Letter of the option.
        option: char,
        /// What is there.
        value: String,
    },
    /// A log-probability above zero.
    #[error("option {option} has the log-likelihood {value}, but none is above 0")]
    Positive {
        /// Letter of the option.
        option: char,
        /// What is there.
        value: f64,
    },
    /// A question needs 2 to 26 options.
    #[error("there are {0} options, but a question has 2 to 26")]
    OptionCount(usize),
    /// An answer that is none of the options.
    #[error("the answer is {answer}, which is none of the {options} options")]
    Answer {
        /// The answer, as written.
        answer: String,
        /// How many options there are.
        options: usize,
    },
    /// The right answer is not told.
    #[error("the right answer is not told")]
    NoAnswer,
    /// More than one option is right.
    #[error("more than one option is right ({0})")]
    SeveralAnswers(String),
    /// The same id twice.
    #[error("the id {id} is already that of {first}")]
    RepeatedId {
        /// The id.
        id: String,
        /// Where it was first seen.
        first: String,
    },
    /// The model's name is nowhere.
    #[error("the model's name is not told")]
    NoModel,
    /// The task's name is nowhere.
    #[error("the task's name is not told")]
    NoTask,
    /// Neither answers in the file nor a file of questions.
    #[error("there are no right answers in the file")]
    NoAnswers,
    /// Ids that are not among the questions.
    #[error("id {id}{others} not in {}", questions.display())]
    UnknownId {
        /// The first.
        id: i64,
        /// ` is`, or ` and 3 others are`.
        others: String,
        /// The file of questions.
        questions: PathBuf,
    },
    /// More or fewer scores than options.
    #[error("id {id} has {scores} scores, but {options} options in {}", questions.display())]
    OtherWidth {
        /// The question.
        id: i64,
        /// How many scores it has.
        scores: usize,
        /// How many options it has.
        options: usize,
        /// The file of questions.
        questions: PathBuf,
    },
    /// The options were shown in another order than the one that is written down.
    #[error(
        "the solver shuffled the choices: the letters in the log-probabilities are those that the model saw, but the log has the original order"
    )]
    Shuffled,
    /// No question has log-probabilities.
    #[error("no sample has log-probabilities of the most probable tokens")]
    NoLogprobs,
    /// The archive is broken.
    #[error("the archive is damaged: {0}")]
    Archive(String),
    /// A log of a version that is not known.
    #[error("the log has version {0}; versions 1 to 3 are known")]
    Version(u64),
    /// Two imports of the same group.
    #[error("gives task {task} with strategy {strategy} of {model}, as {other} does")]
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

impl ImportError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        let hint = match &*self.problem {
            Problem::Replay(error) => error.hint(),
            Problem::Data(error) => return error.hint().unwrap_or_default(),
            Problem::Io(_) => "check the path and the permissions",
            Problem::TooLarge(_) => "split the file, or write the log without its events",
            Problem::UnknownFormat => {
                "files are samples_*.jsonl of lm-evaluation-harness, .eval or .json logs of inspect_ai, and .pkl, .csv, .jsonl or .parquet with logits; docs/import.md shows each"
            }
            Problem::NothingHere => {
                "run lm-evaluation-harness with --log_samples, or name the files themselves"
            }
            Problem::Empty => "check that whatever wrote the file ran to its end",
            Problem::Json(_) => {
                "the file may have been cut off: copy it again, or delete the line and what follows"
            }
            Problem::Missing | Problem::Type { .. } => {
                "docs/import.md says which fields each format needs"
            }
            Problem::Generation => {
                "import tasks with output_type multiple_choice; generated answers have no option probabilities"
            }
            Problem::NotFinite { .. } | Problem::Positive { .. } => {
                "run this question again, or delete its line: a made-up number would count as an answer"
            }
            Problem::OptionCount(_) => {
                "only multiple-choice tasks can be imported, with one score for each option"
            }
            Problem::Answer { .. } | Problem::NoAnswer => {
                "check that the questions are from a split with published answers"
            }
            Problem::SeveralAnswers(_) => {
                "prediction sets need one right option; leave this task out (truthfulqa_mc1 has one, truthfulqa_mc2 has several)"
            }
            Problem::RepeatedId { .. } => "keep one row per question",
            Problem::NoModel => {
                "keep the results_*.json beside the samples, or give the name with --model"
            }
            Problem::NoTask => {
                "give it with --task, or name the file {model}_{dataset}_{base|shared|task}_icl{0|1}"
            }
            Problem::NoAnswers => {
                "give a file of questions with --questions, or add a column `answer` (CSV, JSON lines)"
            }
            Problem::UnknownId { .. } | Problem::OtherWidth { .. } => {
                "give the questions that these scores were computed on"
            }
            Problem::Shuffled => "run the evaluation without shuffle in multiple_choice()",
            Problem::NoLogprobs => {
                "run inspect eval with --logprobs --top-logprobs 20, on a model whose server gives them"
            }
            Problem::Archive(_) => "copy the log again; inspect log convert can check it",
            Problem::Version(_) => "update sureness, or write the log with another inspect_ai",
            Problem::Twice { .. } => "tell them apart with --task or --strategy, one import each",
        };
        hint.to_owned()
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // These say themselves where they are.
        if matches!(*self.problem, Problem::Replay(_) | Problem::Data(_)) {
            return write!(f, "{}", self.problem);
        }
        write!(f, "{}", self.file.display())?;
        match &self.place {
            Place::File => {}
            Place::Line(line) => write!(f, ", line {line}")?,
            Place::Sample(name) => write!(f, ", sample {name}")?,
        }
        if let Some(field) = &self.field {
            write!(f, ", field {field:?}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Problem {
    /// The error of a whole file.
    pub(crate) fn of(self, file: &Path) -> ImportError {
        self.at(file, Place::File)
    }

    /// The error of a place in a file.
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

/// A problem and its field, before file and place are known.
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

/// Text from a stranger's file, fit for a terminal: control characters escaped, cut short.
pub(crate) fn printable(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_debug());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
