//! Whether a model answers as it did when its cached answers were given.
//!
//! A question has *moved* if an option's log-probability differs from the cached one by more than
//! [`SLACK`] nats plus [`FACTOR`] times the noise floor. The model has *changed* if at least half of
//! the questions, and at least [`LEAST`], have moved. Most probable options that swap places play
//! no part: where two are close, noise swaps them.
//!
//! The noise floor is how far the answers of now differ between two rounds: the median over the
//! questions. It is measured only where the first round looks like a change. A server that answers
//! differently under load may show no noise at all while it is asked twenty questions; that is what
//! the slack is for: two steps of a bfloat16 logit.

use sureness_scorers::{OptionScores, ScoreError, http};

/// In nats.
const SLACK: f64 = 0.25;
const FACTOR: f64 = 3.0;
/// Fewer questions say nothing.
pub const LEAST: usize = 5;

/// What came of asking a cached question again.
#[derive(Debug, Clone)]
pub(super) enum Again {
    /// Scores, as before.
    Scores(OptionScores),
    /// No option is among the most probable tokens any more. That is the model's answer too.
    NoOption,
    /// No answer, which says nothing about the model.
    Failed(ScoreError),
}

impl From<Result<OptionScores, ScoreError>> for Again {
    fn from(outcome: Result<OptionScores, ScoreError>) -> Self {
        match outcome {
            Ok(scores) => Self::Scores(scores),
            Err(ScoreError::NoOptionSeen { .. }) => Self::NoOption,
            Err(error) => Self::Failed(error),
        }
    }
}

/// What the answers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Changed,
    /// Fewer than [`LEAST`] questions could be compared.
    TooFew,
}

/// How far the answers have moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// Questions that could be compared.
    pub(super) compared: usize,
    /// Of these, those that have moved.
    pub(super) moved: usize,
    /// The difference above which a question has moved.
    pub(super) threshold: f64,
    /// Measured with two rounds.
    pub(super) noise_floor: Option<f64>,
    /// The median of the questions' differences from their cached answers. Infinite where no
    /// option was seen.
    pub(super) median: f64,
    /// The largest difference.
    pub(super) largest: f64,
    /// Questions with another most probable option than before.
    pub(super) changed_top_options: usize,
}

/// Compares cached answers with those of one round, or of two: then a question has moved only as
/// far as in the round that is closer. Each round has one entry per cached answer.
pub(super) fn judge(cached: &[OptionScores], rounds: &[Vec<Again>]) -> Finding {
    let mut differences = Vec::new();
    let mut noise = Vec::new();
    let mut changed_top_options = 0;
    for (question, before) in cached.iter().enumerate() {
        let now = rounds.iter().filter_map(|round| round.get(question));
        let now: Vec<&Again> = now.collect();
        let before = Again::Scores(before.clone());
        let moved: Option<Vec<f64>> = now.iter().map(|now| difference(&before, now)).collect();
        let Some(moved) = moved.filter(|moved| moved.len() == rounds.len()) else {
            continue;
        };
        if let [first, second] = now[..] {
            // What can be compared with the cached answer need not be comparable with each other.
            let Some(apart) = difference(first, second) else {
                continue;
            };
            noise.push(apart);
        }
        differences.push(moved.into_iter().fold(f64::INFINITY, f64::min));
        changed_top_options += usize::from(now.first().is_some_and(|now| swapped(&before, now)));
    }
    differences.sort_by(f64::total_cmp);
    noise.sort_by(f64::total_cmp);
    let noise_floor = noise.get(noise.len() / 2).copied();
    let threshold = SLACK + FACTOR * noise_floor.unwrap_or(0.0);
    let compared = differences.len();
    let moved = differences.iter().filter(|d| **d > threshold).count();
    Finding {
        verdict: if compared < LEAST {
            Verdict::TooFew
        } else if moved >= LEAST && 2 * moved >= compared {
            Verdict::Changed
        } else {
            Verdict::Same
        },
        compared,
        moved,
        threshold,
        noise_floor,
        median: differences.get(compared / 2).copied().unwrap_or(0.0),
        largest: differences.last().copied().unwrap_or(0.0),
        changed_top_options,
    }
}

/// The largest difference of an option's log-probability between two answers; `None` where they
/// say nothing about each other.
fn difference(a: &Again, b: &Again) -> Option<f64> {
    match (a, b) {
        (Again::Scores(a), Again::Scores(b)) => between(a, b),
        (Again::NoOption, Again::NoOption) => Some(0.0),
        (Again::Failed(_), _) | (_, Again::Failed(_)) => None,
        (Again::NoOption, _) | (_, Again::NoOption) => Some(f64::INFINITY),
    }
}

/// An option that only one of the answers observed is at most at its bound in the other, and so
/// has moved at least as far as it lies above that.
fn between(a: &OptionScores, b: &OptionScores) -> Option<f64> {
    let values = a.logprobs.iter().zip(&b.logprobs);
    let observed = a.observed.iter().zip(&b.observed);
    values
        .zip(observed)
        .filter_map(|((a, b), observed)| match observed {
            (true, true) => Some((a - b).abs()),
            (true, false) => Some((a - b).max(0.0)),
            (false, true) => Some((b - a).max(0.0)),
            (false, false) => None,
        })
        .filter(|difference| !difference.is_nan())
        .reduce(f64::max)
}

fn swapped(before: &Again, now: &Again) -> bool {
    match (before, now) {
        (Again::Scores(before), Again::Scores(now)) => {
            let rounds = [vec![before.clone()], vec![now.clone()]];
            http::Noise::between(&rounds).changed_top_options > 0
        }
        _ => true,
    }
}

#[cfg(test)]
#[path = "rule/tests.rs"]
mod tests;
