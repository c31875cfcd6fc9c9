//! One sample of a query, or one example of a task.

use serde_json::Value;
use sureness_questions::RightOptions;

use crate::error::{Fault, printable};
use crate::json;
use crate::likelihood::{Likelihoods, top};
use crate::{Problem, Refusal};

/// The fields with the grade of each option.
const GRADES: [&str; 2] = ["target_values", "target_scores"];
/// The fields with the options in the order of their scores.
const OPTIONS: [&str; 3] = ["targets", "choice", "choices"];
/// The fields with absolute log-probabilities.
const ABSOLUTE: [&str; 2] = ["absolute_scores", "absolute_log_prob"];
/// The fields with log-probabilities that may be shares among the options.
const SCORES: [&str; 4] = ["scores", "log_prob", "log_probs", "logprobs"];

/// A sample as a question.
pub(super) struct Sample<'a> {
    pub(super) question: &'a str,
    pub(super) options: Vec<String>,
    pub(super) right: RightOptions,
    pub(super) likelihoods: Likelihoods,
    /// Whether scores are log-probabilities rather than defined up to a constant.
    pub(super) absolute: bool,
    /// The grade that BIG-bench gives.
    pub(super) grade: Option<f64>,
}

/// Whether a sample has options with grades.
pub(super) fn is_choice(sample: &Value) -> bool {
    GRADES
        .iter()
        .any(|name| sample.get(name).is_some_and(Value::is_object))
}

/// Whether a sample has log-probabilities.
pub(super) fn has_scores(sample: &Value) -> bool {
    let mut names = ABSOLUTE.iter().chain(&SCORES);
    names.any(|name| sample.get(*name).is_some_and(|it| !it.is_null()))
}

pub(super) fn read(sample: &Value) -> Result<Sample<'_>, Fault> {
    let question = json::text(sample, "/input").ok_or_else(|| Problem::Missing.field("input"))?;
    let field = GRADES
        .iter()
        .find(|name| sample.get(**name).is_some_and(Value::is_object));
    let field = field
        .copied()
        .ok_or_else(|| Problem::Missing.field(GRADES[0]))?;
    let grades = sample.get(field).and_then(Value::as_object);
    let grades = grades.ok_or_else(|| Problem::Missing.field(field))?;
    let options = OPTIONS
        .iter()
        .find_map(|name| sample.get(*name)?.as_array());
    let options: Vec<String> = match options {
        Some(list) => {
            let texts = list.iter().map(|option| option.as_str().map(str::to_owned));
            let texts = texts.collect::<Option<_>>();
            texts.ok_or_else(|| Problem::Missing.field(OPTIONS[0]))?
        }
        None => grades.keys().cloned().collect(),
    };
    let (name, scores) = ABSOLUTE
        .iter()
        .chain(&SCORES)
        .find_map(|name| Some((*name, sample.get(*name).filter(|it| !it.is_null())?)))
        .ok_or_else(|| Problem::Refused(Refusal::NoScores).field(SCORES[0]))?;
    let values = values(scores, &options).ok_or_else(|| {
        let found = json::describe(scores);
        let expected = "one log-probability per option";
        Problem::Type { expected, found }.field(name)
    })?;
    let fault = |problem: Problem| problem.field(name);
    let total: f64 = values.iter().map(|value| value.exp()).sum();
    // Shares add up to 1; so do log-probabilities of all that a model may say.
    let absolute = ABSOLUTE.contains(&name) || (total - 1.0).abs() > 1e-4;
    let likelihoods = if absolute {
        Likelihoods::new(values.clone())
            .map_err(fault)?
            .of_texts(&options)
    } else {
        Likelihoods::relative(values.clone()).map_err(fault)?
    };
    // BIG-bench draws lots between equal options.
    let best = values.get(top(&values)).copied().unwrap_or(f64::NAN);
    let is_tied = values.iter().filter(|value| **value >= best).count() > 1;
    let grade = sample.get("correct").and_then(Value::as_f64);
    Ok(Sample {
        question,
        right: right(grades, &options, field)?,
        options,
        likelihoods,
        absolute,
        grade: grade.filter(|_| !is_tied),
    })
}

/// The scores in the order of the options, from a list or from an object by option.
fn values(scores: &Value, options: &[String]) -> Option<Vec<f64>> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    match scores {
        Value::Array(list) => {
            let same = list.len() == options.len();
            same.then(|| list.iter().map(number).collect())
        }
        Value::Object(by_option) => {
            let values = options.iter().map(|it| by_option.get(it).map(number));
            values.collect()
        }
        _ => None,
    }
}

/// The options with a grade above 0, which must be 1: others are neither right nor wrong.
fn right(
    grades: &serde_json::Map<String, Value>,
    options: &[String],
    field: &str,
) -> Result<RightOptions, Fault> {
    let positive = grades
        .iter()
        .filter(|(_, grade)| grade.as_f64().is_some_and(|it| it > 0.0));
    let right: Vec<(&str, f64)> = positive
        .map(|(option, grade)| (option.as_str(), grade.as_f64().unwrap_or(f64::NAN)))
        .collect();
    let partly = |(_, grade): &&(&str, f64)| (grade - 1.0).abs() >= f64::EPSILON;
    if let Some((option, grade)) = right.iter().find(partly) {
        let shown = format!("{}: {grade}", printable(option));
        return Err(Problem::Refused(Refusal::PartlyRight(shown)).field(field));
    }
    let places = right.into_iter().map(|(right, _)| {
        let index = options.iter().position(|option| option == right);
        index.ok_or_else(|| {
            let (answer, options) = (printable(right), options.len());
            Problem::Answer { answer, options }.field(field)
        })
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    RightOptions::of(places).ok_or_else(|| Problem::NoAnswer.field(field))
}
