//! Intervals of figures by the influence of each question.

use std::collections::BTreeMap;

use super::Interval;
use super::student::two_sided_quantile;

/// The interval of a figure with `value`, from the influence of each question on it: `value ± t s / √n`,
/// where s² is the variance of influences summed over clusters and t Student's quantile for the number
/// of clusters (Huber 1981, section 1.5, for the delta method; Liang & Zeger 1986 for clusters).
///
/// One imagined cluster of mean size, whose questions have the influence `imagined`, is added to the sum of
/// squares: where no influence differs, the figure may still do so in other questions. With a single question
/// in its place, intervals of small shares of clustered questions held in 92 % at a level of 95 %. `None` for
/// fewer than two clusters.
///
/// ```
/// use sureness_conformal::influence_interval;
///
/// // Of 400 questions, one model alone is right in 30 and the other alone in 10.
/// let influences: Vec<f64> = (0..400)
///     .map(|q| f64::from(i32::from(q < 30) - i32::from((30..40).contains(&q))) - 0.05)
///     .collect();
/// let clusters: Vec<[u8; 32]> = (0..400_u16)
///     .map(|q| std::array::from_fn(|i| q.to_le_bytes().get(i).copied().unwrap_or(0)))
///     .collect();
/// let interval = influence_interval(0.05, &influences, &clusters, 0.95, 1.0).unwrap();
/// assert!((interval.low - 0.0189).abs() < 1e-3 && (interval.high - 0.0811).abs() < 1e-3);
/// ```
pub fn influence_interval(
    value: f64,
    influences: &[f64],
    clusters: &[[u8; 32]],
    level: f64,
    imagined: f64,
) -> Option<Interval> {
    // In the order of their names, so that equal questions give equal digits.
    let mut sums: BTreeMap<&[u8; 32], f64> = BTreeMap::new();
    for (cluster, influence) in clusters.iter().zip(influences) {
        *sums.entry(cluster).or_default() += influence;
    }
    let count = sums.len() as f64;
    if count < 2.0 {
        return None;
    }
    let n = influences.len() as f64;
    let squares: f64 = sums.values().map(|sum| sum * sum).sum();
    let imagined = imagined * n / count;
    let variance = (squares * count / (count - 1.0) + imagined * imagined) / (n * n);
    let half = two_sided_quantile(level, count - 1.0) * variance.sqrt();
    Some(Interval {
        low: value - half,
        high: value + half,
        se: variance.sqrt(),
    })
}
