//! The whole measurement: split, calibrate, predict, count.

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantile::numpy_higher_rank;
use crate::row_view::RowView;
use crate::score::Arithmetic;
use crate::split::{Chosen, calibrates, place};
use crate::{
    Logits, PredictionSet, Real, Score, SplitRule, Threshold, conformal_rank, conformal_threshold,
    numpy_higher_threshold, paper_split, uacc,
};

/// Evaluation protocol; see the crate's documentation for the differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Protocol {
    /// The published script, bit for bit: float32, scikit-learn's split, NumPy's quantile.
    Paper,
    /// Float64, a split by question that stays as rows are added, the exact conformal rank.
    Standard,
}

impl Protocol {
    /// Its name on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Standard => "standard",
        }
    }

    /// Which of `n` calibration scores, in ascending order and counted from 1, is the threshold.
    /// `None` where it is infinite.
    pub(crate) fn rank(self, n: usize, alpha: f64) -> Option<usize> {
        match self {
            Self::Paper => numpy_higher_rank(n, alpha),
            Self::Standard => conformal_rank(n, alpha),
        }
    }

    /// The threshold that calibration `scores` set. They are reordered.
    pub(crate) fn threshold<F: Real>(self, scores: &mut [F], alpha: f64) -> Threshold<F> {
        match self {
            Self::Paper => numpy_higher_threshold(scores, alpha),
            Self::Standard => conformal_threshold(scores, alpha),
        }
    }
}

/// One answered question.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Identifies the question, independently of the model. Seeds the standard protocol's split
    /// and its order of equal probabilities; not used by the paper's.
    pub key: &'a [u8],
    /// Names the cluster of questions that are not independent of each other, such as those on one
    /// passage. `None` for a question on its own: its cluster is then its key.
    pub cluster: Option<&'a [u8]>,
    /// Logits or log-probabilities, one per option (2 to 26), all finite.
    pub logits: Logits<'a>,
    /// Index of the right option.
    pub answer: usize,
    /// Index of "I don't know", if it is an option.
    pub dont_know: Option<usize>,
    /// Index of "None of the above", if it is an option.
    pub none_of_the_above: Option<usize>,
}

impl<'a> Row<'a> {
    /// What names the row's cluster.
    pub(crate) fn cluster_key(&self) -> &'a [u8] {
        self.cluster.unwrap_or(self.key)
    }
}

/// Settings of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Config {
    /// Which protocol.
    pub protocol: Protocol,
    /// The allowed share of sets without the right answer, in 0..1.
    pub alpha: f64,
    /// Share of the rows that calibrate, in 0..1.
    pub calibration_ratio: f64,
    /// Seed of the split. The paper's is 42; its protocol uses the low 32 bits.
    pub seed: u64,
    /// Which rows calibrate under the standard protocol; the paper's does not look at it. A record
    /// without it means `hash`, and a record of `hash` goes without it: version 0.1.0 wrote none.
    #[serde(
        default = "SplitRule::of_old_records",
        skip_serializing_if = "SplitRule::is_of_old_records"
    )]
    pub split: SplitRule,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocol: Protocol::Standard,
            alpha: 0.1,
            calibration_ratio: 0.5,
            seed: 42,
            split: SplitRule::Ordered,
        }
    }
}

impl Config {
    /// Refuses an error rate or a calibration ratio that is not strictly between 0 and 1.
    pub(crate) fn check(&self) -> Result<(), EvaluateError> {
        let inside = |x: f64| x > 0.0 && x < 1.0;
        if !inside(self.alpha) {
            return Err(EvaluateError::Alpha(self.alpha));
        }
        if !inside(self.calibration_ratio) {
            return Err(EvaluateError::Ratio(self.calibration_ratio));
        }
        Ok(())
    }
}

/// Figures of one score on the test half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetSummary {
    /// The threshold; `None` where the calibration half is too small for a finite one, in which
    /// case every set is full.
    pub qhat: Option<f64>,
    /// Mean number of options in a prediction set.
    pub set_size: f64,
    /// Share of sets that hold the right answer.
    pub coverage: f64,
    /// `Acc · √|Y| / SS`.
    pub uacc: f64,
    /// Share of sets that were empty and were filled with the most probable option. Filling is why
    /// coverage can lie above `1 − alpha`. `None` in results of version 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_rate: Option<f64>,
}

/// Figures of one model on one task with one prompt strategy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Rows that set the threshold.
    pub n_calibration: usize,
    /// Rows that the figures are about.
    pub n_test: usize,
    /// Share of test rows whose most probable option is right.
    pub acc: f64,
    /// Share of test rows whose most probable option is "I don't know".
    pub e_rate: f64,
    /// Share of test rows whose most probable option is "None of the above".
    pub f_rate: f64,
    /// Sets by the LAC score.
    pub lac: SetSummary,
    /// Sets by the APS score.
    pub aps: SetSummary,
}

/// In float32, sums this close to 1 differ by rounding more than by probability: a gap of some 17 nats.
const SINGLE_ROUNDING: f64 = 1.0 - 1.2e-7;

impl Evaluation {
    /// Whether the APS threshold is so close to 1 that float32 sums, as the paper's protocol has them,
    /// differ there by rounding.
    pub fn aps_is_within_rounding(&self) -> bool {
        self.aps.qhat.is_some_and(|qhat| qhat >= SINGLE_ROUNDING)
    }

    /// What a reader must know of the APS sets, where the sum down to the last option or rounding
    /// decides them.
    pub fn aps_note(&self, protocol: Protocol) -> Option<&'static str> {
        self.aps.qhat?;
        match protocol {
            Protocol::Paper if self.aps_is_within_rounding() => Some(
                "the APS threshold is within float32 rounding of 1, where sums differ by rounding: \
                 set sizes and coverage hang on it",
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
                     aps-randomized has no such edge",
                )
            }
            _ => None,
        }
    }
}

/// Why rows cannot be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluateError {
    /// The error rate is not strictly between 0 and 1.
    #[error("the error rate alpha is {0}, but must lie between 0 and 1")]
    Alpha(f64),
    /// The calibration ratio is not strictly between 0 and 1.
    #[error("the calibration ratio is {0}, but must lie between 0 and 1")]
    Ratio(f64),
    /// The temperature of the softmax is not a positive number.
    #[error("the temperature is {0}, but must be a number above 0")]
    Temperature(f64),
    /// A part of the calibration half that would be larger than the half itself.
    #[error("{ratio} of the rows cannot be taken from the {of} that calibrate")]
    Thinning {
        /// The share of all rows that was asked for.
        ratio: f64,
        /// The share that calibrates.
        of: f64,
    },
    /// A half has no rows.
    #[error("{rows} questions leave the {half} half empty")]
    EmptyHalf {
        /// Rows in all.
        rows: usize,
        /// `calibration` or `test`.
        half: &'static str,
    },
    /// A row that cannot be scored.
    #[error("row {row} (counted from 0): {what}")]
    Row {
        /// Index of the row.
        row: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Evaluates `rows` under `config`.
///
/// An empty prediction set becomes the most probable option alone, in both protocols: a user must
/// be given some answer. This can only raise coverage.
pub fn evaluate(rows: &[Row<'_>], config: &Config) -> Result<Evaluation, EvaluateError> {
    let visit = |visit: &mut dyn FnMut(Row<'_>)| {
        rows.iter().copied().for_each(visit);
        Ok::<_, Infallible>(())
    };
    let Ok(evaluation) = evaluate_visiting(visit, config);
    evaluation
}

/// The same for rows that are not in memory: each call of `rows` hands every row to the closure
/// that it is given, the same ones in the same order. It is called three times, or twice under
/// [`SplitRule::Hash`]. What is held of a calibration row is its two scores, and of every row a number
/// until the halves are known. The outer error is that of `rows`.
pub fn evaluate_visiting<E>(
    rows: impl FnMut(&mut dyn FnMut(Row<'_>)) -> Result<(), E>,
    config: &Config,
) -> Result<Result<Evaluation, EvaluateError>, E> {
    if let Err(error) = config.check() {
        return Ok(Err(error));
    }
    match config.protocol {
        Protocol::Paper => run::<f32, E>(rows, config),
        Protocol::Standard => run::<f64, E>(rows, config),
    }
}

pub(crate) fn check(index: usize, row: &Row<'_>) -> Result<(), EvaluateError> {
    let fail = |what| Err(EvaluateError::Row { row: index, what });
    if !(2..=26).contains(&row.logits.len()) {
        return fail("needs 2 to 26 options");
    }
    if !row.logits.iter().all(f64::is_finite) {
        return fail("a score is NaN or infinite");
    }
    if row.answer >= row.logits.len() {
        return fail("the answer lies outside the options");
    }
    Ok(())
}

/// Refuses a split of `rows` rows that leaves a half empty.
pub(crate) fn check_halves(rows: usize, n_calibration: usize) -> Result<(), EvaluateError> {
    let half = match n_calibration {
        0 => "calibration",
        _ if n_calibration == rows => "test",
        _ => return Ok(()),
    };
    Err(EvaluateError::EmptyHalf { rows, half })
}

/// Tells which rows calibrate.
enum Halves {
    /// By the row's index.
    Paper(Vec<bool>),
    /// By the row's key.
    Hash { ratio: f64, seed: u64 },
    /// By the row's cluster.
    Ordered { chosen: Chosen, seed: u64 },
}

impl Halves {
    /// Goes over the rows once where the halves depend on all of them.
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
                let mut places = Vec::new();
                rows(&mut |row| places.push(place(row.cluster_key(), seed)))?;
                let chosen = Chosen::of(places, ratio);
                Self::Ordered { chosen, seed }
            }
        })
    }

    fn calibrates(&self, index: usize, row: &Row<'_>) -> bool {
        match self {
            Self::Paper(calibrates) => calibrates.get(index).is_some_and(|&it| it),
            Self::Hash { ratio, seed } => calibrates(row.key, *ratio, *seed),
            Self::Ordered { chosen, seed } => chosen.holds(place(row.cluster_key(), *seed)),
        }
    }
}

/// What the test half adds up to.
#[derive(Default)]
struct Counts {
    rows: usize,
    correct: usize,
    dont_know: usize,
    none_of_the_above: usize,
    options: usize,
}

fn run<F: Real, E>(
    mut rows: impl FnMut(&mut dyn FnMut(Row<'_>)) -> Result<(), E>,
    config: &Config,
) -> Result<Result<Evaluation, EvaluateError>, E> {
    let halves = Halves::of(&mut rows, config)?;
    let mut view = RowView::<F>::new(config.protocol == Protocol::Paper);
    let (mut lac_scores, mut aps_scores) = (Vec::new(), Vec::new());
    let (mut n, mut checked) = (0, Ok(()));
    rows(&mut |row| {
        let index = n;
        n += 1;
        if checked.is_ok() {
            checked = check(index, &row);
        }
        if checked.is_ok() && halves.calibrates(index, &row) {
            view.load(&row);
            let of = |score: Score| {
                score.of(
                    view.probabilities(),
                    view.order(),
                    row.answer,
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
    let mut lac = Tally::new(
        Score::Lac,
        config.protocol.threshold(&mut lac_scores, alpha),
    );
    let mut aps = Tally::new(
        Score::Aps,
        config.protocol.threshold(&mut aps_scores, alpha),
    );
    drop((lac_scores, aps_scores));

    let (mut counts, mut index) = (Counts::default(), 0);
    rows(&mut |row| {
        let calibrates = halves.calibrates(index, &row);
        index += 1;
        if calibrates {
            return;
        }
        view.load(&row);
        let top = view.order().top();
        counts.rows += 1;
        counts.correct += usize::from(top == row.answer);
        counts.dont_know += usize::from(Some(top) == row.dont_know);
        counts.none_of_the_above += usize::from(Some(top) == row.none_of_the_above);
        counts.options += row.logits.len();
        lac.count(&view, row.answer);
        aps.count(&view, row.answer);
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
        lac: lac.summary(acc, options, n, arithmetic),
        aps: aps.summary(acc, options, n, arithmetic),
    }))
}

/// Counts of one score over the test half.
struct Tally<F> {
    score: Score,
    threshold: Threshold<F>,
    total_size: usize,
    covered: usize,
    empty: usize,
}

impl<F: Real> Tally<F> {
    fn new(score: Score, threshold: Threshold<F>) -> Self {
        Self {
            score,
            threshold,
            total_size: 0,
            covered: 0,
            empty: 0,
        }
    }

    fn count(&mut self, view: &RowView<F>, answer: usize) {
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
        self.covered += usize::from(set.contains(answer));
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
