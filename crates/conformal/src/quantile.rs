//! The threshold: a quantile of the calibration scores.

use crate::Real;

/// The largest nonconformity score that a prediction set admits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold<F> {
    /// Admits options with a score up to this one.
    Finite(F),
    /// Admits every option: the calibration set is too small for the error rate. A finite threshold
    /// takes at least `⌈1/α⌉ − 1` rows.
    Infinite,
}

impl<F: Real> Threshold<F> {
    /// The value, or `None` where it is infinite.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(value.to_f64()),
            Self::Infinite => None,
        }
    }
}

/// `⌈(n+1)(1−α)⌉`, the rank of the threshold among `n` calibration scores, ascending from 1 (Vovk
/// et al. 2005; Angelopoulos & Bates 2021, section 1). `None` where it exceeds `n`.
pub fn conformal_rank(n: usize, alpha: f64) -> Option<usize> {
    // 1 − α is not exact in binary: without this slack a product such as 100 · 0.9 could round to
    // just above 90, and its ceiling would be 91.
    let rank = ((n as f64 + 1.0) * (1.0 - alpha) - 1e-9).ceil().max(1.0) as usize;
    (rank <= n).then_some(rank)
}

/// The finite-sample threshold of split conformal prediction: the [`conformal_rank`]-th smallest
/// score. Reorders `scores`.
///
/// ```
/// use sureness_conformal::{Threshold, conformal_threshold};
///
/// let mut scores: Vec<f64> = (1..=99).map(f64::from).collect();
/// assert_eq!(conformal_threshold(&mut scores, 0.1), Threshold::Finite(90.0));
/// // Eight scores cannot bound an error rate of 10 %.
/// assert_eq!(conformal_threshold(&mut scores[..8], 0.1), Threshold::Infinite);
/// ```
pub fn conformal_threshold<F: Real>(scores: &mut [F], alpha: f64) -> Threshold<F> {
    match conformal_rank(scores.len(), alpha) {
        Some(rank) => Threshold::Finite(select(scores, rank - 1)),
        None => Threshold::Infinite,
    }
}

/// The rank of the published script's threshold among `n` calibration scores, ascending from 1:
/// that of `numpy.quantile(scores, ⌈(n+1)(1−α)⌉/n, method="higher")`. `None` where that level
/// exceeds 1.
///
/// This is one above [`conformal_rank`] wherever the level is below 1.
pub fn numpy_higher_rank(n: usize, alpha: f64) -> Option<usize> {
    let scores = n as f64;
    let level = ((scores + 1.0) * (1.0 - alpha)).ceil() / scores;
    if n == 0 || level > 1.0 {
        return None;
    }
    let index = ((scores - 1.0) * level).ceil() as usize;
    Some(index.min(n - 1) + 1)
}

/// The published script's threshold, the [`numpy_higher_rank`]-th smallest score, and so slightly
/// more generous than [`conformal_threshold`]. Reorders `scores`.
pub fn numpy_higher_threshold<F: Real>(scores: &mut [F], alpha: f64) -> Threshold<F> {
    match numpy_higher_rank(scores.len(), alpha) {
        Some(rank) => Threshold::Finite(select(scores, rank - 1)),
        None => Threshold::Infinite,
    }
}

fn select<F: Real>(scores: &mut [F], index: usize) -> F {
    *scores
        .select_nth_unstable_by(index, |a, b| {
            a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)
        })
        .1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_at_the_edges() {
        assert_eq!(conformal_rank(8, 0.1), None);
        assert_eq!(conformal_rank(9, 0.1), Some(9));
        assert_eq!(conformal_rank(99, 0.1), Some(90));
        assert_eq!(conformal_rank(19, 0.05), Some(19));
        assert_eq!(conformal_rank(0, 0.1), None);
        assert_eq!(conformal_rank(3, 0.999), Some(1));
        // Exact products must not be lifted by rounding, whatever the level.
        for n in 1..2000_usize {
            for percent in 1..100_usize {
                let exact = ((n + 1) * (100 - percent)).div_ceil(100).max(1);
                let rank = conformal_rank(n, percent as f64 / 100.0);
                assert_eq!(
                    rank,
                    (exact <= n).then_some(exact),
                    "n {n}, alpha {percent} %"
                );
            }
        }
    }

    #[test]
    fn thresholds_on_known_scores() {
        let scores: Vec<f64> = (1..=99).rev().map(f64::from).collect();
        assert_eq!(
            conformal_threshold(&mut scores.clone(), 0.1),
            Threshold::Finite(90.0)
        );
        // numpy.quantile(range(1, 100), 90/99, method="higher") is 91.
        assert_eq!(
            numpy_higher_threshold(&mut scores.clone(), 0.1),
            Threshold::Finite(91.0)
        );
        assert_eq!(
            conformal_threshold(&mut scores[..8].to_vec(), 0.1),
            Threshold::Infinite
        );
        assert_eq!(
            numpy_higher_threshold(&mut scores[..8].to_vec(), 0.1),
            Threshold::Infinite
        );
        assert_eq!(
            numpy_higher_threshold::<f64>(&mut [], 0.1),
            Threshold::Infinite
        );
    }
}
