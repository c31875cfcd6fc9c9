//! Tests of observed coverage against the law of split conformal prediction.

use serde::{Deserialize, Serialize};

use crate::{Protocol, conformal_rank, numpy_higher_rank};

/// Significance level: the probability, at most, of a verdict other than compatible by chance.
const SIGNIFICANCE: f64 = 0.05;

/// The verdict on an observed coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageVerdict {
    /// Within sampling error of the law.
    Compatible,
    /// Significantly below the law: calibration and test rows are not exchangeable, or there is a
    /// fault.
    TooLow,
    /// Significantly above the law. Expected of sets that are conservative by construction: scores
    /// with ties, APS without randomisation, empty sets filled with the top option.
    TooHigh,
    /// The threshold is infinite and every set full: coverage is 1 by construction.
    Vacuous,
    /// The threshold is finite, but clusters of rows that are alike tell no more than so few rows that it
    /// would not be: there is no law to compare with.
    TooFew,
}

/// An observed coverage compared with its exact law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoverageCheck {
    /// Mean of the law: `rank / (n + 1)`, at least `1 − alpha`.
    pub expected: f64,
    /// Lower end of the central 95 %, as a share of the test rows.
    pub low: f64,
    /// Upper end of the central 95 %, as a share of the test rows.
    pub high: f64,
    /// Two-sided: twice the smaller tail, at most 1.
    pub p_value: f64,
    /// At 5 %.
    pub verdict: CoverageVerdict,
}

/// The law of coverage for exchangeable rows and scores without ties.
///
/// Given the calibration rows, coverage is Beta(`rank`, `n + 1 − rank`) distributed, where the
/// threshold is the `rank`-th smallest of `n` calibration scores (Vovk 2012; Angelopoulos & Bates
/// 2021, section 3.2, with `l = n + 1 − rank = ⌊(n+1)·alpha⌋`). The number of covered test rows
/// is then beta-binomial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoverageLaw {
    n_calibration: usize,
    rank: Option<usize>,
}

impl CoverageLaw {
    /// For a threshold that is the `rank`-th smallest of `n_calibration` scores, counted from 1;
    /// `None`, or a rank that does not exist, for an infinite one.
    pub fn of_rank(n_calibration: usize, rank: Option<usize>) -> Self {
        Self {
            n_calibration,
            rank: rank.filter(|rank| (1..=n_calibration).contains(rank)),
        }
    }

    /// For the threshold that `protocol` sets.
    pub fn new(n_calibration: usize, alpha: f64, protocol: Protocol) -> Self {
        let rank = match protocol {
            Protocol::Paper => numpy_higher_rank(n_calibration, alpha),
            Protocol::Standard => conformal_rank(n_calibration, alpha),
        };
        Self::of_rank(n_calibration, rank)
    }

    /// Expected coverage; 1 for an infinite threshold.
    pub fn expected(&self) -> f64 {
        self.rank
            .map_or(1.0, |rank| rank as f64 / (self.n_calibration as f64 + 1.0))
    }

    /// Compares `covered` of `n_test` rows with the law. Compatible without test rows.
    pub fn check(&self, covered: usize, n_test: usize) -> CoverageCheck {
        let expected = self.expected();
        let Some(rank) = self.rank else {
            return CoverageCheck {
                expected,
                low: 1.0,
                high: 1.0,
                p_value: 1.0,
                verdict: CoverageVerdict::Vacuous,
            };
        };
        if n_test == 0 {
            return CoverageCheck {
                expected,
                low: 0.0,
                high: 1.0,
                p_value: 1.0,
                verdict: CoverageVerdict::Compatible,
            };
        }
        let mass = beta_binomial(n_test, rank as f64, (self.n_calibration + 1 - rank) as f64);
        let covered = covered.min(n_test);
        let at_most: f64 = mass[..=covered].iter().sum();
        let at_least: f64 = mass[covered..].iter().rev().sum();
        let tail = 0.5 * SIGNIFICANCE;
        // The fewest and the most covered rows that are compatible.
        let low = first_above(mass.iter(), tail);
        let high = n_test - first_above(mass.iter().rev(), tail);
        CoverageCheck {
            expected,
            low: low as f64 / n_test as f64,
            high: high as f64 / n_test as f64,
            p_value: (2.0 * at_most.min(at_least)).min(1.0),
            verdict: if at_most <= tail {
                CoverageVerdict::TooLow
            } else if at_least <= tail {
                CoverageVerdict::TooHigh
            } else {
                CoverageVerdict::Compatible
            },
        }
    }
}

/// Compares `covered` of `n_test` rows with the law of coverage for the standard protocol's
/// threshold on `n_calibration` rows at `alpha`. See [`CoverageLaw`], also for the paper's.
pub fn check_coverage(
    covered: usize,
    n_test: usize,
    n_calibration: usize,
    alpha: f64,
) -> CoverageCheck {
    CoverageLaw::new(n_calibration, alpha, Protocol::Standard).check(covered, n_test)
}

/// Number of leading values whose running sum stays within `bound`.
fn first_above<'a>(mass: impl Iterator<Item = &'a f64>, bound: f64) -> usize {
    let mut total = 0.0;
    mass.take_while(|&&p| {
        total += p;
        total <= bound
    })
    .count()
}

/// Probabilities of 0 to `n` under the beta-binomial distribution with `a` and `b`, both at
/// least 1.
///
/// From the ratio of neighbours, outwards from the mean, scaled to sum to 1: no gamma function, and
/// rounding errors grow only with the distance from the mean.
fn beta_binomial(n: usize, a: f64, b: f64) -> Vec<f64> {
    let rows = n as f64;
    let start = ((rows * a / (a + b)).round() as usize).min(n);
    let mut mass = vec![0.0; n + 1];
    mass[start] = 1.0;
    for k in start..n {
        let at = k as f64;
        mass[k + 1] = mass[k] * ((rows - at) / (at + 1.0)) * ((a + at) / (b + rows - at - 1.0));
    }
    for k in (0..start).rev() {
        let at = k as f64;
        mass[k] = mass[k + 1] * ((at + 1.0) / (rows - at)) * ((b + rows - at - 1.0) / (a + at));
    }
    let total: f64 = mass.iter().sum();
    for p in &mut mass {
        *p /= total;
    }
    mass
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn beta_binomial_in_closed_form() {
        // BetaBinomial(n, 1, 1) is uniform; for n = 1 it is Bernoulli(a / (a + b)).
        for p in beta_binomial(9, 1.0, 1.0) {
            assert!((p - 0.1).abs() < 1e-15);
        }
        let mass = beta_binomial(1, 18.0, 2.0);
        assert!((mass[1] - 0.9).abs() < 1e-15);
        // C(2,1) · B(4, 3) / B(3, 2) = 2 · (1/60) / (1/12)
        let mass = beta_binomial(2, 3.0, 2.0);
        assert!((mass[1] - 0.4).abs() < 1e-15, "{mass:?}");
    }

    #[test]
    fn verdicts() {
        // 4,999 calibration rows at 0.1: rank 4,500, expected exactly 0.9.
        let check = check_coverage(4500, 5000, 4999, 0.1);
        assert!((check.expected - 0.9).abs() < 1e-12);
        assert_eq!(check.verdict, CoverageVerdict::Compatible);
        assert!(check.p_value > 0.9);
        // The standard deviation is close to √(0.09/5000 · 2) = 0.006.
        assert!((check.low - 0.8882).abs() < 0.001 && (check.high - 0.9116).abs() < 0.001);
        assert_eq!(
            check_coverage(4400, 5000, 4999, 0.1).verdict,
            CoverageVerdict::TooLow
        );
        assert_eq!(
            check_coverage(4600, 5000, 4999, 0.1).verdict,
            CoverageVerdict::TooHigh
        );
    }

    #[test]
    fn defined_at_the_edges() {
        let vacuous = check_coverage(10, 10, 8, 0.1);
        assert_eq!(vacuous.verdict, CoverageVerdict::Vacuous);
        assert_eq!((vacuous.expected, vacuous.p_value), (1.0, 1.0));
        let vacuous = check_coverage(0, 0, 0, 0.1);
        assert_eq!(vacuous.verdict, CoverageVerdict::Vacuous);
        let nothing = check_coverage(0, 0, 100, 0.1);
        assert_eq!(nothing.verdict, CoverageVerdict::Compatible);
        assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
        let one = check_coverage(0, 1, 99, 0.1);
        assert!((one.p_value - 0.2).abs() < 1e-12);
        assert_eq!(one.verdict, CoverageVerdict::Compatible);
    }

    #[test]
    fn the_papers_threshold_is_a_rank_higher() {
        let standard = CoverageLaw::new(100, 0.1, Protocol::Standard);
        let paper = CoverageLaw::new(100, 0.1, Protocol::Paper);
        assert!((standard.expected() - 91.0 / 101.0).abs() < 1e-15);
        assert!((paper.expected() - 92.0 / 101.0).abs() < 1e-15);
        assert_eq!(
            CoverageLaw::new(8, 0.1, Protocol::Paper),
            CoverageLaw::of_rank(8, None)
        );
        assert_eq!(
            CoverageLaw::of_rank(8, Some(9)),
            CoverageLaw::of_rank(8, None)
        );
    }

    proptest! {
        #[test]
        fn verdict_interval_and_p_agree(
            n_test in 1_usize..400, part in 0.0..=1.0_f64, n_calibration in 1_usize..400, alpha in 0.01..0.5_f64,
        ) {
            let covered = (part * n_test as f64) as usize;
            let check = check_coverage(covered, n_test, n_calibration, alpha);
            prop_assert!(check.expected >= 1.0 - alpha - 1e-9);
            prop_assert!((0.0..=1.0).contains(&check.p_value));
            prop_assert!(check.low <= check.high);
            let share = covered as f64 / n_test as f64;
            match check.verdict {
                CoverageVerdict::Vacuous => prop_assert!(check.expected >= 1.0),
                CoverageVerdict::TooFew => prop_assert!(false, "rows are not weighed here"),
                CoverageVerdict::TooLow => prop_assert!(share < check.low && check.p_value <= SIGNIFICANCE),
                CoverageVerdict::TooHigh => prop_assert!(share > check.high && check.p_value <= SIGNIFICANCE),
                CoverageVerdict::Compatible => {
                    prop_assert!(check.low <= share && share <= check.high);
                    prop_assert!(check.p_value >= SIGNIFICANCE - 1e-9);
                }
            }
        }
    }
}
