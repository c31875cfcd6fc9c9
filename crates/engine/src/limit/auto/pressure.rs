//! Lowering the limit when the server asks for less, and the way back up.

use super::super::meter::round_size;
use super::super::{Outcome, Sample};
use super::{Auto, Mode};

/// A cut leaves this share of the limit.
const CUT: f64 = 0.8;

impl Auto {
    pub(super) fn throttled(&mut self, sample: &Sample) {
        if !self.refusals.throttled(sample, &self.progress) {
            return;
        }
        // A refusal names the number that was too high; a timeout does not.
        let refused = match sample.outcome {
            Outcome::Throttled => sample.in_flight,
            _ => self.limit,
        };
        self.refusals.ceiling = Some(refused.clamp(1, self.limit + 1));
        self.cut(refused);
    }

    pub(super) fn failed(&mut self, sample: &Sample) {
        let growing = match &self.mode {
            Mode::SlowStart(_) | Mode::Climb { .. } => true,
            Mode::Probe(probe) => probe.is_upwards(),
            Mode::Hold { fallback } => fallback.is_some_and(|good| good < self.limit),
        };
        let overload = self.failures.failed(sample, self.limit, growing);
        if overload && sample.started >= self.refusals.cut_at {
            self.refusals.suspect(self.failures.count, &self.progress);
            self.cut(self.failures.lowest);
            self.refusals.ceiling = Some(self.limit + 1);
        }
    }

    /// Goes below the number that the server refused.
    fn cut(&mut self, refused: usize) {
        let limit = self.limit;
        let below = refused
            .saturating_sub(1)
            .min(limit.saturating_sub(1))
            .max(1);
        let sixteenth = limit.div_ceil(16);
        self.refusals.cut_at = self.progress.now;
        let quiet = self.progress.answers - self.refusals.cut_after;
        match self.mode {
            // Growing found the edge: the limits just below it went well a moment ago.
            Mode::SlowStart(_) => {
                self.hold(below.max(limit / 2), Some(limit.div_ceil(2)));
            }
            Mode::Probe(probe) if probe.is_upwards() => {
                let next = below.max(probe.from);
                self.hold(next, (next != probe.from).then_some(probe.from));
            }
            Mode::Climb { good, .. } if good < limit => self.hold(below.max(good), None),
            // So it was too high after all.
            Mode::Hold {
                fallback: Some(good),
            } if good < limit => {
                self.hold(good.max(limit - sixteenth), Some(good));
            }
            // One refusal after a long time without is an edge brushed, not a server that shrank.
            Mode::Hold { .. } if quiet > (8 * round_size(limit)) as u64 => {
                self.hold(limit - sixteenth.min(limit - 1), None);
            }
            _ => {
                let good = ((limit as f64 * CUT) as usize).max(1);
                self.hold(good, None);
                self.mode = Mode::Climb {
                    good,
                    left: 2 * round_size(good),
                };
            }
        }
        self.refusals.cut_after = self.progress.answers;
    }

    /// Goes half of the way back to the number that was refused, after a round that went well.
    pub(super) fn climb(&mut self) {
        let ceiling = self.refusals.ceiling;
        let top = ceiling.map_or(self.limit, |c| c.saturating_sub(1));
        let top = top.min(self.max);
        if self.limit >= top {
            self.hold(self.limit, None);
            return;
        }
        let good = self.limit;
        self.limit += (top - good).div_ceil(2);
        self.mode = Mode::Climb {
            good,
            left: round_size(self.limit),
        };
    }
}
