//! The whole measurement: split, calibrate, predict, count.

use serde::{Deserialize, Serialize};

use crate::{
    Order, PredictionSet, Real, Score, Threshold, TieRule, conformal_threshold, hash_split,
    numpy_higher_threshold, paper_split, softmax, uacc,
};

/// How the figures come about; see the crate's documentation for the differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The published script, bit for bit.
    Paper,
    /// Float64, a split by key, the exact conformal rank.
    Standard,
}

/// One answered question.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Identifies the question, independently of the model. Seeds the standard protocol's split
    /// and its order of equal probabilities; not used by the paper's.
    pub key: &'a [u8],
    /// Logits or log-probabilities, one per option (2 to 26), all finite.
    pub logits: &'a [f64],
    /// Index of the right option.
    pub answer: usize,
    /// Index of "I don't know", if it is an option.
    pub dont_know: Option<usize>,
    /// Index of "None of the above", if it is an option.
    pub none_of_the_above: Option<usize>,
}

/// Settings of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Which protocol.
    pub protocol: Protocol,
    /// The allowed share of sets without the right answer, in 0..1.
    pub alpha: f64,
    /// Share of the rows that calibrate, in 0..1.
    pub calibration_ratio: f64,
    /// Seed of the split. The paper's is 42; its protocol uses the low 32 bits.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocol: Protocol::Standard,
            alpha: 0.1,
            calibration_ratio: 0.5,
            seed: 42,
        }
    }
}

/// Figures of one score on the test half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
}

/// Figures of one model on one task with one prompt strategy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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

/// Why rows cannot be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluateError {
    /// The error rate is not strictly between 0 and 1.
    #[error("the error rate alpha is {0}, but must lie between 0 and 1")]
    Alpha(f64),
    /// The calibration ratio is not strictly between 0 and 1.
    #[error("the calibration ratio is {0}, but must lie between 0 and 1")]
    Ratio(f64),
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
    check(rows, config)?;
    match config.protocol {
        Protocol::Paper => run::<f32>(rows, config),
        Protocol::Standard => run::<f64>(rows, config),
    }
}

fn check(rows: &[Row<'_>], config: &Config) -> Result<(), EvaluateError> {
    let inside = |x: f64| x > 0.0 && x < 1.0;
    if !inside(config.alpha) {
        return Err(EvaluateError::Alpha(config.alpha));
    }
    if !inside(config.calibration_ratio) {
        return Err(EvaluateError::Ratio(config.calibration_ratio));
    }
    for (row, r) in rows.iter().enumerate() {
        let fail = |what| Err(EvaluateError::Row { row, what });
        if !(2..=26).contains(&r.logits.len()) {
            return fail("needs 2 to 26 options");
        }
        if !r.logits.iter().all(|x| x.is_finite()) {
            return fail("a score is NaN or infinite");
        }
        if r.answer >= r.logits.len() {
            return fail("the answer lies outside the options");
        }
    }
    Ok(())
}

fn run<F: Real>(rows: &[Row<'_>], config: &Config) -> Result<Evaluation, EvaluateError> {
    let paper = config.protocol == Protocol::Paper;
    let split = if paper {
        paper_split(rows.len(), config.calibration_ratio, config.seed as u32)
    } else {
        hash_split(
            rows.iter().map(|r| r.key),
            config.calibration_ratio,
            config.seed,
        )
    };
    for (half, indices) in [("calibration", &split.calibration), ("test", &split.test)] {
        if indices.is_empty() {
            return Err(EvaluateError::EmptyHalf {
                rows: rows.len(),
                half,
            });
        }
    }

    let mut view = RowView::<F>::new(paper);
    let mut lac_scores = Vec::with_capacity(split.calibration.len());
    let mut aps_scores = Vec::with_capacity(split.calibration.len());
    for &i in &split.calibration {
        view.load(&rows[i]);
        lac_scores.push(Score::Lac.of(&view.probabilities, &view.order, rows[i].answer));
        aps_scores.push(Score::Aps.of(&view.probabilities, &view.order, rows[i].answer));
    }
    let threshold = if paper {
        numpy_higher_threshold
    } else {
        conformal_threshold
    };
    let mut lac = Tally::new(Score::Lac, threshold(&mut lac_scores, config.alpha));
    let mut aps = Tally::new(Score::Aps, threshold(&mut aps_scores, config.alpha));

    let (mut correct, mut dont_know, mut none, mut options) = (0_usize, 0_usize, 0_usize, 0_usize);
    for &i in &split.test {
        let row = &rows[i];
        view.load(row);
        let top = view.order.top();
        correct += usize::from(top == row.answer);
        dont_know += usize::from(Some(top) == row.dont_know);
        none += usize::from(Some(top) == row.none_of_the_above);
        options += row.logits.len();
        lac.count(&view, row.answer);
        aps.count(&view, row.answer);
    }
    let n = split.test.len() as f64;
    let acc = correct as f64 / n;
    Ok(Evaluation {
        n_calibration: split.calibration.len(),
        n_test: split.test.len(),
        acc,
        e_rate: dont_know as f64 / n,
        f_rate: none as f64 / n,
        lac: lac.summary(acc, options as f64 / n, n),
        aps: aps.summary(acc, options as f64 / n, n),
    })
}

/// One row's probabilities and order; its buffers are reused from row to row.
struct RowView<F> {
    paper: bool,
    logits: Vec<F>,
    probabilities: Vec<F>,
    order: Order,
}

impl<F: Real> RowView<F> {
    fn new(paper: bool) -> Self {
        Self {
            paper,
            logits: Vec::new(),
            probabilities: Vec::new(),
            order: Order::default(),
        }
    }

    fn load(&mut self, row: &Row<'_>) {
        self.logits.clear();
        self.logits
            .extend(row.logits.iter().map(|&x| F::from_f64(x)));
        softmax(&self.logits, &mut self.probabilities);
        let ties = if self.paper {
            TieRule::Paper
        } else {
            TieRule::Seeded(row.key)
        };
        self.order.sort(&self.probabilities, ties);
    }
}

/// Counts of one score over the test half.
struct Tally<F> {
    score: Score,
    threshold: Threshold<F>,
    total_size: usize,
    covered: usize,
}

impl<F: Real> Tally<F> {
    fn new(score: Score, threshold: Threshold<F>) -> Self {
        Self {
            score,
            threshold,
            total_size: 0,
            covered: 0,
        }
    }

    fn count(&mut self, view: &RowView<F>, answer: usize) {
        let mut set: PredictionSet =
            self.score
                .set(&view.probabilities, &view.order, self.threshold, view.paper);
        if set.is_empty() {
            set.insert(view.order.top());
        }
        self.total_size += set.len();
        self.covered += usize::from(set.contains(answer));
    }

    fn summary(&self, acc: f64, options: f64, n: f64) -> SetSummary {
        let set_size = self.total_size as f64 / n;
        SetSummary {
            qhat: self.threshold.value(),
            set_size,
            coverage: self.covered as f64 / n,
            uacc: uacc(acc, options, set_size),
        }
    }
}
