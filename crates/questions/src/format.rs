//! The layouts and their detection.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::Problem;
use crate::files::{self, Split};
use crate::readers::{self, Record, Records, generic, mmlu, open};
use crate::source::{Chosen, Source};
use crate::{DataError, Layout, Unread, layout};

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
    /// Parquet with the columns of generic JSON lines.
    Parquet,
    /// Open questions: JSON lines, one array, or Parquet, with accepted answers and no options.
    Open,
    /// The columns that [`LoadOptions::columns`](crate::LoadOptions::columns) names.
    Columns,
    /// The layout of a public data set in the table.
    Public(&'static Layout),
}

impl Format {
    /// All formats but that of named columns and those of the table, the generic ones first.
    pub const ALL: [Self; 11] = [
        Self::Jsonl,
        Self::Csv,
        Self::Mmlu,
        Self::CosmosQaCsv,
        Self::CosmosQaJsonl,
        Self::HellaSwag,
        Self::HaluEvalDialogue,
        Self::HaluEvalSummarization,
        Self::Paper,
        Self::Parquet,
        Self::Open,
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
            Self::Parquet => "parquet",
            Self::Open => "open",
            Self::Columns => "columns",
            Self::Public(layout) => layout.name,
        }
    }

    /// Reads [`Self::name`]; case is ignored and `_` counts as `-`.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase().replace('_', "-");
        let own = Self::ALL.into_iter().find(|format| format.name() == name);
        own.or_else(|| Layout::by_name(&name).map(Self::Public))
    }

    /// All names, for messages.
    pub fn list() -> String {
        let public = Layout::all().map(|layout| layout.name);
        let names: Vec<_> = Self::ALL
            .map(Self::name)
            .into_iter()
            .chain(public)
            .collect();
        names.join(", ")
    }

    /// Detects the layout of a file, a folder or a pattern of files from the content.
    pub fn detect(path: &Path) -> Result<Self, DataError> {
        if mmlu::is_layout(path) {
            return Ok(Self::Mmlu);
        }
        match files::all(path)?.first() {
            Some(file) => Self::of_source(&Source::open(file)?),
            None => Err(DataError::of_file(path, Problem::NoFiles)),
        }
    }

    /// Whether the questions have an option of their own that abstains, so that none is added.
    pub fn has_own_abstention(self) -> bool {
        matches!(self, Self::Public(layout) if layout.abstains)
    }

    pub(crate) fn of_source(source: &Source) -> Result<Self, DataError> {
        if source.is_parquet() {
            return Self::of_rows(source);
        }
        match source.first_character()? {
            None => Err(source.error(Problem::Empty)),
            Some('[' | '{') => Self::of_rows(source),
            Some(_) => Self::of_table(source),
        }
    }

    /// Of the splits that a data set has, the one to ask.
    pub fn asked(self, splits: &BTreeSet<Split>) -> Option<Split> {
        let (ask, examples) = self.splits();
        files::asked(splits, ask, examples)
    }

    /// Of the splits that a data set has, the one that few-shot examples come from if `asked` is
    /// asked.
    pub fn shown(self, splits: &BTreeSet<Split>, asked: Option<Split>) -> Option<Split> {
        files::shown(splits, self.splits().1, asked)
    }

    /// The splits of this layout to ask, and those to take few-shot examples from, in order of
    /// preference.
    pub(crate) fn splits(self) -> (&'static [Split], &'static [Split]) {
        use Split::{Dev, Test, Train, Validation};
        match self {
            Self::Public(layout) => (layout.ask, layout.examples),
            // Published without answers in the test split.
            Self::HellaSwag | Self::CosmosQaCsv | Self::CosmosQaJsonl => {
                (&[Validation, Dev, Train], &[Train])
            }
            _ => (&[Test, Validation, Dev, Train], &[Dev]),
        }
    }

    /// The layout of the first of a file's objects.
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
        let public = Layout::of_row(&first);
        let generic = has("options") || has("choices");
        let generic = generic && (has("question") || has("answer"));
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
            } else if let Some(public) = public
                && (source.is_parquet() || !generic::reads(&first) || public.has_faulty_rows())
            {
                // Text with the keys of the generic layout has always been read as such, and keeps
                // its ids.
                Self::Public(public)
            } else if generic {
                if source.is_parquet() {
                    Self::Parquet
                } else {
                    Self::Jsonl
                }
            } else if open::reads(&first) && !layout::has_columns(&first) {
                Self::Open
            } else {
                let reason = format!("the fields of the first row are {}", list(&first.names()));
                let reason = reason + &layout::nearest(&first);
                return Err(first.at.row(Problem::UnknownFormat(reason)));
            },
        )
    }

    fn of_table(source: &Source) -> Result<Self, DataError> {
        let header = readers::header(source)?;
        let has = |wanted: &str| header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        let headerless = readers::is_row_of_mmlu(header.len(), header.last().map(String::as_str));
        if has("answer0") && has("question") {
            return Ok(Self::CosmosQaCsv);
        }
        if has("question") && has("answer") && generic::has_option_columns(&header) {
            return Ok(Self::Csv);
        }
        let first = first_of_table(source);
        Ok(
            if let Some(public) = first.as_ref().and_then(Layout::of_row) {
                Self::Public(public)
            } else if has("question") && (has("answer") || generic::has_option_columns(&header)) {
                Self::Csv
            } else if headerless {
                Self::Mmlu
            } else {
                let near = first.as_ref().map(layout::nearest).unwrap_or_default();
                let reason = format!("the first row is {}{near}", list(&header));
                return Err(source.at(1).row(Problem::UnknownFormat(reason)));
            },
        )
    }
}

/// The first row of a table under its header. A headerless file may have equal cells in its first row,
/// which no header may have.
fn first_of_table(source: &Source) -> Option<Record<'_>> {
    let records = Records::with(source, Chosen::All, &mut Unread::default());
    records.ok()?.next()?.ok()
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
