//! Choosing the next limit.

use super::super::curve::{Curve, octaves};
use super::super::meter::{Tally, round_size};
use super::super::slow_start::SlowStart;
use super::Serving;
use super::{Auto, FORGIVEN_AFTER, Mode, Probe};

/// What a limit must earn (in logarithms): this, times the square of its doublings. Each doubling
/// must earn more than the one before it, since a larger crowd waits longer for nothing.
const WORTH: f64 = 0.003;
/// Answers over which something learned is assumed to be of use: as many as there were, within
/// these bounds, for a server changes; and never more than are still to come.
const FEWEST_AHEAD: f64 = 64.0;
const MOST_AHEAD: f64 = 800.0;
/// A gain (in logarithms) by doubling after which slow start goes on.
const RESUME: f64 = 0.4;
/// Rounds that a visit may be planned to last: one alone may be too short to tell anything.
const ROUNDS: [f64; 3] = [1.0, 2.0, 4.0];
/// So many may be tried at once from any limit below. Two in flight are often no better than one:
/// where a server works in steps, one of them waits for the next. Who only ever looked at twice
/// the limit would never find out.
const SMALL_CROWD: usize = 16;
/// What it costs to warm a slot's cache, in answers: with five few-shot examples it took nine times
/// as long as a question on two cores.
const COLD_SLOT: f64 = 8.0;
/// Answers until the server has settled at a limit, for each request in flight.
const SETTLING: f64 = 1.25;

impl Auto {
    /// Goes where the most is to be expected, or where the most is to be learned.
    pub(super) fn decide(&mut self) {
        let curve = self.ledger.curve(self.limit, &self.line, &self.noise);
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

    /// Limits to choose from: powers of two and what lies half-way. No more than a small crowd, or
    /// twice the present limit: a server which grows slow under a large one is not given it at once.
    fn candidates(&self) -> Vec<usize> {
        let top = self.top();
        // Slow start has gone on to twice what it has measured.
        let furthest = match self.mode {
            Mode::SlowStart(_) => self.limit,
            // Further slots cost further cold caches.
            _ if self.hints.serving == Serving::Slots => 2 * self.limit,
            _ => (2 * self.limit).max(SMALL_CROWD),
        };
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
        let Some(seen) = self.ledger.seen(self.limit) else {
            return self.max;
        };
        let limit = self.limit as f64;
        let latency = seen.seconds / seen.count.max(f64::MIN_POSITIVE) * limit;
        (limit * self.patience() / latency.max(1e-9)).clamp(1.0, self.max as f64) as usize
    }

    /// The highest limit that the server is not known to refuse.
    fn top(&self) -> usize {
        let forgiven =
            self.answers >= self.answers_needed || self.now >= self.rejected_at + FORGIVEN_AFTER;
        match self.ceiling {
            Some(ceiling) if !forgiven => (ceiling - 1).clamp(1, self.max),
            Some(ceiling) => (ceiling + ceiling.div_ceil(2)).min(self.max),
            _ => self.max,
        }
    }

    /// What a visit to a limit is expected to bring, in answers, less what it is expected to cost.
    ///
    /// It brings something where it may show that the limit is better than the best one known, and
    /// the more answers are still to come, the more. It costs what is lost meanwhile.
    fn worth_of_a_visit(&self, curve: &Curve, best: usize, limit: usize) -> f64 {
        if limit == best {
            return 0.0;
        }
        let difference = curve.mean(limit) - curve.mean(best) - (burden(limit) - burden(best));
        let ahead = (self.answers - self.began_after) as f64;
        let ahead = ahead.clamp(FEWEST_AHEAD, MOST_AHEAD.max(8.0 * limit as f64));
        let ahead = ahead.min(self.left as f64);
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
                let learned = curve.lesson(limit, best, self.noise.variance(answers));
                expected_gain(difference, learned) * (ahead - answers).max(0.0)
                    + difference * (settling + answers + back)
            })
            .fold(f64::MIN, f64::max)
            - self.warming(limit)
    }

    /// What warming the caches costs that would be used for the first time, in answers.
    fn warming(&self, limit: usize) -> f64 {
        match self.hints.serving {
            Serving::Slots => COLD_SLOT * limit.saturating_sub(self.widest) as f64,
            Serving::Unknown | Serving::Steps => 0.0,
        }
    }

    /// Stays at the limit, or sets out for another one.
    fn go(&mut self, target: usize) {
        let measured = match &self.mode {
            Mode::Hold => true,
            Mode::Probe(probe) => probe.target == self.limit,
            Mode::SlowStart(_) | Mode::Climb { .. } => false,
        };
        if measured && target == self.limit {
            self.mode = Mode::Hold;
            return;
        }
        self.mode = Mode::Probe(Probe {
            from: self.limit,
            target,
            began: self.now,
            answers: 0.0,
        });
        self.limit = self.limit.min(target);
        self.begin_measuring();
    }

    /// A first round at a limit is over.
    pub(super) fn tried(&mut self, probe: Probe, round: &Tally) {
        self.note_other_work(round);
        self.learn_noise(round);
        let before = self.ledger.seen(probe.from);
        self.ledger.add(self.limit, round);
        if self.ceiling.is_some_and(|ceiling| self.limit >= ceiling) {
            self.ceiling = None;
            self.suspicions = 0;
        }
        if let Some(before) = before
            && probe.from > 1
            && self.limit >= 2 * probe.from
            && round.log_rate(&self.line) - before.log_rate(&self.line) > RESUME
        {
            self.mode = Mode::SlowStart(SlowStart::resumed(self.limit, *round, self.now));
            return;
        }
        self.decide();
    }
}

/// What a limit must earn, in logarithms.
fn burden(limit: usize) -> f64 {
    WORTH * octaves(limit).powi(2)
}

/// The mean of what is above zero of something with this mean and standard deviation. Its
/// distribution is taken to be logistic: less sure of itself in the tails than the normal one.
fn expected_gain(mean: f64, deviation: f64) -> f64 {
    let scale = deviation * 3f64.sqrt() / std::f64::consts::PI;
    if scale <= 0.0 {
        return mean.max(0.0);
    }
    // ln(1 + e^x), without overflow.
    let x = mean / scale;
    scale * (x.max(0.0) + (-x.abs()).exp().ln_1p())
}
