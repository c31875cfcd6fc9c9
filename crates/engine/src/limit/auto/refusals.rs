//! The numbers in flight that the server refuses, and for how long that holds.

use std::time::Duration;

use super::progress::Progress;
use super::{Outcome, Sample};

/// After so long a refusal no longer holds: the server may have grown since.
const FORGIVEN_AFTER: Duration = Duration::from_secs(40);
/// Answers for each rejection that a look upwards has cost, before the next one…
const ANSWERS_PER_REJECTION: u64 = 120;
/// …and for each 5xx at the first suspicion of overload. It doubles with each further one.
const FIRST_SUSPICION: u64 = 20;
const MOST_SUSPICIONS: u32 = 3;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refusals {
    /// The lowest number in flight that the server refused lately.
    pub(super) ceiling: Option<usize>,
    /// When the limit was last cut. Attempts sent before ran under a higher one.
    pub(super) cut_at: Duration,
    /// Answers at that time.
    pub(super) cut_after: u64,
    /// The last refusal, and how many answers there must be before the next look upwards.
    at: Duration,
    answers_needed: u64,
    /// Suspicions of overload by 5xx since a higher limit went well.
    suspicions: u32,
}

impl Refusals {
    /// Notes a 429 or timeout; `false` if it belongs to an episode that has cut the limit already.
    pub(super) fn throttled(&mut self, sample: &Sample, progress: &Progress) -> bool {
        self.at = progress.now;
        self.answers_needed = self.answers_needed.max(progress.answers) + ANSWERS_PER_REJECTION;
        let new = sample.started >= self.cut_at;
        if !new && sample.outcome == Outcome::Throttled {
            self.ceiling = self.ceiling.map(|c| c.min(sample.in_flight.max(1)));
        }
        new
    }

    /// Notes that so many failures look like overload.
    pub(super) fn suspect(&mut self, failures: usize, progress: &Progress) {
        self.at = progress.now;
        self.answers_needed =
            progress.answers + (FIRST_SUSPICION << self.suspicions) * failures as u64;
        self.suspicions = (self.suspicions + 1).min(MOST_SUSPICIONS);
    }

    /// A round at this limit went well.
    pub(super) fn went_well(&mut self, limit: usize) {
        if self.ceiling.is_some_and(|ceiling| limit >= ceiling) {
            self.ceiling = None;
            self.suspicions = 0;
        }
    }

    /// The highest limit up to `max` that the server is not known to refuse.
    pub(super) fn top(&self, max: usize, progress: &Progress) -> usize {
        let forgiven =
            progress.answers >= self.answers_needed || progress.now >= self.at + FORGIVEN_AFTER;
        match self.ceiling {
            Some(ceiling) if !forgiven => (ceiling - 1).clamp(1, max),
            Some(ceiling) => (ceiling + ceiling.div_ceil(2)).min(max),
            None => max,
        }
    }
}
