//! The requests about one instance.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;
use sureness_questions::RightOptions;

use crate::error::{Fault, printable};
use crate::json;
use crate::likelihood::{Likelihoods, Rule};
use crate::{Place, Problem, Refusal};

/// One instance with the requests about its references.
pub(super) struct Instance<'a> {
    pub(super) id: String,
    requests: Vec<&'a Value>,
}

/// The instances of a state.
#[derive(Default)]
pub(super) struct Instances<'a> {
    /// Those of the first trial, without perturbed ones.
    pub(super) first: Vec<Instance<'a>>,
    /// Requests of later trials.
    later: usize,
    /// Requests about perturbed instances.
    perturbed: usize,
}

impl Instances<'_> {
    pub(super) fn notes(&self) -> Vec<String> {
        let kinds = [
            (self.later, "later trials"),
            (self.perturbed, "perturbed instances"),
        ];
        let left_out = kinds.iter().filter(|(count, _)| *count > 0);
        let note = |(count, what): &(usize, &str)| format!("skipped {count} requests of {what}");
        left_out.map(note).collect()
    }
}

/// Groups requests by their instance; an error comes with the number of its request.
pub(super) fn group(states: &[Value]) -> Result<Instances<'_>, (usize, Fault)> {
    let mut instances = Instances::default();
    let (mut places, mut requests) = (HashMap::new(), HashMap::new());
    for (state, number) in states.iter().zip(1..) {
        let trial = state.get("train_trial_index").and_then(Value::as_u64);
        if trial.is_some_and(|trial| trial > 0) {
            instances.later += 1;
            continue;
        }
        let perturbation = state.pointer("/instance/perturbation");
        if perturbation.is_some_and(|it| !it.is_null()) {
            instances.perturbed += 1;
            continue;
        }
        let id = state.pointer("/instance/id").unwrap_or(&Value::Null);
        let id = json::id(id, "instance.id").map_err(|fault| (number, fault))?;
        // A second request for an option is another trial (num_trials), unless it is about another instance.
        let option = state.get("reference_index").and_then(Value::as_u64);
        let request = option.map(|option| (id.clone(), mode(state), option));
        let first = request.and_then(|request| match requests.entry(request) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert((number, state));
                None
            }
        });
        if let Some((first, request)) = first {
            if ["input", "references"]
                .iter()
                .any(|part| instance(request, part) != instance(state, part))
            {
                let (id, first) = (printable(&id), Place::Row(first).to_string());
                return Err((
                    number,
                    Problem::RepeatedId { id, first }.field("instance.id"),
                ));
            }
            instances.later += 1;
            continue;
        }
        let place = places.entry(id.clone()).or_insert_with(|| {
            instances.first.push(Instance {
                id,
                requests: Vec::new(),
            });
            instances.first.len() - 1
        });
        if let Some(instance) = instances.first.get_mut(*place) {
            instance.requests.push(state);
        }
    }
    Ok(instances)
}

/// A part of a request's instance.
fn instance<'a>(request: &'a Value, part: &str) -> Option<&'a Value> {
    request.get("instance")?.get(part)
}

/// With the prompt ("original"), or after `Answer:` alone ("calibration").
fn mode(request: &Value) -> &str {
    let mode = request.get("request_mode").and_then(Value::as_str);
    mode.unwrap_or("original")
}

/// An instance as a question.
pub(super) struct Read<'a> {
    pub(super) question: &'a str,
    pub(super) options: Vec<String>,
    /// Those with the tag "correct", of which HELM counts each as right.
    pub(super) right: RightOptions,
    pub(super) likelihoods: Likelihoods,
}

impl<'a> Instance<'a> {
    /// Whether the prompt of any request was cut.
    pub(super) fn was_cut(&self) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|it| it.get("prompt_truncated") == Some(&Value::Bool(true)))
    }

    pub(super) fn read(&self) -> Result<Read<'a>, Fault> {
        let first = self.requests.first().ok_or(Problem::Empty)?;
        // Scenarios of whole sentences, such as BLiMP, have an empty one.
        let question = first.pointer("/instance/input/text");
        let question = question.and_then(Value::as_str);
        let question = question.ok_or_else(|| Problem::Missing.field("instance.input.text"))?;
        let field = "instance.references";
        let references = first.pointer("/instance/references");
        let references = references.and_then(Value::as_array).map(Vec::as_slice);
        let references = references.unwrap_or_default();
        let options = references.iter().map(|reference| {
            let text = reference.pointer("/output/text").and_then(Value::as_str);
            let text = text.ok_or_else(|| Problem::Missing.field(field))?;
            Ok(text.to_owned())
        });
        let options = options.collect::<Result<Vec<String>, Fault>>()?;
        let correct = references.iter().enumerate().filter(|(_, reference)| {
            let tags = reference.get("tags").and_then(Value::as_array);
            tags.is_some_and(|tags| tags.iter().any(|tag| tag == "correct"))
        });
        let likelihoods = self.likelihoods(&options)?;
        let right = RightOptions::of(correct.map(|(index, _)| index));
        let right = right.ok_or_else(|| Problem::NoAnswer.field(field))?;
        Ok(Read {
            question,
            options,
            right,
            likelihoods,
        })
    }

    fn likelihoods(&self, options: &[String]) -> Result<Likelihoods, Fault> {
        let (mut sums, mut counts) = (Vec::new(), Vec::new());
        let mut alone = Vec::new();
        for (index, option) in options.iter().enumerate() {
            let (sum, count) = self.scored(index, "original", option)?.ok_or_else(|| {
                let found = format!("none for option {}", sureness_questions::letter(index));
                let expected = "a request per option";
                Problem::Type { expected, found }.field("reference_index")
            })?;
            sums.push(sum);
            counts.push(count);
            alone.extend(
                self.scored(index, "calibration", option)?
                    .map(|(sum, _)| sum),
            );
        }
        let texts: Vec<String> = options.iter().map(|option| format!(" {option}")).collect();
        let fault = |problem: Problem| problem.field("result.completions.tokens");
        let likelihoods = Likelihoods::new(sums.clone())
            .map_err(fault)?
            .of_texts(&texts)
            .divided(Rule::Tokens, counts);
        if alone.len() != options.len() {
            return Ok(likelihoods);
        }
        let values = sums.iter().zip(alone).map(|(sum, alone)| sum - alone);
        likelihoods
            .with(Rule::Unconditioned, values.collect())
            .map_err(fault)
    }

    /// The log-likelihood of an option and its number of tokens; `None` without a request.
    fn scored(&self, index: usize, mode: &str, option: &str) -> Result<Option<(f64, f64)>, Fault> {
        let is_it = |state: &&&Value| {
            let reference = state.get("reference_index").and_then(Value::as_u64);
            reference == Some(index as u64) && self::mode(state) == mode
        };
        let Some(state) = self.requests.iter().find(is_it) else {
            return Ok(None);
        };
        if state.pointer("/result/success") == Some(&Value::Bool(false)) {
            let error = json::text(state, "/result/error").unwrap_or("no reason given");
            return Err(Problem::Refused(Refusal::Failed(printable(error))).field("result.error"));
        }
        let field = "result.completions.tokens";
        let tokens = state.pointer("/result/completions/0/tokens");
        let tokens = tokens.and_then(Value::as_array);
        let tokens = tokens.ok_or_else(|| Problem::Missing.field(field))?;
        ending(tokens, option)
            .map(Some)
            .ok_or_else(|| Problem::Refused(Refusal::OtherTokens(printable(option))).field(field))
    }
}

/// Sum and number of the tokens at the end that spell an option; `None` if they spell something else. The
/// blank before the option is one of them, also where it is a token of its own, since HELM takes the last
/// tokens by the number that a blank and the option have (`basic_metrics.py`). Blanks do not count in the
/// comparison: a tokenizer may lose them where tokens are written one by one.
fn ending(tokens: &[Value], option: &str) -> Option<(f64, f64)> {
    // As tokenizers mark blanks.
    let is_blank = |sign: char| sign.is_whitespace() || matches!(sign, '▁' | 'Ġ');
    let wanted = option.replace(is_blank, "");
    let (mut text, mut sum, mut count) = (String::new(), 0.0, 0.0);
    let mut add = |token: &Value| {
        sum += token
            .get("logprob")
            .and_then(Value::as_f64)
            .unwrap_or(f64::NAN);
        count += 1.0;
        (sum, count)
    };
    let mut rest = tokens.iter().rev();
    loop {
        let token = rest.next()?;
        let written = token.get("text").and_then(Value::as_str)?;
        text.insert_str(0, &written.replace(is_blank, ""));
        let scored = add(token);
        if text.len() > wanted.len() {
            return None;
        }
        if text != wanted || wanted.is_empty() {
            continue;
        }
        let before = rest.next().filter(|_| !written.starts_with(is_blank));
        let before = before.filter(|token| {
            let text = token.get("text").and_then(Value::as_str);
            text.is_some_and(|text| text.chars().all(is_blank) && !text.contains('\n'))
        });
        return Some(before.map_or(scored, add));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_at_the_end_are_the_options() {
        let tokens: Vec<Value> = [("Q:", -9.0), (" Why", -8.0), ("▁a", -1.0), ("ĠB", -0.5)]
            .iter()
            .map(|(text, logprob)| serde_json::json!({"text": text, "logprob": logprob}))
            .collect();
        assert_eq!(ending(&tokens, "a B"), Some((-1.5, 2.0)));
        assert_eq!(ending(&tokens, "B"), Some((-0.5, 1.0)));
        assert_eq!(ending(&tokens, "Why not"), None);
    }

    #[test]
    fn a_blank_that_is_a_token_is_one_of_the_options() {
        let of = |before: &[&str]| {
            let texts = [&["Q:", "\n"], before].concat();
            let tokens: Vec<Value> = texts
                .iter()
                .map(|text| serde_json::json!({"text": text, "logprob": -1.0}))
                .collect();
            ending(&tokens, "5 a").map(|(_, count)| count)
        };
        for (before, count) in [
            (&["▁", "5", "▁a"][..], 3.0),
            (&["", "5", "a"], 3.0),
            (&["▁5", "▁a"], 2.0),
            (&[" ", " 5", " a"], 2.0),
            (&["5", " a"], 2.0),
        ] {
            assert_eq!(of(before), Some(count), "{before:?}");
        }
    }
}
