//! What was measured at each limit.

use std::time::Duration;

use super::Serving;
use super::curve::Curve;
use super::meter::{Noise, Tally, round_size};
use super::work::CostLine;

/// Evidence fades to a third within so many answers (or rounds, where that is more) and so much
/// time, whichever takes longer…
const MEMORY_ANSWERS: f64 = 300.0;
const MEMORY_ROUNDS: f64 = 16.0;
const MEMORY_SECONDS: f64 = 12.0;
/// …but at lower limits than the present one never below so many answers. A server that can do
/// more shows it at higher limits only, so these are what must be looked at again.
const LASTING: f64 = 0.5;
/// Evidence of less is none.
const NONE: f64 = 0.01;
/// At one limit no more answers count than these, or so many rounds.
const MOST_ANSWERS: usize = 200;
const MOST_ROUNDS: usize = 8;
/// Prompts whose mean length differs by more than this factor (in logarithms) are other work…
const OTHER_WORK: f64 = 0.4;
/// …and by so much more where it is the length of one prompt. It falls with the root of their
/// number.
const OTHER_BY_CHANCE: f64 = 1.2;
/// Over so many answers the usual length is learned.
const LENGTH_MEMORY: f64 = 100.0;
/// No change of speed is believed to be larger (in logarithms): keeps the figures finite.
const LARGEST_CHANGE: f64 = 10.0;

/// All visits to all limits, the old ones faded.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    answers: u64,
    now: Duration,
    /// Mean length of the prompts lately.
    length: f64,
    /// What is believed without any evidence.
    prior: Curve,
}

#[derive(Debug, Clone)]
struct Entry {
    limit: usize,
    seen: Tally,
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

    /// One more answer has come.
    pub(super) fn tick(&mut self, now: Duration) {
        self.answers += 1;
        self.now = now;
    }

    /// Adds what was seen at a limit to what is left of earlier visits.
    pub(super) fn add(&mut self, limit: usize, round: &Tally) {
        let heed = match self.length {
            0.0 => 1.0,
            _ => (round.count / LENGTH_MEMORY).min(1.0),
        };
        self.length += heed * (round.mean_length() - self.length);
        let mut seen = self.seen(limit).unwrap_or_default();
        seen.add(round);
        seen.fade((MOST_ROUNDS * round_size(limit)).max(MOST_ANSWERS) as f64);
        self.entries.retain(|entry| entry.limit != limit);
        self.entries.push(Entry {
            limit,
            seen,
            answers: self.answers,
            at: self.now,
        });
    }

    /// The server has changed: at this limit it now is what was seen last.
    ///
    /// If it is faster, fewer in flight are guessed to gain as much, and what more of them would
    /// gain must be seen anew. If it is slower, the other way round.
    pub(super) fn change(&mut self, limit: usize, seen: &Tally, line: &CostLine) {
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

    /// Whether these prompts are so much longer or shorter than those before that what the cost
    /// line says of them is no more than a guess.
    pub(super) fn is_other_work(&self, round: &Tally) -> bool {
        let apart = (round.mean_length().max(1.0) / self.length.max(1.0)).ln();
        self.length > 0.0 && apart.abs() > OTHER_WORK + OTHER_BY_CHANCE / round.count.sqrt()
    }

    /// Puts everything in terms of prompts of another length. They are answered faster or slower
    /// by `gain` (in logarithms) than the cost line says, at all limits alike.
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

    /// What is left of what was seen at this limit.
    pub(super) fn seen(&self, limit: usize) -> Option<Tally> {
        let entry = self.entries.iter().find(|entry| entry.limit == limit)?;
        Some(self.faded(entry, LASTING))
    }

    fn faded(&self, entry: &Entry, lasting: f64) -> Tally {
        let answers = (self.answers - entry.answers) as f64;
        let seconds = self.now.saturating_sub(entry.at).as_secs_f64();
        let memory = MEMORY_ANSWERS.max(MEMORY_ROUNDS * entry.limit as f64);
        let age = (answers / memory).min(seconds / MEMORY_SECONDS);
        let mut seen = entry.seen;
        seen.fade((seen.count * (-age).exp()).max(lasting));
        seen
    }

    /// What all this lets one believe, at this limit.
    pub(super) fn curve(&self, limit: usize, line: &CostLine, noise: &Noise) -> Curve {
        let mut curve = self.prior.clone();
        for entry in &self.entries {
            let lasting = if entry.limit <= limit { LASTING } else { 0.0 };
            let seen = self.faded(entry, lasting);
            let rate = seen.log_rate(line);
            if seen.count > NONE && rate.is_finite() {
                curve.observe(entry.limit, rate, noise.variance(seen.count));
            }
        }
        curve
    }
}
