//! What ties at the threshold cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scores;
use crate::{Protocol, Split, Table, Threshold, conformal_rank, uacc};

/// Scores this close to each other are one: a share of drawn answers goes through a logarithm and a
/// softmax, and comes back with another last bit in another row.
const EQUAL: f64 = 1e-9;

/// Figures of sets whose ties at the threshold are broken at random, beside those of sets that hold
/// all tied options.
///
/// Each pair of a question and an option gets a uniform number, and scores are compared by (score,
/// number) (Vovk, Gammerman & Shafer 2005, section 2.2: smoothed conformal predictors). Coverage
/// before empty sets are filled is then `rank / (n + 1)`, without the surplus of ties. The figures
/// are expectations over the numbers, so that they depend on no chance beyond that of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RandomisedTies {
    /// Share of calibration questions whose score equals the threshold.
    pub tied: f64,
    /// Coverage with ties broken at random.
    pub coverage: f64,
    /// Mean set size, likewise.
    pub set_size: f64,
    /// UAcc, likewise.
    pub uacc: f64,
}

/// The number of tied options that a set holds: each enters if its uniform number is at most that of
/// the threshold, which is the `a`-th smallest of `a + b − 1`.
#[derive(Debug, Clone, Copy)]
struct Entry {
    a: f64,
    b: f64,
}

impl Entry {
    /// The probability that one tied option enters: the mean of Beta(a, b).
    fn of_one(self) -> f64 {
        self.a / (self.a + self.b)
    }

    /// The probability that none of `tied` options enters: the mean of (1 − u)^tied.
    fn of_none(self, tied: usize) -> f64 {
        (0..tied)
            .map(|i| (self.b + i as f64) / (self.a + self.b + i as f64))
            .product()
    }
}

/// The figures of one score at error rate `alpha` with ties broken at random. `None` where the
/// threshold is infinite, under the paper's protocol, whose ranks are others, and for a table with
/// several right options in a row.
///
/// # Panics
/// If a row of the split does not exist.
pub fn randomised_ties(
    scores: &Scores,
    table: &Table,
    split: &Split,
    alpha: f64,
) -> Option<RandomisedTies> {
    let view = scores.view();
    if view.protocol == Protocol::Paper || table.with_several_right() > 0 {
        return None;
    }
    let calibration = &split.calibration;
    let mut ranked: Vec<f64> = calibration
        .iter()
        .map(|&row| scores.ranked_answer(row))
        .collect();
    let Threshold::Finite(threshold) = view.protocol.threshold(&mut ranked, alpha) else {
        return None;
    };
    let rank = conformal_rank(calibration.len(), alpha)?;
    let below = ranked.iter().filter(|&&s| s < threshold - EQUAL).count();
    let tied = ranked.iter().filter(|&&s| is_tied(s, threshold)).count();
    let a = rank.saturating_sub(below);
    let entry = Entry {
        a: a as f64,
        b: (tied + 1 - a.min(tied)) as f64,
    };
    let mut sums = Sums::default();
    for &row in &split.test {
        sums.add(scores, row, threshold, entry);
    }
    let n = split.test.len() as f64;
    let set_size = sums.size / n;
    Some(RandomisedTies {
        tied: tied as f64 / calibration.len() as f64,
        coverage: sums.covered / n,
        set_size,
        uacc: uacc(sums.correct / n, sums.options / n, set_size),
    })
}

fn is_tied(score: f64, threshold: f64) -> bool {
    (score - threshold).abs() <= EQUAL
}

/// Sums over test rows.
#[derive(Default)]
struct Sums {
    covered: f64,
    size: f64,
    correct: f64,
    options: f64,
}

impl Sums {
    fn add(&mut self, scores: &Scores, row: usize, threshold: f64, entry: Entry) {
        let compared = scores.compared(row);
        let inside = |option: usize| compared[option] < threshold - EQUAL;
        let below = (0..compared.len()).filter(|&option| inside(option)).count();
        let tied = compared.iter().filter(|&&s| is_tied(s, threshold)).count();
        // An empty set is filled with the model's answer.
        let empty = if below == 0 { entry.of_none(tied) } else { 0.0 };
        self.size += below as f64 + tied as f64 * entry.of_one() + empty;
        let answer = scores.answer(row);
        let held = if inside(answer) {
            1.0
        } else if is_tied(compared[answer], threshold) {
            entry.of_one()
        } else {
            0.0
        };
        self.covered += held + if scores.top_covers(row) { empty } else { 0.0 };
        self.correct += f64::from(u8::from(scores.correct(row)));
        self.options += compared.len() as f64;
    }
}
