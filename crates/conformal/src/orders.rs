//! Probabilities of options over several orders in which they were shown, and the prior of their letters.

use crate::softmax;

/// Logarithms of the mean probabilities of a question's options over several orders. Each of `orders` has
/// one logit or log-probability per option, in the same order of options. Empty for no orders.
///
/// ```
/// let mean = sureness_conformal::averaged_orders([&[0.9_f64.ln(), 0.1_f64.ln()][..], &[0.0, 0.0]]);
/// assert!((mean[0].exp() - 0.7).abs() < 1e-12);
/// ```
pub fn averaged_orders<'a>(orders: impl IntoIterator<Item = &'a [f64]>) -> Vec<f64> {
    let (mut sums, mut count, mut probabilities) = (Vec::new(), 0.0, Vec::new());
    for logits in orders {
        softmax(logits, &mut probabilities);
        sums.resize(probabilities.len(), 0.0);
        for (sum, probability) in sums.iter_mut().zip(&probabilities) {
            *sum += probability;
        }
        count += 1.0;
    }
    sums.iter().map(|sum| log(sum / count)).collect()
}

/// A finite logarithm, also of a probability that underflows.
fn log(probability: f64) -> f64 {
    probability.max(f64::MIN_POSITIVE).ln()
}

/// How probable a model finds each letter, whatever option stands there (`PriDe`: Zheng, Zhou, Meng, Zhou &
/// Huang 2024, "Large Language Models Are Not Robust Multiple Choice Selectors", ICLR, arXiv 2309.03882).
#[derive(Debug, Clone, PartialEq)]
pub struct LetterPrior {
    shares: Vec<f64>,
    questions: usize,
}

impl LetterPrior {
    /// The prior of the first `own` letters. Each question has one list per order, of log-probabilities by
    /// letter; over the orders, each of its own options stands at each of these letters once.
    ///
    /// A question's prior is the softmax of each letter's mean log-probability, in which the options
    /// cancel out if a letter's influence is a factor; the prior is the mean over the questions. `None` for no questions or fewer than two letters.
    pub fn of<'a, Q>(own: usize, questions: impl IntoIterator<Item = Q>) -> Option<Self>
    where
        Q: IntoIterator<Item = &'a [f64]>,
    {
        let (mut sums, mut count, mut of_question) = (vec![0.0; own], 0, Vec::new());
        for orders in questions {
            let mut logs = vec![0.0; own];
            let mut shown = 0.0_f64;
            for by_letter in orders {
                for (log, value) in logs.iter_mut().zip(by_letter) {
                    *log += value;
                }
                shown += 1.0;
            }
            for log in &mut logs {
                *log /= shown.max(1.0);
            }
            softmax(&logs, &mut of_question);
            for (sum, share) in sums.iter_mut().zip(&of_question) {
                *sum += share;
            }
            count += 1;
        }
        (count > 0 && own > 1).then(|| Self {
            shares: sums.iter().map(|sum| sum / f64::from(count)).collect(),
            questions: count as usize,
        })
    }

    /// The share of each letter; they add up to 1.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// Number of questions that it was estimated from.
    pub fn questions(&self) -> usize {
        self.questions
    }

    /// Takes the prior out of a question's log-probabilities by letter: each is divided by its letter's
    /// share, and the own options together keep their probability. Letters of abstention options stay as
    /// they are: no order moves these, so that what is the letter's and what is the option's is unknown.
    pub fn correct(&self, by_letter: &mut [f64]) {
        let own = by_letter.len().min(self.shares.len());
        let Some(own) = by_letter.get_mut(..own) else {
            return;
        };
        let before = log_sum(own);
        for (value, share) in own.iter_mut().zip(&self.shares) {
            *value -= log(*share);
        }
        let moved = before - log_sum(own);
        for value in own {
            *value += moved;
        }
    }
}

/// The logarithm of the sum of exponentials.
fn log_sum(logs: &[f64]) -> f64 {
    let max = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - max).exp()).sum();
    max + sum.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Log-probabilities by letter, in each order of a question with these beliefs about its options, for
    /// a model whose letters have these factors.
    fn asked(beliefs: &[f64], factors: &[f64]) -> Vec<Vec<f64>> {
        let own = factors.len();
        (0..own)
            .map(|turn| {
                let shown = (0..own).map(|letter| beliefs[(letter + turn) % own] * factors[letter]);
                let mut shown: Vec<f64> = shown.chain(beliefs[own..].iter().copied()).collect();
                let sum: f64 = shown.iter().sum();
                for value in &mut shown {
                    *value = (*value / sum).ln();
                }
                shown
            })
            .collect()
    }

    fn normalised(values: &[f64]) -> Vec<f64> {
        let sum: f64 = values.iter().sum();
        values.iter().map(|value| value / sum).collect()
    }

    proptest! {
        #[test]
        fn a_factor_of_each_letter_is_found_and_taken_out(
            factors in prop::collection::vec(0.05..4.0_f64, 4),
            beliefs in prop::collection::vec(prop::collection::vec(0.01..1.0_f64, 6), 1..6),
        ) {
            let all: Vec<Vec<Vec<f64>>> = beliefs.iter().map(|it| asked(it, &factors)).collect();
            let questions = all.iter().map(|orders| orders.iter().map(Vec::as_slice));
            let prior = LetterPrior::of(4, questions).unwrap();
            for (found, factor) in prior.shares().iter().zip(normalised(&factors)) {
                prop_assert!((found - factor).abs() < 1e-9);
            }
            for (orders, beliefs) in all.iter().zip(&beliefs) {
                let mut corrected = orders[0].clone();
                prior.correct(&mut corrected);
                let own: f64 = corrected[..4].iter().map(|it| it.exp()).sum();
                let before: f64 = orders[0][..4].iter().map(|it| it.exp()).sum();
                prop_assert!((own - before).abs() < 1e-9);
                for (value, belief) in corrected[..4].iter().zip(normalised(&beliefs[..4])) {
                    prop_assert!((value.exp() / own - belief).abs() < 1e-9);
                }
                prop_assert_eq!(&corrected[4..], &orders[0][4..]);
            }
        }
    }

    #[test]
    fn defined_at_the_edges() {
        let none: [Vec<&[f64]>; 0] = [];
        assert_eq!(LetterPrior::of(4, none), None);
        assert!(LetterPrior::of(1, [[&[0.0][..]]]).is_none());
        assert!(averaged_orders([]).is_empty());
        let mut short = [-1.0];
        LetterPrior::of(2, [[&[0.0, 0.0][..]]])
            .unwrap()
            .correct(&mut short);
        assert!((short[0] + 1.0).abs() < 1e-12);
        // A probability of zero stays a finite score.
        let tiny = averaged_orders([&[0.0, -2_000.0][..]]);
        assert!(tiny[1].is_finite() && tiny[1] < -700.0);
    }
}
