//! The options of one document.

use serde_json::Value;

use crate::error::{Fault, printable};
use crate::json;
use crate::likelihood::{Likelihoods, Rule};
use crate::{Problem, Refusal};

/// The log-likelihood that `oe_eval` writes for a letter that the server did not list.
const NOT_LISTED: f64 = -999.0;
/// `bits_per_byte` is negative and to the base 2.
const NATS_PER_BIT: f64 = -std::f64::consts::LN_2;

/// A document as a question.
pub(super) struct Output {
    pub(super) likelihoods: Likelihoods,
    pub(super) observed: Vec<bool>,
    pub(super) answer: usize,
    /// Whether the options are single letters.
    pub(super) letters: bool,
}

/// Reads `model_output` and `label`.
pub(super) fn read(row: &Value) -> Result<Output, Fault> {
    let field = "model_output";
    let fault = |problem: Problem| problem.field(field);
    let outputs = row.get(field).and_then(Value::as_array);
    let outputs = outputs.ok_or_else(|| fault(Problem::Missing))?;
    if outputs.iter().any(|it| it.get("continuation").is_some()) {
        return Err(fault(Problem::Generation));
    }
    let numbers = |name: &str| -> Option<Vec<f64>> {
        let numbers = outputs.iter().map(|output| output.get(name)?.as_f64());
        numbers.collect()
    };
    let sums = outputs.iter().map(|output| {
        let sum = output.get("sum_logits");
        sum.and_then(Value::as_f64).unwrap_or(f64::NAN)
    });
    let mut sums: Vec<f64> = sums.collect();
    let observed: Vec<bool> = sums.iter().map(|sum| *sum > NOT_LISTED).collect();
    let bound = bound(sums.iter().copied().filter(|sum| *sum > NOT_LISTED));
    if !sums.is_empty() && observed.iter().all(|observed| !observed) {
        return Err(fault(Problem::Refused(Refusal::NoneListed)));
    }
    for (sum, observed) in sums.iter_mut().zip(&observed) {
        if !observed && !sum.is_nan() {
            *sum = bound;
        }
    }
    let mut likelihoods = Likelihoods::new(sums.clone()).map_err(fault)?;
    let tokens = numbers("num_tokens");
    let chars = numbers("num_chars");
    let one = |numbers: &Option<Vec<f64>>, most: f64| {
        let numbers = numbers.as_ref();
        numbers.is_some_and(|it| it.iter().all(|number| *number <= most))
    };
    // A letter with the blank before it.
    let letters = one(&tokens, 1.0) && one(&chars, 2.0);
    let at_least_one = |numbers: Vec<f64>| numbers.into_iter().map(|it| it.max(1.0)).collect();
    if let Some(tokens) = tokens {
        likelihoods = likelihoods.divided(Rule::Tokens, at_least_one(tokens));
    }
    if let Some(chars) = chars {
        likelihoods = likelihoods.divided(Rule::Chars, at_least_one(chars));
    }
    if let Some(bits) = numbers("bits_per_byte") {
        let values = bits.into_iter().map(|bits| bits * NATS_PER_BIT);
        likelihoods = likelihoods
            .with(Rule::Bytes, values.collect())
            .map_err(fault)?;
    }
    if let Some(others) = numbers("sum_logits_uncond") {
        let values = sums.iter().zip(others).map(|(sum, other)| sum - other);
        likelihoods = likelihoods
            .with(Rule::Unconditioned, values.collect())
            .map_err(fault)?;
    }
    Ok(Output {
        answer: answer(row, likelihoods.len())?,
        likelihoods,
        observed,
        letters,
    })
}

/// What a letter that is not listed has at most: the least of those that are, and the probability that
/// they leave. A little less, so that it does not pass for the likeliest of equals.
fn bound(listed: impl Iterator<Item = f64> + Clone) -> f64 {
    let rest = 1.0 - listed.clone().map(f64::exp).sum::<f64>();
    let least = listed.fold(0.0, f64::min);
    let rest = if rest > 0.0 { rest.ln() } else { least };
    let bound = least.min(rest);
    bound - 1e-12 * bound.abs().max(1.0)
}

/// The right option. `oe_eval` counts a label that is a text, a list or missing as 0, which is no
/// answer.
fn answer(row: &Value, options: usize) -> Result<usize, Fault> {
    let label = row.get("label").unwrap_or(&Value::Null);
    if label.is_null() {
        return Err(Problem::NoAnswer.field("label"));
    }
    let index = label.as_u64().and_then(|index| usize::try_from(index).ok());
    match index {
        Some(index) if index < options => Ok(index),
        Some(_) => {
            let answer = label.to_string();
            Err(Problem::Answer { answer, options }.field("label"))
        }
        None => Err(match label.as_array() {
            Some(list) if list.len() > 1 => {
                Problem::SeveralAnswers(printable(&label.to_string())).field("label")
            }
            _ => {
                let (expected, found) = ("the index of the right option", json::describe(label));
                Problem::Type { expected, found }.field("label")
            }
        }),
    }
}
