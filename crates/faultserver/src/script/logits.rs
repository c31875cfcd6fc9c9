//! Logits of the letters by question.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserializer;

use super::jsonl;

/// Logits of the letters, from A on, by the text of the question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logits(Arc<HashMap<String, Vec<f64>>>);

/// What precedes a question in a prompt.
const QUESTION: &str = "Question: ";

impl FromIterator<(String, Vec<f64>)> for Logits {
    fn from_iter<T: IntoIterator<Item = (String, Vec<f64>)>>(rows: T) -> Self {
        Self(Arc::new(rows.into_iter().collect()))
    }
}

impl Logits {
    /// The logits of the last question in a prompt, if it is known.
    pub(crate) fn of(&self, prompt: &str) -> Option<&[f64]> {
        let (_, rest) = prompt.rsplit_once(QUESTION)?;
        let line = rest.lines().next()?;
        self.0.get(line).map(Vec::as_slice)
    }
}

#[derive(serde::Deserialize)]
struct Row {
    question: String,
    logits: Vec<f64>,
}

/// Reads the file that a script names.
pub(super) fn from_file<'de, D: Deserializer<'de>>(path: D) -> Result<Option<Logits>, D::Error> {
    let rows = jsonl::rows(path, |row: &Row| {
        if row.logits.len() > crate::model::LETTERS {
            return Err(format!("{:?}: too many logits", row.question));
        }
        Ok(())
    })?;
    let by_question = |rows: Vec<Row>| rows.into_iter().map(|row| (row.question, row.logits));
    Ok(rows.map(|rows| by_question(rows).collect()))
}
