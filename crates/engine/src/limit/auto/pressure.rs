//! When the server asks for less.

use super::super::meter::round_size;
use super::super::{Outcome, Sample};
use super::{Auto, Mode, TOO_MANY};

/// A cut leaves this share of the limit.
const CUT: f64 = 0.8;
/// Answers to be had for each rejection that a look upwards has cost, before the next one…
const ANSWERS_PER_REJECTION: u64 = 120;
/// …and for each 5xx at the first suspicion of overload. It doubles with each further one.
const FIRST_SUSPICION: u64 = 20;

impl Auto {
    pub(super) fn throttled(&mut self, sample: &Sample) {
        self.rejected_at = self.now;
        self.answers_needed = self.answers_needed.max(self.answers) + ANSWERS_PER_REJECTION;
        if sample.started < self.cut_at {
            if sample.outcome == Outcome::Throttled {
                self.ceiling = self.ceiling.map(|c| c.min(sample.in_flight.max(1)));
            }
            return;
        }
        // A refusal names the number that was too high; a timeout does not.
        let refused = match sample.outcome {
            Outcome::Throttled => sample.in_flight,
            _ => self.limit,
        };
        self.cut(refused, true);
    }

    fn cut(&mut self, refused: usize, asked: bool) {
        let limit = self.limit;
        if asked {
            self.ceiling = Some(refused.clamp(1, limit + 1));
        }
        let below = refused
            .saturating_sub(1)
            .min(limit.saturating_sub(1))
            .max(1);
        self.cut_at = self.now;
        match self.mode {
            // Growing found the edge: what is just below it went well a moment ago.
            Mode::SlowStart(_) => {
                self.settle(below.max(limit / 2));
                self.fallback = Some(limit.div_ceil(2));
            }
            Mode::Probe(probe) if probe.target > probe.from => {
                self.settle(below.max(probe.from));
                self.fallback = (self.limit != probe.from).then_some(probe.from);
            }
            Mode::Climb { good, .. } if good < limit => {
                self.settle(below.max(good));
            }
            // So it was too high after all.
            Mode::Hold if self.fallback.is_some_and(|good| good < limit) => {
                let good = self.fallback.unwrap_or(1);
                self.settle(good.max(limit - limit.div_ceil(16)));
                self.fallback = Some(good);
            }
            // One refusal after a long time without is an edge brushed, not a server that shrank.
            Mode::Hold if self.answers > self.cut_after + (8 * round_size(limit)) as u64 => {
                self.settle(limit - limit.div_ceil(16).min(limit - 1));
            }
            _ => {
                let cut = ((limit as f64 * CUT) as usize).max(1);
                self.settle(cut);
                self.mode = Mode::Climb {
                    good: cut,
                    left: 2 * round_size(cut),
                };
            }
        }
        if !asked {
            self.ceiling = Some(self.limit + 1);
        }
        self.cut_after = self.answers;
    }

    pub(super) fn climb_on(&mut self) {
        let top = self.ceiling.map_or(self.limit, |c| c.saturating_sub(1));
        if self.limit >= top.min(self.max) {
            self.settle(self.limit);
            return;
        }
        let good = self.limit;
        self.limit += (top.min(self.max) - self.limit).div_ceil(2);
        self.mode = Mode::Climb {
            good,
            left: round_size(self.limit),
        };
    }

    pub(super) fn failed(&mut self, sample: &Sample) {
        let failures = &mut self.failures;
        if failures.count == 0 {
            failures.first = sample.ended;
            failures.lowest = sample.in_flight;
        }
        failures.count += 1;
        failures.lowest = failures.lowest.min(sample.in_flight).max(1);
        failures.pause = self.limit.min(8);
        let growing = match &self.mode {
            Mode::SlowStart(_) | Mode::Climb { .. } => true,
            Mode::Probe(probe) => probe.target > probe.from,
            Mode::Hold => self.fallback.is_some_and(|good| good < self.limit),
        };
        let usual = self.usual_failures * (failures.answers + failures.count) as f64;
        let count = failures.count as f64;
        let too_many = if growing {
            count >= 3.0 + 2.0 * usual + 3.0 * usual.sqrt() && failures.lowest > self.limit / 2
        } else {
            count >= 5.0
                && count > TOO_MANY * failures.answers as f64
                && count > 4.0 * usual
                && failures.amid >= 2
        };
        if too_many && sample.started >= self.cut_at {
            let lowest = failures.lowest;
            self.rejected_at = self.now;
            self.answers_needed =
                self.answers + (FIRST_SUSPICION << self.suspicions) * failures.count as u64;
            self.suspicions = (self.suspicions + 1).min(3);
            self.cut(lowest, false);
        }
    }
}
