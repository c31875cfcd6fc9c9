//! Two models on the same questions.

use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapInterval, Cells, Resampling};
use super::normal;
use super::outcomes::{Outcome, Sums};
use super::random::Stream;

/// McNemar's test of equal accuracy: only questions that one model alone gets right count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Questions that only the first model gets right.
    pub only_a: usize,
    /// Questions that only the second model gets right.
    pub only_b: usize,
    /// Two-sided exact p-value, of the binomial distribution given the number of discordant
    /// questions. Keeps its level always, and is conservative.
    pub exact_p: f64,
    /// Two-sided mid-p value: what is as extreme as observed counts half (Fagerland, Lydersen &
    /// Laake 2013). Closer to its level, which it may exceed by a trifle.
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

/// McNemar's test for whether each question was answered rightly by two models.
///
/// # Panics
/// If the slices differ in length: they are about different questions.
pub fn mcnemar(a: &[bool], b: &[bool]) -> McNemar {
    assert_eq!(a.len(), b.len(), "one entry per question in both");
    let count = |first: &[bool], second: &[bool]| {
        let pairs = first.iter().zip(second);
        pairs.filter(|&(&first, &second)| first && !second).count()
    };
    McNemar::of(count(a, b), count(b, a))
}

/// How far apart two models are in one figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// First minus second.
    pub difference: f64,
    /// Questions drawn anew, both models' outcomes together.
    pub interval: BootstrapInterval,
    /// Two-sided: each question's outcomes swapped between the models at random. `(1 + k) / (1 + B)`
    /// for `k` of `B` replicates at least as far from 0 as observed (Davison & Hinkley 1997,
    /// section 4.2.5), so at least `1 / (1 + B)`.
    pub permutation_p: f64,
}

/// Two models on the same questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedComparison {
    /// Questions.
    pub n: usize,
    /// Accuracy, a fraction.
    pub acc: PairedDifference,
    /// Whether accuracy is equal.
    pub mcnemar: McNemar,
    /// Coverage, a fraction.
    pub coverage: PairedDifference,
    /// Mean set size, in options.
    pub set_size: PairedDifference,
    /// UAcc.
    pub uacc: PairedDifference,
}

/// Compares two models on the same questions in the same order. `None` for no questions, or for
/// slices of different lengths, which are not the same questions.
pub fn compare_paired(
    a: &[Outcome],
    b: &[Outcome],
    resampling: &Resampling,
) -> Option<PairedComparison> {
    if a.len() != b.len() {
        return None;
    }
    let cells = Cells::of(a.iter().copied().zip(b.iter().copied()));
    let figures = |counts: &[usize]| {
        let (mut of_a, mut of_b) = (Sums::default(), Sums::default());
        for ((a, b), &count) in cells.rows.iter().zip(counts) {
            of_a.add(*a, count.cast_signed());
            of_b.add(*b, count.cast_signed());
        }
        difference(&of_a, &of_b)
    };
    let intervals = cells.intervals("pairs", resampling, figures)?;
    let differences = figures(&cells.counts);
    let p_values = permutation(&cells, &differences, resampling);
    let [acc, coverage, set_size, uacc] = std::array::from_fn(|k| PairedDifference {
        difference: differences[k],
        interval: intervals[k],
        permutation_p: p_values[k],
    });
    let only = |wins: fn(&(Outcome, Outcome)) -> bool| {
        let cells = cells.rows.iter().zip(&cells.counts);
        cells
            .filter(|&(pair, _)| wins(pair))
            .map(|(_, &count)| count)
            .sum()
    };
    Some(PairedComparison {
        n: a.len(),
        acc,
        mcnemar: McNemar::of(
            only(|(a, b)| a.correct && !b.correct),
            only(|(a, b)| b.correct && !a.correct),
        ),
        coverage,
        set_size,
        uacc,
    })
}

fn difference(a: &Sums, b: &Sums) -> [f64; 4] {
    let (a, b) = (a.figures(), b.figures());
    std::array::from_fn(|k| a[k] - b[k])
}

/// Two-sided p-values of the four differences. How many of equal pairs are swapped is a number of
/// heads, so a replicate takes some bits for each distinct pair.
fn permutation(
    cells: &Cells<(Outcome, Outcome)>,
    observed: &[f64; 4],
    resampling: &Resampling,
) -> [f64; 4] {
    let (mut of_a, mut of_b) = (Sums::default(), Sums::default());
    for ((a, b), &count) in cells.rows.iter().zip(&cells.counts) {
        of_a.add(*a, count.cast_signed());
        of_b.add(*b, count.cast_signed());
    }
    let replicates = resampling.replicates.max(1);
    let mut extreme = [0_usize; 4];
    for replicate in 0..replicates {
        let mut stream = Stream::new("swaps", resampling.seed, replicate);
        let (mut swapped_a, mut swapped_b) = (of_a, of_b);
        for ((a, b), &count) in cells.rows.iter().zip(&cells.counts) {
            if a != b {
                let swaps = stream.heads(count).cast_signed();
                swapped_a.add(*a, -swaps);
                swapped_a.add(*b, swaps);
                swapped_b.add(*b, -swaps);
                swapped_b.add(*a, swaps);
            }
        }
        let swapped = difference(&swapped_a, &swapped_b);
        for ((extreme, swapped), observed) in extreme.iter_mut().zip(swapped).zip(observed) {
            // Equal differences may come out apart in the last bits.
            let slack = 1e-12 * observed.abs().max(1.0);
            *extreme += usize::from(swapped.abs() >= observed.abs() - slack);
        }
    }
    extreme.map(|extreme| (1 + extreme) as f64 / (1 + replicates) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::outcomes::tests::outcomes;
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

    #[test]
    #[expect(clippy::float_cmp, reason = "nothing is random here")]
    fn identical_models_do_not_differ() {
        for n in [1, 2, 300] {
            let rows = outcomes(n, 3);
            let comparison = compare_paired(&rows, &rows, &Resampling::default()).unwrap();
            assert_eq!(comparison.mcnemar, McNemar::of(0, 0));
            for figure in [
                comparison.acc,
                comparison.coverage,
                comparison.set_size,
                comparison.uacc,
            ] {
                assert_eq!(figure.difference, 0.0);
                assert_eq!(figure.permutation_p, 1.0);
                assert_eq!(figure.interval.bca, (0.0, 0.0));
                assert_eq!(figure.interval.percentile, (0.0, 0.0));
            }
        }
        assert!(compare_paired(&[], &[], &Resampling::default()).is_none());
        let rows = outcomes(3, 3);
        assert!(compare_paired(&rows, &rows[1..], &Resampling::default()).is_none());
    }

    #[test]
    fn permutation_agrees_with_the_exact_test() {
        // For accuracy the swaps are McNemar's binomial, so its exact p-value is the limit.
        let (a, b) = (outcomes(300, 4), outcomes(300, 5));
        let resampling = Resampling {
            replicates: 20_000,
            ..Resampling::default()
        };
        let comparison = compare_paired(&a, &b, &resampling).unwrap();
        let exact = comparison.mcnemar.exact_p;
        assert!(exact > 0.01 && exact < 0.99, "{exact}");
        // Four standard errors.
        let error = (exact * (1.0 - exact) / 20_000.0).sqrt();
        assert!((comparison.acc.permutation_p - exact).abs() < 4.0 * error + 1e-4);
        let correct = |rows: &[Outcome]| rows.iter().map(|row| row.correct).collect::<Vec<_>>();
        assert_eq!(comparison.mcnemar, mcnemar(&correct(&a), &correct(&b)));
    }

    #[test]
    fn a_clear_difference_is_found() {
        let (a, mut b) = (outcomes(400, 6), outcomes(400, 6));
        for row in b.iter_mut().step_by(4) {
            row.size = 6;
            row.covered = true;
        }
        let comparison = compare_paired(&a, &b, &Resampling::default()).unwrap();
        assert!(comparison.set_size.difference < 0.0);
        assert!(comparison.set_size.interval.bca.1 < 0.0);
        assert!((comparison.set_size.permutation_p - 1.0 / 1001.0).abs() < 1e-12);
        assert!(comparison.uacc.interval.percentile.0 > 0.0);
        assert!((comparison.acc.permutation_p - 1.0).abs() < 1e-12);
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
