//! Figures over many random splits.

use serde::{Deserialize, Serialize};

use super::Scores;
use super::columns::{Figures, ScoreColumns, mask};
use crate::paper_split;

/// A figure over repeated splits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Mean over the splits.
    pub mean: f64,
    /// Standard deviation with n − 1 in the denominator; 0 for a single split.
    pub sd: f64,
    /// 2.5 % of the splits are below this (linear interpolation).
    pub low: f64,
    /// 2.5 % of the splits are above this.
    pub high: f64,
    /// Minimum over the splits.
    pub min: f64,
    /// Maximum over the splits.
    pub max: f64,
}

impl Spread {
    /// The spread of `values`, which it reorders. All NaN without values.
    pub fn of(values: &mut [f64]) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (values.first(), values.last()) else {
            let nan = f64::NAN;
            return Self {
                mean: nan,
                sd: nan,
                low: nan,
                high: nan,
                min: nan,
                max: nan,
            };
        };
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let percentile = |share: f64| {
            let place = share * (n - 1.0);
            let below = place.floor() as usize;
            let above = (below + 1).min(values.len() - 1);
            values[below] + (place - place.floor()) * (values[above] - values[below])
        };
        Self {
            mean,
            sd: if values.len() > 1 {
                (squares / (n - 1.0)).sqrt()
            } else {
                0.0
            },
            low: percentile(0.025),
            high: percentile(0.975),
            min,
            max,
        }
    }
}

/// The headline figures over repeated splits: how much of a figure is the luck of one split. The
/// rows are the same in all, so this is not the uncertainty about other questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Repeated {
    /// Number of splits.
    pub splits: usize,
    /// Accuracy on the test set.
    pub acc: Spread,
    /// Coverage on the test set.
    pub coverage: Spread,
    /// Mean set size on the test set.
    pub set_size: Spread,
    /// UAcc on the test set.
    pub uacc: Spread,
}

/// Random splits of a table's rows, made once for all tables of the same length.
///
/// Split number i, counted from 0, is [`paper_split`] with seed + i: scikit-learn's
/// `train_test_split` with that `random_state`. Splits go by row number, so that tables of equal
/// length are split alike and models can be compared split by split.
#[derive(Debug, Clone)]
pub struct RandomSplits {
    rows: usize,
    ratio: f64,
    seed: u64,
    /// 1 where a row is tested, one mask per split.
    tested: Vec<Vec<u8>>,
}

impl RandomSplits {
    /// `splits` splits of `rows` rows, a share `ratio` of which calibrates.
    pub fn new(rows: usize, splits: usize, ratio: f64, seed: u64) -> Self {
        let tested = (0..splits as u32)
            .map(|i| {
                let split = paper_split(rows, ratio, (seed as u32).wrapping_add(i));
                mask(rows, &split.test)
            })
            .collect();
        Self {
            rows,
            ratio,
            seed,
            tested,
        }
    }

    /// The figures of `scores` over the splits, with one threshold for all rows. Scores of another
    /// number of rows get splits of their own.
    pub fn figures(&self, scores: &Scores, alpha: f64) -> Repeated {
        if scores.len() != self.rows {
            let own = Self::new(scores.len(), self.tested.len(), self.ratio, self.seed);
            return own.figures(scores, alpha);
        }
        let columns = ScoreColumns::new(scores);
        let figures: Vec<Figures> = self
            .tested
            .iter()
            .map(|tested| {
                let n_test = tested
                    .iter()
                    .map(|&tested| usize::from(tested))
                    .sum::<usize>();
                let calibrates = |row: usize| tested[row] == 0;
                let threshold = columns.threshold(self.rows - n_test, alpha, calibrates);
                columns.count(tested, threshold).figures()
            })
            .collect();
        let spread =
            |of: fn(&Figures) -> f64| Spread::of(&mut figures.iter().map(of).collect::<Vec<f64>>());
        Repeated {
            splits: figures.len(),
            acc: spread(|f| f.acc),
            coverage: spread(|f| f.coverage),
            set_size: spread(|f| f.set_size),
            uacc: spread(|f| f.uacc),
        }
    }
}

/// The figures of one table over `splits` random splits. For many tables, [`RandomSplits`] makes
/// the splits once.
pub fn repeated_splits(
    scores: &Scores,
    splits: usize,
    ratio: f64,
    alpha: f64,
    seed: u64,
) -> Repeated {
    RandomSplits::new(scores.len(), splits, ratio, seed).figures(scores, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_agrees_with_numpy() {
        // numpy.percentile(x, [2.5, 97.5]) and numpy.std(x, ddof=1) for x = 10, 9, …, 1.
        let mut values: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        let spread = Spread::of(&mut values);
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} for {want}");
        close(spread.mean, 5.5);
        close(spread.sd, 3.027_650_354_097_491_7);
        close(spread.low, 1.225);
        close(spread.high, 9.775);
        close(spread.min, 1.0);
        close(spread.max, 10.0);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these values are exact")]
    fn one_split_has_no_spread_and_none_has_nothing() {
        let one = Spread::of(&mut [0.5]);
        assert_eq!([one.mean, one.sd, one.low, one.high], [0.5, 0.0, 0.5, 0.5]);
        assert!(Spread::of(&mut []).sd.is_nan());
    }
}
