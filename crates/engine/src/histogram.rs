//! Millions of durations in a few kilobytes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Buckets per doubling: a quantile is off by at most a sixteenth.
const STEPS: u64 = 8;
/// Enough for every number of nanoseconds.
const BUCKETS: usize = 496;

/// Counts durations in buckets that widen with the duration.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    max: u64,
}

/// Quantiles of a duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Number of measurements.
    pub count: u64,
    /// The median.
    pub p50: Duration,
    /// The 90th percentile.
    pub p90: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            total: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts `value` `times` times.
    pub(crate) fn record(&mut self, value: Duration, times: u64) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += times;
        self.total += times;
        if times > 0 {
            self.max = self.max.max(nanos);
        }
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        Quantiles {
            count: self.total,
            p50: self.quantile(50),
            p90: self.quantile(90),
            p99: self.quantile(99),
            max: Duration::from_nanos(self.max),
        }
    }

    /// The middle of the bucket in which the value of this rank lies.
    fn quantile(&self, percent: u64) -> Duration {
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(middle(index).min(self.max));
            }
        }
        Duration::ZERO
    }
}

/// Below [`STEPS`] each number has a bucket; above, each doubling has [`STEPS`].
fn bucket(nanos: u64) -> usize {
    if nanos < STEPS {
        return nanos as usize;
    }
    let exponent = u64::from(nanos.ilog2());
    let step = (nanos >> (exponent - 3)) % STEPS;
    ((exponent - 2) * STEPS + step) as usize
}

fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    let low = (STEPS + bucket % STEPS) << shift;
    low + ((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_close_to_the_exact_ones(
            mut values in prop::collection::vec(0_u64..10_000_000_000, 1..400),
        ) {
            let mut histogram = Histogram::default();
            for &value in &values {
                histogram.record(Duration::from_nanos(value), 1);
            }
            values.sort_unstable();
            let exact = |percent: usize| values[(values.len() * percent).div_ceil(100).max(1) - 1];
            let found = histogram.quantiles();
            prop_assert_eq!(found.max, Duration::from_nanos(values[values.len() - 1]));
            for (found, exact) in [(found.p50, exact(50)), (found.p90, exact(90)), (found.p99, exact(99))] {
                let off = found.as_nanos().abs_diff(u128::from(exact));
                prop_assert!(off <= u128::from(exact / 16), "{found:?} for {exact} ns");
            }
        }
    }

    #[test]
    fn the_extremes_fit() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantiles(), Quantiles::default());
        histogram.record(Duration::ZERO, 1);
        histogram.record(Duration::MAX, 1);
        let found = histogram.quantiles();
        assert_eq!((found.count, found.p50), (2, Duration::ZERO));
        assert_eq!(found.max, Duration::from_nanos(u64::MAX));
    }
}
