//! Errors in data files, with hints.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use sureness_hint::Hint;

use crate::foreign::Foreign;
use crate::{Format, letter};

/// Why a data file cannot be used.
///
/// The message names file, line and field; [`DataError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}{problem}", Place { file, line: *line, field: field.as_deref() })]
pub struct DataError {
    /// The file or folder.
    pub file: PathBuf,
    /// The line, counted from 1, on which the faulty row begins.
    pub line: Option<usize>,
    /// The column or key.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// What is wrong with a data file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[source] std::io::Error),
    /// The temporary file that holds the questions of a large data set failed.
    #[error("cannot write the questions to a temporary file: {0}")]
    Bank(#[source] std::io::Error),
    /// The bytes are not UTF-8.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// No rows.
    #[error("contains no questions")]
    Empty,
    /// All rows serve as few-shot examples.
    #[error("has no questions to ask: every row is a few-shot example")]
    NothingToAsk,
    /// The layout is unknown.
    #[error("unknown layout: {0}")]
    UnknownFormat(String),
    /// A folder where a file is needed.
    #[error("is a folder, but {} is read from a file", .0.name())]
    Folder(Format),
    /// A file or layout that is known but not read.
    #[error("{}", .0.what)]
    Foreign(&'static Foreign),
    /// Broken JSON.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// A word such as `NaN` in place of a value.
    #[error("{0} stands here, which is not a value in JSON")]
    BareWord(String),
    /// A required value is null.
    #[error("null, but a value is needed")]
    Null,
    /// A row with too many or too few cells.
    #[error("expected {expected} columns, found {found}")]
    Columns {
        /// Expected number.
        expected: usize,
        /// Actual number.
        found: usize,
    },
    /// A required column or key is missing.
    #[error("missing; {}", found_fields(.found))]
    Missing {
        /// The columns or keys of the row.
        found: Vec<String>,
    },
    /// The same column twice.
    #[error("duplicate column")]
    RepeatedColumn,
    /// A value of the wrong kind.
    #[error("expected {expected}, found {found}")]
    Type {
        /// Expected kind.
        expected: &'static str,
        /// Actual kind.
        found: &'static str,
    },
    /// Only white space.
    #[error("empty")]
    Blank,
    /// A question needs 2 to 26 options.
    #[error("{}, but a question has 2 to 26", count_options(*.0))]
    OptionCount(usize),
    /// No letters are left for the two abstention options.
    #[error("{0} options leave no letters for the two abstention options")]
    NoRoomForAbstention(usize),
    /// An option without text.
    #[error("option {0} is empty")]
    EmptyOption(String),
    /// An option that is not a text.
    #[error("option {option} is {found}; expected a string or a number")]
    OptionType {
        /// Letter or label of the option.
        option: String,
        /// Actual kind.
        found: &'static str,
    },
    /// Two options with the same text.
    #[error("options {first} and {second} are the same: {text:?}")]
    RepeatedOption {
        /// Letter or label of the first.
        first: String,
        /// Letter or label of the second.
        second: String,
        /// Their text.
        text: String,
    },
    /// Two options with the same label.
    #[error("two options have the label {0:?}")]
    RepeatedLabel(String),
    /// Option letters other than A, B, C ….
    #[error("the letters are {0}; expected A, B, C and so on without gaps")]
    Letters(String),
    /// An answer that is not one of the options.
    #[error("the answer is {answer}, but the options are {options}")]
    Answer {
        /// The answer as written.
        answer: String,
        /// The labels of the options.
        options: String,
    },
    /// An answer that can be read in two ways.
    #[error(
        "the answer {answer} is both the text of option {text} and the index of option {index}"
    )]
    AmbiguousAnswer {
        /// The answer as written.
        answer: String,
        /// The option with that text.
        text: String,
        /// The option at that index.
        index: String,
    },
    /// A number that is no label, where the labels are numbers.
    #[error(
        "the answer {answer} is none of the labels {labels}, which shows that answers count from 0"
    )]
    NotALabel {
        /// The answer as written.
        answer: String,
        /// The labels of the options.
        labels: String,
    },
    /// An answer that is not a letter.
    #[error("the answer is {0:?}, not one letter from A to Z")]
    NotALetter(String),
    /// The row carries no answer, as the test splits of public data sets do.
    #[error("the row has no answer")]
    Unlabelled,
    /// The same id twice.
    #[error("duplicate id {id:?}, first seen in {first}")]
    RepeatedId {
        /// The id.
        id: String,
        /// Where it was first seen.
        first: String,
    },
    /// The paper's layout with ids and answers only.
    #[error("missing: the file has ids and answers, but no questions")]
    AnswerKeyOnly,
    /// A question without the category that names its cluster.
    #[error("missing, but questions are clustered by it")]
    NoCluster,
    /// Clustering by column in a layout without column names.
    #[error("the columns of this layout have no names")]
    NoColumns,
    /// Too few questions to draw wrong options from.
    #[error("the data set has too few different options to draw wrong ones from")]
    TooFewToDrawFrom,
}

impl DataError {
    /// An error in the file as a whole.
    pub(crate) fn of_file(file: &Path, problem: Problem) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            field: None,
            problem: Box::new(problem),
        }
    }
}

/// `file, line 3, field "answer": `.
struct Place<'a> {
    file: &'a Path,
    line: Option<usize>,
    field: Option<&'a str>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(field) = self.field {
            write!(f, ", field {field:?}")?;
        }
        f.write_str(": ")
    }
}

fn count_options(count: usize) -> String {
    match count {
        1 => "1 option".to_owned(),
        _ => format!("{count} options"),
    }
}

fn found_fields(found: &[String]) -> String {
    if found.is_empty() {
        return "found no fields".to_owned();
    }
    let quoted: Vec<_> = found.iter().map(|name| format!("{name:?}")).collect();
    format!("found {}", quoted.join(", "))
}

/// The labels as a person would list them: `A to D`, or `"yes", "no"`.
pub(crate) fn describe_labels(labels: &[String]) -> String {
    let are_letters = labels
        .iter()
        .enumerate()
        .all(|(index, name)| name.chars().eq([letter(index)]));
    match labels {
        [first, .., last] if are_letters => format!("{first} to {last}"),
        _ => {
            let quoted: Vec<_> = labels.iter().map(|name| format!("{name:?}")).collect();
            quoted.join(", ")
        }
    }
}

impl Hint for DataError {
    fn hint(&self) -> Cow<'_, str> {
        let hint = match &*self.problem {
            Problem::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "check the path; relative paths start at the current folder"
            }
            Problem::Bank(_) => {
                "free some space in the folder for temporary files, or name another one in TMPDIR"
            }
            Problem::NotUtf8 => "save the file as UTF-8 (for instance with iconv -t UTF-8)",
            Problem::Io(_) => "check the file and the permissions",
            Problem::Empty => "add at least one question",
            Problem::NothingToAsk => {
                "add questions that are not few-shot examples, or reduce the number of examples"
            }
            Problem::UnknownFormat(_) => {
                return format!(
                    "give each row \"question\", \"options\" and \"answer\", as docs/data.md shows, or \
                     name the layout, one of {}",
                    Format::list()
                )
                .into();
            }
            Problem::Foreign(foreign) => foreign.hint,
            Problem::Folder(_) => "give the path of the file inside the folder",
            Problem::Json(_) => "write one JSON object per line, or one JSON array of objects",
            Problem::BareWord(_) => {
                "write null where a value is missing, which at the end of a list of options means \
                 fewer options"
            }
            Problem::OptionType { found: "null", .. } => {
                "fill it in: only nulls at the end mean fewer options"
            }
            Problem::OptionType { .. } => {
                "write the options as a list of texts, or as an object from label to text"
            }
            Problem::Columns { .. } => {
                "put cells with a separator, a quote or a line break in double quotes, and double the \
                 quotes inside"
            }
            Problem::Missing { .. } if self.field.as_deref() == Some("options") => {
                "put all options of a question into one field \"options\": a list of texts, or an \
                 object from label to text"
            }
            Problem::Missing { .. } if self.field.as_deref() == Some("A") => {
                "give each option a column of its own: A, B, C and so on"
            }
            Problem::Missing { .. } => {
                "rename or add it; see docs/data.md for an example of every layout"
            }
            Problem::Null | Problem::Blank => "fill it in, or leave the row out",
            Problem::Type { .. } | Problem::NotALetter(_)
                if self.field.as_deref() == Some("answer") =>
            {
                "give the letter of the right option; docs/data.md says where an index or a text is \
                 read as well"
            }
            Problem::Type { .. } | Problem::NotALetter(_) => {
                "write it as in the example of its layout in docs/data.md"
            }
            Problem::OptionCount(_) => "give each question 2 to 26 options",
            Problem::Letters(_) => "label the options A, B, C and so on",
            Problem::RepeatedColumn => "rename or remove one of the columns",
            Problem::RepeatedLabel(_) => "give each option a label of its own",
            Problem::RepeatedOption { .. } => "reword or remove one: options need different texts",
            Problem::EmptyOption(_) => {
                "fill it in: only at the end may an option be missing, as an empty cell in CSV or \
                 null in JSON"
            }
            Problem::NoRoomForAbstention(_) => {
                "turn the abstention options off, or keep to 24 options"
            }
            Problem::Answer { .. } => {
                "give the option's letter, its label, its index counted from 0, or its exact text"
            }
            Problem::NotALabel { .. } => {
                "write letters as answers, A for the first option: a number would be read as a label"
            }
            Problem::AmbiguousAnswer { .. } => "give the option's letter instead",
            Problem::Unlabelled => {
                "use the validation or train split: test splits are published without answers"
            }
            Problem::RepeatedId { .. } => "make ids unique within a task",
            Problem::AnswerKeyOnly => "use it with `sureness score`, which needs no question texts",
            Problem::NoCluster => {
                "give every question a category, or choose another --cluster: none, or a column"
            }
            Problem::NoColumns => "choose --cluster category or --cluster none",
            Problem::TooFewToDrawFrom => {
                "add questions: the layout takes two wrong options from other questions"
            }
        };
        hint.into()
    }
}
