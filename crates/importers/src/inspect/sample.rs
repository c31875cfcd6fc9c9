//! One sample of a log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sureness_questions::{MAX_OPTIONS, Question, letter_index};
use sureness_record::QuestionRecord;
use sureness_scorers::ScoreError;

use super::answer::{self, Token};
use crate::error::{Fault, Problem, printable};
use crate::imported::ImportedRow;
use crate::{content, json};

/// The fields of a sample that are read.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    #[serde(default)]
    pub(super) id: Value,
    pub(super) epoch: Option<u64>,
    #[serde(default)]
    input: Value,
    choices: Option<Vec<String>>,
    #[serde(default)]
    target: Value,
    output: Option<Output>,
    scores: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    error: Value,
}

#[derive(Debug, Deserialize)]
struct Output {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    logprobs: Option<Logprobs>,
}

#[derive(Debug, Deserialize)]
struct Logprobs {
    #[serde(default)]
    content: Vec<Token>,
}

/// A sample as a row.
pub(super) struct Read {
    pub(super) row: ImportedRow,
    /// Whether the scorer counts it as correct.
    pub(super) correct: Option<bool>,
    /// Whether the letter comes after the first token.
    pub(super) later: bool,
}

impl Sample {
    /// Checks the question; a problem of the answer alone becomes the row's reason.
    pub(super) fn read(&self) -> Result<Read, Fault> {
        let id = json::id(&self.id, "id")?;
        let choices = self.choices.as_deref().unwrap_or_default();
        let options = choices.len();
        if options == 0 {
            return Err(Problem::Missing.field("choices"));
        }
        if !(2..=MAX_OPTIONS).contains(&options) {
            return Err(Problem::OptionCount(options).field("choices"));
        }
        let answer = self.answer(choices)?;
        let question = Question {
            id: String::new(),
            category: None,
            context: None,
            stem: String::new(),
            options: choices.to_vec(),
            answer,
        };
        let known = match self.question() {
            Some(stem) => content::of_question(None, stem, choices, answer),
            None => content::of_name([
                "inspect sample",
                &self.input.to_string(),
                &choices.join("\n"),
            ]),
        };
        let scores = self
            .tokens()
            .and_then(|tokens| answer::scores(tokens, options));
        let (scores, later) = match scores {
            Ok((scores, position)) => (Ok(scores), position > 0),
            Err(error) => (Err(error), false),
        };
        let category = ["/subject", "/category"]
            .iter()
            .find_map(|name| json::text(&self.metadata, name));
        Ok(Read {
            row: ImportedRow {
                question: QuestionRecord {
                    id,
                    content: known.content,
                    cluster: known.cluster,
                    category: category.map(str::to_owned),
                    options,
                    answer,
                    dont_know: question.dont_know(),
                    none_of_the_above: question.none_of_the_above(),
                },
                scores,
            },
            correct: self.correct(),
            later,
        })
    }

    /// The question without its options: the input, or its last user message.
    fn question(&self) -> Option<&str> {
        let text = match &self.input {
            Value::String(text) => Some(text.as_str()),
            Value::Array(messages) => messages
                .iter()
                .rev()
                .find(|message| message.get("role").and_then(Value::as_str) == Some("user"))
                .and_then(|message| message.get("content")?.as_str()),
            _ => None,
        };
        text.filter(|text| !text.trim().is_empty())
    }

    fn answer(&self, choices: &[String]) -> Result<usize, Fault> {
        let written = match &self.target {
            Value::String(text) => text.as_str(),
            Value::Array(list) => match list.as_slice() {
                [Value::String(text)] => text.as_str(),
                [] => "",
                _ => {
                    let list = printable(&self.target.to_string());
                    return Err(Problem::SeveralAnswers(list).field("target"));
                }
            },
            _ => "",
        };
        let written = written.trim();
        if written.is_empty() {
            return Err(Problem::NoAnswer.field("target"));
        }
        letter_index(written)
            .filter(|index| *index < choices.len())
            .or_else(|| choices.iter().position(|choice| choice.trim() == written))
            .ok_or_else(|| {
                let (answer, options) = (printable(written), choices.len());
                Problem::Answer { answer, options }.field("target")
            })
    }

    /// The tokens of the answer.
    fn tokens(&self) -> Result<&[Token], ScoreError> {
        if !self.error.is_null() {
            let message = json::text(&self.error, "/message").unwrap_or("the sample failed");
            return Err(ScoreError::Backend {
                message: printable(message),
            });
        }
        let output = self.output.as_ref().ok_or(ScoreError::NoLogprobs)?;
        let choice = output.choices.first().ok_or(ScoreError::NoLogprobs)?;
        let logprobs = choice.logprobs.as_ref().ok_or(ScoreError::NoLogprobs)?;
        Ok(&logprobs.content)
    }

    /// The first scorer's verdict: `C` or 1 for right, `I`, `N` or 0 for wrong.
    fn correct(&self) -> Option<bool> {
        let scores = self.scores.as_ref()?;
        let score = scores.get("choice").or_else(|| scores.values().next())?;
        match score.get("value")? {
            Value::String(text) if text == "C" => Some(true),
            Value::String(text) if matches!(text.as_str(), "I" | "N") => Some(false),
            Value::Bool(right) => Some(*right),
            Value::Number(number) if number.as_f64() == Some(1.0) => Some(true),
            Value::Number(number) if number.as_f64() == Some(0.0) => Some(false),
            _ => None,
        }
    }
}
