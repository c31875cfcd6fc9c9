//! The measurements at each limit.

use std::time::Duration;

use super::Serving;
use super::curve::Curve;
use super::meter::{Measurement, Noise, round_size};
use super::work::CostLine;

/// Evidence fades to a third within so many answers (or rounds, where that is more) and so much
/// time, whichever takes longer…
const MEMORY_ANSWERS: f64 = 300.0;
const MEMORY_ROUNDS: f64 = 16.0;
const MEMORY_SECONDS: f64 = 12.0;
/// …but at lower limits than the present one never below so many answers. A server that has become
/// faster shows it at higher limits only, so those must be visited again.
const LASTING: f64 = 0.5;
/// Evidence of fewer answers is ignored.
const IGNORED_BELOW: f64 = 0.01;
/// Most answers, or rounds, that count at one limit.
const MAX_ANSWERS: usize = 200;
const MAX_ROUNDS: usize = 8;
/// Prompts whose mean length differs by more than this factor (in logarithms) are other work…
const OTHER_WORK: f64 = 0.4;
/// …and by so much more for one prompt. This falls with the root of their number.
const OTHER_BY_CHANCE: f64 = 1.2;
/// Answers over which the usual length is learned.
const LENGTH_MEMORY: f64 = 100.0;
/// The largest change of speed (in logarithms), which keeps the figures finite.
const LARGEST_CHANGE: f64 = 10.0;

/// All visits to all limits, the old ones faded.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    answers: u64,
    now: Duration,
    /// Mean length of the prompts lately.
    length: f64,
    /// The curve before any evidence.
    prior: Curve,
}

#[derive(Debug, Clone)]
struct Entry {
    limit: usize,
    seen: Measurement,
    /// When it was last added to, in answers and in time.
    answers: u64,
    at: Duration,
}

impl Ledger {
    pub(super) fn new(serving: Serving) -> Self {
        Self {
            entries: Vec::new(),
            answers: 0,
            now: Duration::ZERO,
            length: 0.0,
            prior: Curve::new(serving),
        }
    }

    /// A first doubling is expected to gain this much (in logarithms), before any evidence.
    pub(super) fn expect_gain(&mut self, gain: f64) {
        self.prior = Curve::expecting(gain);
    }

    /// Counts an answer.
    pub(super) fn tick(&mut self, now: Duration) {
        self.answers += 1;
        self.now = now;
    }

    /// Adds a measurement at a limit to the faded ones of earlier visits.
    pub(super) fn add(&mut self, limit: usize, round: &Measurement) {
        let heed = match self.length {
            0.0 => 1.0,
            _ => (round.count / LENGTH_MEMORY).min(1.0),
        };
        self.length += heed * (round.mean_length() - self.length);
        let mut seen = self.seen(limit).unwrap_or_default();
        seen.add(round);
        seen.fade((MAX_ROUNDS * round_size(limit)).max(MAX_ANSWERS) as f64);
        self.entries.retain(|entry| entry.limit != limit);
        self.entries.push(Entry {
            limit,
            seen,
            answers: self.answers,
            at: self.now,
        });
    }

    /// Adapts to a server that has changed: the last measurement replaces those at its limit.
    ///
    /// If the server is faster, lower limits are assumed to gain as much, and higher ones must be
    /// measured anew. If it is slower, the other way round.
    pub(super) fn change(&mut self, limit: usize, seen: &Measurement, line: &CostLine) {
        let known = self.seen(limit).unwrap_or_default();
        let gain = seen.log_rate(line) - known.log_rate(line);
        let gain = gain.clamp(-LARGEST_CHANGE, LARGEST_CHANGE);
        let faster = gain > 0.0;
        self.entries
            .retain(|entry| entry.limit != limit && (entry.limit < limit) == faster);
        for entry in &mut self.entries {
            entry.seen.fade(LASTING);
            entry.seen.seconds /= gain.exp();
        }
        self.add(limit, seen);
    }

    /// Whether these prompts are so much longer or shorter than earlier ones that the cost line
    /// cannot be trusted for them.
    pub(super) fn is_other_work(&self, round: &Measurement) -> bool {
        let apart = (round.mean_length().max(1.0) / self.length.max(1.0)).ln();
        self.length > 0.0 && apart.abs() > OTHER_WORK + OTHER_BY_CHANCE / round.count.sqrt()
    }

    /// Converts all measurements to prompts of another length. These are answered faster or slower by
    /// `gain` (in logarithms) than the cost line says, at all limits alike.
    pub(super) fn rescale(&mut self, gain: f64, length: f64, line: &CostLine) {
        let gain = gain.clamp(-LARGEST_CHANGE, LARGEST_CHANGE);
        for entry in &mut self.entries {
            let seen = &mut entry.seen;
            let before = line.cost(seen.count, seen.length);
            seen.length = seen.count * length;
            let now = line.cost(seen.count, seen.length);
            seen.seconds *= now / before.max(f64::MIN_POSITIVE) / gain.exp();
        }
        self.length = length;
    }

    /// The faded measurement at this limit.
    pub(super) fn seen(&self, limit: usize) -> Option<Measurement> {
        let entry = self.entries.iter().find(|entry| entry.limit == limit)?;
        Some(self.faded(entry, LASTING))
    }

    fn faded(&self, entry: &Entry, lasting: f64) -> Measurement {
        let answers = (self.answers - entry.answers) as f64;
        let seconds = self.now.saturating_sub(entry.at).as_secs_f64();
        let memory = MEMORY_ANSWERS.max(MEMORY_ROUNDS * entry.limit as f64);
        let age = (answers / memory).min(seconds / MEMORY_SECONDS);
        let mut seen = entry.seen;
        seen.fade((seen.count * (-age).exp()).max(lasting));
        seen
    }

    /// The curve that follows from all measurements, seen from this limit.
    pub(super) fn curve(&self, limit: usize, line: &CostLine, noise: &Noise) -> Curve {
        let mut curve = self.prior.clone();
        for entry in &self.entries {
            let lasting = if entry.limit <= limit { LASTING } else { 0.0 };
            let seen = self.faded(entry, lasting);
            let rate = seen.log_rate(line);
            if seen.count > IGNORED_BELOW && rate.is_finite() {
                curve.observe(entry.limit, rate, noise.variance(seen.count));
            }
        }
        curve
    }
}
