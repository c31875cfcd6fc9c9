//! Intervals from resampled rows.

use serde::{Deserialize, Serialize};

use super::normal;
use super::row_clusters::RowClusters;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Resampling {
    /// Number of replicates; at least 1.
    pub replicates: usize,
    /// Confidence level, in 0..1.
    pub level: f64,
    /// Equal seeds give equal results, on any machine and with any number of threads.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self {
            replicates: 1000,
            level: 0.95,
            seed: 42,
        }
    }
}

impl Resampling {
    /// The fewest replicates that are asked for: with fewer, the ends of an interval are chance.
    pub const LEAST: usize = 100;

    /// The most replicates that are asked for: more take hours.
    pub const MOST: usize = 1_000_000;

    /// Replicates of which two lie beyond each end of an interval at this level: with fewer, the ends are
    /// the extremes of all replicates, however high the level.
    ///
    /// ```
    /// use sureness_conformal::Resampling;
    ///
    /// assert_eq!(Resampling::needed(0.95), 80);
    /// assert_eq!(Resampling::needed(0.999), 4000);
    /// ```
    pub fn needed(level: f64) -> usize {
        // Rounded, since 1 − 0.996 is not 0.004.
        (4.0 / (1.0 - level) - 1e-6).ceil() as usize
    }
}

/// Bootstrap intervals of one figure, in the figure's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapInterval {
    /// Percentiles of the replicates (Efron 1979), interpolated linearly between two of them.
    pub percentile: (f64, f64),
    /// The same, corrected for bias and for a spread that depends on the figure: bias-corrected
    /// and accelerated (Efron 1987; Efron & Tibshirani 1993, equations 14.9 to 14.15).
    pub bca: (f64, f64),
    /// Standard deviation of the replicates: the figure's standard error.
    pub se: f64,
}

impl BootstrapInterval {
    /// From the figure itself, its replicates, its acceleration, and the share of replicates beyond
    /// either end. Ignores replicates that are not finite; `None` if none is left or the figure is
    /// not finite.
    pub(crate) fn of(
        figure: f64,
        mut replicates: Vec<f64>,
        acceleration: f64,
        tail: f64,
    ) -> Option<Self> {
        replicates.retain(|replicate| replicate.is_finite());
        if replicates.is_empty() || !figure.is_finite() {
            return None;
        }
        replicates.sort_unstable_by(f64::total_cmp);
        let n = replicates.len() as f64;
        // Around one of them, so that equal replicates have a spread of exactly 0.
        let least = replicates[0];
        let mean = least + replicates.iter().map(|x| x - least).sum::<f64>() / n;
        let squares: f64 = replicates.iter().map(|x| (x - mean).powi(2)).sum();
        let at = |share: f64| quantile(&replicates, share);

        // A replicate equal to the figure counts half: figures of few rows take few values.
        let slack = 1e-12 * figure.abs();
        let below = replicates.partition_point(|&x| x < figure - slack);
        let not_above = replicates.partition_point(|&x| x <= figure + slack);
        let share = 0.5 * (below + not_above) as f64 / n;
        let bias = normal::quantile(share.clamp(0.5 / n, 1.0 - 0.5 / n));
        let corrected = |share: f64| {
            let z = bias + normal::quantile(share);
            let shrunk = 1.0 - acceleration * z;
            if z.is_finite() && shrunk > 0.0 {
                normal::cdf(bias + z / shrunk)
            } else {
                share
            }
        };
        Some(Self {
            percentile: (at(tail), at(1.0 - tail)),
            bca: (at(corrected(tail)), at(corrected(1.0 - tail))),
            se: (squares / (n - 1.0).max(1.0)).sqrt(),
        })
    }
}

/// The quantile of ascending `values`, interpolated linearly (type 7 of Hyndman & Fan 1996).
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let below = (at.floor() as usize).min(last);
    let above = (below + 1).min(last);
    values[below] + (values[above] - values[below]) * (at - below as f64)
}

/// The acceleration of [`BootstrapInterval::bca`] from jackknife values and how often each
/// occurs: a sixth of the skewness of the figure's influence function (Efron & Tibshirani 1993,
/// equation 14.15). 0 where nothing varies.
fn acceleration(jackknife: &[(f64, usize)]) -> f64 {
    let finite = || {
        jackknife
            .iter()
            .filter(|(value, _)| value.is_finite())
            .map(|&(value, times)| (value, times as f64))
    };
    let n: f64 = finite().map(|(_, times)| times).sum();
    let mean = finite().map(|(value, times)| value * times).sum::<f64>() / n;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for (value, times) in finite() {
        squares += times * (mean - value).powi(2);
        cubes += times * (mean - value).powi(3);
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    if acceleration.is_finite() {
        acceleration
    } else {
        0.0
    }
}

/// The interval of any statistic of `n` rows. `statistic` receives row indices, in which a row may
/// occur several times or not at all, and may return NaN where it is undefined: such replicates are
/// ignored. `None` without rows, or if the statistic of all rows is not finite.
///
/// Calls `statistic` once for each replicate, and up to 100 times for the jackknife.
///
/// ```
/// use sureness_conformal::{Resampling, bootstrap};
///
/// let values: Vec<f64> = (0..100).map(f64::from).collect();
/// let mean = |rows: &[usize]| rows.iter().map(|&row| values[row]).sum::<f64>() / 100.0;
/// let interval = bootstrap(100, &Resampling::default(), mean).unwrap();
/// // The standard error is 28.9 / √100.
/// assert!((interval.se - 2.89).abs() < 0.2);
/// assert!(interval.bca.0 < 49.5 && 49.5 < interval.bca.1);
/// ```
pub fn bootstrap(
    n: usize,
    resampling: &Resampling,
    statistic: impl Fn(&[usize]) -> f64,
) -> Option<BootstrapInterval> {
    let clusters = RowClusters::apart(n);
    let of = |weights: &[u8]| {
        let rows: Vec<usize> = (0..n)
            .flat_map(|row| std::iter::repeat_n(row, usize::from(weights[row])))
            .collect();
        statistic(&rows)
    };
    if n == 0 {
        return None;
    }
    let all: Vec<usize> = (0..n).collect();
    let jackknife: Vec<(f64, usize)> = (0..clusters.groups())
        .map(|group| {
            let weights = clusters.leave_out(group);
            (of(&weights), 1)
        })
        .collect();
    let replicates = (0..resampling.replicates.max(1)).map(|replicate| {
        let weights = clusters.draw(resampling.seed, replicate);
        of(&weights)
    });
    BootstrapInterval::of(
        statistic(&all),
        replicates.collect(),
        acceleration(&jackknife),
        outside(resampling.level),
    )
}

/// The share of replicates beyond either end of an interval at `level`.
fn outside(level: f64) -> f64 {
    0.5 * (1.0 - level.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mean(values: &[f64]) -> impl Fn(&[usize]) -> f64 + '_ {
        |rows| rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "interpolation at these places is exact")]
    fn quantiles_interpolate() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (share, value) in [
            (0.0, 1.0),
            (0.25, 2.0),
            (0.375, 3.0),
            (1.0, 16.0),
            (7.0, 16.0),
        ] {
            assert_eq!(quantile(&values, share), value);
        }
    }

    #[test]
    fn acceleration_of_a_mean_is_a_sixth_of_its_skewness() {
        let values = [1.0, 1.0, 1.0, 1.0, 6.0_f64];
        // Deviations -1 four times and 4: squares 20, cubes 60; leaving one row out of a mean
        // keeps their ratio and turns the sign twice.
        let jackknife: Vec<(f64, usize)> = values.iter().map(|x| ((10.0 - x) / 4.0, 1)).collect();
        let expected = 60.0 / (6.0 * 20.0_f64.powf(1.5));
        assert!((acceleration(&jackknife) - expected).abs() < 1e-12);
        let grouped = [(9.0 / 4.0, 4), (1.0, 1)];
        assert!((acceleration(&grouped) - expected).abs() < 1e-12);
        assert!(acceleration(&[]).abs() < 1e-15);
        assert!(acceleration(&[(1.0, 9)]).abs() < 1e-15);
    }

    #[test]
    fn bca_shifts_towards_the_long_tail() {
        let values: Vec<f64> = (1..=60).map(|i| (f64::from(i) / 12.0).exp()).collect();
        let interval = bootstrap(values.len(), &Resampling::default(), mean(&values)).unwrap();
        assert!(interval.bca.0 > interval.percentile.0);
        assert!(interval.bca.1 > interval.percentile.1);
    }

    #[test]
    fn standard_error_of_a_mean() {
        let values: Vec<f64> = (0..500).map(|i| f64::from(i % 7)).collect();
        let n = values.len() as f64;
        let middle = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - middle).powi(2)).sum::<f64>() / n;
        let resampling = Resampling {
            replicates: 4000,
            ..Resampling::default()
        };
        let interval = bootstrap(values.len(), &resampling, mean(&values)).unwrap();
        // The standard error of a standard deviation from 4,000 draws is 1.1 % of it.
        assert!((interval.se / (variance / n).sqrt() - 1.0).abs() < 0.04);
        let half = 1.96 * interval.se;
        assert!((interval.percentile.0 - (middle - half)).abs() < 0.1 * half);
        assert!((interval.percentile.1 - (middle + half)).abs() < 0.1 * half);
    }

    #[test]
    fn defined_at_the_edges() {
        let resampling = Resampling::default();
        assert!(bootstrap(0, &resampling, |_| 1.0).is_none());
        assert!(bootstrap(5, &resampling, |_| f64::NAN).is_none());
        let certain = BootstrapInterval {
            percentile: (0.3, 0.3),
            bca: (0.3, 0.3),
            se: 0.0,
        };
        for n in [1, 2, 50] {
            let interval = bootstrap(n, &resampling, |_| 0.3).unwrap();
            assert_eq!(interval.percentile, certain.percentile);
            assert_eq!(interval.bca, certain.bca);
            assert!(interval.se < 1e-15);
        }
        let none = Resampling {
            replicates: 0,
            ..resampling
        };
        assert!(bootstrap(9, &none, |rows| rows[0] as f64).is_some());
        // Not defined in most replicates.
        let now_and_then = |rows: &[usize]| {
            if rows.contains(&0) && rows.contains(&1) {
                0.5
            } else {
                f64::NAN
            }
        };
        let interval = bootstrap(4, &resampling, now_and_then).unwrap();
        assert_eq!(interval.percentile, (0.5, 0.5));
    }

    proptest! {
        #[test]
        fn nothing_that_is_not_a_number(
            values in prop::collection::vec(-5.0..5.0_f64, 1..40), seed in any::<u64>(), level in 0.0..=1.0_f64,
        ) {
            let resampling = Resampling { replicates: 60, level, seed };
            let interval = bootstrap(values.len(), &resampling, mean(&values)).unwrap();
            for (low, high) in [interval.percentile, interval.bca] {
                prop_assert!(low.is_finite() && high.is_finite() && low <= high);
            }
            prop_assert!(interval.se.is_finite());
        }
    }
}
