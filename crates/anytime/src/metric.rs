//! Figures that verdicts are about.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A figure of a model over a set of questions.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Accuracy.
    Acc,
    /// Mean set size at the threshold that all questions set together.
    Size,
    /// UAcc, likewise.
    Uacc,
    /// Coverage of the test half by the threshold of the calibration half.
    Coverage,
    /// Expected calibration error.
    Ece,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Acc, Self::Size, Self::Uacc, Self::Coverage, Self::Ece];
    /// Those that can be settled while questions are asked: the others need all questions, or none of
    /// the two halves before the other.
    pub const SETTLED: [Self; 3] = [Self::Acc, Self::Size, Self::Uacc];

    /// Whether it is a mean over questions, each of which counts by itself: accuracy, and coverage at
    /// thresholds that were set before.
    pub fn is_mean(self) -> bool {
        matches!(self, Self::Acc | Self::Coverage)
    }

    /// The name in flags and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acc => "acc",
            Self::Size => "size",
            Self::Uacc => "uacc",
            Self::Coverage => "coverage",
            Self::Ece => "ece",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Acc => "accuracy",
            Self::Size => "set size",
            Self::Uacc => "UAcc",
            Self::Coverage => "coverage",
            Self::Ece => "ECE",
        }
    }

    /// Whether a larger figure is better.
    pub fn larger_is_better(self) -> bool {
        !matches!(self, Self::Size | Self::Ece)
    }

    /// Whether it is a share, whose margins are in percentage points.
    pub fn is_share(self) -> bool {
        self != Self::Size
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|metric| metric.name() == name);
        found.ok_or_else(|| {
            format!("unknown metric {name:?}; choose among acc, size, uacc, coverage, ece")
        })
    }
}
