//! What a request costs by its length.

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
/// A server that works on several prompts in one go answers all of them when the last is done, and
/// so late as all their lengths together make it. So what counts is the mean length of all that was
/// answered while a request waited. On a server that works on each by itself this comes to the
/// same line, seen less exactly.
#[derive(Debug, Clone, Default)]
pub(super) struct CostLine {
    /// When the latest answers came, and how long their prompts were.
    lately: VecDeque<(Duration, f64)>,
    /// Whether the server tells how many tokens it computes: then length is work.
    is_work: bool,
    weight: f64,
    length: f64,
    latency: f64,
    length_squared: f64,
    length_latency: f64,
    /// Latency per cost lately. It depends on the limit, on which the line must not depend.
    slowness: f64,
    scatter: Scatter,
}

/// How far single latencies are off what the line says, by the change from one to the next: the
/// limit moves all of them.
#[derive(Debug, Clone, Copy, Default)]
struct Scatter {
    variance: f64,
    count: f64,
    /// Of the last burst of answers: when its latest came, how many they were, and how far off in
    /// the mean.
    ended: Duration,
    burst: f64,
    off: f64,
    /// The burst before it.
    last: Option<f64>,
}

/// Samples after which an old one counts for a third.
const MEMORY: f64 = 200.0;
/// The same for scatter.
const SCATTER_MEMORY: f64 = 60.0;
/// Answers that come within this share of their latency are one burst.
const BURST: f64 = 0.03;
/// Answers that are looked back on.
const LATELY: usize = 256;
/// Where length is work, what a request costs beside it, in tokens, before that was measured.
const USUAL_FIXED: f64 = 64.0;
/// Slowness is learned over as many answers as were in flight, within these bounds.
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
        self.weight = self.weight.min(MEMORY) + 1.0;
        let share = 1.0 / self.weight;
        self.length += share * (length - self.length);
        self.latency += share * (latency - self.latency);
        self.length_squared += share * (length * length - self.length_squared);
        self.length_latency += share * (length * latency - self.length_latency);
    }

    /// Mean length of what was answered while this one waited, itself included.
    fn length_beside(&mut self, sample: &Sample) -> f64 {
        if self.lately.len() == LATELY {
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

    /// Cost of `count` requests with this total length. The unit is arbitrary, but the same at
    /// one moment.
    pub(super) fn cost(&self, count: f64, length: f64) -> f64 {
        let (fixed, per_unit) = self.coefficients();
        fixed * count + per_unit * length
    }

    /// Variance of the logarithm of what single answers cost, and after how many.
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
    /// Answers of one burst were worked on together: they are off together, and tell no more than
    /// one.
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
                // In the mean over so many answers; of one it is as much more.
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
