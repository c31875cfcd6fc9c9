//! Why a file of saved logits cannot be read.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use sureness_hint::Hint;

use super::{Kind, MAX_OPTIONS};

/// A file of saved logits that cannot be read: which file, where in it, and what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{}{place}: {problem}", file.display())]
pub struct ReplayError {
    /// The file.
    pub file: PathBuf,
    /// Where in the file.
    pub place: Place,
    /// What is wrong.
    pub problem: Problem,
}

/// A position in a file. Shown behind the file's name, as `, line 3`; empty for the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// An offset in bytes, from 0.
    Byte(usize),
    /// A line, from 1.
    Line(u64),
    /// A row, from 1.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Byte(offset) => write!(f, ", byte {offset}"),
            Self::Line(line) => write!(f, ", line {line}"),
            Self::Row(row) => write!(f, ", row {row}"),
        }
    }
}

/// What is wrong with a file of saved logits.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Larger than the limit.
    #[error("the file has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Neither the name nor the first bytes identify the format.
    #[error("not a pickle, JSONL, CSV or Parquet file")]
    UnknownFormat,
    /// No rows.
    #[error("the file holds no rows")]
    Empty,
    /// No rows but those to leave out.
    #[error("every row is left out")]
    NothingLeft,
    /// It stops in the middle.
    #[error("the file is cut off: {needed} more bytes expected, {left} found")]
    Truncated {
        /// Bytes that should follow; at least that many.
        needed: u64,
        /// Bytes that do follow.
        left: usize,
    },
    /// Something follows the end.
    #[error("{bytes} more bytes follow the end of the pickle")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A pickle that names a function or class other than those of a numpy array.
    #[error("the pickle would run `{name}`; it was not run")]
    Foreign {
        /// The dotted name, control characters escaped.
        name: String,
    },
    /// A pickle that refers to something outside of the file.
    #[error("the pickle asks for {what} from outside the file; it was not fetched")]
    Outside {
        /// What it asks for.
        what: &'static str,
    },
    /// A pickle that uses a feature no list of logits needs.
    #[error("the pickle uses {what}, which a list of logits does not need")]
    Unsupported {
        /// The feature.
        what: String,
    },
    /// A pickle that breaks the rules of its format.
    #[error("the pickle is damaged: {what}")]
    Damaged {
        /// How.
        what: &'static str,
    },
    /// The file or one of its rows has an unexpected layout.
    #[error("expected {expected}, found {found}")]
    Shape {
        /// The expected layout.
        expected: &'static str,
        /// The actual layout.
        found: String,
    },
    /// A row of a table with more or fewer cells than its header.
    #[error("expected as many fields as the header has, found {found} instead of {header}")]
    Cells {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        header: usize,
    },
    /// A text format whose syntax is broken.
    #[error("{message}")]
    Syntax {
        /// The parser's message.
        message: String,
    },
    /// A field of a row is missing or of the wrong kind.
    #[error("field `{field}` {message}")]
    Field {
        /// Its name.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// A needed column is not in the header.
    #[error("column `{column}` is missing; the columns are: {present}")]
    MissingColumn {
        /// Its name.
        column: String,
        /// The existing columns.
        present: String,
    },
    /// Two columns hold scores of the same option, or columns of both kinds exist.
    #[error("columns `{first}` and `{second}` both hold scores of an option")]
    AmbiguousColumns {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// Too few or too many options.
    #[error("{}, but a question has 2 to {MAX_OPTIONS} options", there_are(*.found))]
    OptionCount {
        /// How many values the row has.
        found: usize,
    },
    /// Rows differ in their number of values.
    #[error("{}, but the rows before have {expected}", there_are(*.found))]
    Width {
        /// Values of the first row.
        expected: usize,
        /// Values of this row.
        found: usize,
    },
    /// Some rows hold logits and some log-probabilities.
    #[error("logits and log-probabilities are mixed")]
    MixedKinds,
    /// A value that is infinite or not a number.
    #[error("value {position} is {value:e}, not a finite 32-bit number")]
    NotFinite {
        /// Position in the row, from 1.
        position: usize,
        /// The value.
        value: f64,
    },
    /// A log-probability above zero.
    #[error("value {position} is {value}, but a log-probability is never above 0")]
    PositiveLogProb {
        /// Position in the row, from 1.
        position: usize,
        /// The value.
        value: f64,
    },
    /// Shares of a whole instead of the scores that they stand for.
    #[error("these are probabilities, not {}", match kind {
        Kind::Logits => "logits",
        Kind::LogProbs => "log-probabilities",
    })]
    Probabilities {
        /// What the file calls them.
        kind: Kind,
    },
    /// Log-probabilities of options that exclude each other, and yet are too probable.
    #[error("the probabilities of the options add up to {sum:.2}, more than 1")]
    SumAboveOne {
        /// Their sum.
        sum: f64,
    },
    /// A key that a JSON object has twice.
    #[error("the key `{key}` occurs twice in this row")]
    RepeatedKey {
        /// The key.
        key: String,
    },
    /// An id that occurred before.
    #[error("id {id} occurs a second time")]
    DuplicateId {
        /// The id.
        id: i64,
    },
}

/// What to do with probabilities.
const TAKE_LOGARITHMS: &str = "take the natural logarithm of each probability, and name the columns logprob_A, logprob_B, … or the list `logprobs`";

/// Whether a column's name says that it holds probabilities.
fn is_probability(column: &str) -> bool {
    column.starts_with("prob_") || column.starts_with("probs_")
}

/// Whether what is said about a field quotes a number with a comma.
fn has_decimal_comma(message: &str) -> bool {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    quoted.matches(',').count() == 1 && quoted.replace(',', ".").parse::<f64>().is_ok()
}

/// `there is 1 value`, `there are 2 values`.
fn there_are(values: usize) -> String {
    match values {
        1 => "there is 1 value".to_owned(),
        _ => format!("there are {values} values"),
    }
}

/// A problem and its place, without the file's name.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) problem: Problem,
}

impl Fault {
    /// The error for `file`.
    pub(super) fn of(self, file: &Path) -> ReplayError {
        ReplayError {
            file: file.to_owned(),
            place: self.place,
            problem: self.problem,
        }
    }
}

impl Problem {
    pub(super) fn at(self, place: Place) -> Fault {
        Fault {
            place,
            problem: self,
        }
    }

    pub(super) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Field {
            field: printable(field),
            message: message.into(),
        }
    }
}

/// Untrusted text for a terminal: control characters escaped, cut to 80 characters.
pub(super) fn printable(text: &str) -> String {
    const LIMIT: usize = 80;
    let mut shown: String = text
        .chars()
        .take(LIMIT)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

impl Hint for ReplayError {
    fn hint(&self) -> Cow<'_, str> {
        self.problem.hint()
    }
}

impl Hint for Problem {
    fn hint(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Io(_) => "check the path and the permissions",
            Self::TooLarge { .. } => {
                "save only the logits of the option letters, one small row per question"
            }
            Self::UnknownFormat => {
                "name the file .pkl, .jsonl, .csv or .parquet according to its format"
            }
            Self::NothingLeft => "keep some ids: --drop-ids none leaves out no row",
            Self::Empty => "check that the program that wrote the file finished",
            Self::Truncated { .. } | Self::Damaged { .. } | Self::Trailing { .. } => {
                "copy or download the file again; a pickle must hold exactly one list"
            }
            Self::Foreign { .. } | Self::Outside { .. } => {
                "only numpy arrays, numbers, lists and dictionaries are read from a pickle; if you trust its origin, convert it to JSONL, otherwise delete it"
            }
            Self::Unsupported { .. } | Self::Shape { .. } => {
                "save a list of {\"id\": int, \"logits_options\": one-dimensional numpy float array}, or JSONL"
            }
            Self::Cells { .. } => {
                "leave cells without a value empty, and put those with a separator or a quote in double quotes"
            }
            Self::Syntax { .. } => "correct this line, or write the file again",
            Self::Field { message, .. } if has_decimal_comma(message) => {
                "write numbers with a decimal point"
            }
            Self::Field { field, message } if field == "id" && message.contains("whole number") => {
                "join questions by ids that are whole numbers, or put the right answers into a column `answer` and leave --questions out"
            }
            Self::Field { .. } => {
                "each row needs a whole-number `id` and its `logits` or `logprobs`"
            }
            Self::MissingColumn { present, .. } if present.split(", ").any(is_probability) => {
                TAKE_LOGARITHMS
            }
            Self::MissingColumn { .. } => {
                "name the columns `id` and A, B, C…, or logit_A…, logprob_A…, or logits_0…"
            }
            Self::AmbiguousColumns { .. } | Self::MixedKinds => {
                "keep either the logits or the log-probabilities"
            }
            Self::OptionCount { .. } => {
                "save only the logits of the option letters, not of the whole vocabulary"
            }
            Self::Width { .. } => {
                "all rows of a file must have the same options; score different tasks from different files"
            }
            Self::NotFinite { .. } => {
                "give every option a finite score; leave out questions that the model did not answer, here or with --drop-ids"
            }
            Self::PositiveLogProb { .. } => {
                "these may be logits: name the field or column `logits`"
            }
            Self::Probabilities { .. } => TAKE_LOGARITHMS,
            Self::SumAboveOne { .. } => {
                "unless these are log-probabilities of the options' letters, name the columns logit_A, logit_B, … or the list `logits`"
            }
            Self::RepeatedKey { .. } => "keep one value for each key",
            Self::DuplicateId { .. } => "keep one row per question",
        })
    }
}
