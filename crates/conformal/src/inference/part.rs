//! Coverage of a part of the test questions, such as a category.

use super::clusters::design_effect;
use super::interval::wilson_share;
use super::law::threshold_law;
use crate::{Scores, Threshold};

/// The threshold of a calibration set, and those that further sets of as many questions would have.
///
/// Over all questions the coverage under such thresholds has a known law
/// ([`CoverageLaw`](crate::CoverageLaw)). In a part of them it moves by more, where more of its scores
/// than of the others' lie near the threshold; where scores have few values, it jumps.
#[derive(Debug, Clone)]
pub struct ThresholdLaw {
    /// The largest value that each admits, on the scale of comparison. Empty if the threshold is infinite.
    bounds: Vec<f64>,
}

impl ThresholdLaw {
    /// Number of thresholds.
    pub const LEN: usize = super::law::NODES;

    /// Of the threshold that the `calibration` rows of `scores` set at the error rate `alpha`. `clusters`
    /// names the cluster of each row of the table.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn of(scores: &Scores, calibration: &[usize], clusters: &[[u8; 32]], alpha: f64) -> Self {
        let n = calibration.len();
        let Some(rank) = scores.view().protocol.rank(n, alpha) else {
            return Self { bounds: Vec::new() };
        };
        let answer = |row: usize| scores.ranked_answer(row);
        let mut strangest = calibration.to_vec();
        strangest.sort_by(|&a, &b| answer(b).total_cmp(&answer(a)));
        let names: Vec<[u8; 32]> = strangest.iter().map(|&row| clusters[row]).collect();
        let beyond: Vec<bool> = (0..n).map(|place| place < n + 1 - rank).collect();
        let shares = threshold_law(n, rank, design_effect(&names, &beyond));
        let bounds = shares.into_iter().map(|share| {
            let place = (share * n as f64) as usize;
            scores.bound(Threshold::Finite(answer(strangest[place.min(n - 1)])))
        });
        Self {
            bounds: bounds.collect(),
        }
    }

    /// Whether the set of a row of the same scores covers, threshold by threshold from the largest to the
    /// smallest. Every set does under an infinite one.
    ///
    /// # Panics
    /// If the row does not exist.
    pub fn covers(&self, scores: &Scores, row: usize) -> [bool; Self::LEN] {
        std::array::from_fn(|index| {
            let bound = self.bounds.get(index);
            bound.is_none_or(|&bound| scores.covers_within(row, bound))
        })
    }
}

/// The interval of the coverage of a part of the test questions, over draws of both halves. `covered` is
/// its share under the given threshold, `under_law` that under each of a [`ThresholdLaw`], and `clusters`
/// the number of independent questions that tell as much as the part's.
///
/// The distances of both ends from the share are those of Wilson's interval and of the farthest share
/// under the law, squared and added (Zou & Donner 2008).
///
/// ```
/// use sureness_conformal::{part_interval, wilson_share};
///
/// // Where the threshold moves nothing, the interval is Wilson's.
/// let (low, high) = part_interval(0.8, &[0.8; 16], 100.0, 0.95);
/// let wilson = wilson_share(0.8, 100.0, 0.95);
/// assert!((low - wilson.0).abs() < 1e-12 && (high - wilson.1).abs() < 1e-12);
/// // Where it jumps, both values are inside.
/// let mut under_law = [0.98; 16];
/// under_law[12..].fill(0.6);
/// let (low, high) = part_interval(0.98, &under_law, 100.0, 0.95);
/// assert!(low < 0.6 && high > 0.98);
/// ```
pub fn part_interval(covered: f64, under_law: &[f64], clusters: f64, level: f64) -> (f64, f64) {
    let (low, high) = wilson_share(covered, clusters, level);
    let least = under_law.iter().copied().fold(covered, f64::min);
    let most = under_law.iter().copied().fold(covered, f64::max);
    (
        (covered - (covered - low).hypot(covered - least)).max(0.0),
        (covered + (high - covered).hypot(most - covered)).min(1.0),
    )
}
