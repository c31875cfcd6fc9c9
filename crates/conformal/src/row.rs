//! One answered question: the scores of its options, their probabilities and their order.

use crate::score::Arithmetic;
use crate::{EvaluateError, Real, RightOptions};

/// One answered question.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Identifies the question, independently of the model. Seeds the standard protocol's split
    /// and its order of equal probabilities; the paper's ignores it.
    pub key: &'a [u8],
    /// Name of a cluster of dependent questions, such as those about one passage. `None` for an
    /// independent question, whose key then names its cluster.
    pub cluster: Option<&'a [u8]>,
    /// Logits or log-probabilities, one per option (2 to 26), all finite.
    pub logits: Logits<'a>,
    /// The right option, or several.
    pub right: RightOptions,
    /// Index of "I don't know", if it is an option.
    pub dont_know: Option<usize>,
    /// Index of "None of the above", if it is an option.
    pub none_of_the_above: Option<usize>,
}

impl<'a> Row<'a> {
    /// The name of the row's cluster.
    pub(crate) fn cluster_key(&self) -> &'a [u8] {
        self.cluster.unwrap_or(self.key)
    }

    /// Refuses a row that cannot be scored. `index` is its number, for the error.
    pub(crate) fn check(&self, index: usize) -> Result<(), EvaluateError> {
        let fail = |what| Err(EvaluateError::Row { row: index, what });
        if !(2..=26).contains(&self.logits.len()) {
            return fail("needs 2 to 26 options");
        }
        if self.logits.iter().any(f64::is_nan) {
            return fail("a score is NaN");
        }
        // Of larger ones neither a difference nor a square need be a number.
        if !self.logits.iter().all(|score| (score as f32).is_finite()) {
            return fail("a score is infinite, or beyond single precision");
        }
        if self.right.last() >= self.logits.len() {
            return fail("the answer lies outside the options");
        }
        Ok(())
    }
}

/// Logits or log-probabilities of one row's options, borrowed in single or double precision.
///
/// Published logits are single precision. Keeping them so halves the memory of a table and changes
/// no figure, since every `f32` is exact as an `f64`.
///
/// ```
/// use sureness_conformal::Logits;
///
/// let logits = Logits::from(&[0.5_f32, -1.0]);
/// assert_eq!(logits.iter().collect::<Vec<f64>>(), [0.5, -1.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Logits<'a> {
    /// Single precision.
    Single(&'a [f32]),
    /// Double precision.
    Double(&'a [f64]),
}

impl<'a> Logits<'a> {
    /// Number of options.
    pub fn len(self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// Whether there are no options.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The score of the option at this index, if it exists.
    pub fn get(self, option: usize) -> Option<f64> {
        match self {
            Self::Single(values) => values.get(option).map(|&x| f64::from(x)),
            Self::Double(values) => values.get(option).copied(),
        }
    }

    /// The scores in the order of the options.
    pub fn iter(self) -> impl ExactSizeIterator<Item = f64> + Clone + 'a {
        (0..self.len()).map(move |option| self.get(option).unwrap_or(f64::NAN))
    }

    /// Replaces the contents of `out` with the scores, in the precision of `F`.
    pub fn copy_to<F: Real>(self, out: &mut Vec<F>) {
        out.clear();
        match self {
            Self::Single(values) => out.extend(values.iter().map(|&x| F::from_f64(f64::from(x)))),
            Self::Double(values) => out.extend(values.iter().map(|&x| F::from_f64(x))),
        }
    }
}

impl<'a> From<&'a [f64]> for Logits<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::Double(values)
    }
}

impl<'a> From<&'a Vec<f64>> for Logits<'a> {
    fn from(values: &'a Vec<f64>) -> Self {
        Self::Double(values)
    }
}

impl<'a, const N: usize> From<&'a [f64; N]> for Logits<'a> {
    fn from(values: &'a [f64; N]) -> Self {
        Self::Double(values)
    }
}

impl<'a> From<&'a [f32]> for Logits<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::Single(values)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Logits<'a> {
    fn from(values: &'a [f32; N]) -> Self {
        Self::Single(values)
    }
}

/// Softmax over one row: probabilities that sum to 1.
///
/// `logits` may be logits or log-probabilities: a constant added to all cancels out. In `f32` the sum
/// is NumPy's; in `f64` it does not depend on the order of the options.
pub fn softmax<F: Real>(logits: &[F], out: &mut Vec<F>) {
    out.clear();
    let Some(max) = logits
        .iter()
        .copied()
        .reduce(|a, b| if b > a { b } else { a })
    else {
        return;
    };
    out.extend(logits.iter().map(|&x| (x - max).exp()));
    let sum = F::sum(out);
    for p in out.iter_mut() {
        *p = *p / sum;
    }
}

/// How options of equal probability are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TieRule<'a> {
    /// The later option comes first (a stable ascending sort, reversed), and the first one is
    /// the model's answer. The published script's behaviour.
    Paper,
    /// A random order that depends only on this key, so that no letter is favoured. The model's
    /// answer is the first in that order.
    Seeded(&'a [u8]),
}

/// Up to so many options, counting ranks is faster than sorting.
const COUNTED: usize = 10;

/// The options of one row in descending order of probability.
#[derive(Debug, Clone, Default)]
pub struct Order {
    indices: Vec<u8>,
    top: u8,
    has_ties: bool,
}

impl Order {
    /// Sorts the options of `probabilities` (at most 26) into this order.
    pub fn sort<F: Real>(&mut self, probabilities: &[F], ties: TieRule<'_>) {
        let of = |option: u8| probabilities[usize::from(option)];
        // A NaN ties with everything.
        let alike = |a: u8, b: u8| !(of(a) > of(b) || of(a) < of(b));
        if probabilities.len() > COUNTED || !self.count_ranks(probabilities) {
            self.insert_each(probabilities);
            self.has_ties = self.indices.windows(2).any(|w| alike(w[0], w[1]));
        }
        match ties {
            TieRule::Seeded(key) if self.has_ties => {
                let mut priority = [0_u8; 256];
                let mut hasher = blake3::Hasher::new();
                hasher.update(b"sureness tie order");
                hasher.update(key);
                hasher.finalize_xof().fill(&mut priority);
                // Eight bytes each make equal priorities practically impossible.
                let priority = |i: u8| &priority[i as usize * 8..][..8];
                let by_probability = |a, b| {
                    of(b)
                        .partial_cmp(&of(a))
                        .unwrap_or(std::cmp::Ordering::Equal)
                };
                self.indices.sort_by(|&a, &b| {
                    by_probability(a, b).then_with(|| priority(a).cmp(priority(b)))
                });
            }
            _ => {}
        }
        self.top = match ties {
            // The arg max of the published script is the first of equal maxima.
            TieRule::Paper => self
                .indices
                .iter()
                .copied()
                .take_while(|&i| alike(i, self.indices[0]))
                .min()
                .unwrap_or(0),
            TieRule::Seeded(_) => self.indices.first().copied().unwrap_or(0),
        };
    }

    /// Counts for each option the options before it, without a branch to mispredict. False, with no
    /// order, if a probability is NaN.
    fn count_ranks<F: Real>(&mut self, probabilities: &[F]) -> bool {
        let options = probabilities.len();
        self.indices.clear();
        self.indices.resize(options, 0);
        // The usual numbers are unrolled.
        let equal_pairs = match options {
            4 => ranks_of::<F, 4>(probabilities, &mut self.indices),
            5 => ranks_of::<F, 5>(probabilities, &mut self.indices),
            6 => ranks_of::<F, 6>(probabilities, &mut self.indices),
            _ => ranks(probabilities, &mut self.indices),
        };
        self.has_ties = equal_pairs > options;
        // Only a NaN is not even ordered with itself.
        probabilities.iter().all(|p| p.partial_cmp(p).is_some())
    }

    /// Insertion sort: stable, and fast for a few dozen.
    fn insert_each<F: Real>(&mut self, probabilities: &[F]) {
        let of = |option: u8| probabilities[usize::from(option)];
        self.indices.clear();
        self.indices.extend((0..probabilities.len() as u8).rev());
        for next in 1..self.indices.len() {
            let option = self.indices[next];
            let mut place = next;
            while place > 0 && of(self.indices[place - 1]) < of(option) {
                self.indices[place] = self.indices[place - 1];
                place -= 1;
            }
            self.indices[place] = option;
        }
    }

    /// Option indices, most probable first.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.indices.iter().map(|&i| i as usize)
    }

    /// Whether two options have exactly the same probability.
    pub fn has_ties(&self) -> bool {
        self.has_ties
    }

    /// The model's answer.
    pub fn top(&self) -> usize {
        self.top as usize
    }
}

/// [`ranks`] of exactly `N` options.
fn ranks_of<F: Real, const N: usize>(probabilities: &[F], indices: &mut [u8]) -> usize {
    match <&[F; N]>::try_from(probabilities) {
        Ok(of_n) => ranks(of_n, indices),
        Err(_) => ranks(probabilities, indices),
    }
}

/// Puts each option at its place, and returns how many ordered pairs are equal, each option with itself
/// among them. Of equal options the later one comes first.
#[expect(
    clippy::inline_always,
    reason = "unrolled only where the length is known"
)]
#[inline(always)]
fn ranks<F: Real>(probabilities: &[F], indices: &mut [u8]) -> usize {
    let mut equal_pairs = 0;
    for (option, p) in probabilities.iter().enumerate() {
        let mut rank = 0;
        for (other, q) in probabilities.iter().enumerate() {
            let equal = usize::from(q == p);
            equal_pairs += equal;
            rank += usize::from(q > p) + equal * usize::from(other > option);
        }
        indices[rank] = option as u8;
    }
    equal_pairs
}

/// One row's probabilities and order; its buffers are reused from row to row.
pub(crate) struct RowView<F> {
    paper: bool,
    temperature: Option<F>,
    logits: Vec<F>,
    probabilities: Vec<F>,
    order: Order,
}

impl<F: Real> RowView<F> {
    pub(crate) fn new(paper: bool) -> Self {
        Self::tempered(paper, 1.0)
    }

    /// Divides logits by `temperature` first. A temperature that is not positive gives NaN.
    pub(crate) fn tempered(paper: bool, temperature: f64) -> Self {
        #[expect(clippy::float_cmp, reason = "exactly one leaves every logit as it is")]
        let temperature = (temperature != 1.0).then(|| {
            let positive = temperature > 0.0;
            F::from_f64(if positive { temperature } else { f64::NAN })
        });
        Self {
            paper,
            temperature,
            logits: Vec::new(),
            probabilities: Vec::new(),
            order: Order::default(),
        }
    }

    pub(crate) fn load(&mut self, row: &Row<'_>) {
        row.logits.copy_to(&mut self.logits);
        if let Some(temperature) = self.temperature {
            // Subtracting the maximum first keeps it at zero and lets the others go to minus
            // infinity, however small the temperature: never infinity minus infinity.
            let max = self
                .logits
                .iter()
                .copied()
                .reduce(|a, b| if b > a { b } else { a })
                .unwrap_or(F::ZERO);
            for logit in &mut self.logits {
                *logit = (*logit - max) / temperature;
            }
        }
        softmax(&self.logits, &mut self.probabilities);
        let ties = if self.paper {
            TieRule::Paper
        } else {
            TieRule::Seeded(row.key)
        };
        self.order.sort(&self.probabilities, ties);
    }

    pub(crate) fn paper(&self) -> bool {
        self.paper
    }

    /// How this protocol adds and compares.
    pub(crate) fn arithmetic(&self) -> Arithmetic {
        if self.paper {
            Arithmetic::Script
        } else {
            Arithmetic::Definition
        }
    }

    pub(crate) fn probabilities(&self) -> &[F] {
        &self.probabilities
    }

    pub(crate) fn order(&self) -> &Order {
        &self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Rows of shares, as of answers drawn a few times, hold the same options in any order.
        #[test]
        fn the_order_of_options_moves_no_probability(
            logits in proptest::collection::vec(-40.0..40.0_f64, 2..27),
            turn in 0..26_usize,
        ) {
            let mut turned = logits.clone();
            turned.rotate_left(turn % logits.len());
            turned.reverse();
            let (mut one, mut other) = (Vec::new(), Vec::new());
            softmax(&logits, &mut one);
            softmax(&turned, &mut other);
            other.reverse();
            other.rotate_right(turn % logits.len());
            prop_assert_eq!(&one, &other);
            prop_assert!((one.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn ties_by_the_papers_rule() {
        let mut order = Order::default();
        order.sort(&[0.25, 0.25, 0.1, 0.4_f32], TieRule::Paper);
        assert_eq!(order.indices().collect::<Vec<_>>(), [3, 1, 0, 2]);
        order.sort(&[0.3, 0.1, 0.3, 0.3_f32], TieRule::Paper);
        assert_eq!(order.indices().collect::<Vec<_>>(), [3, 2, 0, 1]);
        assert_eq!(order.top(), 0);
    }

    #[test]
    fn seeded_ties_favour_no_option() {
        let mut first = [0; 4];
        let mut order = Order::default();
        for key in 0..4000_u32 {
            order.sort(&[0.25_f64; 4], TieRule::Seeded(&key.to_le_bytes()));
            first[order.top()] += 1;
        }
        // Binomial(4000, 1/4): standard deviation 27.4; the seed is fixed, so this cannot flicker.
        assert!(
            first.iter().all(|&n| (900..=1100).contains(&n)),
            "{first:?}"
        );
    }

    #[test]
    fn both_ways_of_ordering_agree_and_nan_ties_with_everything() {
        let values = [0.0, 0.25, f64::NAN, 0.5];
        // All rows of four of these values: ties and NaN in every place.
        for row in 0..256_usize {
            let p: Vec<f64> = (0..4).map(|at| values[row >> (2 * at) & 3]).collect();
            let (mut counted, mut inserted) = (Order::default(), Order::default());
            let ordered = counted.count_ranks(&p);
            inserted.insert_each(&p);
            assert_eq!(ordered, !p.iter().any(|p| p.is_nan()), "{p:?}");
            if ordered {
                assert_eq!(counted.indices, inserted.indices, "{p:?}");
                let tied = (0..4).any(|i| (0..i).any(|j| p[i].total_cmp(&p[j]).is_eq()));
                assert_eq!(counted.has_ties, tied, "{p:?}");
            }
            let mut order = Order::default();
            order.sort(&p, TieRule::Paper);
            assert_eq!(order.indices, inserted.indices, "{p:?}");
            assert!(order.has_ties || ordered, "{p:?}");
        }
    }

    proptest! {
        #[test]
        fn softmax_sums_to_one_and_order_descends(
            logits in prop::collection::vec(-30.0..30.0_f64, 1..26), key in any::<[u8; 8]>(),
        ) {
            let mut p = Vec::new();
            softmax(&logits, &mut p);
            prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let mut order = Order::default();
            order.sort(&p, TieRule::Seeded(&key));
            let sorted: Vec<f64> = order.indices().map(|i| p[i]).collect();
            prop_assert!(sorted.windows(2).all(|w| w[0] >= w[1]));
            let mut seen: Vec<usize> = order.indices().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..p.len()).collect::<Vec<_>>());
        }
    }
}
