//! What is asked for, and the answers so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::Scores;

use crate::Metric;

/// What to find out before asking ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Which model of each pair is better, or that they are equal within a margin.
    #[default]
    Settled,
    /// Whether the second model is no worse than the first by as much as a margin.
    Gate,
    /// The figures of each model, by intervals that are narrow enough.
    Width,
}

/// One model's scores on one task.
#[derive(Debug, Clone)]
pub struct TaskScores {
    /// In each strategy, with the same rows.
    pub strategies: Vec<Scores>,
    /// The threshold that each strategy was deployed with, a score or infinite; empty where coverage is
    /// not asked for.
    pub deployed: Vec<f64>,
    /// Questions of the whole task.
    pub of: usize,
}

/// What one model answered so far.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// Its tasks; figures are means over these.
    pub tasks: &'a [TaskScores],
    /// The questions asked so far, in order: the task and the row in it.
    pub asked: &'a [(usize, usize)],
}

impl Answers<'_> {
    /// The share of strategies in which the answer to the question asked at this place is right, or for
    /// coverage, in which its set at the deployed threshold covers.
    pub(crate) fn share(&self, metric: Metric, place: usize) -> f64 {
        let (task, row) = self.asked[place];
        let task = &self.tasks[task];
        let strategies = task.strategies.iter();
        let hits = if metric == Metric::Coverage {
            let deployed = strategies.zip(&task.deployed);
            deployed
                .filter(|(scores, threshold)| scores.covers_at(row, **threshold))
                .count()
        } else {
            strategies.filter(|scores| scores.correct(row)).count()
        };
        hits as f64 / task.strategies.len().max(1) as f64
    }
}

/// What is to be found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What ends the asking.
    pub goal: Goal,
    /// Probability that every verdict and every interval is right, at all times at once.
    pub confidence: f64,
    /// The figures, each with the difference below which models count as equal, the difference by which
    /// one may be worse, or the width of its interval from end to end.
    pub metrics: Vec<(Metric, Option<f64>)>,
    /// Error rate of prediction sets.
    pub alpha: f64,
    /// Questions of each task, asked or not.
    pub of: Vec<usize>,
}

/// Questions of the first rounds, and the part of those asked that each further round adds.
const FIRST_ROUND: usize = 10;
const ROUND: usize = 20;

impl Question {
    /// Questions of all tasks.
    pub fn total(&self) -> usize {
        self.of.iter().sum()
    }

    /// How much more a question of this task counts than one of all questions drawn alike, since
    /// figures are means over tasks of their own sizes.
    pub(crate) fn weight(&self, task: usize) -> f64 {
        self.total() as f64 / (self.of.len() * self.of[task].max(1)) as f64
    }

    /// The largest of these weights, at least 1.
    pub(crate) fn largest_weight(&self) -> f64 {
        let weights = (0..self.of.len()).map(|task| self.weight(task));
        weights.fold(1.0, f64::max)
    }

    /// The margin or width of a figure.
    pub(crate) fn bound(&self, metric: Metric) -> Option<f64> {
        let mut metrics = self.metrics.iter();
        metrics.find(|(it, _)| *it == metric)?.1
    }

    /// Number of questions to ask before the next look: rounds grow with what is asked.
    pub(crate) fn next_round(&self, seen: usize) -> usize {
        (seen + (seen / ROUND).max(FIRST_ROUND)).min(self.total())
    }
}
