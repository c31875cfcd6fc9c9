//! How fast the server answers at one limit.

use std::time::Duration;

use super::Sample;
use super::work::CostLine;

/// Answers within a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Answers.
    pub(super) count: f64,
    /// Total length of their prompts.
    pub(super) length: f64,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
}

impl Tally {
    /// Logarithm of the cost answered per second, so that a difference of two is a gain.
    pub(super) fn log_rate(&self, line: &CostLine) -> f64 {
        // A clock may be too coarse to see a fast round pass.
        (line.cost(self.count, self.length) / self.seconds.max(1e-9))
            .max(f64::MIN_POSITIVE)
            .ln()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.length += other.length;
        self.seconds += other.seconds;
    }

    /// Makes this tally count for no more than `most` answers.
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
    limit * FEWEST.div_ceil(limit)
}

/// Fewest answers in a round.
const FEWEST: usize = 4;

/// Counts answers at an unchanged limit, round by round.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    limit: usize,
    /// Since when the limit holds: earlier starters ran partly under another one.
    since: Duration,
    settled: usize,
    /// End of the last round. `None` until the server has settled at this limit.
    mark: Option<Duration>,
    round: Tally,
    starved: usize,
    /// Rounds thrown away because there was too little to do.
    pub(super) discarded: u32,
}

impl Meter {
    pub(super) fn new(limit: usize, since: Duration) -> Self {
        Self {
            limit,
            since,
            settled: 0,
            mark: None,
            round: Tally::default(),
            starved: 0,
            discarded: 0,
        }
    }

    /// Counts an answer; gives the round that it completes.
    pub(super) fn record(&mut self, sample: &Sample, now: Duration) -> Option<Tally> {
        let Some(mark) = self.mark else {
            if sample.started >= self.since {
                self.settled += 1;
                // The first to return are the quick ones: wait for half of them.
                if self.settled * 2 >= self.limit {
                    self.mark = Some(now);
                }
            }
            return None;
        };
        self.round.count += 1.0;
        self.round.length += CostLine::length(sample);
        if !near(sample.in_flight, self.limit) {
            self.starved += 1;
        }
        let size = round_size(self.limit);
        if self.round.count < size as f64 {
            return None;
        }
        let starved = std::mem::take(&mut self.starved) * 4 > size;
        let mut round = std::mem::take(&mut self.round);
        round.seconds = now.saturating_sub(mark).as_secs_f64();
        self.mark = Some(now);
        if starved {
            self.discarded += 1;
            return None;
        }
        Some(round)
    }
}

/// Whether so many in flight make use of the limit.
pub(super) fn near(in_flight: usize, limit: usize) -> bool {
    in_flight >= limit - limit / 10
}

/// How much one answer's cost scatters: the relative standard deviation of a round's duration is
/// this, divided by the square root of the answers in it.
#[derive(Debug, Clone)]
pub(super) struct Noise {
    variance: f64,
    weight: f64,
    last: Option<(f64, f64)>,
}

impl Noise {
    pub(super) fn new() -> Self {
        Self {
            variance: 0.1,
            weight: 2.0,
            last: None,
        }
    }

    /// Learns from a round. Successive rounds are compared, so that slow changes do not count.
    pub(super) fn learn(&mut self, log_rate: f64, count: f64) {
        if let Some((before, before_count)) = self.last {
            let change = (log_rate - before).clamp(-1.0, 1.0);
            let scatter = change * change / (1.0 / count + 1.0 / before_count);
            self.weight = self.weight.min(20.0) + 1.0;
            self.variance += (scatter.min(4.0) - self.variance) / self.weight;
        }
        self.last = Some((log_rate, count));
    }

    /// The next round is at another limit.
    pub(super) fn interrupt(&mut self) {
        self.last = None;
    }

    /// Standard error of a logarithm of a ratio of two rates.
    pub(super) fn error(&self, count: f64, other: f64) -> f64 {
        (self.variance * (1.0 / count.max(1.0) + 1.0 / other.max(1.0)))
            .sqrt()
            .max(0.003)
    }
}
