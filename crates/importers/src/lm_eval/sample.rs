//! One line of a samples file.

use serde::Deserialize;
use serde_json::Value;
use sureness_questions::RightOptions;

use super::target::Target;
use crate::error::{Fault, Problem};
use crate::json::describe;
use crate::likelihood::{Likelihoods, Normalise, Rule, top};

/// The fields of a line that are read.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) doc_id: Option<Value>,
    #[serde(default)]
    pub(super) doc: Value,
    #[serde(default)]
    target: Value,
    #[serde(default)]
    arguments: Value,
    #[serde(default)]
    resps: Value,
    #[serde(default)]
    filtered_resps: Value,
    pub(super) filter: Option<String>,
    pub(super) doc_hash: Option<String>,
    #[serde(default)]
    acc: Value,
    #[serde(default)]
    acc_norm: Value,
    #[serde(default)]
    acc_bytes: Value,
    #[serde(default)]
    acc_mutual_info: Value,
}

/// The rule by which the harness counts a line as correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    /// The highest log-likelihood.
    Acc,
    /// The highest log-likelihood per character.
    AccNorm,
    /// The highest log-likelihood per byte.
    AccBytes,
    /// The highest log-likelihood less that of the option without the question.
    AccMutualInfo,
}

impl Metric {
    /// All of them, those that say most about the scores first.
    const ALL: [Self; 4] = [
        Self::Acc,
        Self::AccNorm,
        Self::AccBytes,
        Self::AccMutualInfo,
    ];

    /// The harness's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Acc => "acc",
            Self::AccNorm => "acc_norm",
            Self::AccBytes => "acc_bytes",
            Self::AccMutualInfo => "acc_mutual_info",
        }
    }

    /// What it compares. The harness counts an option without the blank before it.
    pub(super) fn rule(self) -> Rule {
        match self {
            Self::Acc => Rule::Sum,
            Self::AccNorm => Rule::Chars,
            Self::AccBytes => Rule::Bytes,
            Self::AccMutualInfo => Rule::Unconditioned,
        }
    }
}

/// A line as a multiple-choice question.
#[derive(Debug)]
pub(super) struct Sample {
    /// Log-likelihood of each option.
    pub(super) likelihoods: Likelihoods,
    /// The continuations, as the model read them; empty where the options are in the prompts.
    pub(super) continuations: Vec<String>,
    /// The right option.
    pub(super) target: Target,
    /// Whether the harness counts it as correct, by each rule that can be applied again; the one that
    /// decides first. Empty where it counts a share.
    pub(super) verdicts: Vec<(Metric, bool)>,
    /// The probability of the right options together, as the harness states it in `truthfulqa_mc2`.
    pub(super) share: Option<f64>,
}

impl Sample {
    /// The rule that decides. The share of probability stands in the field of accuracy.
    pub(super) fn metric(&self) -> Option<Metric> {
        let verdict = self.verdicts.first().map(|(metric, _)| *metric);
        verdict.or(self.share.map(|_| Metric::Acc))
    }

    /// Whether the harness counts it as correct by that rule.
    pub(super) fn correct(&self) -> Option<bool> {
        self.verdicts.first().map(|(_, correct)| *correct)
    }

    /// The option that the harness counts as the model's answer: the first of the best.
    pub(super) fn judged_top(&self) -> usize {
        self.top_by(self.metric().unwrap_or(Metric::Acc))
    }

    /// The same by another rule.
    pub(super) fn top_by(&self, metric: Metric) -> usize {
        self.likelihoods
            .by(metric.rule())
            .map_or(0, |values| top(&values))
    }
}

/// A prompt and the continuation whose log-likelihood was asked for.
struct Request<'a> {
    context: Option<&'a str>,
    continuation: Option<&'a str>,
}

impl Request<'_> {
    /// The option as the harness measures it; a blank or a line break before it delimits it from the
    /// prompt.
    fn option(&self) -> Option<String> {
        let text = self.continuation?;
        Some(text.strip_prefix([' ', '\n']).unwrap_or(text).to_owned())
    }
}

impl Line {
    /// Checks the line and reads it as a multiple-choice question.
    pub(super) fn read(&self, id: &str, normalise: Normalise) -> Result<Sample, Fault> {
        let mut scores = self.scores()?;
        let mut requests = self.requests();
        let unconditional = drop_unconditional(&mut scores, &mut requests);
        let fault = |problem: Problem| problem.of_question(id).field("resps");
        let options = scores.len();
        let mut likelihoods = Likelihoods::new(scores.clone()).map_err(fault)?;
        let texts: Vec<String> = requests.iter().filter_map(Request::option).collect();
        // Where the options are in the prompts, the continuations say nothing of their lengths.
        if texts.len() == options && !has_options_in_prompts(&requests) {
            likelihoods = likelihoods.of_texts(&texts);
        }
        if let Some(others) = unconditional {
            let values = scores.iter().zip(others).map(|(sum, other)| sum - other);
            likelihoods = likelihoods
                .with(Rule::Unconditioned, values.collect())
                .map_err(fault)?;
        }
        let continuations: Vec<String> = requests
            .iter()
            .filter_map(|request| Some(request.continuation?.trim().to_owned()))
            .collect();
        if let Some((right, share)) = self.several(&continuations)? {
            return Ok(Sample {
                likelihoods,
                continuations,
                target: Target::known(right),
                verdicts: Vec::new(),
                share,
            });
        }
        let mut verdicts = self.verdicts(normalise)?;
        verdicts.retain(|(metric, _)| likelihoods.by(metric.rule()).is_some());
        let (continuations, target) = if has_options_in_prompts(&requests) {
            let correct = verdicts.iter().find(|(metric, _)| *metric == Metric::Acc);
            let correct = correct.map(|(_, correct)| *correct);
            (Vec::new(), by_outcome(&scores, correct)?)
        } else if continuations.len() == options {
            let target = Target::read(&self.target, &continuations, options)?;
            (continuations, target)
        } else {
            (Vec::new(), Target::read(&self.target, &[], options)?)
        };
        Ok(Sample {
            likelihoods,
            continuations,
            target,
            verdicts,
            share: None,
        })
    }

    /// The right options of `truthfulqa_mc2` and the harness's figure, the share of probability that
    /// they have together. `None` for a line of another task, such as `truthfulqa_mc1` on the same
    /// question.
    fn several(
        &self,
        continuations: &[String],
    ) -> Result<Option<(RightOptions, Option<f64>)>, Fault> {
        let is_list = |target: &str| {
            let choices = self.doc.pointer(&format!("/{target}/choices"));
            let choices = choices.and_then(Value::as_array);
            choices.is_some_and(|choices| {
                let texts = choices.iter().map(|choice| choice.as_str().map(str::trim));
                texts.eq(continuations.iter().map(|text| Some(text.as_str())))
            })
        };
        let share = match &self.acc {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        };
        let is_verdict = share.is_none_or(|share| share.fract() == 0.0);
        if !is_list("mc2_targets") || (is_verdict && is_list("mc1_targets")) {
            return Ok(None);
        }
        let labels = self.doc.pointer("/mc2_targets/labels");
        let labels = labels
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let right = labels.iter().enumerate();
        let right = right.filter(|(_, label)| label.as_f64() == Some(1.0));
        let right = RightOptions::of(right.map(|(option, _)| option));
        match right.filter(|right| right.last() < continuations.len()) {
            Some(right) => Ok(Some((right, share))),
            None => Err(Problem::NoAnswer.field("doc.mc2_targets.labels")),
        }
    }

    /// Log-likelihoods, one per request.
    fn scores(&self) -> Result<Vec<f64>, Fault> {
        let (field, list) = match (&self.filtered_resps, &self.resps) {
            (Value::Array(list), _) => ("filtered_resps", list),
            (_, Value::Array(list)) => ("resps", list),
            (Value::Null, Value::Null) => return Err(Problem::Missing.field("resps")),
            (Value::Null, other) | (other, _) => {
                let (expected, found) = ("a list", describe(other));
                return Err(Problem::Type { expected, found }.field("resps"));
            }
        };
        let scores = list.iter().map(score).collect::<Result<_, _>>();
        scores.map_err(|problem| problem.field(field))
    }

    /// The first prompt.
    pub(super) fn prompt(&self) -> Option<&str> {
        self.requests().first()?.context
    }

    /// Prompts and continuations in the order of the options. Older versions write a list of
    /// pairs, newer ones an object of objects.
    fn requests(&self) -> Vec<Request<'_>> {
        match &self.arguments {
            Value::Array(list) => list
                .iter()
                .map(|pair| Request {
                    context: pair.get(0).and_then(Value::as_str),
                    continuation: pair.get(1).and_then(Value::as_str),
                })
                .collect(),
            Value::Object(requests) => (0..requests.len())
                .map_while(|index| requests.get(&format!("gen_args_{index}")))
                .map(|pair| Request {
                    context: pair.get("arg_0").and_then(Value::as_str),
                    continuation: pair.get("arg_1").and_then(Value::as_str),
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The verdicts, first that of the rule that the scores are normalised by, or else of `acc`, or of
    /// the next that is there.
    fn verdicts(&self, normalise: Normalise) -> Result<Vec<(Metric, bool)>, Fault> {
        let own = |metric: &Metric| !normalise.rules().contains(&metric.rule());
        let mut metrics = Metric::ALL;
        metrics.sort_by_key(own);
        let mut verdicts = Vec::new();
        for metric in metrics {
            let value = match metric {
                Metric::Acc => &self.acc,
                Metric::AccNorm => &self.acc_norm,
                Metric::AccBytes => &self.acc_bytes,
                Metric::AccMutualInfo => &self.acc_mutual_info,
            };
            if value.is_null() {
                continue;
            }
            match verdict(metric, value) {
                Ok(correct) => verdicts.push((metric, correct)),
                // The others are only compared.
                Err(fault) if verdicts.is_empty() => return Err(fault),
                Err(_) => {}
            }
        }
        Ok(verdicts)
    }
}

fn verdict(metric: Metric, value: &Value) -> Result<bool, Fault> {
    let number = match value {
        Value::Bool(correct) => Some(f64::from(u8::from(*correct))),
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    match number {
        Some(1.0) => Ok(true),
        Some(0.0) => Ok(false),
        // The probability of all right options, as in truthfulqa_mc2.
        Some(share) => {
            let share = format!("the harness counts a share of {share}");
            Err(Problem::SeveralAnswers(share).field(metric.name()))
        }
        None => {
            let (expected, found) = ("0 or 1", describe(value));
            Err(Problem::Type { expected, found }.field(metric.name()))
        }
    }
}

/// The log-likelihood in `[value, is_greedy]`, which may lie in a list of repeats.
fn score(response: &Value) -> Result<f64, Problem> {
    let pair = response.as_array().ok_or(Problem::Generation)?;
    let first = match pair.first() {
        Some(Value::Array(repeat)) => repeat.first(),
        other if pair.len() == 2 => other,
        _ => None,
    };
    match first {
        Some(Value::Number(number)) => number.as_f64().ok_or(Problem::Generation),
        Some(Value::String(text)) => text.trim().parse().map_err(|_| Problem::Generation),
        // NaN or infinite in Python.
        Some(Value::Null) => Ok(f64::NAN),
        _ => Err(Problem::Generation),
    }
}

/// Takes the second half away if it repeats the continuations after an empty prompt, as the metric
/// `acc_mutual_info` does.
fn drop_unconditional(scores: &mut Vec<f64>, requests: &mut Vec<Request<'_>>) -> Option<Vec<f64>> {
    let half = requests.len() / 2;
    let is_empty = |request: &Request<'_>| request.context == Some("");
    let (first, second) = requests.split_at(half);
    let doubled = half > 0
        && scores.len() == requests.len()
        && first.len() == second.len()
        && second.iter().all(is_empty)
        && !first.iter().any(is_empty);
    doubled.then(|| {
        requests.truncate(half);
        scores.split_off(half)
    })
}

/// Whether the prompts contain the options and share one continuation.
fn has_options_in_prompts(requests: &[Request<'_>]) -> bool {
    let Some((first, others)) = requests.split_first() else {
        return false;
    };
    let same = |request: &Request<'_>| request.continuation == first.continuation;
    let differs = |request: &Request<'_>| request.context != first.context;
    !others.is_empty() && others.iter().all(same) && others.iter().any(differs)
}

/// The right option if the prompts contain the options, so that `target` is the common continuation.
/// Of two options, the harness's verdict on the top one decides.
fn by_outcome(scores: &[f64], correct: Option<bool>) -> Result<Target, Fault> {
    let ([first, second], Some(correct)) = (scores, correct) else {
        return Err(Problem::NoAnswer.field("target"));
    };
    let top = usize::from(second > first);
    let right = if correct { top } else { 1 - top };
    Ok(Target {
        text: None,
        ..Target::known(right.into())
    })
}
