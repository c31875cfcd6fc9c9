//! The whole measurement: split, calibrate, predict, count; and the headline figures.

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::row::RowView;
use crate::score::Arithmetic;
use crate::split::{calibrates, calibration_end, check_halves, hash_position};
use crate::{
    Config, Covers, EvaluateError, PredictionSet, Protocol, Real, Row, Score, SplitRule, Table,
    Threshold, paper_split,
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
    /// By the row's cluster: those below `end` in the order of hashes.
    Ordered { end: u64, seed: u64 },
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
                let end = calibration_end(positions, ratio);
                Self::Ordered { end, seed }
            }
        })
    }

    fn calibrates(&self, index: usize, row: &Row<'_>) -> bool {
        match self {
            Self::Paper(calibrates) => calibrates.get(index).is_some_and(|&it| it),
            Self::Hash { ratio, seed } => calibrates(row.key, *ratio, *seed),
            Self::Ordered { end, seed } => hash_position(row.cluster_key(), *seed) < *end,
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

/// Figures of one score on the test set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetSummary {
    /// The threshold; `None` where the calibration set is too small for a finite one, so that every
    /// set is full.
    pub qhat: Option<f64>,
    /// Mean number of options in a prediction set.
    pub set_size: f64,
    /// Share of sets that contain the right answer.
    pub coverage: f64,
    /// `Acc · √|Y| / SS`.
    pub uacc: f64,
    /// Share of sets that were empty before they were filled with the most probable option. Filling
    /// can raise coverage above `1 − alpha`. `None` in results of version 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_rate: Option<f64>,
}

/// Figures of one model on one task with one prompt strategy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Rows that set the threshold.
    pub n_calibration: usize,
    /// Rows that are measured.
    pub n_test: usize,
    /// Share of test rows whose most probable option is right.
    pub acc: f64,
    /// Share of test rows whose most probable option is "I don't know".
    pub e_rate: f64,
    /// Share of test rows whose most probable option is "None of the above".
    pub f_rate: f64,
    /// Rows of both halves with several right options; omitted where there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub several_right: usize,
    /// Sets by the LAC score.
    pub lac: SetSummary,
    /// Sets by the APS score.
    pub aps: SetSummary,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// In float32, sums this close to 1 differ more by rounding than by probability: a gap of some 17
/// nats.
const SINGLE_ROUNDING: f64 = 1.0 - 1.2e-7;

impl Evaluation {
    /// Whether the APS threshold is so close to 1 that the paper's protocol, which adds in float32,
    /// separates options by rounding error.
    pub fn aps_is_within_rounding(&self) -> bool {
        self.aps.qhat.is_some_and(|qhat| qhat >= SINGLE_ROUNDING)
    }

    /// How many questions have several right options, and what that means for the figures. `None`
    /// without any.
    pub fn several_note(&self, covers: Covers) -> Option<String> {
        (self.several_right > 0).then(|| {
            several_right_note(self.several_right, self.n_calibration + self.n_test, covers)
        })
    }

    /// A caveat about the APS sets where rounding, or the sum down to the last option, determines
    /// them.
    pub fn aps_note(&self, protocol: Protocol) -> Option<&'static str> {
        self.aps.qhat?;
        match protocol {
            Protocol::Paper if self.aps_is_within_rounding() => Some(
                "the APS threshold is within float32 rounding of 1, where sums differ by rounding: \
                 set sizes and coverage depend on it",
            ),
            // All sets full: UAcc = Acc · √|Y| / |Y|.
            Protocol::Standard
                if self.acc > 0.0
                    && (self.aps.uacc * self.aps.set_size.sqrt() / self.acc - 1.0).abs() < 1e-9
                    && self.aps.set_size > 1.5 =>
            {
                Some(
                    "every APS set is full: the right option is ranked last more often than the \
                     error rate allows, so that the threshold is the sum of all options; \
                     aps-randomized avoids this",
                )
            }
            _ => None,
        }
    }
}

/// The same for so many questions `of` so many.
pub fn several_right_note(several: usize, of: usize, covers: Covers) -> String {
    let held = match covers {
        Covers::Any => "at least one of them",
        Covers::All => "all of them",
    };
    format!(
        "{several} of {of} questions have several right answers: an answer is right if it is one of \
         them, a set covers if it holds {held} (--covers {})",
        covers.name()
    )
}

/// Uncertainty-aware accuracy, `Acc · √|Y| / SS` (Ye et al. 2024, equation 8).
///
/// `accuracy` is a fraction, `options` the number of options |Y| (its mean where questions
/// differ), `set_size` the mean prediction-set size. A model that is always right with singleton
/// sets has √|Y|.
pub fn uacc(accuracy: f64, options: f64, set_size: f64) -> f64 {
    accuracy * options.sqrt() / set_size
}

/// Means over evaluations, with LAC and APS weighted equally, as in the paper's tables.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mean {
    /// Mean accuracy, a fraction.
    pub acc: f64,
    /// Mean set size over both scores.
    pub set_size: f64,
    /// Mean coverage over both scores, a fraction.
    pub coverage: f64,
    /// Mean UAcc over both scores: the mean of the individual values, not computed from the other
    /// means.
    pub uacc: f64,
}

/// Averages evaluations, such as those of the three prompt strategies, as the paper does.
/// `None` for no evaluations.
pub fn mean<'a>(evaluations: impl IntoIterator<Item = &'a Evaluation>) -> Option<Mean> {
    let mut total = Mean {
        acc: 0.0,
        set_size: 0.0,
        coverage: 0.0,
        uacc: 0.0,
    };
    let mut n = 0.0;
    for e in evaluations {
        total.acc += e.acc;
        total.set_size += f64::midpoint(e.lac.set_size, e.aps.set_size);
        total.coverage += f64::midpoint(e.lac.coverage, e.aps.coverage);
        total.uacc += f64::midpoint(e.lac.uacc, e.aps.uacc);
        n += 1.0;
    }
    (n > 0.0).then(|| Mean {
        acc: total.acc / n,
        set_size: total.set_size / n,
        coverage: total.coverage / n,
        uacc: total.uacc / n,
    })
}
