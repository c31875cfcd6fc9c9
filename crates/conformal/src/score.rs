//! Nonconformity scores, which say how strange an option looks to the model; the threshold, a quantile
//! of the calibration scores; the prediction set of all options up to it; and when a set covers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Order, Protocol, Real, RightOptions};

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
    /// By the definition: both scores minus 1, sums from the least probable option up; see [`Score::of`].
    Definition,
}

impl Score {
    /// The number that ranks option `option` of a row with these `probabilities`, in `order`: the
    /// score itself or, under [`Arithmetic::Definition`], the score minus 1, so that the scores of a
    /// confident model keep their order, where `1 − 10⁻²⁰` would round to 1.
    ///
    /// For LAC that is the negated probability. For APS it is the negated total probability of the
    /// *less* probable options; the sum down to the last option is then exactly 1, as by definition.
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
            (Self::Lac, Arithmetic::Script) => {
                for (i, &p) in probabilities.iter().enumerate() {
                    put(i, F::ONE - p);
                }
            }
            (Self::Lac, Arithmetic::Definition) => {
                for (i, &p) in probabilities.iter().enumerate() {
                    put(i, F::ZERO - p);
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
        match arithmetic {
            Arithmetic::Definition => F::ONE + compared,
            Arithmetic::Script => compared,
        }
    }

    /// The prediction set: all options whose score is at most `threshold`, which is on the scale of
    /// [`Self::of`]. May be empty.
    ///
    /// Under [`Arithmetic::Script`], LAC compares `p ≥ 1 − threshold` rather than
    /// `1 − p ≤ threshold`, as the published script does in float32.
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
                        Arithmetic::Definition => F::ZERO - p <= threshold,
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

/// The largest nonconformity score that a prediction set admits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold<F> {
    /// Admits options with a score up to this one.
    Finite(F),
    /// Admits every option: the calibration set is too small for the error rate. A finite threshold
    /// takes at least `⌈1/α⌉ − 1` rows.
    Infinite,
}

impl<F: Real> Threshold<F> {
    /// The value, or `None` where it is infinite.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(value.to_f64()),
            Self::Infinite => None,
        }
    }
}

/// `⌈(n+1)(1−α)⌉`, the rank of the threshold among `n` calibration scores, ascending from 1 (Vovk
/// et al. 2005; Angelopoulos & Bates 2021, section 1). `None` where it exceeds `n`.
pub fn conformal_rank(n: usize, alpha: f64) -> Option<usize> {
    // 1 − α is not exact in binary: without this slack a product such as 100 · 0.9 could round to
    // just above 90, and its ceiling would be 91.
    let rank = ((n as f64 + 1.0) * (1.0 - alpha) - 1e-9).ceil().max(1.0) as usize;
    (rank <= n).then_some(rank)
}

/// The finite-sample threshold of split conformal prediction: the [`conformal_rank`]-th smallest
/// score. Reorders `scores`.
///
/// ```
/// use sureness_conformal::{Threshold, conformal_threshold};
///
/// let mut scores: Vec<f64> = (1..=99).map(f64::from).collect();
/// assert_eq!(conformal_threshold(&mut scores, 0.1), Threshold::Finite(90.0));
/// // Eight scores cannot bound an error rate of 10 %.
/// assert_eq!(conformal_threshold(&mut scores[..8], 0.1), Threshold::Infinite);
/// ```
pub fn conformal_threshold<F: Real>(scores: &mut [F], alpha: f64) -> Threshold<F> {
    match conformal_rank(scores.len(), alpha) {
        Some(rank) => Threshold::Finite(select(scores, rank - 1)),
        None => Threshold::Infinite,
    }
}

/// The rank of the published script's threshold among `n` calibration scores, ascending from 1:
/// that of `numpy.quantile(scores, ⌈(n+1)(1−α)⌉/n, method="higher")`. `None` where that level
/// exceeds 1.
///
/// This is one above [`conformal_rank`] wherever the level is below 1.
pub fn numpy_higher_rank(n: usize, alpha: f64) -> Option<usize> {
    let scores = n as f64;
    let level = ((scores + 1.0) * (1.0 - alpha)).ceil() / scores;
    if n == 0 || level > 1.0 {
        return None;
    }
    let index = ((scores - 1.0) * level).ceil() as usize;
    Some(index.min(n - 1) + 1)
}

/// The published script's threshold, the [`numpy_higher_rank`]-th smallest score, and so slightly
/// more generous than [`conformal_threshold`]. Reorders `scores`.
pub fn numpy_higher_threshold<F: Real>(scores: &mut [F], alpha: f64) -> Threshold<F> {
    match numpy_higher_rank(scores.len(), alpha) {
        Some(rank) => Threshold::Finite(select(scores, rank - 1)),
        None => Threshold::Infinite,
    }
}

fn select<F: Real>(scores: &mut [F], index: usize) -> F {
    *scores
        .select_nth_unstable_by(index, |a, b| {
            a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)
        })
        .1
}

impl Protocol {
    /// Rank of the threshold among `n` calibration scores, ascending from 1; `None` where it is
    /// infinite.
    pub(crate) fn rank(self, n: usize, alpha: f64) -> Option<usize> {
        match self {
            Self::Paper => numpy_higher_rank(n, alpha),
            Self::Standard => conformal_rank(n, alpha),
        }
    }

    /// The rank of the threshold over the number of scores; `None` where it is infinite.
    pub fn level(self, n: usize, alpha: f64) -> Option<f64> {
        self.rank(n, alpha).map(|rank| rank as f64 / n as f64)
    }

    /// The threshold that calibration `scores` set. Reorders them.
    pub(crate) fn threshold<F: Real>(self, scores: &mut [F], alpha: f64) -> Threshold<F> {
        match self {
            Self::Paper => numpy_higher_threshold(scores, alpha),
            Self::Standard => conformal_threshold(scores, alpha),
        }
    }
}

/// A prediction set over at most 32 options.
///
/// ```
/// use sureness_conformal::PredictionSet;
///
/// let mut set = PredictionSet::EMPTY;
/// set.insert(0);
/// set.insert(3);
/// assert!(set.contains(3) && !set.contains(1));
/// assert_eq!(set.iter().collect::<Vec<_>>(), [0, 3]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct PredictionSet(u32);

impl PredictionSet {
    /// No option.
    pub const EMPTY: Self = Self(0);

    /// All of the first `n` options.
    pub const fn full(n: usize) -> Self {
        Self(((1_u64 << n) - 1) as u32)
    }

    /// Adds option `index`.
    pub const fn insert(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    /// Whether option `index` is in the set.
    pub const fn contains(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    /// Number of options in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the set contains no option.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The options in the set, in ascending order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |&i| self.contains(i))
    }
}

/// When a prediction set covers a question with several right options. With one, the two rules are
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Covers {
    /// When it holds at least one of them, as with the admissible answers of Fisch, Schuster,
    /// Jaakkola & Barzilay 2021.
    #[default]
    Any,
    /// When it holds all of them, as the outer sets of Cauchois, Gupta & Duchi 2021.
    All,
}

impl Covers {
    /// Its name on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
        }
    }

    /// Whether this set covers a question with these right options.
    pub fn holds(self, set: PredictionSet, right: RightOptions) -> bool {
        let mut options = right.iter();
        match self {
            Self::Any => options.any(|option| set.contains(option)),
            Self::All => options.all(|option| set.contains(option)),
        }
    }

    /// The right option that decides whether a set covers: the first of the right ones in `order`
    /// under [`Self::Any`], the last under [`Self::All`].
    ///
    /// No score falls from one option to the next in that order, so a set of all options up to a
    /// threshold covers if and only if it holds this one, and the least or the largest score of the
    /// right options is its score. The question then calibrates like one that has it alone.
    pub fn deciding(self, right: RightOptions, order: &Order) -> usize {
        if let Some(only) = right.only() {
            return only;
        }
        let mut right_ones = order.indices().filter(|&option| right.contains(option));
        let found = match self {
            Self::Any => right_ones.next(),
            Self::All => right_ones.next_back(),
        };
        found.unwrap_or(right.first())
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    pub(crate) fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_at_the_edges() {
        assert_eq!(conformal_rank(8, 0.1), None);
        assert_eq!(conformal_rank(9, 0.1), Some(9));
        assert_eq!(conformal_rank(99, 0.1), Some(90));
        assert_eq!(conformal_rank(19, 0.05), Some(19));
        assert_eq!(conformal_rank(0, 0.1), None);
        assert_eq!(conformal_rank(3, 0.999), Some(1));
        // Exact products must not be lifted by rounding, whatever the level.
        for n in 1..2000_usize {
            for percent in 1..100_usize {
                let exact = ((n + 1) * (100 - percent)).div_ceil(100).max(1);
                let rank = conformal_rank(n, percent as f64 / 100.0);
                assert_eq!(
                    rank,
                    (exact <= n).then_some(exact),
                    "n {n}, alpha {percent} %"
                );
            }
        }
    }

    #[test]
    fn thresholds_on_known_scores() {
        let scores: Vec<f64> = (1..=99).rev().map(f64::from).collect();
        assert_eq!(
            conformal_threshold(&mut scores.clone(), 0.1),
            Threshold::Finite(90.0)
        );
        // numpy.quantile(range(1, 100), 90/99, method="higher") is 91.
        assert_eq!(
            numpy_higher_threshold(&mut scores.clone(), 0.1),
            Threshold::Finite(91.0)
        );
        assert_eq!(
            conformal_threshold(&mut scores[..8].to_vec(), 0.1),
            Threshold::Infinite
        );
        assert_eq!(
            numpy_higher_threshold(&mut scores[..8].to_vec(), 0.1),
            Threshold::Infinite
        );
        assert_eq!(
            numpy_higher_threshold::<f64>(&mut [], 0.1),
            Threshold::Infinite
        );
    }
}
