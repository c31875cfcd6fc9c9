//! The cost of a request by its length.

use std::collections::VecDeque;
use std::time::Duration;

use super::Sample;

/// A line fitted to latency over prompt length.
///
/// A run goes through groups of questions whose prompts differ tenfold in length. Counted in
/// requests, the server's throughput would seem to jump between them; counted in the seconds that
/// such requests take, it does not. Only the ratio of the two coefficients matters: queueing
/// raises every latency and with it the intercept, so a long queue makes the correction weaker,
/// never wrong in direction.
///
/// A server that works on several prompts in one step answers all of them when the last is done, so
/// their total length decides. So the length used is the mean over all answers that came while a
/// request waited. For a server that works on each prompt by itself this gives the same line, less
/// exactly.
#[derive(Debug, Clone, Default)]
pub(super) struct CostLine {
    /// Time of the latest answers, and length of their prompts.
    lately: VecDeque<(Duration, f64)>,
    /// Whether the server reports how many tokens it computes: then length is work.
    is_work: bool,
    weight: f64,
    length: f64,
    latency: f64,
    length_squared: f64,
    length_latency: f64,
    /// Recent latency per cost. It depends on the limit; the line must not.
    slowness: f64,
    scatter: Scatter,
}

/// Scatter of single latencies around the line, from the change between successive ones: the limit
/// moves all of them.
#[derive(Debug, Clone, Copy, Default)]
struct Scatter {
    variance: f64,
    count: f64,
    /// Of the last burst of answers: time of the latest, their number, and their mean deviation.
    ended: Duration,
    burst: f64,
    off: f64,
    /// The burst before it.
    last: Option<f64>,
}

/// Samples after which an old one counts for a third.
const LINE_MEMORY: f64 = 200.0;
/// As [`LINE_MEMORY`], for scatter.
const SCATTER_MEMORY: f64 = 60.0;
/// Answers that come within this share of their latency are one burst.
const BURST: f64 = 0.03;
/// Latest answers that are remembered.
const LATEST: usize = 256;
/// Fixed cost of a request in tokens, where length is work, before it is measured.
const USUAL_FIXED: f64 = 64.0;
/// Slowness is averaged over as many answers as were in flight, within these bounds.
const SLOWNESS_MEMORY: (usize, usize) = (3, 32);

impl CostLine {
    /// The length of a sample's prompt, in tokens or about so.
    pub(super) fn length(sample: &Sample) -> f64 {
        sample
            .tokens
            .map_or(sample.prompt_bytes as f64 / 4.0, f64::from)
    }

    /// Learns from an answer.
    pub(super) fn learn(&mut self, sample: &Sample) {
        self.is_work = sample.tokens.is_some();
        let length = self.length_beside(sample);
        let latency = sample.latency().max(1e-9);
        let slowness = latency / self.cost(1.0, length).max(1e-9);
        if self.slowness > 0.0 {
            let off = (slowness / self.slowness).ln();
            let memory = sample.in_flight.clamp(SLOWNESS_MEMORY.0, SLOWNESS_MEMORY.1);
            self.slowness *= (off / memory as f64).exp();
            self.scatter.learn(off, sample);
        } else {
            self.slowness = slowness;
        }
        let latency = latency / self.slowness;
        self.weight = self.weight.min(LINE_MEMORY) + 1.0;
        let share = 1.0 / self.weight;
        self.length += share * (length - self.length);
        self.latency += share * (latency - self.latency);
        self.length_squared += share * (length * length - self.length_squared);
        self.length_latency += share * (length * latency - self.length_latency);
    }

    /// Mean length of the prompts answered while this one waited, itself included.
    fn length_beside(&mut self, sample: &Sample) -> f64 {
        if self.lately.len() == LATEST {
            self.lately.pop_front();
        }
        self.lately.push_back((sample.ended, Self::length(sample)));
        let beside = self.lately.iter().rev();
        let (count, total) = beside
            .take_while(|(ended, _)| *ended > sample.started)
            .fold((0.0, 0.0), |(count, total), (_, length)| {
                (count + 1.0, total + length)
            });
        if count == 0.0 {
            return Self::length(sample);
        }
        total / count
    }

    /// Cost of `count` requests with this total length. The unit is arbitrary and changes with the
    /// line.
    pub(super) fn cost(&self, count: f64, length: f64) -> f64 {
        let (fixed, per_unit) = self.coefficients();
        fixed * count + per_unit * length
    }

    /// Variance of the logarithm of one answer's cost, and the number of answers.
    pub(super) fn scatter(&self) -> (f64, f64) {
        (self.scatter.variance, self.scatter.count)
    }

    fn coefficients(&self) -> (f64, f64) {
        let variance = self.length_squared - self.length * self.length;
        let spread_enough = variance > 1e-4 * self.length_squared;
        // With a handful of samples a slope is mostly noise.
        if self.weight < 8.0 || !spread_enough {
            return if self.is_work {
                (USUAL_FIXED, 1.0)
            } else {
                (1.0, 0.0)
            };
        }
        let covariance = self.length_latency - self.length * self.latency;
        let per_unit = (covariance / variance).max(0.0);
        let fixed = (self.latency - per_unit * self.length).max(0.0);
        if fixed + per_unit <= 0.0 {
            (1.0, 0.0)
        } else {
            (fixed, per_unit)
        }
    }
}

impl Scatter {
    /// Learns from an answer. A burst counts once: the server worked on its answers together, so they
    /// deviate together.
    fn learn(&mut self, off: f64, sample: &Sample) {
        let gap = sample.ended.saturating_sub(self.ended).as_secs_f64();
        self.ended = sample.ended;
        self.count = self.count.min(SCATTER_MEMORY) + 1.0;
        if self.burst > 0.0 && gap < BURST * sample.latency() {
            self.burst += 1.0;
            self.off += (off - self.off) / self.burst;
            return;
        }
        if self.burst > 0.0 {
            if let Some(last) = self.last {
                let change = self.off - last;
                // This is the mean of the burst; one answer varies as much more.
                let variance = (change * change / 2.0).min(1.0) * self.burst;
                let share = (self.burst / self.count).min(1.0);
                self.variance += share * (variance - self.variance);
            }
            self.last = Some(self.off);
        }
        self.burst = 1.0;
        self.off = off;
    }
}
