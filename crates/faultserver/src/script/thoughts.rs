//! What the model thinks, and what it answers after each thought.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserializer;

use super::jsonl;

/// One thought on a question.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thought {
    /// Its words, by which a prompt that holds them is known.
    pub text: String,
    /// How often it is thought, in proportion to the others'.
    pub weight: f64,
    /// Logits of the letters after it, from A on.
    pub logits: Vec<f64>,
}

/// Thoughts, by the text of the question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thoughts(Arc<HashMap<String, Vec<Thought>>>);

impl FromIterator<(String, Vec<Thought>)> for Thoughts {
    fn from_iter<T: IntoIterator<Item = (String, Vec<Thought>)>>(rows: T) -> Self {
        Self(Arc::new(rows.into_iter().collect()))
    }
}

impl Thoughts {
    /// The thoughts on the last question in a prompt, with the prompt from there on.
    fn of<'a>(&self, prompt: &'a str) -> Option<(&[Thought], &'a str)> {
        let (_, rest) = prompt.rsplit_once("Question: ")?;
        let thoughts = self.0.get(rest.lines().next()?)?;
        Some((thoughts, rest))
    }

    /// The thought on the last question at this place of the law; `None` if the question is not known.
    pub(crate) fn at(&self, prompt: &str, place: f64) -> Option<&str> {
        let (thoughts, _) = self.of(prompt)?;
        let total: f64 = thoughts.iter().map(|thought| thought.weight).sum();
        let mut below = 0.0;
        let found = thoughts.iter().find(|thought| {
            below += thought.weight / total;
            place < below
        });
        let found = found.or(thoughts.last())?;
        Some(&found.text)
    }

    /// The logits after the thought that a prompt holds, if it holds one.
    pub(crate) fn logits_after(&self, prompt: &str) -> Option<&[f64]> {
        let (thoughts, rest) = self.of(prompt)?;
        let held = thoughts
            .iter()
            .find(|thought| rest.contains(&thought.text))?;
        Some(&held.logits)
    }
}

#[derive(serde::Deserialize)]
struct Row {
    question: String,
    thoughts: Vec<Thought>,
}

/// Reads the file that a script names: a JSONL file of `{"question": "…", "thoughts": [{"text": "…",
/// "weight": 1, "logits": [0, 1]}]}`.
pub(super) fn from_file<'de, D: Deserializer<'de>>(path: D) -> Result<Option<Thoughts>, D::Error> {
    let too_many = |thought: &Thought| thought.logits.len() > crate::model::LETTERS;
    let rows = jsonl::rows(path, |row: &Row| {
        if row.thoughts.iter().any(too_many) {
            return Err("a thought has too many logits".to_owned());
        }
        Ok(())
    })?;
    let by_question = |rows: Vec<Row>| rows.into_iter().map(|row| (row.question, row.thoughts));
    Ok(rows.map(|rows| by_question(rows).collect()))
}
