//! One sample of a log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sureness_questions::{MAX_OPTIONS, Question, letter_index};
use sureness_record::QuestionRecord;
use sureness_scorers::ScoreError;

use super::verdict::{Shown, Verdict};
use crate::error::{Fault, Problem, printable};
use crate::imported::{ImportedRow, RowScores};
use crate::letter::{self, Answer, Token};
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
    #[serde(default)]
    message: Value,
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
    /// How the order of the options that the model saw is known.
    pub(super) order: Order,
}

/// The order in which the model saw the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The scorer tells it.
    Told,
    /// Nothing speaks against the log's order.
    Assumed,
    /// It differs from the log's, which does not say how.
    Unknown,
}

/// Why a sample with shuffled options has no scores.
pub(super) const UNKNOWN_ORDER: &str =
    "the solver shuffled the choices, and the log does not say how";

impl Sample {
    /// Checks the question; a problem of the answer alone becomes the row's reason.
    pub(super) fn read(&self) -> Result<Read, Fault> {
        let id = json::id(&self.id, "id")?;
        let choices = self.choices.as_deref().unwrap_or_default();
        let options = choices.len();
        if options == 0 {
            return Err(Problem::NoChoices.field("choices"));
        }
        if !(2..=MAX_OPTIONS).contains(&options) {
            return Err(Problem::OptionCount(options).field("choices"));
        }
        let answer = self.answer(choices)?;
        let question = Question {
            accepted: Vec::new(),
            id: String::new(),
            category: None,
            context: None,
            stem: String::new(),
            options: choices.to_vec(),
            right: answer.into(),
        };
        let known = match self.question() {
            Some(stem) => content::of_question(None, stem, choices, answer.into()),
            None => content::of_name([
                "inspect sample",
                &self.input.to_string(),
                &choices.join("\n"),
            ]),
        };
        let verdict = self.scores.as_ref().and_then(Verdict::of);
        let (scores, order) = self.scored(choices, verdict);
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
                    right: answer.into(),
                    dont_know: question.dont_know(),
                    none_of_the_above: question.none_of_the_above(),
                },
                scores,
            },
            correct: verdict.and_then(Verdict::correct),
            later,
            order,
        })
    }

    /// The scores of the options in the order of the log, and the index of the token with the letter.
    fn scored(
        &self,
        choices: &[String],
        verdict: Option<Verdict<'_>>,
    ) -> (Result<(RowScores, usize), ScoreError>, Order) {
        let told = verdict.is_some_and(Verdict::tells_order);
        let shown = match verdict.map_or(Shown::AsLogged, |it| it.shown(choices)) {
            Shown::AsLogged if !self.is_rewritten(choices) => (0..choices.len()).collect(),
            Shown::Shuffled(shown) => shown,
            Shown::AsLogged | Shown::Unknown => return (Err(unknown_order()), Order::Unknown),
        };
        let stated = verdict.map_or(Answer::Unknown, |it| it.answer(choices.len()));
        // The letter that the model wrote for the option that the scorer found.
        let stated = match stated {
            Answer::Option(option) => match shown.iter().position(|it| *it == option) {
                Some(letter) => Answer::Option(letter),
                None => Answer::Unknown,
            },
            other => other,
        };
        let seen: Vec<&str> = shown
            .iter()
            .filter_map(|index| choices.get(*index).map(String::as_str))
            .collect();
        let scored = self
            .tokens()
            .and_then(|tokens| letter::scores(tokens, &seen, &stated));
        let order = if told { Order::Told } else { Order::Assumed };
        match scored {
            Ok(scored) => (Ok((scored.scores.in_order(&shown), scored.place)), order),
            Err(error) => (Err(error), order),
        }
    }

    /// Whether text and tokens of the answer give different letters: a solver that shuffles writes
    /// the letters of the log into the text, but not into the tokens.
    fn is_rewritten(&self, choices: &[String]) -> bool {
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        let text = self
            .text()
            .and_then(|text| letter::stated_in(text, &choices));
        let sent = self.tokens().ok().map(letter::text_of);
        let sent = sent.and_then(|text| letter::stated_in(&text, &choices));
        text.is_some() && sent.is_some() && text != sent
    }

    /// The text of the answer.
    fn text(&self) -> Option<&str> {
        let choice = self.output.as_ref()?.choices.first()?;
        match choice.message.get("content")? {
            Value::String(text) => Some(text),
            Value::Array(parts) => parts
                .iter()
                .rev()
                .find_map(|part| part.get("text")?.as_str()),
            _ => None,
        }
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
            .or_else(|| {
                letter_index(&written.to_ascii_uppercase()).filter(|it| *it < choices.len())
            })
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
}

fn unknown_order() -> ScoreError {
    ScoreError::Malformed {
        message: UNKNOWN_ORDER.to_owned(),
    }
}
