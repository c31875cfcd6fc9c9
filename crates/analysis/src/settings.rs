//! How evidence is analysed.

use serde::{Deserialize, Serialize};
use sureness_conformal::{
    Config, Covers, Estimand, Nonconformity, Protocol, Resampling, SplitRule, View,
};

use crate::text::{exact_percent, percent};

/// How evidence is analysed. The default is what the published tables use, with intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Protocol, error rate, split.
    pub config: Config,
    /// How intervals are made.
    pub resampling: Resampling,
    /// What intervals and tests are about.
    pub estimand: Estimand,
    /// Ranks and tests models even if they were measured differently.
    pub insist: bool,
    /// Random splits beside the single one.
    pub splits: usize,
    /// Error rates of the curves.
    pub alphas: Vec<f64>,
    /// Shares of calibration data of the curves, of all rows.
    pub ratios: Vec<f64>,
    /// Softmax temperatures of the curves.
    pub temperatures: Vec<f64>,
    /// Nonconformity scores to compare.
    pub scores: Vec<Nonconformity>,
    /// Minimum number of calibration rows for a threshold per class or category.
    pub least: usize,
    /// Bins of calibration errors.
    pub bins: usize,
    /// Rounds of a sign-flip test.
    pub swaps: usize,
    /// Maximum number of models, the best by `UAcc`.
    pub top_k: Option<usize>,
    /// Maximum number of questions listed of each kind.
    pub questions: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::default(),
            resampling: Resampling::default(),
            estimand: Estimand::Procedure,
            insist: false,
            splits: 100,
            alphas: (1..=6).map(|i| f64::from(i) / 20.0).collect(),
            ratios: (1..=5).map(|i| f64::from(i) / 10.0).collect(),
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
    /// How figures are made, in a line for people: protocol, error rate, split, seed, and what intervals
    /// are about.
    pub fn method(&self) -> String {
        let estimand = match self.estimand {
            Estimand::Procedure => "the procedure (both halves drawn anew)",
            Estimand::Deployed => "the deployed threshold (test questions drawn anew)",
        };
        format!(
            "{}; {} % intervals of {estimand}",
            self.method_of_points(),
            exact_percent(self.resampling.level),
        )
    }

    /// The method of figures without intervals.
    pub fn method_of_points(&self) -> String {
        let Config {
            protocol,
            alpha,
            calibration_ratio,
            seed,
            split,
            covers,
            tempered,
        } = self.config;
        let (protocol, halves) = match (protocol, split) {
            (Protocol::Paper, _) => ("paper", "scikit-learn's split by row number"),
            (Protocol::Standard, SplitRule::Ordered) => {
                ("standard", "whole clusters in the order of their hashes")
            }
            (Protocol::Standard, SplitRule::Hash) => (
                "standard",
                "each question by its own hash, as in version 0.1.0",
            ),
        };
        let covers = match covers {
            // Without several right options there is one rule.
            Covers::Any => "",
            Covers::All => "; a set covers if it holds all right options",
        };
        let tempered = tempered.map_or_else(String::new, |temperature| {
            format!("; shares of answers by a softmax at temperature {temperature}")
        });
        format!(
            "Protocol {protocol}, α {alpha}; {} % of the questions calibrate ({halves}, seed \
             {seed}){covers}{tempered}",
            percent(calibration_ratio),
        )
    }

    /// How probabilities are made of logits.
    pub fn view(&self) -> View {
        View {
            protocol: self.config.protocol,
            temperature: 1.0,
            seed: self.config.seed,
            covers: self.config.covers,
        }
    }
}
