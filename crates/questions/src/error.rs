//! Errors in data files, with hints.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::foreign::Foreign;
use crate::format::list;
use crate::{RightOptions, letter};

/// Why a data file cannot be used.
///
/// The message names file, line and field; [`DataError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}{problem}", Place { file, line: *line, row: *row, field: field.as_deref() })]
pub struct DataError {
    /// The file or folder.
    pub file: PathBuf,
    /// The line, counted from 1, on which the faulty row begins.
    pub line: Option<usize>,
    /// The row of a Parquet file, counted from 1.
    pub row: Option<usize>,
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
    /// A file or layout that is known but not read.
    #[error("{}", .0.what)]
    Foreign(&'static Foreign),
    /// A Parquet file that cannot be decoded.
    #[error("{}", printable(&.0.to_string()))]
    Parquet(#[source] sureness_parquet::Error),
    /// Compressed text that cannot be unpacked.
    #[error("{codec} cannot unpack it: {error}")]
    Packed {
        /// How it is compressed.
        codec: &'static str,
        /// What the library says.
        error: std::io::Error,
    },
    /// Compressed text that unpacks to more than is held in memory.
    #[error("unpacks to a line, a row or an array that is too long to be read")]
    TooLong,
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
    /// The same key twice in one JSON object.
    #[error("the key {0:?} occurs twice")]
    RepeatedKey(String),
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
    /// A row that names the right option twice, and not the same one.
    #[error(
        "{value} {}, but {field:?} names {}",
        names_options(*.named),
        options_of(*.right)
    )]
    Contradicted {
        /// The second statement as written.
        value: String,
        /// The options that it names, if any.
        named: Option<RightOptions>,
        /// The field with the first statement.
        field: String,
        /// The options that that names.
        right: RightOptions,
    },
    /// An answer that can be read in two ways.
    #[error(
        "the answer {answer} is both the text of option {text} and the number of option {index}"
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
    /// An open question that has no answer, as some of `SQuAD` 2 do.
    #[error("no accepted answer: nothing that a model says could be right")]
    NoAccepted,
    /// None of the options is right.
    #[error("no right option, but a question has at least one")]
    NoneRight,
    /// A right option that a list names twice.
    #[error("the list of right options has {0} twice")]
    RepeatedAnswer(String),
    /// Marks of right and wrong options, more or fewer than the options.
    #[error("{marks} marks of right and wrong for {options} options")]
    MarkCount {
        /// The number of marks.
        marks: usize,
        /// The number of options.
        options: usize,
    },
    /// Marks of right and wrong beside options with labels, whose order may be another.
    #[error("a list of marks of right and wrong, but the options have labels")]
    MarksOfLabels,
    /// A list that can be read in two ways.
    #[error(
        "a 0 and a 1 for two options are the indices of both as well as marks of right and wrong"
    )]
    IndicesOrMarks,
    /// A column that should list several right options and does not.
    #[error("{found:?} does not list several of the options {options}")]
    NotAList {
        /// What the row has.
        found: String,
        /// The labels of the options.
        options: String,
    },
    /// A row that its data set calls faulty.
    #[error("{found:?}, but only rows with {} have right answers", or(.values))]
    NotAskable {
        /// What the row has.
        found: String,
        /// The column that says so.
        column: &'static str,
        /// What sound rows have.
        values: Vec<&'static str>,
    },
    /// A pattern of paths that cannot be read.
    #[error("not a pattern of paths: {0}")]
    Pattern(String),
    /// A pattern or a folder without data files.
    #[error("no files of questions are there")]
    NoFiles,
    /// A folder with several data sets.
    #[error("the folder holds several data sets: {}", list(.0))]
    Folders(Vec<String>),
    /// A file without a split in its name, beside others that have one.
    #[error("the name has no split, such as test or train, as those of other files have")]
    NoSplit,
    /// A file that the names of others say there is.
    #[error("the file is missing, but the names of the others count it")]
    MissingShard,
    /// A file whose name counts another number of files than the first of its split.
    #[error(
        "is one of {total} files by its name, but {} is one of {first}: they are of two versions",
        .file.display()
    )]
    OtherTotal {
        /// How many there are by its name.
        total: u32,
        /// The first file.
        file: PathBuf,
        /// How many there are by the name of that.
        first: u32,
    },
    /// A second file with the same number.
    #[error("has the same number as {}: its rows would be asked twice", .file.display())]
    DoubledShard {
        /// The other file.
        file: PathBuf,
    },
    /// A number that is too large for the number of files.
    #[error("has the number {number}, but its name says that there are {total} files")]
    BeyondTotal {
        /// Its number.
        number: u32,
        /// How many there are.
        total: u32,
    },
    /// A file of another layout than the first of its data set.
    #[error("has the layout {found}, but {} has {first}", .file.display())]
    OtherLayout {
        /// Its layout.
        found: &'static str,
        /// The first file.
        file: PathBuf,
        /// The layout of that.
        first: &'static str,
    },
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
            row: None,
            field: None,
            problem: Box::new(problem),
        }
    }
}

/// `file, line 3, field "answer": `.
struct Place<'a> {
    file: &'a Path,
    line: Option<usize>,
    row: Option<usize>,
    field: Option<&'a str>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
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

/// A library's message about untrusted input: without control characters, limited in length.
fn printable(text: &str) -> String {
    const MOST: usize = 300;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST)
        .collect()
}

/// Values in quotes, with "or" between them.
fn or(values: &[&str]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
    quoted.join(" or ")
}

fn names_options(named: Option<RightOptions>) -> String {
    named.map_or_else(
        || "names none of the options".to_owned(),
        |named| format!("names {}", options_of(named)),
    )
}

/// `option B`, or `options A, C`.
fn options_of(right: RightOptions) -> String {
    let s = if right.count() > 1 { "s" } else { "" };
    format!("option{s} {right}")
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
