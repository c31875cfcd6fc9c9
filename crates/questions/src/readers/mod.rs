//! One reader per layout. Each turns text into checked questions and refuses what it must.

pub(crate) mod cosmosqa;
pub(crate) mod generic;
pub(crate) mod halueval;
pub(crate) mod hellaswag;
pub(crate) mod mmlu;
pub(crate) mod paper;
mod record;
mod table;

use std::collections::HashMap;

use crate::error::Problem;
use crate::source::{At, Source};
use crate::{DataError, Question};

pub(crate) use record::Record;
pub(crate) use table::{Table, header};

/// What a reader found.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// Questions to ask.
    pub(crate) questions: Vec<Question>,
    /// Rows that the file itself sets apart as worked examples, best first.
    pub(crate) examples: Vec<Question>,
}

/// Gathers the rows of one file and refuses an id that comes twice.
#[derive(Debug, Default)]
struct Rows {
    parsed: Parsed,
    lines: HashMap<String, usize>,
}

impl Rows {
    /// The id of a row that has none of its own: its number, counted from 1.
    fn next_id(&self) -> String {
        (self.lines.len() + 1).to_string()
    }

    fn push(&mut self, at: At<'_>, question: Question, example: bool) -> Result<(), DataError> {
        if let Some(first) = self.lines.insert(question.id.clone(), at.line) {
            return Err(at.field(
                "id",
                Problem::RepeatedId {
                    id: question.id,
                    first: format!("line {first}"),
                },
            ));
        }
        let rows = if example {
            &mut self.parsed.examples
        } else {
            &mut self.parsed.questions
        };
        rows.push(question);
        Ok(())
    }

    fn finish(self, source: &Source) -> Result<Parsed, DataError> {
        if self.lines.is_empty() {
            return Err(source.error(Problem::Empty));
        }
        Ok(self.parsed)
    }
}
