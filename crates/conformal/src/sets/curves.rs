//! Figures as one setting moves.

use serde::{Deserialize, Serialize};

use super::tally::{Counts, Tally, mask};
use super::{Nonconformity, Scheme, Scores, View, calibrate, predict};
use crate::split::{place, split_unit};
use crate::{Config, EvaluateError, Protocol, Split, SplitRule, Table, split_of};

/// The headline figures at one value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The value: of alpha, of the share of calibration rows, or of the temperature.
    pub x: f64,
    /// Calibration rows.
    pub n_calibration: usize,
    /// Test rows.
    pub n_test: usize,
    /// Accuracy.
    pub acc: f64,
    /// Coverage.
    pub coverage: f64,
    /// Mean set size.
    pub set_size: f64,
    /// UAcc.
    pub uacc: f64,
}

impl CurvePoint {
    fn new(x: f64, n_calibration: usize, counts: &Counts) -> Self {
        let figures = counts.figures();
        Self {
            x,
            n_calibration,
            n_test: counts.n,
            acc: figures.acc,
            coverage: figures.coverage,
            set_size: figures.set_size,
            uacc: figures.uacc,
        }
    }
}

/// One point per error rate, on one split (Ye et al. 2024, Fig. 13).
///
/// # Panics
/// If the split has rows that the scores do not have.
pub fn over_alpha(scores: &Scores, split: &Split, alphas: &[f64]) -> Vec<CurvePoint> {
    let tally = Tally::new(scores);
    let calibrates = mask(scores.len(), &split.calibration);
    let tested = mask(scores.len(), &split.test);
    let n = split.calibration.len();
    alphas
        .iter()
        .map(|&alpha| {
            let threshold = tally.threshold(n, alpha, |row| calibrates[row] == 1);
            CurvePoint::new(alpha, n, &tally.count(&tested, threshold))
        })
        .collect()
}

/// One point per share of all rows that calibrates (Ye et al. 2024, Fig. 14). The test half is
/// that of `config` throughout; the calibration half is thinned, each smaller part being within
/// the larger ones. A ratio above that of `config` is an error.
pub fn over_ratio(
    scores: &Scores,
    table: &Table,
    config: &Config,
    ratios: &[f64],
) -> Result<Vec<CurvePoint>, EvaluateError> {
    let split = split_of(table, config)?;
    let tally = Tally::new(scores);
    let tested = mask(scores.len(), &split.test);
    // Where a row stands: it calibrates where the limit lies above that.
    let mut stands = vec![f64::INFINITY; scores.len()];
    let by_hash = config.protocol == Protocol::Standard && config.split == SplitRule::Hash;
    if by_hash {
        for &row in &split.calibration {
            stands[row] = split_unit(&table.keys()[row], config.seed);
        }
    } else {
        let mut first = split.calibration.clone();
        match config.protocol {
            // Clusters in the order of their hashes, the rows of each in theirs.
            Protocol::Standard => {
                first.sort_by_cached_key(|&row| place(&table.clusters()[row], config.seed));
            }
            // The calibration rows are the last of the permuted rows, so fewer are the last of
            // these.
            Protocol::Paper => first.reverse(),
        }
        for (stand, row) in first.into_iter().enumerate() {
            stands[row] = stand as f64;
        }
    }
    ratios
        .iter()
        .map(|&ratio| {
            if !(ratio > 0.0 && ratio <= config.calibration_ratio) {
                return Err(EvaluateError::Thinning {
                    ratio,
                    of: config.calibration_ratio,
                });
            }
            let rows = scores.len() as f64;
            let limit = match config.protocol {
                Protocol::Standard if by_hash => ratio,
                Protocol::Standard => (rows * ratio + 1e-9).floor(),
                Protocol::Paper => (rows * ratio).floor(),
            };
            let n = stands.iter().filter(|&&stands| stands < limit).count();
            let threshold = tally.threshold(n, config.alpha, |row| stands[row] < limit);
            Ok(CurvePoint::new(ratio, n, &tally.count(&tested, threshold)))
        })
        .collect()
}

/// One point per temperature of the softmax (Ye et al. 2024, Fig. 15); otherwise as `view` has it.
///
/// # Panics
/// If the split has rows that the table does not have.
pub fn over_temperature(
    table: &Table,
    nonconformity: Nonconformity,
    view: &View,
    split: &Split,
    alpha: f64,
    temperatures: &[f64],
) -> Result<Vec<CurvePoint>, EvaluateError> {
    temperatures
        .iter()
        .map(|&temperature| {
            let view = View {
                temperature,
                ..*view
            };
            view.check()?;
            let scores = Scores::of(table, nonconformity, &view);
            let calibrated = calibrate(&scores, table, &split.calibration, alpha, Scheme::Split);
            let sets = predict(&calibrated, &scores, table, &split.test);
            let mut counts = Counts::default();
            for (&row, set) in sets.rows.iter().zip(&sets.sets) {
                counts.n += 1;
                counts.correct += usize::from(scores.correct(row));
                counts.covered += usize::from(set.contains(scores.answer(row)));
                counts.size += set.len();
                counts.options += scores.options(row);
            }
            Ok(CurvePoint::new(temperature, calibrated.n, &counts))
        })
        .collect()
}
