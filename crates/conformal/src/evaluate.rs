//! The whole measurement: split, calibrate, predict, count.

use std::convert::Infallible;

use crate::row_view::RowView;
use crate::score::Arithmetic;
use crate::split::{CalibrationClusters, calibrates, check_halves, hash_position};
use crate::{
    Config, Covers, EvaluateError, Evaluation, PredictionSet, Protocol, Real, Row, Score,
    SetSummary, SplitRule, Table, Threshold, paper_split, uacc,
};

/// Evaluates `rows` under `config`.
///
/// An empty prediction set becomes the most probable option alone, in both protocols: a user must
/// get some answer. This can only raise coverage.
///
/// The crate's documentation has an example.
pub fn evaluate(rows: &[Row<'_>], config: &Config) -> Result<Evaluation, EvaluateError> {
    evaluate_iter(|| rows.iter().copied(), config)
}

impl Table {
    /// The headline figures; as [`evaluate`].
    pub fn evaluate(&self, config: &Config) -> Result<Evaluation, EvaluateError> {
        evaluate_iter(|| self.rows(), config)
    }
}

fn evaluate_iter<'a, I: Iterator<Item = Row<'a>>>(
    rows: impl Fn() -> I,
    config: &Config,
) -> Result<Evaluation, EvaluateError> {
    let visit = |visit: &mut dyn FnMut(Row<'_>)| {
        rows().for_each(visit);
        Ok::<_, Infallible>(())
    };
    let Ok(evaluation) = evaluate_visiting(visit, config);
    evaluation
}

/// [`evaluate`] for rows that are not in memory: each call of `rows` passes every row to its
/// closure, in the same order each time. It is called three times, or twice under
/// [`SplitRule::Hash`]. Memory holds two scores per calibration row, and one number per row until
/// the split is known. The outer error is that of `rows`.
pub fn evaluate_visiting<E>(
    rows: impl FnMut(&mut dyn FnMut(Row<'_>)) -> Result<(), E>,
    config: &Config,
) -> Result<Result<Evaluation, EvaluateError>, E> {
    if let Err(error) = config.check() {
        return Ok(Err(error));
    }
    match config.protocol {
        Protocol::Paper => evaluate_as::<f32, E>(rows, config),
        Protocol::Standard => evaluate_as::<f64, E>(rows, config),
    }
}

/// Which rows calibrate.
enum Halves {
    /// By the row's index.
    Paper(Vec<bool>),
    /// By the row's key.
    Hash { ratio: f64, seed: u64 },
    /// By the row's cluster.
    Ordered {
        chosen: CalibrationClusters,
        seed: u64,
    },
}

impl Halves {
    /// Reads the rows once where the split depends on all of them.
    fn of<E>(
        rows: &mut impl FnMut(&mut dyn FnMut(Row<'_>)) -> Result<(), E>,
        config: &Config,
    ) -> Result<Self, E> {
        let (ratio, seed) = (config.calibration_ratio, config.seed);
        Ok(match (config.protocol, config.split) {
            (Protocol::Paper, _) => {
                let mut n = 0;
                rows(&mut |_| n += 1)?;
                let split = paper_split(n, ratio, seed as u32);
                let mut calibrates = vec![false; n];
                for row in split.calibration {
                    calibrates[row] = true;
                }
                Self::Paper(calibrates)
            }
            (Protocol::Standard, SplitRule::Hash) => Self::Hash { ratio, seed },
            (Protocol::Standard, SplitRule::Ordered) => {
                let mut positions = Vec::new();
                rows(&mut |row| positions.push(hash_position(row.cluster_key(), seed)))?;
                let chosen = CalibrationClusters::of(positions, ratio);
                Self::Ordered { chosen, seed }
            }
        })
    }

    fn calibrates(&self, index: usize, row: &Row<'_>) -> bool {
        match self {
            Self::Paper(calibrates) => calibrates.get(index).is_some_and(|&it| it),
            Self::Hash { ratio, seed } => calibrates(row.key, *ratio, *seed),
            Self::Ordered { chosen, seed } => {
                chosen.contains(hash_position(row.cluster_key(), *seed))
            }
        }
    }
}

/// Counts over the test set.
#[derive(Default)]
struct TestCounts {
    rows: usize,
    correct: usize,
    dont_know: usize,
    none_of_the_above: usize,
    options: usize,
}

fn evaluate_as<F: Real, E>(
    mut rows: impl FnMut(&mut dyn FnMut(Row<'_>)) -> Result<(), E>,
    config: &Config,
) -> Result<Result<Evaluation, EvaluateError>, E> {
    let halves = Halves::of(&mut rows, config)?;
    let mut view = RowView::<F>::new(config.protocol == Protocol::Paper);
    let (mut lac_scores, mut aps_scores) = (Vec::new(), Vec::new());
    let (mut n, mut several_right, mut checked) = (0, 0, Ok(()));
    rows(&mut |row| {
        let index = n;
        n += 1;
        several_right += usize::from(row.right.only().is_none());
        if checked.is_ok() {
            checked = row.check(index);
        }
        if checked.is_ok() && halves.calibrates(index, &row) {
            view.load(&row);
            let of = |score: Score| {
                score.of(
                    view.probabilities(),
                    view.order(),
                    config.covers.deciding(row.right, view.order()),
                    view.arithmetic(),
                )
            };
            lac_scores.push(of(Score::Lac));
            aps_scores.push(of(Score::Aps));
        }
    })?;
    let n_calibration = lac_scores.len();
    if let Err(error) = checked {
        return Ok(Err(error));
    }
    if let Err(error) = check_halves(n, n_calibration) {
        return Ok(Err(error));
    }
    let alpha = config.alpha;
    let mut lac = SetCounts::new(
        Score::Lac,
        config.protocol.threshold(&mut lac_scores, alpha),
    );
    let mut aps = SetCounts::new(
        Score::Aps,
        config.protocol.threshold(&mut aps_scores, alpha),
    );
    drop((lac_scores, aps_scores));

    let (mut counts, mut index) = (TestCounts::default(), 0);
    rows(&mut |row| {
        let calibrates = halves.calibrates(index, &row);
        index += 1;
        if calibrates {
            return;
        }
        view.load(&row);
        let top = view.order().top();
        counts.rows += 1;
        counts.correct += usize::from(row.right.contains(top));
        counts.dont_know += usize::from(Some(top) == row.dont_know);
        counts.none_of_the_above += usize::from(Some(top) == row.none_of_the_above);
        counts.options += row.logits.len();
        lac.count(&view, &row, config.covers);
        aps.count(&view, &row, config.covers);
    })?;
    let (n, arithmetic) = (counts.rows as f64, view.arithmetic());
    let acc = counts.correct as f64 / n;
    let options = counts.options as f64 / n;
    Ok(Ok(Evaluation {
        n_calibration,
        n_test: counts.rows,
        acc,
        e_rate: counts.dont_know as f64 / n,
        f_rate: counts.none_of_the_above as f64 / n,
        several_right,
        lac: lac.summary(acc, options, n, arithmetic),
        aps: aps.summary(acc, options, n, arithmetic),
    }))
}

/// Counts of one score's sets over the test set.
struct SetCounts<F> {
    score: Score,
    threshold: Threshold<F>,
    total_size: usize,
    covered: usize,
    empty: usize,
}

impl<F: Real> SetCounts<F> {
    fn new(score: Score, threshold: Threshold<F>) -> Self {
        Self {
            score,
            threshold,
            total_size: 0,
            covered: 0,
            empty: 0,
        }
    }

    fn count(&mut self, view: &RowView<F>, row: &Row<'_>, covers: Covers) {
        let mut set: PredictionSet = self.score.set(
            view.probabilities(),
            view.order(),
            self.threshold,
            view.arithmetic(),
        );
        if set.is_empty() {
            self.empty += 1;
            set.insert(view.order().top());
        }
        self.total_size += set.len();
        self.covered += usize::from(covers.holds(set, row.right));
    }

    fn summary(&self, acc: f64, options: f64, n: f64, arithmetic: Arithmetic) -> SetSummary {
        let set_size = self.total_size as f64 / n;
        let qhat = match self.threshold {
            Threshold::Finite(q) => Some(self.score.value(q, arithmetic).to_f64()),
            Threshold::Infinite => None,
        };
        SetSummary {
            qhat,
            empty_rate: Some(self.empty as f64 / n),
            set_size,
            coverage: self.covered as f64 / n,
            uacc: uacc(acc, options, set_size),
        }
    }
}
