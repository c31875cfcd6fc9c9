//! The layouts and their detection.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::Problem;
use crate::readers::{self, Records, generic, mmlu};
use crate::source::Source;
use crate::{DataError, foreign};

/// A data set's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// MMLU: a folder with one headerless CSV per subject and split, or one such file.
    Mmlu,
    /// `CosmosQA` as CSV.
    CosmosQaCsv,
    /// `CosmosQA` as JSON lines.
    CosmosQaJsonl,
    /// `HellaSwag`: JSON lines.
    HellaSwag,
    /// `HaluEval`, dialogue: JSON lines.
    HaluEvalDialogue,
    /// `HaluEval`, summarisation: JSON lines.
    HaluEvalSummarization,
    /// The paper's own: one JSON array.
    Paper,
    /// Generic JSON lines, or one array of such objects.
    Jsonl,
    /// Generic CSV with a header.
    Csv,
}

impl Format {
    /// All formats, the generic ones first.
    pub const ALL: [Self; 9] = [
        Self::Jsonl,
        Self::Csv,
        Self::Mmlu,
        Self::CosmosQaCsv,
        Self::CosmosQaJsonl,
        Self::HellaSwag,
        Self::HaluEvalDialogue,
        Self::HaluEvalSummarization,
        Self::Paper,
    ];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mmlu => "mmlu",
            Self::CosmosQaCsv => "cosmosqa-csv",
            Self::CosmosQaJsonl => "cosmosqa-jsonl",
            Self::HellaSwag => "hellaswag",
            Self::HaluEvalDialogue => "halueval-dialogue",
            Self::HaluEvalSummarization => "halueval-summarization",
            Self::Paper => "paper",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Reads [`Self::name`]; case is ignored and `_` counts as `-`.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase().replace('_', "-");
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// All names, for messages.
    pub fn list() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Detects the layout of a file or folder from its content.
    pub fn detect(path: &Path) -> Result<Self, DataError> {
        if path.is_dir() {
            return Self::of_folder(path);
        }
        Self::of_source(&Source::open(path)?)
    }

    pub(crate) fn of_folder(path: &Path) -> Result<Self, DataError> {
        if mmlu::is_layout(path) {
            return Ok(Self::Mmlu);
        }
        if let Some(foreign) = foreign::of_folder(path) {
            return Err(DataError::of_file(path, Problem::Foreign(foreign)));
        }
        let reason = "the folder has none of MMLU's folders dev, val and test, and no CSV file named after one";
        let problem = Problem::UnknownFormat(reason.to_owned());
        Err(DataError::of_file(path, problem))
    }

    pub(crate) fn of_source(source: &Source) -> Result<Self, DataError> {
        let mut lines = source.lines()?;
        let Some((_, first)) = lines.next()? else {
            return Err(source.error(Problem::Empty));
        };
        match first.trim_start().chars().next() {
            Some('[' | '{') => Self::of_rows(source),
            _ => Self::of_table(source),
        }
    }

    /// The layout of the first of a file's JSON objects.
    fn of_rows(source: &Source) -> Result<Self, DataError> {
        let Some(first) = Records::new(source)?.next() else {
            return Err(source.error(Problem::Empty));
        };
        let first = first?;
        let has = |field| first.has(field);
        // The paper's rows have an id, lettered options and a letter, or are an answer key.
        let lettered = match first.get("choices") {
            Some(choices) => choices.as_object().is_some_and(is_lettered),
            None => !has("question") && has("answer"),
        };
        let is_index = first.get("answer").is_some_and(Value::is_number);
        Ok(
            if source.is_array()? && has("id") && lettered && !is_index {
                Self::Paper
            } else if has("endings") {
                Self::HellaSwag
            } else if has("right_response") || has("hallucinated_response") {
                Self::HaluEvalDialogue
            } else if has("right_summary") || has("hallucinated_summary") {
                Self::HaluEvalSummarization
            } else if has("answer0") {
                Self::CosmosQaJsonl
            } else if has("question") || has("options") || has("choices") {
                Self::Jsonl
            } else {
                let reason = format!("the keys of the first row are {}", list(&first.names()));
                return Err(first.at.row(Problem::UnknownFormat(reason)));
            },
        )
    }

    fn of_table(source: &Source) -> Result<Self, DataError> {
        let header = readers::header(source)?;
        let has = |wanted: &str| header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        let headerless = readers::is_row_of_mmlu(header.len(), header.last().map(String::as_str));
        Ok(if has("answer0") && has("question") {
            Self::CosmosQaCsv
        } else if has("question") && (has("answer") || generic::has_option_columns(&header)) {
            Self::Csv
        } else if headerless {
            Self::Mmlu
        } else {
            let reason = format!("the first row is {}", list(&header));
            return Err(source.at(1).row(Problem::UnknownFormat(reason)));
        })
    }
}

/// Whether all keys of an object are letters.
fn is_lettered(options: &Map<String, Value>) -> bool {
    options
        .keys()
        .all(|key| crate::letter_index(key.trim()).is_some())
}

/// Names in quotes, limited in number and length, since files are untrusted.
pub(crate) fn list(names: &[String]) -> String {
    const MOST: usize = 12;
    let shown: Vec<_> = names
        .iter()
        .take(MOST)
        .map(|name| format!("{:?}", name.chars().take(40).collect::<String>()))
        .collect();
    let more = match names.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}
