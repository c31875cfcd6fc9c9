//! One reader per layout. Each parses text into checked questions.

mod answers;
pub(crate) mod array;
pub(crate) mod cosmosqa;
pub(crate) mod generic;
pub(crate) mod halueval;
pub(crate) mod hellaswag;
mod inspect;
pub(crate) mod mmlu;
pub(crate) mod open;
pub(crate) mod paper;
mod parquet;
mod record;
mod records;
mod table;

use std::collections::HashMap;
use std::path::Path;

use crate::bank::Bank;
use crate::error::Problem;
use crate::question::Digest;
use crate::source::{At, Source};
use crate::{Background, ClusterBy, DataError, LoadOptions, Question, Split, Unread};

pub(crate) use answers::{marked, several};
pub(crate) use record::{Record, index_label, whole, wrong_type};
pub(crate) use records::Records;
pub(crate) use table::{Table, header, is_row_of_mmlu};

/// The result of a reader.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// Questions to ask.
    pub(crate) questions: Bank,
    /// Few-shot examples of the file, best first.
    pub(crate) examples: Vec<Question>,
    /// Fields of the file that were not read.
    pub(crate) unread: Unread,
    /// The split of the questions, where the files have several.
    pub(crate) split: Option<Split>,
    /// Rows that are not asked, since a few-shot example has their content.
    pub(crate) left_out: usize,
}

/// Gathers the rows of a data set, with the abstention options where they are asked for, and
/// refuses an id that comes twice.
#[derive(Debug)]
pub(crate) struct Rows {
    parsed: Parsed,
    /// Fields that were not read; the reader adds to them.
    pub(crate) unread: Unread,
    abstention: bool,
    /// Whether prompts of the task show a background.
    shows_context: bool,
    cluster: ClusterBy,
    ids: Vec<Id>,
    /// Rows by category.
    in_category: HashMap<String, usize>,
}

/// A row's id: a hash of 128 bits stands for it, since a million ids themselves would be the
/// largest thing in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    hash: [u64; 2],
    file: u32,
    line: u32,
    place: Place,
}

/// Destination of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Example(u32),
    Question(u32),
}

impl Rows {
    pub(crate) fn new(options: &LoadOptions) -> Self {
        Self {
            parsed: Parsed::default(),
            unread: Unread::default(),
            abstention: options.abstention,
            shows_context: options.task.background != Background::None,
            cluster: options.cluster.clone(),
            ids: Vec::new(),
            in_category: HashMap::new(),
        }
    }

    /// Leaves the abstention options out: the questions have such an option of their own.
    pub(crate) fn add_no_abstention(&mut self) {
        self.abstention = false;
    }

    /// The id of a row that has none of its own: its number, counted from 1.
    pub(crate) fn next_id(&self) -> String {
        (self.ids.len() + 1).to_string()
    }

    /// The id of a row that has no field for it: that of its log, or else its number.
    pub(crate) fn id_of(&self, record: &Record<'_>) -> String {
        let id = record.log_id().map(str::to_owned);
        id.unwrap_or_else(|| self.next_id())
    }

    /// The same with the row's number within its category: `anatomy/12`.
    pub(crate) fn next_id_in(&mut self, category: &str) -> String {
        let number = self.in_category.entry(category.to_owned()).or_default();
        *number += 1;
        format!("{category}/{number}")
    }

    /// Adds a row. `column` is the cluster that it names in a column, if one is to tell; worked
    /// examples need none.
    pub(crate) fn push(
        &mut self,
        at: At<'_>,
        question: Question,
        example: bool,
        column: Option<[u8; 32]>,
    ) -> Result<(), DataError> {
        let hash = Digest::new("sureness id 1").text(&question.id).finish();
        let part = |n: usize| {
            hash[8 * n..]
                .first_chunk()
                .copied()
                .map_or(0, u64::from_le_bytes)
        };
        let place = if example {
            Place::Example(self.parsed.examples.len() as u32)
        } else {
            Place::Question(self.parsed.questions.len() as u32)
        };
        self.ids.push(Id {
            hash: [part(0), part(1)],
            file: at.file,
            line: at.line as u32,
            place,
        });
        let question = if !self.abstention || question.is_open() {
            question
        } else if question.has_room_for_abstention() {
            question.with_abstention()
        } else {
            let field = format!("options of question {}", question.id);
            let problem = Problem::NoRoomForAbstention(question.options.len());
            return Err(at.field(&field, problem));
        };
        if question.context.is_some() && !self.shows_context {
            self.unread.add("context");
        }
        if example {
            self.parsed.examples.push(question);
            return Ok(());
        }
        let cluster = self.cluster.of(&question, column, at)?;
        let kept = self.parsed.questions.push_into(&question, cluster);
        kept.map_err(|error| at.row(Problem::Bank(error)))
    }

    /// Sorts the few-shot examples found so far.
    fn sort_examples<K: Ord>(&mut self, key: impl FnMut(&Question) -> K) {
        self.parsed.examples.sort_by_key(key);
    }

    /// The text of a row's id.
    fn text_of(&self, id: &Id) -> Option<String> {
        match id.place {
            Place::Example(index) => {
                let example = self.parsed.examples.get(index as usize);
                example.map(|example| example.id.clone())
            }
            Place::Question(index) => {
                let question = self.parsed.questions.get(index as usize);
                question.ok().map(|question| question.id)
            }
        }
    }

    /// The rows of all files.
    pub(crate) fn finish(mut self, sources: &[Source]) -> Result<Parsed, DataError> {
        if self.ids.is_empty() {
            let path = sources.first().map_or(Path::new(""), Source::path);
            return Err(DataError::of_file(path, Problem::Empty));
        }
        self.ids.sort_unstable();
        let neighbours = self.ids.iter().zip(self.ids.iter().skip(1));
        let doubles = neighbours.filter(|(a, b)| a.hash == b.hash);
        let Some((first, second)) = doubles.min_by_key(|(_, second)| (second.file, second.line))
        else {
            return Ok(Parsed {
                unread: self.unread,
                ..self.parsed
            });
        };
        let at = |id: &Id| {
            let source = sources.get(id.file as usize);
            source.map(|source| source.at(id.line as usize))
        };
        let problem = Problem::RepeatedId {
            id: self.text_of(second).unwrap_or_default(),
            first: match at(first) {
                Some(at) if first.file != second.file => {
                    format!("{}, {}", at.path.display(), at.place())
                }
                Some(at) => at.place(),
                None => format!("line {}", first.line),
            },
        };
        Err(match at(second) {
            Some(at) => at.field("id", problem),
            None => DataError::of_file(Path::new(""), problem),
        })
    }
}
