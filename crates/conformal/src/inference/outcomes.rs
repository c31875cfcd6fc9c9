//! Intervals of the figures that test rows add up to.

use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapInterval, Cells, Resampling};
use crate::uacc;

/// What became of one test row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Outcome {
    /// The most probable option is the right one.
    pub correct: bool,
    /// The right option is in the prediction set.
    pub covered: bool,
    /// Options in the prediction set.
    pub size: u8,
    /// Options of the question.
    pub options: u8,
}

/// Intervals of a model's figures, all from the same replicates. Only the test rows are drawn
/// anew; the threshold stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OutcomeIntervals {
    /// Accuracy, a fraction.
    pub acc: BootstrapInterval,
    /// Coverage, a fraction.
    pub coverage: BootstrapInterval,
    /// Mean set size, in options.
    pub set_size: BootstrapInterval,
    /// UAcc.
    pub uacc: BootstrapInterval,
}

/// Intervals of accuracy, coverage, set size and UAcc from resampled test rows. `None` for no
/// rows.
///
/// The number of distinct outcomes sets the time, not that of rows: rows of equal outcome are
/// interchangeable, and a replicate is a multinomial draw.
pub fn outcome_intervals(
    outcomes: &[Outcome],
    resampling: &Resampling,
) -> Option<OutcomeIntervals> {
    let cells = Cells::of(outcomes.iter().copied());
    let [acc, coverage, set_size, uacc] = cells.intervals("outcomes", resampling, |counts| {
        Sums::of(&cells.rows, counts).figures()
    })?;
    Some(OutcomeIntervals {
        acc,
        coverage,
        set_size,
        uacc,
    })
}

/// What outcomes add up to. Signed, for differences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) rows: isize,
    pub(super) correct: isize,
    pub(super) covered: isize,
    pub(super) size: isize,
    pub(super) options: isize,
}

impl Sums {
    pub(super) fn of(rows: &[Outcome], counts: &[usize]) -> Self {
        let mut sums = Self::default();
        for (row, &count) in rows.iter().zip(counts) {
            sums.add(*row, count.cast_signed());
        }
        sums
    }

    pub(super) fn add(&mut self, row: Outcome, times: isize) {
        self.rows += times;
        self.correct += times * isize::from(row.correct);
        self.covered += times * isize::from(row.covered);
        self.size += times * isize::from(row.size);
        self.options += times * isize::from(row.options);
    }

    /// Accuracy, coverage, set size and UAcc. All 0 for no rows; UAcc 0 where all sets are empty.
    pub(super) fn figures(&self) -> [f64; 4] {
        let n = self.rows.max(1) as f64;
        let (acc, set_size) = (self.correct as f64 / n, self.size as f64 / n);
        let uacc = if self.size > 0 {
            uacc(acc, self.options as f64 / n, set_size)
        } else {
            0.0
        };
        [acc, self.covered as f64 / n, set_size, uacc]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::inference::bootstrap;
    use crate::inference::random::Stream;

    /// Outcomes as they come about: sets that hold the answer or not, with accuracy near 0.7 and
    /// coverage near 0.9.
    pub(crate) fn outcomes(n: usize, seed: u64) -> Vec<Outcome> {
        let mut stream = Stream::new("outcomes of a test", seed, 0);
        (0..n)
            .map(|_| {
                let correct = stream.unit() < 0.7;
                Outcome {
                    correct,
                    covered: correct || stream.unit() < 0.65,
                    size: 1 + stream.heads(if correct { 2 } else { 5 }) as u8,
                    options: 6,
                }
            })
            .collect()
    }

    #[test]
    fn cells_and_rows_give_the_same_intervals() {
        let outcomes = outcomes(400, 1);
        let resampling = Resampling {
            replicates: 8000,
            ..Resampling::default()
        };
        let fast = outcome_intervals(&outcomes, &resampling).unwrap();
        let fast = [fast.acc, fast.coverage, fast.set_size, fast.uacc];
        for (k, fast) in fast.iter().enumerate() {
            let slow = bootstrap(outcomes.len(), &resampling, |rows| {
                let mut sums = Sums::default();
                for &row in rows {
                    sums.add(outcomes[row], 1);
                }
                sums.figures()[k]
            })
            .unwrap();
            // The ends of an interval from 8,000 draws have a standard error of some 3 % of `se`;
            // shares of 400 rows move in steps.
            let allowed = 0.15 * slow.se + 1.001 / 400.0;
            for (fast, slow_end) in [
                (fast.se, slow.se),
                (fast.percentile.0, slow.percentile.0),
                (fast.percentile.1, slow.percentile.1),
                (fast.bca.0, slow.bca.0),
                (fast.bca.1, slow.bca.1),
            ] {
                assert!(
                    (fast - slow_end).abs() < allowed,
                    "figure {k}: {fast} {slow_end}"
                );
            }
        }
    }

    #[test]
    fn order_of_rows_does_not_matter() {
        let mut outcomes = outcomes(300, 2);
        let resampling = Resampling::default();
        let before = outcome_intervals(&outcomes, &resampling);
        outcomes.reverse();
        assert_eq!(before, outcome_intervals(&outcomes, &resampling));
        let other = Resampling {
            seed: 43,
            ..resampling
        };
        assert_ne!(before, outcome_intervals(&outcomes, &other));
    }

    #[test]
    fn defined_at_the_edges() {
        let resampling = Resampling::default();
        assert_eq!(outcome_intervals(&[], &resampling), None);
        let right = Outcome {
            correct: true,
            covered: true,
            size: 1,
            options: 4,
        };
        let wrong = Outcome {
            correct: false,
            covered: false,
            ..right
        };
        let empty = Outcome { size: 0, ..wrong };
        for (row, acc, uacc) in [(right, 1.0, 2.0), (wrong, 0.0, 0.0), (empty, 0.0, 0.0)] {
            for n in [1, 200] {
                let intervals = outcome_intervals(&vec![row; n], &resampling).unwrap();
                assert_eq!(intervals.acc.bca, (acc, acc));
                assert_eq!(intervals.acc.percentile, (acc, acc));
                assert_eq!(intervals.uacc.bca, (uacc, uacc));
                assert!(intervals.uacc.se < 1e-15);
            }
        }
    }
}
