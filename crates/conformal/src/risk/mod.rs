//! Answering with a promise: the model answers where it is sure enough, so that wrong answers stay
//! within a bound.
//!
//! Two promises, each of new questions from the source of the calibration questions:
//!
//! - [`at_most_wrong`]: at most α of *all* questions get a wrong answer, on average over calibration
//!   sets (conformal risk control, Angelopoulos, Bates, Fisch, Lei & Schuster 2024, theorem 1).
//! - [`at_most_wrong_of_answered`]: at most α of the *given* answers are wrong, in all but δ of the
//!   calibration sets (Learn then Test, Angelopoulos, Bates, Candès, Jordan & Lei 2022).

mod expected;
mod probable;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use expected::at_most_wrong;
pub use probable::{at_most_wrong_of_answered, confidence_grid, share_grid};

use crate::sets::ProbabilityView;
use crate::{Table, View};

/// The model's answer to one question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SureAnswer {
    /// How sure the model is, on any scale; minus infinity where it gave no answer, which no rule
    /// then gives for it.
    pub sureness: f64,
    /// Whether the answer is wrong.
    pub wrong: bool,
    /// What questions share that are not independent of each other.
    pub cluster: [u8; 32],
}

impl SureAnswer {
    /// Whether there is an answer at all.
    fn exists(&self) -> bool {
        self.sureness > f64::NEG_INFINITY
    }
}

/// Which questions are answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerRule {
    /// All.
    Everything,
    /// Those where the model is surer than this.
    SurerThan(f64),
    /// None: there are too few calibration questions, or too many of the surest answers are wrong.
    Nothing,
}

impl AnswerRule {
    /// Whether the rule answers where the model is this sure. Nothing is answered at minus infinity.
    pub fn answers(&self, sureness: f64) -> bool {
        match *self {
            Self::Everything => sureness > f64::NEG_INFINITY,
            Self::SurerThan(threshold) => sureness > threshold,
            Self::Nothing => false,
        }
    }
}

/// A rule with what it did on test questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// The rule.
    pub rule: AnswerRule,
    /// Test questions.
    pub n: usize,
    /// Those that the rule answers.
    pub answered: usize,
    /// Those of them whose answer is wrong.
    pub wrong: usize,
}

impl Answered {
    /// Applies `rule` to test questions.
    pub fn of<'a>(rule: AnswerRule, test: impl IntoIterator<Item = &'a SureAnswer>) -> Self {
        let mut counts = Self {
            rule,
            n: 0,
            answered: 0,
            wrong: 0,
        };
        for answer in test {
            let answered = rule.answers(answer.sureness);
            counts.n += 1;
            counts.answered += usize::from(answered);
            counts.wrong += usize::from(answered && answer.wrong);
        }
        counts
    }

    /// Share of all questions that are answered; NaN without any.
    pub fn answered_share(&self) -> f64 {
        self.answered as f64 / self.n as f64
    }

    /// Share of all questions that are answered wrongly; NaN without any.
    pub fn wrong_of_all(&self) -> f64 {
        self.wrong as f64 / self.n as f64
    }

    /// Share of the given answers that are wrong; `None` where none is given.
    pub fn wrong_of_answered(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.wrong as f64 / self.answered as f64)
    }
}

/// Both promises, kept on test questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Promises {
    /// The share of wrong answers that is promised.
    pub alpha: f64,
    /// How often `of_answered` may be broken, over calibration sets.
    pub delta: f64,
    /// At most α of all questions are answered wrongly, on average.
    pub of_all: Answered,
    /// At most α of the given answers are wrong, in all but δ of the calibration sets.
    pub of_answered: Answered,
}

/// How often the promise about given answers may be broken.
pub const DELTA: f64 = 0.1;

impl Promises {
    /// Sets both rules on one half and applies them to the other. The values of `grid` are as in
    /// [`at_most_wrong_of_answered`].
    pub fn of(calibration: &[SureAnswer], test: &[SureAnswer], alpha: f64, grid: &[f64]) -> Self {
        let largest = largest_cluster(calibration.iter().chain(test));
        let rule = at_most_wrong(calibration, alpha, largest);
        let of_all = Answered::of(rule, test);
        let rule = at_most_wrong_of_answered(calibration, alpha, DELTA, grid, largest);
        Self {
            alpha,
            delta: DELTA,
            of_all,
            of_answered: Answered::of(rule, test),
        }
    }
}

/// Answers of a model to the questions `rows`: the most probable option, as sure as it is probable.
/// Where that option is "I don't know", the model gave no answer. `None` for a temperature that is
/// not above 0.
///
/// # Panics
/// If a row does not exist.
pub fn sure_answers(table: &Table, rows: &[usize], view: &View) -> Option<Vec<SureAnswer>> {
    view.check().ok()?;
    let clusters = table.clusters();
    let mut probabilities = ProbabilityView::new(view);
    let answer = |&index: &usize| {
        let row = table.row(index);
        probabilities.load(&row);
        let top = probabilities.order().top();
        SureAnswer {
            sureness: if row.dont_know == Some(top) {
                f64::NEG_INFINITY
            } else {
                probabilities
                    .probabilities()
                    .get(top)
                    .copied()
                    .unwrap_or(0.0)
            },
            wrong: !row.right.contains(top),
            cluster: clusters[index],
        }
    };
    Some(rows.iter().map(answer).collect())
}

/// Questions in the largest cluster; 1 without any.
fn largest_cluster<'a>(answers: impl Iterator<Item = &'a SureAnswer>) -> usize {
    let mut names: Vec<[u8; 32]> = answers.map(|answer| answer.cluster).collect();
    names.sort_unstable();
    let sizes = names.chunk_by(|a, b| a == b).map(<[_]>::len);
    sizes.max().unwrap_or(1)
}
