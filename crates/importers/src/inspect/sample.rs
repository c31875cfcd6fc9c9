//! One sample of a log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sureness_questions::{MAX_OPTIONS, Question, letter_index};
use sureness_record::QuestionRecord;
use sureness_scorers::ScoreError;

use super::verdict::{Shown, Verdict};
use crate::content::{self, Digests};
use crate::error::{Fault, Problem, printable};
use crate::imported::{ImportedRow, RowScores};
use crate::json;
use crate::letter::{self, Answer, Token};

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
    #[serde(default)]
    invalidation: Value,
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
    /// The scorer whose verdict counts.
    pub(super) scorer: Option<String>,
    /// What the question is with the messages before it, and their digest.
    pub(super) with_earlier: (blake3::Hash, Digests),
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
    pub(super) fn read(&self, judges: &[String]) -> Result<Read, Fault> {
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
        let (earlier, stem) = self.question();
        let of_stem = |stem: &str| content::of_question(None, stem, choices, answer.into());
        let known = match &stem {
            Some(stem) => of_stem(stem),
            None => content::of_name([
                "inspect sample",
                &self.input.to_string(),
                &choices.join("\n"),
            ]),
        };
        let whole = stem.map(|stem| format!("{earlier}\n\n{stem}"));
        let with_earlier = whole.map_or(known, |whole| of_stem(&whole));
        let verdict = self.scores.as_ref();
        let verdict = verdict.and_then(|scores| Verdict::of(scores, judges));
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
            scorer: verdict.map(|it| it.scorer().to_owned()),
            with_earlier: (blake3::hash(earlier.as_bytes()), with_earlier),
        })
    }

    /// The scores of the options in the order of the log, and the index of the token with the letter.
    fn scored(
        &self,
        choices: &[String],
        verdict: Option<Verdict<'_>>,
    ) -> (Result<(RowScores, usize), ScoreError>, Order) {
        let told = verdict.is_some_and(Verdict::tells_order);
        // A solver that shuffled the options writes the letters of the log into the text.
        let (shown, said) = match verdict.map_or(Shown::AsLogged, |it| it.shown(choices)) {
            Shown::AsLogged if !self.is_rewritten(choices) => {
                ((0..choices.len()).collect(), self.text())
            }
            Shown::Shuffled(shown) => (shown, None),
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
            .and_then(|tokens| letter::scores(tokens, &seen, said, &stated));
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
        let both = self.text().zip(self.tokens().ok());
        both.is_some_and(|(text, tokens)| letter::differs(tokens, text, &choices))
    }

    /// The text of the answer; empty if it is all thought.
    fn text(&self) -> Option<&str> {
        let choice = self.output.as_ref()?.choices.first()?;
        match choice.message.get("content")? {
            Value::String(text) => Some(text),
            Value::Array(parts) => {
                let mut texts = parts
                    .iter()
                    .rev()
                    .filter_map(|part| part.get("text")?.as_str());
                Some(texts.next().unwrap_or_default())
            }
            _ => None,
        }
    }

    /// The messages before the question, and the question without its options: the input, or its last
    /// message of the user.
    fn question(&self) -> (String, Option<String>) {
        let (earlier, text) = match &self.input {
            Value::String(text) => (String::new(), text.clone()),
            Value::Array(messages) => {
                let is_user = |message: &Value| json::text(message, "/role") == Some("user");
                let Some(last) = messages.iter().rposition(is_user) else {
                    return (String::new(), None);
                };
                let earlier: Vec<String> = messages.iter().take(last).map(text_of).collect();
                let text = messages.get(last).map(text_of);
                (earlier.join("\n\n"), text.unwrap_or_default())
            }
            _ => (String::new(), String::new()),
        };
        (earlier, Some(text).filter(|text| !text.trim().is_empty()))
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
        if !self.invalidation.is_null() {
            return Err(ScoreError::Backend {
                message: "the sample was invalidated".to_owned(),
            });
        }
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

/// The text of a message, with its pictures and other parts as they are written.
fn text_of(message: &Value) -> String {
    let part_of = |part: &Value| match part.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => part.to_string(),
    };
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let parts: Vec<String> = parts.iter().map(part_of).collect();
            parts.join("\n")
        }
        _ => String::new(),
    }
}

fn unknown_order() -> ScoreError {
    ScoreError::Malformed {
        message: UNKNOWN_ORDER.to_owned(),
    }
}
