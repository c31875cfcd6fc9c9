//! How far the run is, and how far a probe of another limit.

use std::time::Duration;

use super::super::meter::Measurement;
use super::Sample;

/// Answers over which a lesson is assumed to be of use: as many as there were, within these
/// bounds, since a server changes; and never more than are still to come.
const FEWEST_AHEAD: f64 = 64.0;
const MOST_AHEAD: f64 = 800.0;
/// A look upwards ends early when, after the time in which so many times its limit should have
/// been answered, less than this share was.
const PATIENCE: f64 = 1.25;
const FUTILE: f64 = 0.8;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) now: Duration,
    /// Answers so far.
    pub(super) answers: u64,
    /// Answers when the search began: at the start, or when the server changed.
    began_after: u64,
    /// Attempts still to come, where that is known.
    left: Option<usize>,
}

impl Progress {
    pub(super) fn advance(&mut self, sample: &Sample) {
        self.now = self.now.max(sample.ended);
        self.left = sample.left;
    }

    /// Begins the search anew.
    pub(super) fn restart(&mut self) {
        self.began_after = self.answers;
    }

    /// Answers for which something learned about this limit is likely to be of use.
    pub(super) fn ahead(&self, limit: usize) -> f64 {
        let so_far = (self.answers - self.began_after) as f64;
        so_far
            .clamp(FEWEST_AHEAD, MOST_AHEAD.max(8.0 * limit as f64))
            .min(self.left.map_or(f64::INFINITY, |left| left as f64))
    }
}

/// The way to another limit, and a round there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    pub(super) from: usize,
    pub(super) target: usize,
    pub(super) began: Duration,
    /// Answers since.
    pub(super) answers: f64,
}

impl Probe {
    pub(super) fn is_upwards(&self) -> bool {
        self.target > self.from
    }

    pub(super) fn seconds(&self, now: Duration) -> f64 {
        now.saturating_sub(self.began).as_secs_f64()
    }

    /// Whether the server has become so much slower than `before` on the way up that there is no
    /// need to wait for a round: more in flight may take a while to bring more answers, but must
    /// not bring fewer.
    pub(super) fn is_futile(&self, before: Option<Measurement>, now: Duration) -> bool {
        let Some(before) = before else { return false };
        let expected = before.count / before.seconds.max(1e-9) * self.seconds(now);
        // Work that has begun on the added requests has brought no answer yet.
        let begun = (self.target - self.from) as f64;
        expected > PATIENCE * self.target as f64
            && self.answers + begun + expected.sqrt() < FUTILE * expected
    }
}
