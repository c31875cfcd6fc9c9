//! Rows whose probabilities all differ, scored without a branch.

use crate::{Arithmetic, Real};

/// The APS scores of a row of `N` different probabilities, by rank.
///
/// Where no two options tie, a score depends on the option's probability alone. A million rows then
/// need neither [`Order`](crate::Order) nor [`Score::set`](crate::Score::set), whose branches on which
/// option stands where take most of their time.
///
/// ```
/// use sureness_conformal::{Arithmetic, Ranked, Threshold};
///
/// let row = [0.2, 0.5, 0.3_f64];
/// let ranked = Ranked::aps(&row, Arithmetic::Script).unwrap();
/// assert_eq!(ranked.score(0.3), 0.8);
/// // Its set at a threshold of 0.9: what is at least as probable as this.
/// assert_eq!(ranked.least(Threshold::Finite(0.9)), Some(0.3));
/// assert!(Ranked::aps(&[0.4, 0.2, 0.4], Arithmetic::Script).is_none());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Ranked<F, const N: usize> {
    /// Descending.
    probabilities: [F; N],
    /// Ascending, each as [`Score::of`](crate::Score::of) gives it.
    scores: [F; N],
}

impl<F: Real, const N: usize> Ranked<F, N> {
    /// Ranks a row of probabilities from 0 to 1. `None` if two are equal.
    #[expect(
        clippy::inline_always,
        reason = "its loops are unrolled and merged with the caller's"
    )]
    #[inline(always)]
    pub fn aps(row: &[F; N], arithmetic: Arithmetic) -> Option<Self> {
        let probabilities = descending(*row);
        let mut differ = true;
        for rank in 1..N {
            differ &= probabilities[rank] < probabilities[rank - 1];
        }
        if !differ {
            return None;
        }
        let (mut scores, mut total) = ([F::ZERO; N], F::ZERO);
        match arithmetic {
            Arithmetic::Script => {
                for rank in 0..N {
                    total = total + probabilities[rank];
                    scores[rank] = total;
                }
            }
            Arithmetic::Definition => {
                for rank in (0..N).rev() {
                    scores[rank] = F::ZERO - total;
                    total = total + probabilities[rank];
                }
            }
        }
        Some(Self {
            probabilities,
            scores,
        })
    }

    /// The score of the option with this probability, as [`Score::of`](crate::Score::of) gives it.
    #[inline]
    pub fn score(&self, probability: F) -> F {
        let mut found = F::ZERO;
        for (&p, &score) in self.probabilities.iter().zip(&self.scores) {
            found = if p == probability { score } else { found };
        }
        found
    }

    /// The least probability in the prediction set; `None` if the set is empty.
    #[inline]
    pub fn least(&self, threshold: crate::Threshold<F>) -> Option<F> {
        let crate::Threshold::Finite(threshold) = threshold else {
            return self.probabilities.last().copied();
        };
        // Scores ascend, since sums of probabilities do, however they are rounded.
        let mut least = None;
        for (&p, &score) in self.probabilities.iter().zip(&self.scores) {
            least = if score <= threshold { Some(p) } else { least };
        }
        least
    }
}

/// A sorting network: always the same comparisons, of which the processor does several at a time.
#[expect(clippy::inline_always, reason = "unrolled only where it is inlined")]
#[inline(always)]
fn descending<F: Real, const N: usize>(mut row: [F; N]) -> [F; N] {
    for last in (1..N).rev() {
        for at in 0..last {
            let (a, b) = (row[at], row[at + 1]);
            row[at] = if a > b { a } else { b };
            row[at + 1] = if a > b { b } else { a };
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Order, Score, Threshold, TieRule};
    use proptest::prelude::*;

    /// As the slow way has it: scores of all options, and the set.
    fn slow<F: Real>(
        row: &[F],
        arithmetic: Arithmetic,
        threshold: Threshold<F>,
    ) -> (Vec<F>, Vec<bool>) {
        let mut order = Order::default();
        order.sort(row, TieRule::Paper);
        let score = |option| Score::Aps.of(row, &order, option, arithmetic);
        let set = Score::Aps.set(row, &order, threshold, arithmetic);
        let options = 0..row.len();
        (
            options.clone().map(score).collect(),
            options.map(|option| set.contains(option)).collect(),
        )
    }

    fn agrees<F: Real, const N: usize>(row: [F; N], at: Option<F>) -> Result<(), TestCaseError> {
        let threshold = at.map_or(Threshold::Infinite, Threshold::Finite);
        for arithmetic in [Arithmetic::Script, Arithmetic::Definition] {
            let mut order = Order::default();
            order.sort(&row, TieRule::Paper);
            let ranked = Ranked::aps(&row, arithmetic);
            prop_assert_eq!(ranked.is_none(), order.has_ties());
            let Some(ranked) = ranked else { continue };
            let (scores, set) = slow(&row, arithmetic, threshold);
            prop_assert_eq!(row.map(|p| ranked.score(p)).to_vec(), scores);
            let least = ranked.least(threshold);
            prop_assert_eq!(
                row.map(|p| least.is_some_and(|least| p >= least)).to_vec(),
                set
            );
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn scores_and_sets_are_those_of_the_order(
            // Few different values, so that some rows have ties.
            row in prop::array::uniform6(prop_oneof![0..8_u32, 0..100_000_u32]),
            at in prop::option::of(-1.0..1.0_f64),
        ) {
            let sum = f64::from(row.iter().sum::<u32>().max(1));
            let row = row.map(|p| f64::from(p) / sum);
            agrees(row, at)?;
            agrees(row.map(|p| p as f32), at.map(|at| at as f32))?;
            agrees([row[0], row[1], row[2], row[3]], at)?;
        }
    }
}
