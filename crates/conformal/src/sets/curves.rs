//! Figures as a function of one setting.

use serde::{Deserialize, Serialize};

use super::columns::{HeadlineCounts, ScoreColumns, mask};
use super::{Nonconformity, Scheme, Scores, View, calibrate};
use crate::{Config, EvaluateError, Split, Table, thinned_splits};

/// The headline figures at one value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The value of alpha, the calibration ratio or the temperature.
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
    fn new(x: f64, n_calibration: usize, counts: &HeadlineCounts) -> Self {
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
/// If a row of the split does not exist.
pub fn over_alpha(scores: &Scores, split: &Split, alphas: &[f64]) -> Vec<CurvePoint> {
    let columns = ScoreColumns::new(scores);
    let calibrates = mask(scores.len(), &split.calibration);
    let tested = mask(scores.len(), &split.test);
    let n = split.calibration.len();
    alphas
        .iter()
        .map(|&alpha| {
            let threshold = columns.threshold(n, alpha, |row| calibrates[row] == 1);
            CurvePoint::new(alpha, n, &columns.count(&tested, threshold))
        })
        .collect()
}

/// One point per calibration ratio (Ye et al. 2024, Fig. 14), on the splits of [`thinned_splits`],
/// with its errors.
pub fn over_ratio(
    scores: &Scores,
    table: &Table,
    config: &Config,
    ratios: &[f64],
) -> Result<Vec<CurvePoint>, EvaluateError> {
    let columns = ScoreColumns::new(scores);
    let splits = thinned_splits(table, config, ratios)?;
    let point = |(split, &ratio): (&Split, &f64)| {
        let calibrates = mask(scores.len(), &split.calibration);
        let n = split.calibration.len();
        let threshold = columns.threshold(n, config.alpha, |row| calibrates[row] == 1);
        let counts = columns.count(&mask(scores.len(), &split.test), threshold);
        CurvePoint::new(ratio, n, &counts)
    };
    Ok(splits.iter().zip(ratios).map(point).collect())
}

/// One point per temperature of the softmax (Ye et al. 2024, Fig. 15) for each of several scores;
/// otherwise as `view` has it.
///
/// # Panics
/// If a row of the split does not exist.
pub fn over_temperature(
    table: &Table,
    scores: &[Nonconformity],
    view: &View,
    split: &Split,
    alpha: f64,
    temperatures: &[f64],
) -> Result<Vec<Vec<CurvePoint>>, EvaluateError> {
    let mut curves = vec![Vec::with_capacity(temperatures.len()); scores.len()];
    for &temperature in temperatures {
        let view = View {
            temperature,
            ..*view
        };
        view.check()?;
        for (curve, scores) in curves.iter_mut().zip(Scores::of_each(table, scores, &view)) {
            curve.push(point(table, &scores, split, alpha, temperature));
        }
    }
    Ok(curves)
}

fn point(table: &Table, scores: &Scores, split: &Split, alpha: f64, x: f64) -> CurvePoint {
    let calibrated = calibrate(scores, table, &split.calibration, alpha, Scheme::Split);
    let bound = scores.bound(calibrated.common());
    let mut counts = HeadlineCounts::default();
    for &row in &split.test {
        let (compared, correct) = (scores.compared(row), scores.correct(row));
        let inside = compared.iter().filter(|&&score| score <= bound).count();
        let held = compared[scores.answer(row)] <= bound;
        counts.n += 1;
        counts.correct += usize::from(correct);
        // An empty set is filled with the model's answer.
        counts.covered += usize::from(held || (inside == 0 && scores.top_covers(row)));
        counts.size += inside.max(1);
        counts.options += compared.len();
    }
    CurvePoint::new(x, calibrated.n, &counts)
}
