//! The figures of a [`Panel`] in every draw: intervals and tests.

use super::interval::wilson_share;
use super::panel::{
    ACC, AVERAGED, COMPARED, COVERAGE, DRAWN, FIGURES, Kinds, NoInterval, Panel, SCORES,
};
use super::student;

/// The share of replicates beyond either end of an interval of this level, for halves of at least
/// so many clusters. Percentiles of few rows lie too close: this widens them as Student's t and the
/// factor √(n/(n−1)) would a normal interval (Hesterberg 2015, section 4.4).
pub(crate) fn tail(level: f64, clusters: usize) -> f64 {
    let n = clusters.max(2) as f64;
    let t = student::two_sided_quantile(level, n - 1.0) * (n / (n - 1.0)).sqrt();
    super::normal::cdf(-t)
}

/// An interval of one figure, in the figure's own unit.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Standard deviation of the replicates: the figure's standard error.
    pub se: f64,
}

impl Interval {
    /// Both ends.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    pub(super) fn extend(&mut self, (low, high): (f64, f64)) {
        self.low = self.low.min(low);
        self.high = self.high.max(high);
    }
}

/// The intervals of one cell, by figure.
pub(super) type CellIntervals = [Result<Interval, NoInterval>; FIGURES];

/// What holds both kinds of percentile interval, and the figure itself, also where most draws fall on
/// one side of it.
pub(super) fn hull(
    value: f64,
    tail: f64,
    replicates: impl Fn(usize, usize) -> Vec<f64>,
) -> Interval {
    let mut hull = around(value, spread(&replicates(DRAWN, 0)));
    for kind in [DRAWN, AVERAGED] {
        hull.extend(percentile(tail, |end| replicates(kind, end)));
    }
    hull
}

/// The figure itself, for intervals that hold it.
fn around(value: f64, se: f64) -> Interval {
    Interval {
        low: value,
        high: value,
        se,
    }
}

/// The percentile interval of replicates at their lower and at their upper end.
fn percentile(tail: f64, replicates: impl Fn(usize) -> Vec<f64>) -> (f64, f64) {
    let at = |end: usize, share: f64| {
        let mut values = replicates(end);
        values.sort_unstable_by(f64::total_cmp);
        super::bootstrap::quantile(&values, share)
    };
    (at(0, tail), at(1, 1.0 - tail))
}

/// Standard deviation, with n − 1 in the denominator.
pub(crate) fn spread(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (n - 1.0).max(1.0)).sqrt()
}

/// The figures of all models in every replicate.
#[derive(Debug, Clone)]
pub struct Resampled {
    pub(super) level: f64,
    /// Share of replicates beyond either end.
    pub(super) tail: f64,
    /// Clusters of the smallest half of any task.
    pub(super) least: usize,
    pub(super) figures: Vec<[f64; FIGURES]>,
    pub(super) absent: Vec<Option<NoInterval>>,
    pub(super) few: bool,
    pub(super) shares: Vec<Option<[f64; 2]>>,
    /// Per replicate, per model.
    pub(super) replicates: Vec<Vec<Kinds>>,
    /// Per task, per model, per cell.
    pub(super) cells: Vec<Vec<Vec<CellIntervals>>>,
}

impl Resampled {
    /// A model's figures as they are.
    pub fn figures(&self, model: usize) -> [f64; FIGURES] {
        self.figures[model]
    }

    /// Why a model has no interval of this figure; `None` where it has one.
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

    /// The interval of one figure of a model: 0 accuracy, 1 coverage, 2 set size, 3 `UAcc`, 4 share of
    /// sets of one option, 5 share of empty sets.
    ///
    /// It holds the percentile interval of the figure over drawn questions, and that of its mean over
    /// the thresholds that further calibration halves would set. The two are alike but where the
    /// threshold nears an atom of the scores. Accuracy in one strategy on one task has Wilson's
    /// interval, and coverage there is never narrower than Wilson's.
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

    /// The interval of one figure of a model in one cell: of the task with this number (in the order
    /// in which they were added), the strategy, and the score (0 LAC, 1 APS).
    ///
    /// # Panics
    /// If there is no such cell.
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
    /// Of accuracy it is that of a sign-flip test on the test questions, with `rounds` rounds, and up to
    /// `most` where few came as far as observed. Of the others it is Student's of the difference over
    /// its standard error, both halves included, and never less than twice the share of draws on the
    /// other side of 0: near an atom of the scores differences are far from normal.
    pub fn test(
        &self,
        panel: &Panel,
        [a, b]: [usize; 2],
        [rounds, most]: [usize; 2],
        seed: u64,
    ) -> [f64; COMPARED] {
        std::array::from_fn(|figure| {
            let absent = [a, b].into_iter().any(|m| self.absent(m, figure).is_some());
            match figure {
                _ if absent => 1.0,
                ACC => panel.accuracy_test(a, b, rounds, most, seed),
                _ => self.student_p(a, b, figure),
            }
        })
    }

    fn student_p(&self, a: usize, b: usize, figure: usize) -> f64 {
        let value = self.figures[a][figure] - self.figures[b][figure];
        // Half of what the imagined cluster adds to either end: as if nobody imagined it.
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

    fn collect(&self, read: impl Fn(&[Kinds]) -> f64) -> Vec<f64> {
        self.replicates.iter().map(|models| read(models)).collect()
    }

    /// The interval of the difference of one figure, first minus second: the percentile
    /// interval of figures averaged over the law of the threshold. That of figures at the drawn thresholds
    /// would add the luck of the few questions near them, which averages out of the procedure's mean.
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
    use super::super::panel::{Answers, Estimand};
    use super::super::random::Stream;
    use super::*;
    use crate::{Resampling, Row, Table, View};

    /// `n` questions of four options, of which this share is answered right, surely.
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
                answer: 0,
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
            // Alike in all that was asked, but perhaps not in what was not.
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
    fn few_questions_and_full_sets_are_told() {
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
