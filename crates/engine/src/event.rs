//! What a run tells while it goes, and at its end.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sureness_scorers::ScoreError;

/// Something that happened. Sent to the observer from many threads.
#[derive(Debug, Clone)]
pub enum Event {
    /// So many of a group's questions were answered in an earlier run.
    Cached {
        /// Index of the group.
        group: usize,
        /// How many.
        count: usize,
    },
    /// A batch was sent.
    Sent {
        /// Index of the group.
        group: usize,
        /// Questions in it.
        count: usize,
    },
    /// A batch's attempt is over; its questions are no longer in flight.
    Returned {
        /// Index of the group.
        group: usize,
        /// Questions in it.
        count: usize,
        /// Attempt number, from 1.
        attempt: u32,
        /// How long this attempt took.
        took: Duration,
    },
    /// A question was answered.
    Answered {
        /// Index of the group.
        group: usize,
    },
    /// A question is given up.
    Failed {
        /// Index of the group.
        group: usize,
        /// Why.
        error: ScoreError,
    },
    /// Questions will be asked again.
    Retrying {
        /// Index of the group.
        group: usize,
        /// How many.
        count: usize,
        /// How long we wait first.
        wait: Duration,
        /// Why.
        error: ScoreError,
    },
}

/// How one group went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Questions planned.
    pub planned: usize,
    /// Known from an earlier run, or the same as another question of this one.
    pub cached: usize,
    /// Answered now.
    pub answered: usize,
    /// Given up.
    pub failed: usize,
    /// Attempts beyond the first, counted per question.
    pub retried: usize,
    /// From this group's first request to its last answer.
    pub elapsed: Duration,
}

/// How a run went.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// One per group of the plan.
    pub groups: Vec<GroupSummary>,
    /// Wall-clock time of the asking.
    pub elapsed: Duration,
    /// Prompt tokens of the answers, as far as the backend reports them.
    pub prompt_tokens: u64,
    /// Of these, tokens taken from a prefix cache.
    pub cached_tokens: u64,
    /// Why the run ended early, if it did.
    pub stop: Option<Stop>,
}

impl Summary {
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

/// Why a run ended before everything was asked. What was answered is kept in every case.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Stop {
    /// Someone asked it to.
    #[error("interrupted")]
    Interrupted,
    /// Every further request would fail in the same way.
    #[error("{0}")]
    Fatal(ScoreError),
    /// Answers can no longer be kept.
    #[error("cannot keep answers: {0}")]
    Sink(String),
}
