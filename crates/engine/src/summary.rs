//! Summary of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sureness_scorers::ScoreError;

use crate::histogram::Quantiles;

/// Summary of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Questions planned.
    pub planned: usize,
    /// Cached answers, and duplicates of another question of this run.
    pub cached: usize,
    /// Answered now.
    pub answered: usize,
    /// Failed for good.
    pub failed: usize,
    /// Attempts beyond the first, counted per question.
    pub retried: usize,
    /// From this group's first request to its last answer.
    pub elapsed: Duration,
}

impl GroupSummary {
    /// What `next` found cached includes what was answered before; what failed before was asked again.
    fn then(&self, next: &Self) -> Self {
        Self {
            planned: next.planned,
            cached: next.cached.saturating_sub(self.answered),
            answered: self.answered + next.answered,
            failed: next.failed,
            retried: self.retried + next.retried,
            elapsed: self.elapsed + next.elapsed,
        }
    }
}

/// Summary of one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSummary {
    /// Its concurrency limit at the end.
    pub limit: usize,
    /// The most requests that were in flight at once.
    pub peak: usize,
    /// Requests sent.
    pub requests: u64,
    /// Questions it answered.
    pub answered: u64,
    /// Requests without any answer.
    pub failed: u64,
    /// Of these, those it throttled (HTTP 429).
    pub throttled: u64,
    /// How often it was down.
    pub outages: u64,
    /// Answers without log-probabilities, of any kind.
    #[serde(default)]
    pub without_logprobs: u64,
    /// The error that took it out of the run.
    pub lost: Option<ScoreError>,
}

impl EndpointSummary {
    fn then(&self, next: &Self) -> Self {
        Self {
            limit: next.limit,
            peak: self.peak.max(next.peak),
            requests: self.requests + next.requests,
            answered: self.answered + next.answered,
            failed: self.failed + next.failed,
            throttled: self.throttled + next.throttled,
            outages: self.outages + next.outages,
            without_logprobs: self.without_logprobs + next.without_logprobs,
            lost: next.lost.clone(),
        }
    }
}

/// Where the time went, per answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// From being next in line, or due again, to being sent.
    pub waiting: Quantiles,
    /// Opening a connection; zero where one was open.
    pub connecting: Quantiles,
    /// From the request's first byte to the answer's last.
    pub server: Quantiles,
    /// Reading the scores from the answer.
    pub parsing: Quantiles,
    /// From the answer to its commit in the store.
    pub storing: Quantiles,
}

/// Summary of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// One per group of the plan.
    pub groups: Vec<GroupSummary>,
    /// Wall-clock time from the first request to the last answer.
    pub elapsed: Duration,
    /// Where the time went.
    pub phases: Phases,
    /// Prompt tokens of the answers, as far as the backend reports them.
    pub prompt_tokens: u64,
    /// Of these, tokens taken from a prefix cache.
    pub cached_tokens: u64,
    /// Tokens of answers in words, where the backend counts them.
    pub answer_tokens: u64,
    /// The reason, if the run ended early.
    pub stop: Option<Stop>,
    /// One per endpoint.
    pub endpoints: Vec<EndpointSummary>,
}

impl Summary {
    /// The summary of this run and of one that continued it with more of the same plan. Phases are those of
    /// the part with more answers, since quantiles do not add up.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        let larger = next.total().answered > self.total().answered;
        for (group, next) in self.groups.iter_mut().zip(&next.groups) {
            *group = group.then(next);
        }
        for (endpoint, next) in self.endpoints.iter_mut().zip(&next.endpoints) {
            *endpoint = endpoint.then(next);
        }
        Self {
            elapsed: self.elapsed + next.elapsed,
            phases: if larger { next.phases } else { self.phases },
            prompt_tokens: self.prompt_tokens + next.prompt_tokens,
            cached_tokens: self.cached_tokens + next.cached_tokens,
            answer_tokens: self.answer_tokens + next.answer_tokens,
            stop: next.stop,
            ..self
        }
    }

    /// The sum over all groups; `elapsed` is the run's.
    pub fn total(&self) -> GroupSummary {
        let mut total = GroupSummary {
            elapsed: self.elapsed,
            ..GroupSummary::default()
        };
        for g in &self.groups {
            total.planned += g.planned;
            total.cached += g.cached;
            total.answered += g.answered;
            total.failed += g.failed;
            total.retried += g.retried;
        }
        total
    }
}

/// Why a run ended early. All answers so far are saved in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Cancelled from outside.
    #[error("interrupted")]
    Interrupted,
    /// Every further request would fail in the same way.
    #[error("{0}")]
    Fatal(ScoreError),
    /// No endpoint came back in time.
    #[error("gave up after {} s without an endpoint: {error}", after.as_secs())]
    GaveUp {
        /// How long none was up.
        after: Duration,
        /// The last endpoint's error.
        error: ScoreError,
    },
    /// Answers can no longer be saved.
    #[error("cannot save answers: {0}")]
    Sink(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_part_counts_once_what_the_first_has_answered() {
        let part = |planned, cached, answered, failed| Summary {
            groups: vec![GroupSummary {
                planned,
                cached,
                answered,
                failed,
                ..GroupSummary::default()
            }],
            ..Summary::default()
        };
        // Of 100, 20 were there; of 150, 20 were there, 79 were answered before, and one fails no more.
        let both = part(100, 20, 79, 1).then(part(150, 99, 51, 0)).total();
        let counts = (both.planned, both.cached, both.answered, both.failed);
        assert_eq!(counts, (150, 20, 130, 0));
    }
}
