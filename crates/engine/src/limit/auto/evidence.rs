//! Everything measured about a server's throughput, and whether a round fits it.

use std::time::Duration;

use super::super::curve::Curve;
use super::super::ledger::Ledger;
use super::super::meter::{Measurement, Noise};
use super::super::saturation::Saturation;
use super::super::work::CostLine;
use super::{Sample, Serving};

/// A round is surprising when it is this many standard errors off, and by at least so much (in
/// logarithms).
const SURPRISING: f64 = 3.5;
const LEAST_CHANGE: f64 = 0.15;
/// Answers at a limit below which no round there is surprising.
const FEWEST_KNOWN: f64 = 8.0;

#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub(super) ledger: Ledger,
    pub(super) line: CostLine,
    pub(super) noise: Noise,
    pub(super) saturation: Saturation,
    /// Whether `saturation` has given a gain before.
    sized_up: bool,
    /// Rounds for the next lesson on noise. Answers scatter more within one round's time than over
    /// several, since a request that returns late in one leaves early in the next.
    pair: Measurement,
    shift: Shift,
}

/// Successive surprising rounds, all of them slower or all faster.
#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    rounds: u32,
    slower: bool,
    seen: Measurement,
}

/// How a round compares with earlier ones at the same limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    Expected,
    Surprising,
    /// The second surprise in a row: the server is another one now.
    Changed,
}

impl Evidence {
    pub(super) fn new(serving: Serving) -> Self {
        Self {
            ledger: Ledger::new(serving),
            line: CostLine::default(),
            noise: Noise::new(),
            saturation: Saturation::default(),
            sized_up: false,
            pair: Measurement::default(),
            shift: Shift::default(),
        }
    }

    /// Replaces the guess of what a second slot gains by what the server's time goes into. Returns
    /// the gain the first time that it is known.
    pub(super) fn size_up(&mut self, sample: &Sample) -> Option<f64> {
        self.saturation.warm(sample);
        let gain = self.saturation.gain()?;
        self.ledger.expect_gain(gain);
        (!std::mem::replace(&mut self.sized_up, true)).then_some(gain)
    }

    pub(super) fn answered(&mut self, sample: &Sample, now: Duration) {
        self.ledger.tick(now);
        self.line.learn(sample);
        self.noise.expect(self.line.scatter());
    }

    /// What all this says about throughput, seen from this limit.
    pub(super) fn curve(&self, limit: usize) -> Curve {
        self.ledger.curve(limit, &self.line, &self.noise)
    }

    /// By how much (in logarithms) a measurement is faster than another.
    pub(super) fn gain(&self, after: &Measurement, before: &Measurement) -> f64 {
        after.log_rate(&self.line) - before.log_rate(&self.line)
    }

    /// Learns the noise from a round at this limit, and puts the evidence in terms of its prompts
    /// where those are longer or shorter: longer prompts do not make a slower server.
    pub(super) fn adjust(&mut self, limit: usize, round: &Measurement) {
        if self.ledger.is_other_work(round) {
            let gain = round.log_rate(&self.line) - self.curve(limit).mean(limit);
            self.ledger.rescale(gain, round.mean_length(), &self.line);
            self.interrupt_noise();
        }
        self.pair.add(round);
        if self.pair.count > 1.5 * round.count {
            let pair = std::mem::take(&mut self.pair);
            self.noise.learn(pair.log_rate(&self.line), pair.count);
        }
    }

    /// Compares a round with what was known at its limit. Two rounds in a row that are clearly
    /// faster or slower mean another server: most evidence is dropped.
    pub(super) fn compare(&mut self, limit: usize, round: &Measurement) -> Finding {
        self.adjust(limit, round);
        let known = self.ledger.seen(limit);
        let Some(known) = known.filter(|seen| seen.count >= FEWEST_KNOWN) else {
            return Finding::Expected;
        };
        let change = self.gain(round, &known);
        let error = self.noise.variance(round.count) + self.noise.variance(known.count);
        if change.abs() < (SURPRISING * error.sqrt()).max(LEAST_CHANGE) {
            self.shift = Shift::default();
            return Finding::Expected;
        }
        if self.shift.slower != (change < 0.0) {
            self.shift = Shift::default();
        }
        self.shift.rounds += 1;
        self.shift.slower = change < 0.0;
        self.shift.seen.add(round);
        if self.shift.rounds < 2 {
            return Finding::Surprising;
        }
        let seen = std::mem::take(&mut self.shift).seen;
        self.ledger.change(limit, &seen, &self.line);
        Finding::Changed
    }

    /// The next round is at another limit.
    pub(super) fn leave_limit(&mut self) {
        self.shift = Shift::default();
        self.interrupt_noise();
    }

    fn interrupt_noise(&mut self) {
        self.noise.interrupt();
        self.pair = Measurement::default();
    }
}
