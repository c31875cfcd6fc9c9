//! What a row of scores must be, in every format and for every reader.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::Problem;
use super::shares::are_shares;
use super::{Kind, MAX_OPTIONS};

/// Rounding, or a sum over spellings, may put log-probabilities slightly above zero.
const LOGPROB_SLACK: f64 = 1e-4;
/// Rounding to two decimals puts a sum of probabilities no further above one.
const SUM_SLACK: f64 = 0.01;

/// The columns beside the scores that [`Beside`] holds.
pub(super) const ANSWER: &str = "answer";
pub(super) const MASS: &str = "mass";
pub(super) const BOUNDED: &str = "bounded";

/// What a row says beside its scores, in the columns `answer`, `mass` and `bounded`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    /// The right answer, as written.
    pub answer: Option<String>,
    /// The total probability of the options.
    pub mass: Mass,
    /// Whether some scores are only upper bounds.
    pub bounded: bool,
}

/// Total probability of the options of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Mass {
    /// The sum of the observed scores' probabilities; the table has no column for it.
    #[default]
    Sum,
    /// As the table has it.
    Known(f64),
    /// The table says that it is unknown, as for whole texts.
    Unknown,
}

impl Beside {
    /// Which scores were observed. A table says only whether some are bounds; the bound is the least.
    pub fn observed(&self, scores: &[f64]) -> Vec<bool> {
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let is_bound = |value: &f64| self.bounded && *value <= least;
        scores.iter().map(|value| !is_bound(value)).collect()
    }

    /// The total probability of the observed options, in 0..=1; `None` if unknown.
    pub fn mass_of(&self, kind: Kind, scores: &[f64]) -> Option<f64> {
        let mass = match (self.mass, kind) {
            (Mass::Known(mass), _) => mass,
            (Mass::Sum, Kind::LogProbs) => self.sum(scores),
            (Mass::Sum | Mass::Unknown, _) => return None,
        };
        Some(mass.clamp(0.0, 1.0))
    }

    /// The sum of the observed options' probabilities.
    fn sum(&self, scores: &[f64]) -> f64 {
        let marked = scores.iter().zip(self.observed(scores));
        let observed = marked.filter(|(_, observed)| *observed);
        observed.map(|(score, _)| score.exp()).sum()
    }

    /// Refuses scores that cannot be those of a question.
    ///
    /// # Errors
    ///
    /// The first problem of the row.
    pub fn judge(&self, kind: Kind, scores: &[f64]) -> Result<(), Problem> {
        let found = scores.len();
        if !(2..=MAX_OPTIONS).contains(&found) {
            return Err(Problem::OptionCount { found });
        }
        for (&value, position) in scores.iter().zip(1..) {
            if !(value as f32).is_finite() {
                return Err(Problem::NotFinite { position, value });
            }
            if kind == Kind::LogProbs && value > LOGPROB_SLACK {
                if are_shares(scores) {
                    return Err(Problem::Probabilities { kind });
                }
                return Err(Problem::PositiveLogProb { position, value });
            }
        }
        // Whole texts can begin alike, so that their probabilities have no such bound.
        if kind == Kind::LogProbs && self.mass != Mass::Unknown {
            let sum = self.sum(scores);
            if sum > 1.0 + SUM_SLACK {
                return Err(Problem::SumAboveOne { sum });
            }
        }
        Ok(())
    }
}

/// The whole number that a table library may have made a fraction: 7 for 7.0.
pub(super) fn whole(number: f64) -> Option<i64> {
    // Beyond 2^53, a fraction no longer tells neighbours apart.
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    exact.then_some(number as i64)
}

impl<'de> Deserialize<'de> for Mass {
    /// A number, or nothing where the mass is unknown.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mass = Value::deserialize(deserializer)?.as_f64();
        Ok(mass.map_or(Self::Unknown, Self::Known))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn probabilities_that_sum_to_more_than_one_are_refused() {
        let row = [-0.5_f64; 4];
        let judged = |beside: &Beside, kind| beside.judge(kind, &row);
        let plain = Beside::default();
        let error = judged(&plain, Kind::LogProbs).unwrap_err();
        assert!(matches!(error, Problem::SumAboveOne { sum } if (sum - 2.426).abs() < 1e-3));
        assert!(judged(&plain, Kind::Logits).is_ok());
        let whole_texts = Beside {
            mass: Mass::Unknown,
            ..Beside::default()
        };
        assert!(judged(&whole_texts, Kind::LogProbs).is_ok());
    }

    #[test]
    fn bounds_count_in_no_sum() {
        let row = [-0.2_f64, -1.8, -1.8];
        let bounded = Beside {
            bounded: true,
            ..Beside::default()
        };
        assert!(Beside::default().judge(Kind::LogProbs, &row).is_err());
        assert!(bounded.judge(Kind::LogProbs, &row).is_ok());
        assert_eq!(bounded.observed(&row), [true, false, false]);
        assert_eq!(
            bounded.mass_of(Kind::LogProbs, &row),
            Some((-0.2_f64).exp())
        );
        assert_eq!(bounded.mass_of(Kind::Logits, &row), None);
    }

    proptest! {
        #[test]
        fn rounded_probabilities_pass(
            weights in prop::collection::vec(0.001_f64..1.0, 2..26),
            decimals in 2..8_i32,
        ) {
            let total: f64 = weights.iter().sum();
            let scale = 10_f64.powi(decimals);
            let rounded = weights.iter().map(|weight| ((weight / total).ln() * scale).round() / scale);
            let row: Vec<f64> = rounded.collect();
            prop_assert!(Beside::default().judge(Kind::LogProbs, &row).is_ok(), "{row:?}");
        }
    }
}
