//! How evidence is analysed.

use serde::{Deserialize, Serialize};
use sureness_conformal::{Config, Nonconformity, Resampling, View};

/// How evidence is analysed. The default is what the published tables use, with intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Protocol, error rate, split.
    pub config: Config,
    /// How intervals are made.
    pub resampling: Resampling,
    /// Random splits beside the single one.
    pub splits: usize,
    /// Error rates of the curves.
    pub alphas: Vec<f64>,
    /// Shares of calibration data of the curves, of all rows.
    pub ratios: Vec<f64>,
    /// Softmax temperatures of the curves.
    pub temperatures: Vec<f64>,
    /// Nonconformity scores that are put beside each other.
    pub scores: Vec<Nonconformity>,
    /// Calibration rows that a class or a category needs for a threshold of its own.
    pub least: usize,
    /// Bins of calibration errors.
    pub bins: usize,
    /// Rounds of a permutation test.
    pub swaps: usize,
    /// Only so many of the best models, by `UAcc`.
    pub top_k: Option<usize>,
    /// Questions that are listed of each kind.
    pub questions: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::default(),
            resampling: Resampling::default(),
            splits: 100,
            alphas: (1..=6).map(|i| f64::from(i) * 0.05).collect(),
            ratios: (1..=5).map(|i| f64::from(i) * 0.1).collect(),
            temperatures: vec![0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0],
            scores: Nonconformity::ALL.to_vec(),
            least: 50,
            bins: 15,
            swaps: 1999,
            top_k: None,
            questions: 20,
        }
    }
}

impl Settings {
    /// How probabilities are made of logits.
    pub fn view(&self) -> View {
        View {
            protocol: self.config.protocol,
            temperature: 1.0,
            seed: self.config.seed,
        }
    }
}
