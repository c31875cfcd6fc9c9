//! Intervals: from replicates, and Wilson's of a share.

use super::bootstrap::quantile;
use super::figure::{AVERAGED, DRAWN, FIGURES, NoInterval};
use super::{normal, student};

/// An interval of one figure, in the figure's own unit.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Standard deviation of the replicates: the figure's standard error.
    pub se: f64,
}

impl Interval {
    /// Both ends.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    pub(super) fn extend(&mut self, (low, high): (f64, f64)) {
        self.low = self.low.min(low);
        self.high = self.high.max(high);
    }
}

/// The intervals of one cell, by figure.
pub(super) type CellIntervals = [Result<Interval, NoInterval>; FIGURES];

/// The smallest interval that contains both kinds of percentile interval and the figure itself,
/// even where most draws are on one side of it.
pub(super) fn hull(
    value: f64,
    tail: f64,
    replicates: impl Fn(usize, usize) -> Vec<f64>,
) -> Interval {
    let mut hull = around(value, spread(&replicates(DRAWN, 0)));
    for kind in [DRAWN, AVERAGED] {
        hull.extend(percentile(tail, |end| replicates(kind, end)));
    }
    hull
}

/// An interval of the figure alone, to be extended.
pub(super) fn around(value: f64, se: f64) -> Interval {
    Interval {
        low: value,
        high: value,
        se,
    }
}

/// The percentile interval of replicates at their lower and at their upper end.
pub(super) fn percentile(tail: f64, replicates: impl Fn(usize) -> Vec<f64>) -> (f64, f64) {
    let at = |end: usize, share: f64| {
        let mut values = replicates(end);
        values.sort_unstable_by(f64::total_cmp);
        quantile(&values, share)
    };
    (at(0, tail), at(1, 1.0 - tail))
}

/// Standard deviation, with n − 1 in the denominator.
pub(crate) fn spread(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (n - 1.0).max(1.0)).sqrt()
}

/// The share of replicates beyond either end of an interval at `level`, for halves of at least
/// `clusters` clusters. Percentile intervals of few rows are too narrow: this widens them as
/// Student's t and the factor √(n/(n−1)) widen a normal interval (Hesterberg 2015, section 4.4).
///
/// ```
/// use sureness_conformal::tail;
///
/// assert!((tail(0.95, 20) - 0.0158).abs() < 1e-4);
/// assert!((tail(0.95, 100_000) - 0.025).abs() < 1e-5);
/// ```
pub fn tail(level: f64, clusters: usize) -> f64 {
    let n = clusters.max(2) as f64;
    let t = student::two_sided_quantile(level, n - 1.0) * (n / (n - 1.0)).sqrt();
    normal::cdf(-t)
}

/// Wilson's score interval for a share of `successes` in `n`, without continuity correction, at
/// a confidence `level` such as 0.95 (Wilson 1927). `(0, 1)` for `n = 0`.
///
/// Unlike the textbook interval it stays within 0..1, is not empty for a share of 0 or 1, and
/// keeps its level for small `n` (Brown, Cai & `DasGupta` 2001).
pub fn wilson(successes: usize, n: usize, level: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let share = successes.min(n) as f64 / n as f64;
    wilson_share(share, n as f64, level)
}

/// [`wilson`] for a share of `rows` rows, which need not be a whole number: the effective sample
/// size of rows in clusters.
pub fn wilson_share(share: f64, rows: f64, level: f64) -> (f64, f64) {
    let z = normal::two_sided(level);
    if !z.is_finite() || rows <= 0.0 {
        return (0.0, 1.0);
    }
    let shrink = 1.0 + z * z / rows;
    let centre = (share + z * z / (2.0 * rows)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / rows + z * z / (4.0 * rows * rows)).sqrt();
    // At the ends the formula gives 0 or 1, but for rounding.
    let low = if share <= 0.0 { 0.0 } else { centre - half };
    let high = if share >= 1.0 { 1.0 } else { centre + half };
    (low.max(0.0), high.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn agrees_with_published_examples() {
        // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (k, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (l, h) = wilson(k, n, 0.95);
            assert!(
                (l - low).abs() < 5e-5 && (h - high).abs() < 5e-5,
                "{k}/{n}: {l} {h}"
            );
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the ends are exact")]
    fn defined_at_the_edges() {
        assert_eq!(wilson(0, 0, 0.95), (0.0, 1.0));
        assert_eq!(wilson(0, 1, 0.95).0, 0.0);
        assert_eq!(wilson(1, 1, 0.95).1, 1.0);
        assert_eq!(wilson(5, 9, 1.0), (0.0, 1.0));
        let (low, high) = wilson(5, 10, 0.0);
        assert_eq!((low, high), (0.5, 0.5));
    }

    proptest! {
        #[test]
        fn holds_the_share_and_mirrors(n in 1_usize..5000, part in 0.0..=1.0_f64, level in 0.01..0.999_f64) {
            let k = (n as f64 * part) as usize;
            let (low, high) = wilson(k, n, level);
            let share = k as f64 / n as f64;
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            let (mirrored_low, mirrored_high) = wilson(n - k, n, level);
            prop_assert!((mirrored_low - (1.0 - high)).abs() < 1e-12);
            prop_assert!((mirrored_high - (1.0 - low)).abs() < 1e-12);
        }
    }
}
