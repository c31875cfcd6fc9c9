//! Measuring how fast the server answers at one limit.

use std::time::Duration;

use super::Sample;
use super::work::CostLine;

/// Answers, and the time they took.
///
/// The time is the sum of their latencies, each divided by the number in flight: in the mean that is
/// the time between two answers (Little's law). Counting answers within a span is as exact if the
/// span is long. Over a short one this is far more exact, since it does not matter how much of the
/// work in flight was done when the span began and ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measurement {
    /// Answers.
    pub(super) count: f64,
    /// Total length of their prompts.
    pub(super) length: f64,
    /// How long they took, in seconds.
    pub(super) seconds: f64,
}

impl Measurement {
    /// Logarithm of the cost answered per second, so that a difference of two is a gain.
    pub(super) fn log_rate(&self, line: &CostLine) -> f64 {
        // A coarse clock may measure zero for a fast round.
        (line.cost(self.count, self.length) / self.seconds.max(1e-9))
            .max(f64::MIN_POSITIVE)
            .ln()
    }

    /// Mean length of the prompts.
    pub(super) fn mean_length(&self) -> f64 {
        self.length / self.count.max(f64::MIN_POSITIVE)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.length += other.length;
        self.seconds += other.seconds;
    }

    /// Makes this measurement count for no more than `most` answers.
    pub(super) fn fade(&mut self, most: f64) {
        if self.count > most {
            let keep = most / self.count;
            self.count *= keep;
            self.length *= keep;
            self.seconds *= keep;
        }
    }
}

/// Answers that make a round at this limit: a multiple of the limit, so that answers which come
/// in bursts of the limit's size are counted in whole bursts.
pub(super) fn round_size(limit: usize) -> usize {
    limit * MIN_ROUND.div_ceil(limit)
}

/// Fewest answers in a round.
const MIN_ROUND: usize = 4;

/// Counts answers at an unchanged limit, round by round.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    limit: usize,
    /// Since when the limit holds: requests sent before ran partly under another one.
    since: Duration,
    settled: usize,
    /// Whether the server has settled at this limit.
    ready: bool,
    round: Measurement,
    starved: usize,
    /// Rounds discarded because too few requests were in flight.
    pub(super) discarded: u32,
}

impl Meter {
    pub(super) fn new(limit: usize, since: Duration) -> Self {
        Self {
            limit,
            since,
            settled: 0,
            ready: false,
            round: Measurement::default(),
            starved: 0,
            discarded: 0,
        }
    }

    /// Counts an answer; returns the round that it completes.
    pub(super) fn record(&mut self, sample: &Sample) -> Option<Measurement> {
        if sample.started < self.since {
            return None;
        }
        if !self.ready {
            self.settled += 1;
            // The first answers are the quick ones.
            self.ready = self.settled * 4 >= self.limit;
            return None;
        }
        self.round.count += 1.0;
        self.round.length += CostLine::length(sample);
        self.round.seconds += sample.latency() / self.limit as f64;
        if !near(sample.in_flight, self.limit) {
            self.starved += 1;
        }
        let size = round_size(self.limit);
        if self.round.count < size as f64 {
            return None;
        }
        let starved = std::mem::take(&mut self.starved) * 4 > size;
        let round = std::mem::take(&mut self.round);
        if starved {
            self.discarded += 1;
            return None;
        }
        Some(round)
    }
}

/// Whether so many requests in flight make use of the limit.
pub(super) fn near(in_flight: usize, limit: usize) -> bool {
    in_flight >= limit - limit / 10
}

/// Variance of one answer's cost. That of the logarithm of a round's rate is this, divided by the
/// answers in it.
#[derive(Debug, Clone)]
pub(super) struct Noise {
    /// Variance from the latencies of single answers.
    expected: f64,
    /// Variance from successive rounds, and the number of rounds.
    seen: f64,
    weight: f64,
    last: Option<(f64, f64)>,
}

/// Prior variance of one answer's cost, and the number of answers that it counts for.
const PRIOR: f64 = 0.1;
const PRIOR_WORTH: f64 = 4.0;
/// Rounds that the latencies count for.
const EXPECTED_WORTH: f64 = 4.0;
/// Minimum variance of a rate, however many answers it has.
const MIN_VARIANCE: f64 = 1e-5;
/// Answers to which a measurement fades at most, as far as its variance goes.
const MIN_COUNT: f64 = 0.05;
/// More than so many times the known variance is a change, not scatter.
const OUTLIER: f64 = 8.0;

impl Noise {
    pub(super) fn new() -> Self {
        Self {
            expected: PRIOR,
            seen: 0.0,
            weight: 0.0,
            last: None,
        }
    }

    /// Sets the scatter of latencies over so many answers.
    pub(super) fn expect(&mut self, (scatter, answers): (f64, f64)) {
        self.expected = (PRIOR * PRIOR_WORTH + scatter * answers) / (PRIOR_WORTH + answers);
    }

    fn single(&self) -> f64 {
        (self.expected * EXPECTED_WORTH + self.seen * self.weight) / (EXPECTED_WORTH + self.weight)
    }

    /// Learns from a round. Successive rounds are compared, so that slow changes do not count.
    pub(super) fn learn(&mut self, log_rate: f64, count: f64) {
        if let Some((before, before_count)) = self.last {
            let change = (log_rate - before).clamp(-1.0, 1.0);
            let scatter = change * change / (1.0 / count + 1.0 / before_count);
            self.weight = self.weight.min(20.0) + 1.0;
            let scatter = scatter.min(OUTLIER * self.single());
            self.seen += (scatter - self.seen) / self.weight;
        }
        self.last = Some((log_rate, count));
    }

    /// The next round is at another limit.
    pub(super) fn interrupt(&mut self) {
        self.last = None;
    }

    /// Variance of the logarithm of a rate over so many answers.
    pub(super) fn variance(&self, count: f64) -> f64 {
        (self.single() / count.max(MIN_COUNT)).max(MIN_VARIANCE)
    }
}
