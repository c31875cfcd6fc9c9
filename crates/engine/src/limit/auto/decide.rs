//! Choosing the next limit.

use super::super::curve::{Curve, octaves};
use super::super::meter::{Measurement, round_size};
use super::super::slow_start::SlowStart;
use super::{Auto, Mode, Probe, Serving};

/// Log gain required of a limit, times the square of its doublings. Each doubling must gain more
/// than the one before it, since requests in a larger crowd wait longer.
const WORTH: f64 = 0.003;
/// Log gain from a doubling above which slow start continues.
const RESUME: f64 = 0.4;
/// Possible lengths of a visit, in rounds. A single round may be too short to show a difference.
const ROUNDS: [f64; 3] = [1.0, 2.0, 4.0];
/// Limits up to this may be tried from any lower one. Two in flight are often no better than one:
/// where a server works in steps, one of them waits for the next. A search that only ever looked
/// at twice the limit would never find out.
const SMALL_CROWD: usize = 16;
/// Answers until the server has settled at a limit, for each request in flight.
const SETTLING: f64 = 1.25;

impl Auto {
    /// Goes where throughput is expected to be highest, or where a visit teaches the most.
    pub(super) fn decide(&mut self) {
        let curve = self.evidence.curve(self.limit);
        let candidates = self.candidates();
        let value = |limit: usize| curve.mean(limit) - burden(limit);
        let best = candidates
            .iter()
            .copied()
            .max_by(|&a, &b| value(a).total_cmp(&value(b)))
            .unwrap_or(self.limit);
        self.best = best;
        let (target, worth) = candidates
            .iter()
            .map(|&limit| (limit, self.worth_of_a_visit(&curve, best, limit)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((best, 0.0));
        self.go(if worth > 0.0 { target } else { best });
    }

    /// Limits to choose from: powers of two and the numbers half-way. No more than a small crowd,
    /// or twice the present limit: a server that slows down under a large crowd should not meet
    /// one at once.
    fn candidates(&self) -> Vec<usize> {
        let furthest = match self.mode {
            // Slow start has gone on to twice the limit that it has measured.
            Mode::SlowStart(_) => self.limit,
            // Further slots cost further cold caches.
            _ if self.server.hints.serving == Serving::Slots => 2 * self.limit,
            _ => (2 * self.limit).max(SMALL_CROWD),
        };
        let top = self.refusals.top(self.max, &self.progress);
        let reach = furthest.min(top).min(self.bearable());
        let mut limits: Vec<usize> = (0..=reach.ilog2())
            .flat_map(|power| [1 << power, (1 << power) + (1 << power >> 1)])
            .filter(|&limit| limit <= reach)
            .collect();
        limits.extend([self.limit.min(reach), self.best.min(reach), reach]);
        limits
    }

    /// The highest limit at which requests would not wait too long, if it brought no gain.
    fn bearable(&self) -> usize {
        let Some(seen) = self.evidence.ledger.seen(self.limit) else {
            return self.max;
        };
        let limit = self.limit as f64;
        let latency = seen.seconds / seen.count.max(f64::MIN_POSITIVE) * limit;
        let bearable = limit * self.server.patience() / latency.max(1e-9);
        bearable.clamp(1.0, self.max as f64) as usize
    }

    /// Answers that a visit to a limit is expected to gain, less those that it is expected to cost.
    ///
    /// It gains where it may show that the limit is better than the best one known, and more so
    /// the more answers are still to come. It costs the answers lost meanwhile.
    fn worth_of_a_visit(&self, curve: &Curve, best: usize, limit: usize) -> f64 {
        if limit == best {
            return 0.0;
        }
        let difference = curve.mean(limit) - curve.mean(best) - (burden(limit) - burden(best));
        let ahead = self.progress.ahead(limit);
        let settling = if limit == self.limit {
            0.0
        } else {
            SETTLING * limit as f64
        };
        // The way back up takes one answer for each further request in flight.
        let back = best.saturating_sub(limit) as f64;
        ROUNDS
            .iter()
            .map(|rounds| {
                let answers = rounds * round_size(limit) as f64;
                let learned = curve.lesson(limit, best, self.evidence.noise.variance(answers));
                expected_gain(difference, learned) * (ahead - answers).max(0.0)
                    + difference * (settling + answers + back)
            })
            .fold(f64::MIN, f64::max)
            - self.server.warming(limit)
    }

    /// Stays at the limit, or sets out for another one.
    fn go(&mut self, target: usize) {
        if target == self.limit {
            match &self.mode {
                Mode::Hold { .. } => return,
                Mode::Probe(probe) if probe.target == self.limit => {
                    self.mode = Mode::Hold { fallback: None };
                    return;
                }
                _ => {}
            }
        }
        self.mode = Mode::Probe(Probe {
            from: self.limit,
            target,
            began: self.progress.now,
            answers: 0.0,
        });
        self.limit = self.limit.min(target);
        self.begin_measuring();
    }

    /// Takes the first round at the limit that a probe was for.
    pub(super) fn conclude(&mut self, probe: Probe, round: &Measurement) {
        self.evidence.adjust(self.limit, round);
        let before = self.evidence.ledger.seen(probe.from);
        self.evidence.ledger.add(self.limit, round);
        self.refusals.went_well(self.limit);
        if let Some(before) = before
            && probe.from > 1
            && self.limit >= 2 * probe.from
            && self.evidence.gain(round, &before) > RESUME
        {
            let now = self.progress.now;
            self.mode = Mode::SlowStart(SlowStart::resumed(self.limit, *round, now));
            return;
        }
        self.decide();
    }
}

/// Gain (in logarithms) below which a limit is not worth its crowd.
fn burden(limit: usize) -> f64 {
    WORTH * octaves(limit).powi(2)
}

/// Mean of the positive part of a quantity with this mean and standard deviation, which is taken
/// to be logistic: heavier in the tails than the normal distribution.
fn expected_gain(mean: f64, deviation: f64) -> f64 {
    let scale = deviation * 3f64.sqrt() / std::f64::consts::PI;
    if scale <= 0.0 {
        return mean.max(0.0);
    }
    // ln(1 + e^x), without overflow.
    let x = mean / scale;
    scale * (x.max(0.0) + (-x.abs()).exp().ln_1p())
}
