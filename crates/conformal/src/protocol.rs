//! Protocols, and the settings of an evaluation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Covers;

/// Evaluation protocol; see the crate's documentation for the differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Protocol {
    /// The published script, bit for bit: float32, scikit-learn's split, NumPy's quantile.
    Paper,
    /// Float64, a split that hardly changes as rows are added, the exact conformal rank.
    Standard,
}

impl Protocol {
    /// Its name on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Standard => "standard",
        }
    }
}

/// How the standard protocol chooses the rows that calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SplitRule {
    /// Each row by its own hash, as in version 0.1.0: [`hash_split`].
    Hash,
    /// A fixed share of the rows, whole clusters in the order of their hashes: [`ordered_split`].
    Ordered,
}

impl SplitRule {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Ordered => "ordered",
        }
    }

    /// The rule of records without one, which version 0.1.0 wrote.
    pub(crate) fn of_old_records() -> Self {
        Self::Hash
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    pub(crate) fn is_of_old_records(&self) -> bool {
        *self == Self::Hash
    }
}

/// Settings of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Config {
    /// Which protocol.
    pub protocol: Protocol,
    /// The allowed share of sets without the right answer, in 0..1.
    pub alpha: f64,
    /// Share of the rows that calibrate, in 0..1.
    pub calibration_ratio: f64,
    /// Seed of the split. The paper's is 42; its protocol uses the low 32 bits.
    pub seed: u64,
    /// Which rows calibrate under the standard protocol; the paper's ignores it. A record without
    /// it means `hash`, and `hash` is not written: version 0.1.0 had no other rule.
    #[serde(
        default = "SplitRule::of_old_records",
        skip_serializing_if = "SplitRule::is_of_old_records"
    )]
    pub split: SplitRule,
    /// When a set covers a question with several right options. A record without it means `any`,
    /// and `any` is not written: earlier versions had no such questions.
    #[serde(default, skip_serializing_if = "Covers::is_any")]
    pub covers: Covers,
    /// Where probabilities are shares of drawn answers: the temperature of a softmax over the shares, as
    /// the paper treats GPT-4's (Ye et al. 2024, Table 4); `None` for the shares themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tempered: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocol: Protocol::Standard,
            alpha: 0.1,
            calibration_ratio: 0.5,
            seed: 42,
            split: SplitRule::Ordered,
            covers: Covers::Any,
            tempered: None,
        }
    }
}

impl Config {
    /// Refuses an error rate or a calibration ratio that is not strictly between 0 and 1.
    pub(crate) fn check(&self) -> Result<(), EvaluateError> {
        let inside = |x: f64| x > 0.0 && x < 1.0;
        if !inside(self.alpha) {
            return Err(EvaluateError::Alpha(self.alpha));
        }
        if !inside(self.calibration_ratio) {
            return Err(EvaluateError::Ratio(self.calibration_ratio));
        }
        if let Some(temperature) = self.tempered
            && !(temperature.is_finite() && temperature > 0.0)
        {
            return Err(EvaluateError::Temperature(temperature));
        }
        Ok(())
    }
}

/// `1 question leaves`, `2 questions leave`.
fn leave(questions: usize) -> String {
    match questions {
        1 => "1 question leaves".to_owned(),
        _ => format!("{questions} questions leave"),
    }
}

/// Why rows cannot be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluateError {
    /// The error rate is not strictly between 0 and 1.
    #[error("the error rate alpha is {0}, but must lie between 0 and 1")]
    Alpha(f64),
    /// The calibration ratio is not strictly between 0 and 1.
    #[error("the calibration ratio is {0}, but must lie between 0 and 1")]
    Ratio(f64),
    /// The temperature of the softmax is not a positive number.
    #[error("the temperature is {0}, but must be a number above 0")]
    Temperature(f64),
    /// A subset of the calibration set would be larger than the set itself.
    #[error(
        "cannot calibrate with {ratio} of the rows: only {of} of them are in the calibration set"
    )]
    Thinning {
        /// The share of all rows that was asked for.
        ratio: f64,
        /// The share in the calibration set.
        of: f64,
    },
    /// The calibration set or the test set has no rows.
    #[error("{} the {half} set empty", leave(*.rows))]
    EmptyHalf {
        /// Rows in all.
        rows: usize,
        /// `calibration` or `test`.
        half: &'static str,
    },
    /// A row cannot be scored.
    #[error("row {row} (counted from 0): {what}")]
    Row {
        /// Index of the row.
        row: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}
