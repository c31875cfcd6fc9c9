//! Logits of the letters by question.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error};

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
    let Some(path) = Option::<PathBuf>::deserialize(path)? else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| D::Error::custom(format!("{}: {error}", path.display())))?;
    let row = |line: &str| serde_json::from_str::<Row>(line);
    let rows: Result<Vec<Row>, _> = text.lines().map(row).collect();
    let rows = rows.map_err(|error| D::Error::custom(format!("{}: {error}", path.display())))?;
    if let Some(row) = rows
        .iter()
        .find(|row| row.logits.len() > crate::model::LETTERS)
    {
        return Err(D::Error::custom(format!(
            "{:?}: too many logits",
            row.question
        )));
    }
    Ok(Some(
        rows.into_iter()
            .map(|row| (row.question, row.logits))
            .collect(),
    ))
}
