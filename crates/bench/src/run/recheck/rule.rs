//! Decides whether a model has changed since it gave its cached answers.
//!
//! A question has *moved* if an option's log-probability differs from the cached one by more than
//! [`SLACK_NATS`] plus [`NOISE_FACTOR`] times the noise floor. The model has *changed* if at least
//! half of the questions, and at least [`MIN_QUESTIONS`], have moved. A changed top option does not
//! count, since noise swaps options that are close.
//!
//! The noise floor is the median difference between two rounds of new answers. It is measured only if
//! the first round looks like a change. A server that answers differently under load may show no
//! noise over twenty questions; the slack, two steps of a bfloat16 logit, allows for that.

use sureness_scorers::{OptionScores, ScoreError, http};

/// A difference that is always allowed.
const SLACK_NATS: f64 = 0.25;
/// Allowed multiples of the noise floor.
const NOISE_FACTOR: f64 = 3.0;
/// Minimum number of questions to decide on.
pub const MIN_QUESTIONS: usize = 5;

/// The outcome of asking a cached question again.
#[derive(Debug, Clone)]
pub(super) enum Reanswer {
    /// Scores.
    Scores(OptionScores),
    /// No option is among the top tokens any more, which is a change of the model's answer.
    NoOption,
    /// No answer, which does not count.
    Failed(ScoreError),
}

impl From<Result<OptionScores, ScoreError>> for Reanswer {
    fn from(outcome: Result<OptionScores, ScoreError>) -> Self {
        match outcome {
            Ok(scores) => Self::Scores(scores),
            Err(ScoreError::NoOptionSeen { .. }) => Self::NoOption,
            Err(error) => Self::Failed(error),
        }
    }
}

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Changed,
    /// Fewer than [`MIN_QUESTIONS`] questions could be compared.
    TooFew,
}

/// The decision and its figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// Questions that could be compared.
    pub(super) compared: usize,
    /// Of these, those that have moved.
    pub(super) moved: usize,
    /// The difference above which a question has moved.
    pub(super) threshold: f64,
    /// Noise floor, if two rounds were asked.
    pub(super) noise_floor: Option<f64>,
    /// The median difference from the cached answers. A question without any option seen counts as
    /// infinite.
    pub(super) median: f64,
    /// The largest difference.
    pub(super) largest: f64,
    /// Questions with another most probable option than before.
    pub(super) changed_top_options: usize,
}

/// Compares cached answers with one or two rounds of new ones, taking the closer round of each
/// question. Each round has one entry per cached answer.
pub(super) fn judge(cached: &[OptionScores], rounds: &[Vec<Reanswer>]) -> Finding {
    let mut differences = Vec::new();
    let mut noise = Vec::new();
    let mut changed_top_options = 0;
    for (question, before) in cached.iter().enumerate() {
        let now = rounds.iter().filter_map(|round| round.get(question));
        let now: Vec<&Reanswer> = now.collect();
        let before = Reanswer::Scores(before.clone());
        let moved: Option<Vec<f64>> = now.iter().map(|now| difference(&before, now)).collect();
        let Some(moved) = moved.filter(|moved| moved.len() == rounds.len()) else {
            continue;
        };
        if let [first, second] = now[..] {
            // Two rounds may each be comparable with the cached answer, but not with each other.
            let Some(apart) = difference(first, second) else {
                continue;
            };
            noise.push(apart);
        }
        differences.push(moved.into_iter().fold(f64::INFINITY, f64::min));
        changed_top_options += usize::from(
            now.first()
                .is_some_and(|now| top_option_changed(&before, now)),
        );
    }
    differences.sort_by(f64::total_cmp);
    noise.sort_by(f64::total_cmp);
    let noise_floor = noise.get(noise.len() / 2).copied();
    let threshold = SLACK_NATS + NOISE_FACTOR * noise_floor.unwrap_or(0.0);
    let compared = differences.len();
    let moved = differences.iter().filter(|d| **d > threshold).count();
    Finding {
        verdict: if compared < MIN_QUESTIONS {
            Verdict::TooFew
        } else if moved >= MIN_QUESTIONS && 2 * moved >= compared {
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

/// The largest difference of an option's log-probability between two answers; `None` if they cannot
/// be compared.
fn difference(a: &Reanswer, b: &Reanswer) -> Option<f64> {
    match (a, b) {
        (Reanswer::Scores(a), Reanswer::Scores(b)) => score_difference(a, b),
        (Reanswer::NoOption, Reanswer::NoOption) => Some(0.0),
        (Reanswer::Failed(_), _) | (_, Reanswer::Failed(_)) => None,
        (Reanswer::NoOption, _) | (_, Reanswer::NoOption) => Some(f64::INFINITY),
    }
}

/// The largest difference over the options. An option that only one answer observed has moved at
/// least as far as it lies above its bound in the other.
fn score_difference(a: &OptionScores, b: &OptionScores) -> Option<f64> {
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

fn top_option_changed(before: &Reanswer, now: &Reanswer) -> bool {
    match (before, now) {
        (Reanswer::Scores(before), Reanswer::Scores(now)) => {
            let rounds = [vec![before.clone()], vec![now.clone()]];
            http::noise_between(&rounds).changed_top_options > 0
        }
        _ => true,
    }
}

#[cfg(test)]
#[path = "rule/tests.rs"]
mod tests;
