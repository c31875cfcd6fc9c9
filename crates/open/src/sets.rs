//! Conformal sets of answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::{
    Config, EvaluateError, Split, Threshold, conformal_threshold, split_keys,
};

use crate::Item;

/// Prediction sets of answers: all meanings whose nonconformity score, 1 − frequency, is at most the
/// threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenSets {
    /// The threshold: the ⌈(n+1)(1−α)⌉-th smallest score of the calibration questions. `None` where that
    /// is infinite, since the truth of too many was never generated: the only sets that could promise
    /// the error rate hold every answer, so that `coverage` and `set_size` are missing.
    pub threshold: Option<f64>,
    /// Share of the sets that hold an accepted answer.
    pub coverage: Option<f64>,
    /// Mean number of meanings in a set.
    pub set_size: Option<f64>,
    /// The smallest error rate with a finite threshold for these calibration questions.
    pub least_error_rate: f64,
}

/// 1 − m / (n + 1), where `generated` (m) of `n` calibration scores are finite: below, the rank of the
/// threshold lies beyond the finite ones.
pub fn least_error_rate(generated: usize, n: usize) -> f64 {
    1.0 - generated as f64 / (n as f64 + 1.0)
}

/// Which items calibrate and which are tested.
///
/// # Errors
///
/// If the settings are wrong or one half is empty.
pub fn split_items(items: &[Item], config: &Config) -> Result<Split, EvaluateError> {
    let keys: Vec<_> = items.iter().map(|item| item.key).collect();
    let clusters: Vec<_> = items.iter().map(|item| item.cluster).collect();
    split_keys(&keys, &clusters, config)
}

/// The split of some items, and the sets that their calibration half sets the threshold of.
///
/// # Errors
///
/// If the settings are wrong or one half is empty.
pub fn calibrated(items: &[Item], config: &Config) -> Result<(Split, OpenSets), EvaluateError> {
    let split = split_items(items, config)?;
    let [calibration, test] =
        [&split.calibration, &split.test].map(|rows| rows.iter().map(|&row| &items[row]).collect());
    let (calibration, test): (Vec<&Item>, Vec<&Item>) = (calibration, test);
    let sets = OpenSets::of(&calibration, &test, config.alpha);
    Ok((split, sets))
}

impl OpenSets {
    /// Sets the threshold on one half and measures the sets on the other.
    pub(crate) fn of(calibration: &[&Item], test: &[&Item], alpha: f64) -> Self {
        let mut scores: Vec<f64> = calibration.iter().map(|item| item.score()).collect();
        let generated = scores.iter().filter(|score| score.is_finite()).count();
        let least_error_rate = least_error_rate(generated, scores.len());
        let threshold = match conformal_threshold(&mut scores, alpha) {
            Threshold::Finite(score) if score.is_finite() => score,
            _ => {
                return Self {
                    threshold: None,
                    coverage: None,
                    set_size: None,
                    least_error_rate,
                };
            }
        };
        let n = test.len() as f64;
        let sets = test.iter().map(|item| item.meanings.set(threshold));
        let (mut covered, mut size) = (0_usize, 0_usize);
        for set in sets {
            covered += usize::from(set.iter().any(|meaning| meaning.accepted));
            size += set.len();
        }
        Self {
            threshold: Some(threshold),
            coverage: Some(covered as f64 / n),
            set_size: Some(size as f64 / n),
            least_error_rate,
        }
    }
}
