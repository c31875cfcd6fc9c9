//! One row of the details.

use serde_json::Value;
use sureness_questions::{RightOptions, letter};

use crate::Problem;
use crate::error::Fault;
use crate::json;

const MAX_OPTIONS: usize = 26;
/// How far above 0 rounding takes a log-likelihood.
const SLACK: f64 = 1e-3;

/// A multiple-choice question and the model's scores.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) query: String,
    /// The continuations, with the blanks before them.
    pub(super) choices: Vec<String>,
    pub(super) scores: Vec<f64>,
    /// Log-likelihoods of the options without the question, where the task asked for them.
    pub(super) unconditioned: Option<Vec<f64>>,
    /// Tokens of each option, unless lighteval saved fewer lists than options.
    pub(super) tokens: Option<Vec<usize>>,
    pub(super) right: RightOptions,
}

impl Sample {
    pub(super) fn read(row: &Value) -> Result<Self, Fault> {
        let scores = list(row, "/model_response/logprobs");
        if scores.is_empty() {
            return Err(Problem::Generation.field("model_response.logprobs"));
        }
        let query = json::text(row, "/doc/query").ok_or(Problem::Missing.field("doc.query"))?;
        let choices = list(row, "/doc/choices").iter().map(|choice| {
            let text = choice.as_str().filter(|text| !text.is_empty());
            let found = || json::describe(choice);
            text.map(str::to_owned)
                .ok_or_else(|| wrong("a text", found()).field("doc.choices"))
        });
        let choices = choices.collect::<Result<Vec<String>, Fault>>()?;
        let options = choices.len();
        if !(2..=MAX_OPTIONS).contains(&options) {
            return Err(Problem::OptionCount(options).field("doc.choices"));
        }
        let field = "model_response.logprobs";
        // Like lighteval, which cuts the list to the options and takes one twice as long for both kinds.
        let Some((conditioned, others)) = scores.split_at_checked(options) else {
            let found = format!("{} for {options} options", scores.len());
            return Err(wrong("one score per option", found).field(field));
        };
        let read = |scores: &[Value]| -> Result<Vec<f64>, Fault> {
            let each = scores.iter().enumerate();
            each.map(|(option, value)| score(option, value).map_err(|it| it.field(field)))
                .collect()
        };
        let unconditioned = match others {
            others if others.len() == options => others,
            _ => list(row, "/model_response/unconditioned_logprobs"),
        };
        let unconditioned = (unconditioned.len() == options).then(|| read(unconditioned));
        let tokens = list(row, "/model_response/output_tokens");
        let tokens = tokens
            .iter()
            .map(|it| it.as_array().map(Vec::len).filter(|n| *n > 0));
        let tokens: Option<Vec<usize>> = tokens.collect();
        Ok(Self {
            query: query.to_owned(),
            scores: read(conditioned)?,
            unconditioned: unconditioned.transpose()?,
            tokens: tokens.filter(|tokens| tokens.len() == options),
            right: right(row, options)?,
            choices,
        })
    }

    /// Whether the continuations are the letters A, B, C …, or (A), (B), (C) ….
    pub(super) fn has_labels(&self) -> bool {
        self.choices.iter().enumerate().all(|(index, text)| {
            let text = text.trim();
            let bare = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
            bare.unwrap_or(text).chars().eq([letter(index)])
        })
    }
}

/// The task's name, such as `mmlu:anatomy|5`.
pub(super) fn task(row: &Value) -> Result<String, Fault> {
    let name = json::text(row, "/doc/task_name").map(str::to_owned);
    name.ok_or_else(|| Problem::Missing.field("doc.task_name"))
}

/// Whether the prompt lost tokens to the limit of the model's context.
pub(super) fn was_cut(row: &Value) -> bool {
    let tokens = row.pointer("/model_response/truncated_tokens_count");
    tokens.and_then(Value::as_f64).is_some_and(|n| n > 0.0)
}

/// The id of a row.
pub(super) fn id(row: &Value) -> Result<String, Fault> {
    match row.pointer("/doc/id") {
        None | Some(Value::Null) => Err(Problem::Missing.field("doc.id")),
        Some(id) => json::id(id, "doc.id"),
    }
}

/// The task and the number of shots in `suite|task|shots`, whose suite newer versions leave out.
pub(super) fn name_parts(name: &str) -> (&str, Option<u64>) {
    let Some((rest, shots)) = name.rsplit_once('|') else {
        return (name, None);
    };
    let task = rest.rsplit_once('|').map_or(rest, |(_suite, task)| task);
    match shots.parse() {
        Ok(shots) if !task.is_empty() => (task, Some(shots)),
        _ => (name, None),
    }
}

fn list<'a>(row: &'a Value, pointer: &str) -> &'a [Value] {
    let list = row.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn wrong(expected: &'static str, found: String) -> Problem {
    Problem::Type { expected, found }
}

fn score(option: usize, value: &Value) -> Result<f64, Problem> {
    let option = letter(option);
    match value.as_f64() {
        Some(value) if value > SLACK => Err(Problem::Positive { option, value }),
        Some(value) => Ok(value.min(0.0)),
        None => Err(Problem::NotFinite {
            option,
            value: json::describe(value),
        }),
    }
}

/// The right options: an index, or a list of indices, of which lighteval counts each as right.
fn right(row: &Value, options: usize) -> Result<RightOptions, Fault> {
    let gold = row.pointer("/doc/gold_index").unwrap_or(&Value::Null);
    let fault = |problem: Problem| problem.field("doc.gold_index");
    let list = gold
        .as_array()
        .map_or(std::slice::from_ref(gold), Vec::as_slice);
    let places = list.iter().filter(|gold| !gold.is_null()).map(|gold| {
        let index = gold.as_u64().and_then(|index| usize::try_from(index).ok());
        let answer = || gold.to_string();
        index.filter(|index| *index < options).ok_or_else(|| {
            fault(Problem::Answer {
                answer: answer(),
                options,
            })
        })
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    RightOptions::of(places).ok_or_else(|| fault(Problem::NoAnswer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tasks() {
        assert_eq!(name_parts("mmlu:anatomy|5"), ("mmlu:anatomy", Some(5)));
        assert_eq!(name_parts("leaderboard|arc|25"), ("arc", Some(25)));
        assert_eq!(name_parts("arc"), ("arc", None));
        assert_eq!(name_parts("a|b"), ("a|b", None));
    }
}
