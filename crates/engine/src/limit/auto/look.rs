//! Looking at another limit, and judging what was seen.

use super::super::meter::{Meter, Tally, round_size};
use super::super::slow_start::SlowStart;
use super::{Auto, DOWN_WAIT, FORGIVEN_AFTER, Failures, Mode, Probe, Search, UP_WAIT};

/// A higher limit must raise throughput by this much (in logarithms) to be preferred.
const WORTH: f64 = 0.009;
/// A gain (in logarithms) that justifies another doubling.
const BOLD: f64 = 0.06;
/// A gain (in logarithms) by doubling after which slow start goes on.
const RESUME: f64 = 0.3;
/// Standard errors that settle a comparison before its sample is full.
const SURE: f64 = 2.0;
/// The same for staying, which is no great loss where it is wrong: the next look comes soon.
const SURE_TO_STAY: f64 = 1.8;
/// …but not after a single round, unless it is this clear.
const HASTE: f64 = 3.0;
/// Share of the time that looks at worse limits may cost.
const BUDGET: f64 = 0.015;

impl Auto {
    /// Begins a look at another limit, if it is time for one.
    pub(super) fn look(&mut self) {
        if let Some(mut search) = self.search {
            if self.can_look(search.is_up()) {
                self.search = Some(search);
                self.probe(search.is_up(), search.bold);
                return;
            }
            if !search.moved && !search.turned {
                search = search.turn();
                self.search = Some(search);
                if self.can_look(search.is_up()) {
                    self.probe(search.is_up(), search.bold);
                    return;
                }
            }
            self.search = None;
        } else if self.now >= self.next[1] && self.can_look(false) {
            self.probe(false, false);
        } else if self.now >= self.next[0] && self.can_look(true) {
            self.probe(true, false);
        }
    }

    fn can_look(&self, up: bool) -> bool {
        if up {
            let forgiven = self.answers >= self.answers_needed
                || self.now >= self.rejected_at + FORGIVEN_AFTER;
            return self.base < self.max && forgiven;
        }
        // Fewer in flight can only do as well if each of them is then answered sooner. Where
        // nobody waits for anybody there is nothing to gain, and a look would cost a quarter of
        // the throughput.
        let waiting = self.lightest.as_ref().is_some_and(|(limit, tally)| {
            let lightest = tally.log_rate(&self.line) - (*limit as f64).ln();
            let here = self.reference.log_rate(&self.line) - (self.base as f64).ln();
            here < lightest - 0.22
        });
        self.base > 1 && waiting
    }

    fn probe(&mut self, up: bool, bold: bool) {
        let step = |part: usize| (self.base / part).max(1);
        let target = if !up {
            self.base - step(4)
        } else if bold {
            self.base * 2
        } else {
            self.base + step(if self.careful { 4 } else { 2 })
        };
        let target = target.clamp(1, self.max);
        self.failures = Failures::default();
        if !up {
            self.limit = target;
        }
        self.meter = Meter::new(target, self.now);
        self.mode = Mode::Probe(Probe {
            target,
            began: self.now,
            reached: self.now,
            answers: 0.0,
            seen: Tally::default(),
        });
    }

    pub(super) fn compare(&mut self) {
        let Mode::Probe(Probe { target, seen, .. }) = self.mode else {
            return;
        };
        let rate = seen.log_rate(&self.line);
        let difference = rate - self.reference.log_rate(&self.line);
        let up = target > self.base;
        let gain_of_higher = if up { difference } else { -difference };
        let error = self.noise.error(seen.count, self.reference.count);
        let score = (gain_of_higher - WORTH) / error;
        let (rounds, answers) = match self.search {
            Some(search) if search.bold => (2, 12),
            Some(_) => (3, 24),
            None => (8, 200),
        };
        let enough = (rounds * round_size(target)).max(answers) as f64;
        let moves = (score > 0.0) == up;
        let sure = if moves { SURE } else { SURE_TO_STAY };
        let hasty = !moves && seen.count < (2 * round_size(target)) as f64 && score.abs() < HASTE;
        if (score.abs() < sure || hasty) && seen.count < enough {
            return;
        }
        let higher = score > self.burden(target.max(self.base));
        self.conclude(higher == up, difference);
    }

    /// How much the higher of two limits must have shown, in standard errors.
    ///
    /// A second request in flight and a large crowd must earn their place: where nothing is to be
    /// gained, chance must not make the limit wander upwards. In between a tie goes to the higher
    /// one. Batching servers gain a few percent with each step there, less than a short look can
    /// tell from chance, and where they do not, the crowd is too small to do harm.
    fn burden(&self, higher: usize) -> f64 {
        match higher {
            4..=32 => -0.25,
            _ if self.search.is_some_and(|search| search.bold) => 0.3,
            _ => 0.6,
        }
    }

    /// Ends a look: goes to its target or back.
    pub(super) fn conclude(&mut self, moved: bool, difference: f64) {
        let Mode::Probe(Probe {
            target,
            seen,
            began,
            ..
        }) = self.mode
        else {
            return;
        };
        let up = target > self.base;
        let index = usize::from(!up);
        let bounds = [UP_WAIT, DOWN_WAIT][index];
        if moved {
            self.wait[index] = bounds.0;
        } else {
            self.wait[index] = (self.wait[index] * 2).min(bounds.1);
        }
        // What a look has cost must be a small share of the time until the next one.
        let lost = if moved { 0.0 } else { 1.0 - difference.exp() };
        let price = self
            .now
            .saturating_sub(began)
            .mul_f64(lost.clamp(0.0, 1.0) / BUDGET);
        let wait = self.wait[index].max(price.min(FORGIVEN_AFTER));
        self.next[index] = self.now + wait;
        self.careful = !moved && difference < -0.05;
        match &mut self.search {
            Some(search) if moved => search.moved = true,
            Some(search) if search.moved || search.turned => self.search = None,
            Some(search) => *search = search.turn(),
            None if moved => {
                self.search = Some(Search {
                    moved: true,
                    ..Search::new(up)
                });
            }
            None => {}
        }
        if let Some(search) = &mut self.search {
            search.bold &= difference.abs() > BOLD;
        }
        if moved {
            self.base = target;
            let before = std::mem::replace(&mut self.reference, seen);
            let doubled = up && self.search.is_some_and(|search| search.bold);
            self.settle(target);
            if doubled && difference > RESUME {
                self.mode = Mode::SlowStart(SlowStart::resumed(target, before, self.now));
            } else {
                self.look();
            }
        } else {
            self.settle(self.base);
        }
    }
}
