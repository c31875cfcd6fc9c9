//! Correlations and linear trends.

use serde::{Deserialize, Serialize};

use super::normal;
use super::student;

/// A straight line by least squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Number of points.
    pub n: usize,
    /// Change of y per unit of x.
    pub slope: f64,
    /// y at x = 0.
    pub intercept: f64,
    /// Interval of the slope, Student's t with n − 2 degrees of freedom; `None` for two points.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p-value of a slope of zero; `None` for two points.
    pub p_value: Option<f64>,
}

/// Fits a line (ordinary least squares; the interval is exact where deviations are normal and
/// equally wide). `None` where the lists differ in length, hold fewer than two points or a number
/// that is not finite, or where all x are equal.
pub fn linear_trend(x: &[f64], y: &[f64], level: f64) -> Option<Trend> {
    let Moments {
        n,
        x,
        y,
        xx,
        xy,
        yy,
    } = Moments::of(x, y)?;
    if xx <= 0.0 {
        return None;
    }
    let slope = xy / xx;
    let trend = Trend {
        n,
        slope,
        intercept: y - slope * x,
        interval: None,
        p_value: None,
    };
    if n < 3 {
        return Some(trend);
    }
    let freedom = (n - 2) as f64;
    let residual = (yy - slope * xy).max(0.0);
    let error = (residual / freedom / xx).sqrt();
    let reach = student::two_sided_quantile(level, freedom) * error;
    let t = slope.abs() / error;
    Some(Trend {
        interval: Some((slope - reach, slope + reach)),
        p_value: Some(if t.is_nan() {
            1.0
        } else {
            student::two_sided_tail(t, freedom)
        }),
        ..trend
    })
}

/// Pearson's correlation with Fisher's interval (1921), which takes both to be normal. `None`
/// where it is not defined: fewer than four points, a list without spread, different lengths,
/// numbers that are not finite.
pub fn pearson(a: &[f64], b: &[f64], level: f64) -> Option<(f64, (f64, f64))> {
    let moments = Moments::of(a, b)?;
    let spread = (moments.xx * moments.yy).sqrt();
    let tiny = |sum: f64, mean: f64| sum <= 1e-24 * mean * mean * moments.n as f64;
    if moments.n < 4 || tiny(moments.xx, moments.x) || tiny(moments.yy, moments.y) {
        return None;
    }
    let r = (moments.xy / spread).clamp(-1.0, 1.0);
    Some((r, fisher(r, 1.0 / (moments.n as f64 - 3.0), level)))
}

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank. The
/// interval is Fisher's with the variance of Bonett & Wright (2000), `(1 + r²/2) / (n − 3)`.
/// `None` as for [`pearson`].
pub fn spearman(a: &[f64], b: &[f64], level: f64) -> Option<(f64, (f64, f64))> {
    if a.iter().chain(b).any(|value| !value.is_finite()) {
        return None;
    }
    let (r, _) = pearson(&ranks(a), &ranks(b), level)?;
    let variance = (1.0 + r * r / 2.0) / (a.len() as f64 - 3.0);
    Some((r, fisher(r, variance, level)))
}

fn fisher(r: f64, variance: f64, level: f64) -> (f64, f64) {
    let reach = normal::two_sided(level) * variance.sqrt();
    let z = r.atanh();
    if z.is_infinite() {
        return (r, r);
    }
    ((z - reach).tanh(), (z + reach).tanh())
}

/// Ranks from 1, equal values sharing their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let rank = before as f64 + f64::midpoint(1.0, equal.len() as f64);
        for &index in equal {
            ranks[index] = rank;
        }
        before += equal.len();
    }
    ranks
}

/// Means, and sums of squares and products about them.
struct Moments {
    n: usize,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Moments {
    fn of(x: &[f64], y: &[f64]) -> Option<Self> {
        let n = x.len();
        if n != y.len() || n < 2 || x.iter().chain(y).any(|value| !value.is_finite()) {
            return None;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
        let (mean_x, mean_y) = (mean(x), mean(y));
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in x.iter().zip(y) {
            let (dx, dy) = (x - mean_x, y - mean_y);
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
        Some(Self {
            n,
            x: mean_x,
            y: mean_y,
            xx,
            xy,
            yy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    /// `scipy.stats.linregress` and its `t.ppf`, on Anscombe's first set.
    #[test]
    fn a_line_by_hand() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [
            8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68,
        ];
        let trend = linear_trend(&x, &y, 0.95).unwrap();
        assert!(near(trend.slope, 0.500_090_909_090_909_1));
        assert!(near(trend.intercept, 3.000_090_909_090_909));
        assert!((trend.p_value.unwrap() - 0.002_169_628_873).abs() < 1e-9);
        let (r, _) = pearson(&x, &y, 0.95).unwrap();
        assert!(near(r, 0.816_420_516_344_84));
    }

    #[test]
    fn ranks_share_ties() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        let (r, interval) = spearman(
            &[1.0, 2.0, 3.0, 4.0, 9.0],
            &[1.0, 4.0, 9.0, 16.0, 17.0],
            0.95,
        )
        .unwrap();
        assert_eq!((r, interval), (1.0, (1.0, 1.0)));
    }

    #[test]
    fn undefined_figures_are_none() {
        assert!(pearson(&[1.0; 5], &[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).is_none());
        assert!(pearson(&[1.0, 2.0], &[1.0, 2.0], 0.95).is_none());
        assert!(spearman(&[f64::NAN, 1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0], 0.95).is_none());
        assert!(linear_trend(&[1.0, 1.0], &[1.0, 2.0], 0.95).is_none());
        let two = linear_trend(&[1.0, 2.0], &[1.0, 3.0], 0.95).unwrap();
        assert_eq!((two.slope, two.interval), (2.0, None));
        let exact = linear_trend(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0], 0.95).unwrap();
        assert_eq!(exact.interval, Some((2.0, 2.0)));
        assert!(exact.p_value.unwrap() < 1e-6);
        let flat = linear_trend(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0], 0.95).unwrap();
        assert_eq!((flat.slope, flat.p_value), (0.0, Some(1.0)));
    }
}
