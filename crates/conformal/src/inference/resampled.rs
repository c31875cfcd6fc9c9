//! The figures of a [`Panel`] in every draw: intervals and tests.

use super::figure::{ACC, AVERAGED, COMPARED, COVERAGE, FIGURES, NoInterval, Replicate};
use super::interval::{CellIntervals, Interval, around, hull, percentile, spread, wilson_share};
use super::panel::{Panel, SCORES};
use super::student;

/// The figures of all models in every replicate.
#[derive(Debug, Clone)]
pub struct Resampled {
    pub(super) level: f64,
    /// Share of replicates beyond either end.
    pub(super) tail: f64,
    /// Clusters in the smallest half of any task.
    pub(super) least: usize,
    pub(super) figures: Vec<[f64; FIGURES]>,
    pub(super) absent: Vec<Option<NoInterval>>,
    pub(super) few: bool,
    pub(super) shares: Vec<Option<[f64; 2]>>,
    /// By replicate, then by model.
    pub(super) replicates: Vec<Vec<Replicate>>,
    /// By task, by model, then by cell.
    pub(super) cells: Vec<Vec<Vec<CellIntervals>>>,
}

impl Resampled {
    /// A model's figures, not resampled.
    pub fn figures(&self, model: usize) -> [f64; FIGURES] {
        self.figures[model]
    }

    /// Why a model has no interval for this figure; `None` where it has one.
    pub fn absent(&self, model: usize, figure: usize) -> Option<NoInterval> {
        if self.replicates.is_empty() || self.figures[model][figure].is_nan() {
            return Some(NoInterval::TooFew);
        }
        match figure {
            ACC if self.shares[model].is_some() => None,
            ACC => self.few.then_some(NoInterval::TooFew),
            _ => self.absent[model],
        }
    }

    /// The interval of one figure of a model: 0 accuracy, 1 coverage, 2 set size, 3 `UAcc`, 4 share
    /// of single-option sets, 5 share of empty sets.
    ///
    /// It contains the percentile interval of the figure over drawn questions, and that of its mean
    /// over the thresholds of further calibration sets. The two differ only near an atom of the
    /// scores. Accuracy in one strategy on one task has Wilson's interval, and coverage there is
    /// never narrower than Wilson's.
    pub fn interval(&self, model: usize, figure: usize) -> Result<Interval, NoInterval> {
        if let Some(absent) = self.absent(model, figure) {
            return Err(absent);
        }
        let value = self.figures[model][figure];
        let mut interval = hull(value, self.tail, |kind, end| {
            self.collect(|models| models[model][kind][end][figure])
        });
        if let Some([acc, coverage]) = self.shares[model] {
            let around = |n: f64| wilson_share(value, n, self.level);
            match figure {
                ACC => (interval.low, interval.high) = around(acc),
                COVERAGE => interval.extend(around(coverage)),
                _ => {}
            }
        }
        Ok(interval)
    }

    /// The interval of one figure of a model in one cell: task (in the order of [`Panel::add`]),
    /// strategy and score (0 LAC, 1 APS).
    ///
    /// # Panics
    /// If the cell does not exist.
    pub fn cell(
        &self,
        task: usize,
        model: usize,
        [strategy, score]: [usize; 2],
        figure: usize,
    ) -> Result<Interval, NoInterval> {
        self.cells[task][model][strategy * SCORES.len() + score][figure]
    }

    /// Two-sided p-values of the hypothesis that two models of `panel` have the same accuracy,
    /// coverage, set size and `UAcc`. 1 where either has no interval.
    ///
    /// For accuracy, a sign-flip test on the test questions with `rounds` rounds, and up to
    /// `max_rounds` where few are as extreme as observed. For the others, Student's test of the
    /// difference over its standard error, both halves included, and never less than twice the
    /// share of draws on the other side of 0: near an atom of the scores, differences are far from
    /// normal.
    pub fn test(
        &self,
        panel: &Panel,
        [a, b]: [usize; 2],
        [rounds, max_rounds]: [usize; 2],
        seed: u64,
    ) -> [f64; COMPARED] {
        std::array::from_fn(|figure| {
            let absent = [a, b].into_iter().any(|m| self.absent(m, figure).is_some());
            match figure {
                _ if absent => 1.0,
                ACC => panel.accuracy_test(a, b, rounds, max_rounds, seed),
                _ => self.student_p(a, b, figure),
            }
        })
    }

    fn student_p(&self, a: usize, b: usize, figure: usize) -> f64 {
        let value = self.figures[a][figure] - self.figures[b][figure];
        // The midpoint of both ends cancels the imagined cluster.
        let draws = self.collect(|models| {
            let of = |model: usize| {
                let [low, high] = &models[model][AVERAGED];
                f64::midpoint(low[figure], high[figure])
            };
            of(a) - of(b)
        });
        let se = spread(&draws);
        if value == 0.0 || se <= 0.0 {
            return 1.0;
        }
        let freedom = (self.least.max(2) - 1) as f64;
        // As for the tails of intervals.
        let t = (value / se).abs() * (freedom / (freedom + 1.0)).sqrt();
        let across = draws.iter().filter(|&&draw| draw * value <= 0.0).count();
        let share = 2.0 * across as f64 / draws.len() as f64;
        student::two_sided_tail(t, freedom).max(share).min(1.0)
    }

    fn collect(&self, read: impl Fn(&[Replicate]) -> f64) -> Vec<f64> {
        self.replicates.iter().map(|models| read(models)).collect()
    }

    /// The interval of the difference of one figure, first minus second: the percentile interval of
    /// figures averaged over the law of the threshold. At the drawn thresholds it would include the
    /// luck of the few questions near them, which averages out of the procedure's mean.
    pub fn difference(&self, a: usize, b: usize, figure: usize) -> Result<Interval, NoInterval> {
        let absent = [a, b].into_iter().find_map(|model| match figure {
            ACC => self.few.then_some(NoInterval::TooFew),
            _ => self.absent(model, figure),
        });
        if let Some(absent) = absent {
            return Err(absent);
        }
        let value = self.figures[a][figure] - self.figures[b][figure];
        let replicates = |end: usize| {
            self.collect(|models| {
                models[a][AVERAGED][end][figure] - models[b][AVERAGED][1 - end][figure]
            })
        };
        let mut interval = around(value, spread(&replicates(0)));
        interval.extend(percentile(self.tail, replicates));
        Ok(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Stream;
    use super::super::{Answers, Estimand};
    use super::*;
    use crate::{Resampling, Row, Table, View};

    /// `n` questions of four options, a share `skill` of them answered right and with confidence.
    fn table(n: usize, skill: f64, seed: u64) -> Table {
        let mut stream = Stream::new("test", seed, 0);
        let mut table = Table::new(4);
        for index in 0..n {
            let right = stream.unit() < skill;
            let mut logits = [0.0; 4].map(|_: f64| 2.0 * stream.unit());
            logits[usize::from(!right)] += 2.5;
            let mut key = [0; 32];
            key[..8].copy_from_slice(&index.to_le_bytes());
            let row = Row {
                key: &key,
                cluster: None,
                logits: (&logits).into(),
                right: 0.into(),
                dont_know: None,
                none_of_the_above: None,
            };
            table.push(key, &row, None).unwrap();
        }
        table
    }

    fn panel(tables: &[&Table], estimand: Estimand) -> Panel {
        let rows: Vec<usize> = (0..tables[0].len()).collect();
        let calibrates: Vec<bool> = rows.iter().map(|row| row % 2 == 0).collect();
        let models: Vec<Vec<Answers<'_>>> = tables
            .iter()
            .map(|table| vec![Answers { table, rows: &rows }])
            .collect();
        let mut panel = Panel::new(tables.len(), View::default(), 0.1, estimand);
        panel
            .add(&models, tables[0].clusters(), &calibrates)
            .unwrap();
        panel
    }

    #[test]
    fn a_model_does_not_differ_from_itself_and_a_better_one_does() {
        let (a, b) = (table(600, 0.5, 1), table(600, 0.8, 2));
        let panel = panel(&[&a, &b, &a], Estimand::Procedure);
        let resampled = panel.resample(&Resampling::default());
        let same = resampled.test(&panel, [0, 2], [199, 199], 1);
        assert!(same.iter().all(|p| (p - 1.0).abs() < 1e-12), "{same:?}");
        let better = resampled.test(&panel, [1, 0], [199, 9999], 1);
        assert!(better[ACC] < 0.001 && better[3] < 0.001, "{better:?}");
        for figure in 0..COMPARED {
            // Equal on all test questions, but perhaps not on the imagined ones.
            let zero = resampled.difference(0, 2, figure).unwrap();
            assert!(
                zero.low < 0.0 && zero.high > 0.0 && zero.high < 0.05,
                "{zero:?}"
            );
        }
        assert!(resampled.difference(1, 0, ACC).unwrap().low > 0.15);
    }

    #[test]
    fn no_interval_is_without_width() {
        // Always right, and sure of it: one option each, always covered.
        let panel = panel(&[&table(66, 1.0, 3)], Estimand::Procedure);
        let resampled = panel.resample(&Resampling::default());
        for figure in 0..FIGURES {
            match resampled.interval(0, figure) {
                Ok(interval) => assert!(interval.low < interval.high, "{figure}: {interval:?}"),
                Err(why) => assert_eq!(why, NoInterval::TooFew),
            }
        }
        let (low, high) = wilson_share(1.0, 33.0, 0.95);
        assert_eq!(resampled.interval(0, ACC).unwrap().ends(), (low, high));
        assert!((low - 0.896).abs() < 5e-4);
    }

    #[test]
    fn few_questions_and_full_sets_have_no_intervals() {
        for (n, why) in [(10, NoInterval::Full), (30, NoInterval::TooFew)] {
            let panel = panel(&[&table(n, 0.5, 4)], Estimand::Procedure);
            let resampled = panel.resample(&Resampling::default());
            assert_eq!(resampled.interval(0, 2), Err(why), "{n}");
            assert!(resampled.interval(0, ACC).is_ok());
        }
    }

    #[test]
    fn the_deployed_threshold_has_the_narrower_interval() {
        let table = table(800, 0.6, 5);
        let width = |estimand| {
            let panel = panel(&[&table], estimand);
            let resampled = panel.resample(&Resampling::default());
            let interval = resampled.interval(0, 2).unwrap();
            interval.high - interval.low
        };
        assert!(width(Estimand::Deployed) < 0.9 * width(Estimand::Procedure));
    }
}
