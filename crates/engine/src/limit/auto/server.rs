//! The server's hints, and what bears on them.

use super::{Hints, Sample, Serving};

/// Requests should not wait longer than this share of their timeout, or so many times the shortest
/// latency, whichever is more.
const WITHIN_TIMEOUT: f64 = 0.3;
const SLOW_ANYWAY: f64 = 3.0;
/// Answers that warming a slot's cache costs: with five few-shot examples it took nine times as
/// long as a question on two cores.
const COLD_SLOT: f64 = 8.0;

#[derive(Debug, Clone, Copy)]
pub(super) struct Server {
    pub(super) hints: Hints,
    /// The shortest latency so far, in seconds.
    pub(super) quickest: f64,
    /// The highest limit so far.
    pub(super) widest: usize,
}

impl Server {
    pub(super) fn answered(&mut self, sample: &Sample, limit: usize) {
        self.widest = self.widest.max(limit);
        self.quickest = self.quickest.min(sample.latency());
    }

    /// How long a request should wait at most, in seconds: well within its timeout, unless the
    /// server is as slow without a crowd.
    pub(super) fn patience(&self) -> f64 {
        let timeout = self.hints.timeout;
        let timeout = timeout.map_or(f64::INFINITY, |t| t.as_secs_f64());
        (timeout * WITHIN_TIMEOUT).max(SLOW_ANYWAY * self.quickest)
    }

    /// Cost of warming the caches that this limit would use for the first time, in answers.
    pub(super) fn warming(&self, limit: usize) -> f64 {
        match self.hints.serving {
            Serving::Slots => COLD_SLOT * limit.saturating_sub(self.widest) as f64,
            Serving::Unknown | Serving::Steps => 0.0,
        }
    }
}
