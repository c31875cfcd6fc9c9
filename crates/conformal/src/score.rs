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
    /// 2024, equation 4). Covers more than `1 − alpha` where empty sets are filled, which happens
    /// more often the more confident the model is.
    Aps,
}

/// How APS sums are added and LAC scores compared with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// As the published script does: sums from the most probable option down, and
    /// `p ≥ 1 − threshold`, in the precision at hand.
    Script,
    /// By the definition: sums from the least probable option up; see [`Score::of`].
    Definition,
}

impl Score {
    /// The number that ranks option `option` of a row with these `probabilities`, in `order`: the
    /// score itself, except for APS under [`Arithmetic::Definition`], where it is the score minus
    /// 1.
    ///
    /// That is the negated total probability of the *less* probable options. The sum down to the
    /// last option is then exactly 1, as by definition, and the sums of a confident model keep
    /// their order, where `1 − 10⁻²⁰` would round to 1.
    pub fn of<F: Real>(
        self,
        probabilities: &[F],
        order: &Order,
        option: usize,
        arithmetic: Arithmetic,
    ) -> F {
        let mut found = F::ZERO;
        self.each(probabilities, order, arithmetic, |i, score| {
            if i == option {
                found = score;
            }
        });
        found
    }

    /// [`Self::of`] for all options in one pass: `put(option, score)`.
    pub(crate) fn each<F: Real>(
        self,
        probabilities: &[F],
        order: &Order,
        arithmetic: Arithmetic,
        mut put: impl FnMut(usize, F),
    ) {
        let mut total = F::ZERO;
        match (self, arithmetic) {
            (Self::Lac, _) => {
                for (i, &p) in probabilities.iter().enumerate() {
                    put(i, F::ONE - p);
                }
            }
            (Self::Aps, Arithmetic::Script) => {
                for i in order.indices() {
                    total = total + probabilities[i];
                    put(i, total);
                }
            }
            (Self::Aps, Arithmetic::Definition) => {
                for i in order.indices().rev() {
                    put(i, F::ZERO - total);
                    total = total + probabilities[i];
                }
            }
        }
    }

    /// The score that a number from [`Self::of`] represents.
    pub fn value<F: Real>(self, compared: F, arithmetic: Arithmetic) -> F {
        match (self, arithmetic) {
            (Self::Aps, Arithmetic::Definition) => F::ONE + compared,
            _ => compared,
        }
    }

    /// The prediction set: all options whose score is at most `threshold`, which is on the scale of
    /// [`Self::of`]. May be empty.
    ///
    /// LAC compares `p ≥ 1 − threshold` rather than `1 − p ≤ threshold` in float32, as the
    /// published script does; in float64 both are the same for the scores that occur, since
    /// `1 − p` is then computed once and compared with itself.
    pub fn set<F: Real>(
        self,
        probabilities: &[F],
        order: &Order,
        threshold: Threshold<F>,
        arithmetic: Arithmetic,
    ) -> PredictionSet {
        let Threshold::Finite(threshold) = threshold else {
            return PredictionSet::full(probabilities.len());
        };
        let mut set = PredictionSet::EMPTY;
        match self {
            Self::Lac => {
                for (i, &p) in probabilities.iter().enumerate() {
                    let admitted = match arithmetic {
                        Arithmetic::Script => p >= F::ONE - threshold,
                        Arithmetic::Definition => F::ONE - p <= threshold,
                    };
                    if admitted {
                        set.insert(i);
                    }
                }
            }
            Self::Aps => self.each(probabilities, order, arithmetic, |i, score| {
                if score <= threshold {
                    set.insert(i);
                }
            }),
        }
        set
    }
}
