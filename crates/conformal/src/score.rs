//! Nonconformity scores: how strange an option looks to the model.

use serde::{Deserialize, Serialize};

use crate::{Order, PredictionSet, Real, Threshold};

/// A nonconformity score. Larger means less plausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// Least ambiguous set-valued classifiers: `1 − p(option)` (Sadinle, Lei & Wasserman 2019;
    /// Ye et al. 2024, equation 3).
    Lac,
    /// Adaptive prediction sets without randomisation: the total probability of all options at
    /// least as probable, the option itself included (Romano, Sesia & Candès 2020; Ye et al.
    /// 2024, equation 4). Covers more than asked for, more so the surer the model is.
    Aps,
}

impl Score {
    /// The score of option `option` of a row with these `probabilities`, in `order`.
    pub fn of<F: Real>(self, probabilities: &[F], order: &Order, option: usize) -> F {
        match self {
            Self::Lac => F::ONE - probabilities[option],
            Self::Aps => {
                let mut total = F::ZERO;
                for i in order.indices() {
                    total = total + probabilities[i];
                    if i == option {
                        break;
                    }
                }
                total
            }
        }
    }

    /// The scores of all options in one pass: `put(option, score)`, most probable first.
    pub(crate) fn each<F: Real>(
        self,
        probabilities: &[F],
        order: &Order,
        mut put: impl FnMut(usize, F),
    ) {
        let mut total = F::ZERO;
        for i in order.indices() {
            total = total + probabilities[i];
            match self {
                Self::Lac => put(i, F::ONE - probabilities[i]),
                Self::Aps => put(i, total),
            }
        }
    }

    /// All options whose score is within `threshold`. May be empty.
    ///
    /// LAC compares `p ≥ 1 − threshold` rather than `1 − p ≤ threshold` in float32, as the
    /// published script does; in float64 both are the same for the scores that occur, since
    /// `1 − p` is then computed once and compared with itself.
    pub fn set<F: Real>(
        self,
        probabilities: &[F],
        order: &Order,
        threshold: Threshold<F>,
        script_compare: bool,
    ) -> PredictionSet {
        let Threshold::Finite(threshold) = threshold else {
            return PredictionSet::full(probabilities.len());
        };
        let mut set = PredictionSet::EMPTY;
        match self {
            Self::Lac => {
                for (i, &p) in probabilities.iter().enumerate() {
                    let admitted = if script_compare {
                        p >= F::ONE - threshold
                    } else {
                        F::ONE - p <= threshold
                    };
                    if admitted {
                        set.insert(i);
                    }
                }
            }
            Self::Aps => {
                let mut total = F::ZERO;
                for i in order.indices() {
                    total = total + probabilities[i];
                    if total > threshold {
                        break;
                    }
                    set.insert(i);
                }
            }
        }
        set
    }
}
