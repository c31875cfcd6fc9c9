//! What a request costs by its length.

use super::Sample;

/// A line fitted to latency over prompt length.
///
/// A run goes through groups of questions whose prompts differ tenfold in length. Counted in
/// requests, the server's throughput would seem to jump between them; counted in the seconds that
/// such requests take, it does not. Only the ratio of the two coefficients matters: queueing
/// raises every latency and with it the intercept, so a long queue makes the correction weaker,
/// never wrong in direction.
#[derive(Debug, Clone, Default)]
pub(super) struct CostLine {
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
    last: f64,
}

/// Samples after which an old one counts for a third.
const MEMORY: f64 = 200.0;
/// The same for scatter.
const SCATTER_MEMORY: f64 = 60.0;
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
        let length = Self::length(sample);
        let latency = sample.latency().max(1e-9);
        let slowness = latency / self.cost(1.0, length).max(1e-9);
        if self.slowness > 0.0 {
            let off = (slowness / self.slowness).ln();
            let memory = sample.in_flight.clamp(SLOWNESS_MEMORY.0, SLOWNESS_MEMORY.1);
            self.slowness *= (off / memory as f64).exp();
            self.scatter.learn(off);
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
            return (1.0, 0.0);
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
    fn learn(&mut self, off: f64) {
        if self.count > 0.0 {
            let change = off - self.last;
            let variance = (change * change / 2.0).min(1.0);
            self.variance += (variance - self.variance) / self.count;
        }
        self.count = self.count.min(SCATTER_MEMORY) + 1.0;
        self.last = off;
    }
}
