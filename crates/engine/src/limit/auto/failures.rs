//! HTTP 5xx and broken connections since the last change of the limit.

use std::time::Duration;

use super::Sample;

/// Answers over which failures are counted.
const WINDOW: usize = 40;
/// A larger share of failures, with answers in between, is overload and not an outage.
const TOO_MANY: f64 = 0.12;
/// Most answers for which a failure pauses growth.
const LONGEST_PAUSE: usize = 8;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Failures {
    pub(super) count: usize,
    answers: usize,
    /// Answers to requests that were sent after the first failure: then it is not an outage.
    amid: usize,
    first: Duration,
    /// The lowest number in flight beside a failure.
    pub(super) lowest: usize,
    /// Answers until growth may go on.
    pause: usize,
    /// Share of failures while the limit is left alone.
    usual: f64,
}

impl Failures {
    /// Counts an answer; `true` if growth is not paused.
    pub(super) fn answered(&mut self, sample: &Sample, limit: usize) -> bool {
        self.answers += 1;
        if self.count > 0 && sample.started > self.first {
            self.amid += 1;
        }
        if self.answers >= WINDOW.max(limit) {
            let share = self.count as f64 / self.answers as f64;
            self.usual += 0.2 * (share.min(TOO_MANY) - self.usual);
            self.reset();
        }
        let paused = self.pause > 0;
        self.pause = self.pause.saturating_sub(1);
        !paused
    }

    /// Counts a failure; `true` if there are so many that the limit must be too high. While the
    /// limit is `growing`, fewer are enough.
    pub(super) fn failed(&mut self, sample: &Sample, limit: usize, growing: bool) -> bool {
        if self.count == 0 {
            self.first = sample.ended;
            self.lowest = sample.in_flight;
        }
        self.count += 1;
        self.lowest = self.lowest.min(sample.in_flight).max(1);
        self.pause = limit.min(LONGEST_PAUSE);
        let usual = self.usual * (self.answers + self.count) as f64;
        let count = self.count as f64;
        if growing {
            count >= 3.0 + 2.0 * usual + 3.0 * usual.sqrt() && self.lowest > limit / 2
        } else {
            count >= 5.0
                && count > TOO_MANY * self.answers as f64
                && count > 4.0 * usual
                && self.amid >= 2
        }
    }

    /// Begins anew, but for the usual share.
    pub(super) fn reset(&mut self) {
        *self = Self {
            usual: self.usual,
            ..Self::default()
        };
    }
}
