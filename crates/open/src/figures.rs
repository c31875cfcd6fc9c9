//! The figures of a task of open questions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::{Config, EvaluateError, Promises, Selective, selective_of};

use crate::{
    Meanings, OpenIntervals, OpenSets, SignIntervals, intervals, promise, sign_intervals,
    split_items,
};

/// Points of a risk-coverage curve.
const POINTS: usize = 20;

/// The answers to one question.
#[derive(Debug, Clone)]
pub struct Item {
    /// The question's content digest.
    pub key: [u8; 32],
    /// What the questions of a cluster share.
    pub cluster: [u8; 32],
    /// Its answers.
    pub meanings: Meanings,
}

impl Item {
    pub(crate) fn score(&self) -> f64 {
        self.meanings.score()
    }

    pub(crate) fn is_right(&self) -> bool {
        self.meanings.top().is_some_and(|top| top.accepted)
    }

    /// Frequency of the most frequent meaning; 0 without any.
    fn frequency(&self) -> f64 {
        let top = self.meanings.top();
        top.map_or(0.0, |top| self.meanings.frequency(top))
    }

    /// Length-normalised likelihood of the most frequent meaning.
    fn likelihood(&self) -> Option<f64> {
        Some(self.meanings.top()?.logprob?.exp())
    }

    /// The sign's value, larger where the model is surer. No meaning at all is the least sure.
    pub(crate) fn sureness(&self, sign: usize) -> f64 {
        match sign {
            _ if self.meanings.top().is_none() => f64::NEG_INFINITY,
            0 => self.frequency(),
            // Different frequencies may have one entropy, as 4, 1, 1, 1, 1, 1, 1 and 2, 2, 2, 2, 1, 1 of
            // ten: rounding errors must not order them.
            1 => -(self.meanings.entropy() * 1e9).round() / 1e9,
            2 => -(self.meanings.groups().len() as f64),
            _ => self.likelihood().unwrap_or(f64::NEG_INFINITY),
        }
    }
}

/// Signs of a right answer, in the order of [`Item::sureness`].
pub(crate) const SIGNS: [&str; 4] = ["frequency", "semantic_entropy", "meanings", "likelihood"];

/// Figures of one task. All but the threshold are of the test half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenFigures {
    /// Questions that set the threshold.
    pub n_calibration: usize,
    /// Questions that are measured.
    pub n_test: usize,
    /// Share of questions whose most frequent meaning is accepted.
    pub acc: f64,
    /// Mean share of accepted answers: how often one answer alone is right.
    pub one_answer_acc: f64,
    /// Share of questions to which an accepted answer was given at all.
    pub generated: f64,
    /// Mean frequency of the most frequent meaning.
    pub frequency: f64,
    /// Mean discrete semantic entropy, in nats.
    pub semantic_entropy: f64,
    /// Mean number of meanings.
    pub meanings: f64,
    /// Mean length-normalised likelihood of the most frequent meaning, exp of the mean log-probability of
    /// a token; `None` where the server gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<f64>,
    /// Conformal sets of answers.
    pub sets: OpenSets,
    /// How well each sign tells right from wrong (most frequent) answers.
    pub signs: Vec<Sign>,
    /// The most frequent meaning as an answer, given only where it is frequent enough; `None` in results
    /// of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promises: Option<Promises>,
    /// Intervals; `None` in results of earlier versions with few questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<OpenIntervals>,
}

/// A sign of a right answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sign {
    /// `frequency` of the most frequent meaning, `semantic_entropy` (small), number of `meanings` (small)
    /// or `likelihood`, length-normalised, of the most frequent meaning.
    pub name: String,
    /// Area under the ROC curve; `None` where all answers are right or all wrong.
    pub auroc: Option<f64>,
    /// Area under the risk-coverage curve.
    pub aurc: f64,
    /// Prediction rejection ratio (Malinin & Gales 2021): the part of a perfect ranking's gain over a
    /// random one. `None` as for `auroc`.
    pub prr: Option<f64>,
    /// The risk-coverage curve, at most 20 points.
    pub curve: Vec<SignPoint>,
    /// Intervals; missing where there are too few questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<SignIntervals>,
}

/// A point of a risk-coverage curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignPoint {
    /// Share of questions that are answered, the surest first.
    pub answered: f64,
    /// Share of these with a wrong answer.
    pub risk: f64,
}

impl Sign {
    fn of(name: &str, selective: &Selective) -> Self {
        let step = selective.curve.len().div_ceil(POINTS).max(1);
        let points = selective.curve.iter().rev().step_by(step);
        let mut curve: Vec<SignPoint> = points
            .map(|point| SignPoint {
                answered: point.answered,
                risk: point.risk,
            })
            .collect();
        curve.reverse();
        Self {
            name: name.to_owned(),
            auroc: selective.auroc,
            aurc: selective.aurc,
            prr: selective.prr(),
            curve,
            intervals: None,
        }
    }
}

/// The figures of a task, with intervals at a confidence `level` such as 0.95.
///
/// # Errors
///
/// If the settings are wrong or one half is empty.
pub fn evaluate(items: &[Item], config: &Config, level: f64) -> Result<OpenFigures, EvaluateError> {
    let split = split_items(items, config)?;
    let calibration = pick(items, &split.calibration);
    let test = pick(items, &split.test);
    let n = test.len() as f64;
    let mean = |of: fn(&Item) -> f64| test.iter().map(|item| of(item)).sum::<f64>() / n;
    let mut signs = signs(&test);
    sign_intervals::add(&mut signs, &test, level);
    Ok(OpenFigures {
        n_calibration: calibration.len(),
        n_test: test.len(),
        acc: mean(|item| f64::from(u8::from(item.is_right()))),
        one_answer_acc: mean(|item| item.meanings.share_accepted()),
        generated: mean(|item| f64::from(u8::from(item.meanings.is_generated()))),
        frequency: mean(Item::frequency),
        semantic_entropy: mean(|item| item.meanings.entropy()),
        meanings: mean(|item| item.meanings.groups().len() as f64),
        likelihood: has_likelihoods(&test).then(|| mean(|it| it.likelihood().unwrap_or(0.0))),
        sets: OpenSets::of(&calibration, &test, config.alpha),
        signs,
        promises: Some(promise::of(&calibration, &test, config.alpha)),
        intervals: Some(intervals::of(&calibration, &test, config, level)),
    })
}

/// Whether each most frequent meaning has a likelihood, and there is one.
fn has_likelihoods(items: &[&Item]) -> bool {
    let mut top = items
        .iter()
        .filter(|item| item.meanings.top().is_some())
        .peekable();
    top.peek().is_some() && top.all(|item| item.likelihood().is_some())
}

/// How well each sign tells right from wrong answers, over all of these questions.
pub fn signs(items: &[&Item]) -> Vec<Sign> {
    let sign = |(index, name): (usize, &&str)| {
        let answers = items.iter().map(|it| (it.sureness(index), it.is_right()));
        selective_of(answers).map(|selective| Sign::of(name, &selective))
    };
    let known = if has_likelihoods(items) { 4 } else { 3 };
    SIGNS
        .iter()
        .take(known)
        .enumerate()
        .filter_map(sign)
        .collect()
}

fn pick<'a>(items: &'a [Item], rows: &[usize]) -> Vec<&'a Item> {
    rows.iter().map(|&row| &items[row]).collect()
}
