//! Counting the same scores many times, under different splits and thresholds.

use super::Scores;
use crate::{Threshold, uacc};

/// Scores in columns, so that counting a split is one pass without branches or allocations.
pub(super) struct ScoreColumns<'a> {
    scores: &'a Scores,
    /// Compared values of each row in ascending order, one column per rank. The first decides
    /// whether a set is empty; the number of others within the bound is the set size minus 1, since
    /// an empty set is filled with one option.
    ascending: Vec<Vec<f64>>,
    of_answer: Vec<f64>,
    correct: Vec<u8>,
    top_covers: Vec<u8>,
    options: Vec<u8>,
    /// Rows by the score of the right option, largest first.
    strangest: Vec<u32>,
}

/// Counts over the test rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct HeadlineCounts {
    pub(super) n: usize,
    pub(super) correct: usize,
    pub(super) covered: usize,
    pub(super) size: usize,
    pub(super) options: usize,
}

/// The headline figures of [`HeadlineCounts`]; NaN without rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) acc: f64,
    pub(super) coverage: f64,
    pub(super) set_size: f64,
    pub(super) uacc: f64,
}

impl HeadlineCounts {
    pub(super) fn figures(&self) -> Figures {
        let share = |part: usize| part as f64 / self.n as f64;
        let (acc, set_size) = (share(self.correct), share(self.size));
        Figures {
            acc,
            coverage: share(self.covered),
            set_size,
            uacc: uacc(acc, share(self.options), set_size),
        }
    }
}

/// 1 for each of `rows`, 0 for the others of `n`.
pub(super) fn mask(n: usize, rows: &[usize]) -> Vec<u8> {
    let mut mask = vec![0; n];
    for &row in rows {
        mask[row] = 1;
    }
    mask
}

impl<'a> ScoreColumns<'a> {
    pub(super) fn new(scores: &'a Scores) -> Self {
        let (n, stride) = (scores.len(), scores.stride());
        let mut ascending = vec![Vec::with_capacity(n); stride];
        let mut row_values = Vec::with_capacity(stride);
        for row in 0..n {
            row_values.clear();
            row_values.extend_from_slice(scores.padded(row));
            row_values.sort_unstable_by(f64::total_cmp);
            for (column, &value) in ascending.iter_mut().zip(&row_values) {
                column.push(value);
            }
        }
        let of_answer = (0..n).map(|row| scores.padded(row)[scores.answer(row)]);
        let mut strangest: Vec<u32> = (0..n as u32).collect();
        strangest.sort_unstable_by(|&a, &b| {
            let score = |row: u32| scores.ranked_answer(row as usize);
            score(b).total_cmp(&score(a)).then(a.cmp(&b))
        });
        Self {
            scores,
            ascending,
            of_answer: of_answer.collect(),
            correct: (0..n).map(|row| u8::from(scores.correct(row))).collect(),
            top_covers: (0..n).map(|row| u8::from(scores.top_covers(row))).collect(),
            options: (0..n).map(|row| scores.options(row) as u8).collect(),
            strangest,
        }
    }

    /// The threshold of the `n` rows for which `calibrates` is true.
    pub(super) fn threshold(
        &self,
        n: usize,
        alpha: f64,
        calibrates: impl Fn(usize) -> bool,
    ) -> Threshold<f64> {
        let Some(rank) = self.scores.view().protocol.rank(n, alpha) else {
            return Threshold::Infinite;
        };
        // From the largest score down: the shorter walk.
        self.strangest
            .iter()
            .map(|&row| row as usize)
            .filter(|&row| calibrates(row))
            .nth(n - rank)
            .map_or(Threshold::Infinite, |row| {
                Threshold::Finite(self.scores.ranked_answer(row))
            })
    }

    /// Counts the rows whose mask in `test` is 1.
    pub(super) fn count(&self, test: &[u8], threshold: Threshold<f64>) -> HeadlineCounts {
        let bound = self.scores.bound(threshold);
        let sum = |column: &[u8]| -> u32 {
            let both = column.iter().zip(test);
            both.map(|(&x, &tested)| u32::from(x) * u32::from(tested))
                .sum()
        };
        let n: u32 = test.iter().map(|&tested| u32::from(tested)).sum();
        let beyond_the_first: u32 = self
            .ascending
            .iter()
            .skip(1)
            .map(|column| within(column, test, bound))
            .sum();
        let covered = match self.ascending.first() {
            Some(least) => self.covered(least, test, bound),
            None => 0,
        };
        HeadlineCounts {
            n: n as usize,
            correct: sum(&self.correct) as usize,
            covered: covered as usize,
            size: (n + beyond_the_first) as usize,
            options: sum(&self.options) as usize,
        }
    }

    fn covered(&self, least: &[f64], test: &[u8], bound: f64) -> u32 {
        let rows = self
            .of_answer
            .iter()
            .zip(least)
            .zip(&self.top_covers)
            .zip(test);
        rows.map(|(((&of_answer, &least), &top_covers), &tested)| {
            let held = u32::from(of_answer <= bound);
            // An empty set is filled with the model's answer.
            let filled = u32::from(least > bound) & u32::from(top_covers);
            (held | filled) & u32::from(tested)
        })
        .sum()
    }
}

fn within(column: &[f64], test: &[u8], bound: f64) -> u32 {
    let both = column.iter().zip(test);
    both.map(|(&value, &tested)| u32::from(value <= bound) & u32::from(tested))
        .sum()
}
