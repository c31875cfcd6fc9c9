//! McNemar's test of two models on the same questions.

use serde::{Deserialize, Serialize};

use super::normal;

/// McNemar's test of equal accuracy: only questions that one model alone gets right count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Questions that only the first model gets right.
    pub only_a: usize,
    /// Questions that only the second model gets right.
    pub only_b: usize,
    /// Two-sided exact p-value, of the binomial distribution given the number of discordant
    /// questions. Always keeps its level, and is conservative.
    pub exact_p: f64,
    /// Two-sided mid-p value: outcomes as extreme as the observed one count half (Fagerland,
    /// Lydersen & Laake 2013). Closer to its level, which it may exceed slightly.
    pub mid_p: f64,
    /// `(|only_a − only_b| − 1)² / (only_a + only_b)`, 0 where the two differ by less than 1
    /// (McNemar 1947; correction of Edwards 1948).
    pub chi2: f64,
    /// Its p-value, with one degree of freedom.
    pub chi2_p: f64,
}

impl McNemar {
    /// From the counts of discordant questions. Without any, all p-values are 1.
    pub fn of(only_a: usize, only_b: usize) -> Self {
        let n = only_a + only_b;
        if n == 0 {
            return Self {
                only_a,
                only_b,
                exact_p: 1.0,
                mid_p: 1.0,
                chi2: 0.0,
                chi2_p: 1.0,
            };
        }
        let (at_most, equal) = fair_binomial_tail(only_a.min(only_b), n);
        let chi2 = (only_a.abs_diff(only_b) as f64 - 1.0).max(0.0).powi(2) / n as f64;
        Self {
            only_a,
            only_b,
            exact_p: (2.0 * at_most).min(1.0),
            mid_p: if only_a == only_b {
                1.0 - 0.5 * equal
            } else {
                2.0 * at_most - equal
            },
            chi2,
            chi2_p: normal::chi_square_tail(chi2),
        }
    }
}

/// `P(X ≤ k)` and `P(X = k)` for heads among `n` tosses of a fair coin, `k ≤ n/2`.
///
/// From the ratio of neighbours, outwards from the middle and scaled to sum to 1, so that no
/// power of one half underflows.
fn fair_binomial_tail(k: usize, n: usize) -> (f64, f64) {
    let middle = n / 2;
    let (mut at_most, mut equal, mut half) = (0.0, 0.0, 0.0);
    let mut mass = 1.0;
    for i in (0..=middle).rev() {
        half += mass;
        if i == k {
            equal = mass;
        }
        if i <= k {
            at_most += mass;
        }
        mass *= i as f64 / (n - i + 1) as f64;
    }
    // The upper half mirrors the lower; the middle of an even number is its own mirror image.
    let total = if n.is_multiple_of(2) {
        2.0 * half - 1.0
    } else {
        2.0 * half
    };
    (at_most / total, equal / total)
}

/// McNemar's test of two models, from whether each answered each question right.
///
/// # Panics
/// If the slices differ in length.
pub fn mcnemar(a: &[bool], b: &[bool]) -> McNemar {
    assert_eq!(a.len(), b.len(), "one entry per question in both");
    let count = |first: &[bool], second: &[bool]| {
        let pairs = first.iter().zip(second);
        pairs.filter(|&(&first, &second)| first && !second).count()
    };
    McNemar::of(count(a, b), count(b, a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mcnemar_by_hand() {
        // 6 discordant, 1 to 5: P(X ≤ 1) = 7/64, P(X = 1) = 6/64.
        let test = McNemar::of(1, 5);
        assert!((test.exact_p - 14.0 / 64.0).abs() < 1e-15);
        assert!((test.mid_p - 8.0 / 64.0).abs() < 1e-15);
        assert!((test.chi2 - 9.0 / 6.0).abs() < 1e-15);
        // P(χ² ≥ 1.5) = erfc(√0.75)
        assert!((test.chi2_p - 0.220_671_361_919_847).abs() < 1e-12);
        // 2 to 2: nothing is less extreme; P(X = 2) = 6/16.
        let even = McNemar::of(2, 2);
        assert!((even.exact_p - 1.0).abs() < 1e-15);
        assert!((even.mid_p - (1.0 - 3.0 / 16.0)).abs() < 1e-15);
        assert!(even.chi2.abs() < 1e-15);
    }

    #[test]
    fn mcnemar_of_many_questions() {
        // One half to the power of 20,000 is far below the smallest number.
        let test = McNemar::of(10_000, 10_300);
        assert!((test.exact_p / test.chi2_p - 1.0).abs() < 0.01);
        assert!(test.mid_p < test.exact_p);
        let test = McNemar::of(0, 5000);
        assert!(test.exact_p >= 0.0 && test.exact_p < 1e-300);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the ends are exact")]
    fn nothing_discordant() {
        for n in [0, 1, 100] {
            let test = mcnemar(&vec![true; n], &vec![true; n]);
            assert_eq!((test.exact_p, test.mid_p, test.chi2_p), (1.0, 1.0, 1.0));
            assert_eq!(test.chi2, 0.0);
        }
    }

    proptest! {
        #[test]
        fn the_other_way_round(only_a in 0_usize..400, only_b in 0_usize..400) {
            let (test, turned) = (McNemar::of(only_a, only_b), McNemar::of(only_b, only_a));
            prop_assert_eq!(test.exact_p.to_bits(), turned.exact_p.to_bits());
            prop_assert_eq!(test.mid_p.to_bits(), turned.mid_p.to_bits());
            for p in [test.exact_p, test.mid_p, test.chi2_p] {
                prop_assert!((0.0..=1.0).contains(&p));
            }
            prop_assert!(test.mid_p <= test.exact_p);
        }
    }
}
