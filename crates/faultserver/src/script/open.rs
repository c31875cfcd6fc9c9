//! What the model says to open questions.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserializer;

use super::jsonl;

/// One thing that the model may say to a question.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saying {
    /// Its spellings, which are equally frequent.
    pub spellings: Vec<String>,
    /// How often it is said, in proportion to the others'.
    pub weight: f64,
}

/// What the model says, by the text of the question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sayings(Arc<HashMap<String, Vec<Saying>>>);

impl FromIterator<(String, Vec<Saying>)> for Sayings {
    fn from_iter<T: IntoIterator<Item = (String, Vec<Saying>)>>(rows: T) -> Self {
        Self(Arc::new(rows.into_iter().collect()))
    }
}

impl Sayings {
    /// What is said to the last question in a prompt at this place of the law, with a second place for
    /// its spelling; `None` if the question is not known.
    pub(crate) fn at(&self, prompt: &str, place: f64, spelling: f64) -> Option<&str> {
        let (_, rest) = prompt.rsplit_once("Question: ")?;
        let sayings = self.0.get(rest.lines().next()?)?;
        let total: f64 = sayings.iter().map(|saying| saying.weight).sum();
        let mut below = 0.0;
        let said = sayings.iter().find(|saying| {
            below += saying.weight / total;
            place < below
        });
        let spellings = &said.or(sayings.last())?.spellings;
        let index = (spelling * spellings.len() as f64) as usize;
        spellings.get(index).map(String::as_str)
    }
}

#[derive(serde::Deserialize)]
struct Row {
    question: String,
    says: Vec<Saying>,
}

/// Reads the file that a script names: a JSONL file of `{"question": "…", "says": [{"spellings": ["…"],
/// "weight": 2}]}`.
pub(super) fn from_file<'de, D: Deserializer<'de>>(path: D) -> Result<Option<Sayings>, D::Error> {
    let rows = jsonl::rows(path, |_: &Row| Ok(()))?;
    let by_question = |rows: Vec<Row>| rows.into_iter().map(|row| (row.question, row.says));
    Ok(rows.map(|rows| by_question(rows).collect()))
}
