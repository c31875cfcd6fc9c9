//! Selective answering: whether confidence separates right answers from wrong ones.

use serde::{Deserialize, Serialize};

use super::selective_intervals::rejection_ratio;
use super::{Answer, visit_answers};
use crate::{Table, View};

/// Maximum number of points of a curve.
const POINTS: usize = 200;
/// Shares of the questions that [`Selective::accuracy_after_rejecting`] leaves unanswered.
const REJECTED: [f64; 5] = [0.0, 0.1, 0.2, 0.3, 0.5];

/// A point of the risk-coverage curve. Its "coverage" is the share of questions answered, here
/// `answered`, since coverage is a property of prediction sets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelectivePoint {
    /// Share of the questions that are answered, those of highest confidence.
    pub answered: f64,
    /// Share of these with a wrong answer.
    pub risk: f64,
}

/// The effect of leaving the least confident answers out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selective {
    /// Rows.
    pub n: usize,
    /// Area under the ROC curve of confidence as a sign of a right answer: how probably a right
    /// answer has higher confidence than a wrong one, ties counting half (Hanley & `McNeil` 1982).
    /// `None` where all answers are right or all wrong.
    pub auroc: Option<f64>,
    /// Area under the risk-coverage curve: the mean of the risk over all numbers of questions
    /// answered (Geifman & El-Yaniv 2017).
    pub aurc: f64,
    /// Excess of `aurc` over a perfect ranking of the same accuracy (Geifman, Uziel & El-Yaniv
    /// 2019, who approximate the latter by `r + (1 − r) ln(1 − r)`; here it is exact).
    pub e_aurc: f64,
    /// The risk-coverage curve, from few questions to all: at most 200 points.
    pub curve: Vec<SelectivePoint>,
    /// (share left unanswered, accuracy of the rest), for 0, 0.1, 0.2, 0.3 and 0.5.
    pub accuracy_after_rejecting: Vec<(f64, f64)>,
}

impl Selective {
    /// Prediction rejection ratio (Malinin & Gales 2021): the part of a perfect ranking's gain over a
    /// random one. `None` where all answers are right or all wrong.
    pub fn prr(&self) -> Option<f64> {
        let error_rate = self.curve.last()?.risk;
        self.auroc
            .map(|_| rejection_ratio(error_rate, self.aurc, self.aurc - self.e_aurc))
    }
}

/// Selective answering by the probability of the most probable option. `None` for no rows,
/// or a temperature that is not above 0.
///
/// Each figure is its mean over all orders of rows with equal confidence.
pub fn selective(table: &Table, rows: &[usize], view: &View) -> Option<Selective> {
    let mut answers = Vec::with_capacity(rows.len());
    visit_answers(table, rows, view, |_, _, answer| answers.push(answer))?;
    of_answers(answers)
}

/// The same for (confidence, whether the answer is right) of each question. `None` for no questions.
pub fn selective_of(answers: impl IntoIterator<Item = (f64, bool)>) -> Option<Selective> {
    let answer = |(confidence, correct)| Answer {
        confidence,
        correct,
    };
    of_answers(answers.into_iter().map(answer).collect())
}

fn of_answers(mut answers: Vec<Answer>) -> Option<Selective> {
    let n = answers.len();
    answers.sort_unstable_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let (risks, auroc) = sweep(&answers);
    // The errors among all n are those of the last entry.
    let error_rate = *risks.last()?;
    let errors = (error_rate * n as f64).round() as usize;
    let area = risks.iter().sum::<f64>() / n as f64;
    let right = n - errors;
    let best = (1..=errors)
        .map(|wrong| wrong as f64 / (right + wrong) as f64)
        .sum::<f64>()
        / n as f64;
    let risk_of = |kept: usize| {
        let index = kept.clamp(1, n) - 1;
        risks.get(index).copied().unwrap_or(error_rate)
    };
    let points = n.min(POINTS);
    Some(Selective {
        n,
        auroc,
        aurc: area,
        // Rounding could make it negative.
        e_aurc: (area - best).max(0.0),
        curve: (1..=points)
            .map(|point| (n * point).div_ceil(points))
            .map(|kept| SelectivePoint {
                answered: kept as f64 / n as f64,
                risk: risk_of(kept),
            })
            .collect(),
        accuracy_after_rejecting: REJECTED
            .iter()
            .map(|&rejected| {
                // The slack keeps a product such as 10 · 0.3 from being rounded to below 3.
                let dropped = (n as f64 * rejected + 1e-9).floor() as usize;
                (rejected, 1.0 - risk_of(n - dropped))
            })
            .collect(),
    })
}

/// The risk of answering the first 1, 2, … of `answers`, in descending order of confidence, and
/// the area under the ROC curve.
fn sweep(answers: &[Answer]) -> (Vec<f64>, Option<f64>) {
    let mut risks = Vec::with_capacity(answers.len());
    let (mut kept, mut wrong, mut right) = (0_usize, 0_usize, 0_usize);
    // Pairs of a right answer above a wrong one, counted twice.
    let mut above = 0.0;
    for equal in answers.chunk_by(|a, b| a.confidence.total_cmp(&b.confidence).is_eq()) {
        let wrong_here = equal.iter().filter(|answer| !answer.correct).count();
        let right_here = equal.len() - wrong_here;
        above += wrong_here as f64 * (2 * right + right_here) as f64;
        for i in 1..=equal.len() {
            let expected = wrong as f64 + wrong_here as f64 * i as f64 / equal.len() as f64;
            risks.push(expected / (kept + i) as f64);
        }
        kept += equal.len();
        wrong += wrong_here;
        right += right_here;
    }
    let pairs = right as f64 * wrong as f64;
    (risks, (pairs > 0.0).then(|| above / (2.0 * pairs)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, table};
    use super::*;
    use proptest::prelude::*;

    fn answers(pairs: &[(f64, bool)]) -> Vec<Answer> {
        let answer = |&(confidence, correct)| Answer {
            confidence,
            correct,
        };
        pairs.iter().map(answer).collect()
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }

    #[test]
    fn by_hand() {
        let s = of_answers(answers(&[
            (0.9, true),
            (0.8, false),
            (0.7, true),
            (0.6, false),
        ]))
        .unwrap();
        // Of the four pairs of right and wrong, one is in the wrong order.
        close(s.auroc.unwrap(), 0.75);
        // Risks 0, 1/2, 1/3, 1/2; at best 0, 0, 1/3, 1/2.
        close(s.aurc, (0.5 + 1.0 / 3.0 + 0.5) / 4.0);
        close(s.e_aurc, 0.125);
        close(s.curve[0].answered, 0.25);
        assert_eq!(s.curve.len(), 4);
        // A tenth, a fifth and three tenths of four rows are no row, no row and one.
        let accuracies: Vec<f64> = s.accuracy_after_rejecting.iter().map(|x| x.1).collect();
        for (a, b) in accuracies.iter().zip([0.5, 0.5, 0.5, 2.0 / 3.0, 0.5]) {
            close(*a, b);
        }
    }

    #[test]
    fn equal_confidence_says_nothing() {
        let s = of_answers(answers(&[(0.5, true), (0.5, false), (0.5, true)])).unwrap();
        close(s.auroc.unwrap(), 0.5);
        close(s.aurc, 1.0 / 3.0);
        assert!(s.curve.iter().all(|p| (p.risk - 1.0 / 3.0).abs() < 1e-12));
    }

    #[test]
    fn defined_at_the_edges() {
        assert!(of_answers(Vec::new()).is_none());
        let right = table(&[(&[0.6, 0.4], 0), (&[0.3, 0.7], 1)]);
        let s = selective(&right, &all(&right), &View::default()).unwrap();
        assert_eq!(s.auroc, None);
        close(s.aurc, 0.0);
        close(s.e_aurc, 0.0);
        let wrong = table(&[(&[0.6, 0.4], 1), (&[0.3, 0.7], 0)]);
        let s = selective(&wrong, &all(&wrong), &View::default()).unwrap();
        assert_eq!(s.auroc, None);
        close(s.aurc, 1.0);
        close(s.e_aurc, 0.0);
        let one = selective(&wrong, &[0], &View::default()).unwrap();
        assert_eq!((one.n, one.curve.len()), (1, 1));
        assert!(one.accuracy_after_rejecting.iter().all(|x| x.1 == 0.0));
    }

    #[test]
    fn ties_are_the_mean_over_their_orders() {
        // Three rows of equal confidence between two others, all six orders of them.
        let middle = [true, false, false];
        let orders = [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ];
        let mean = orders
            .iter()
            .map(|order| {
                let mut pairs = vec![(0.9, true), (0.1, false)];
                for (place, &i) in order.iter().enumerate() {
                    pairs.push((0.5 - 0.01 * place as f64, middle[i]));
                }
                of_answers(answers(&pairs)).unwrap().aurc
            })
            .sum::<f64>()
            / 6.0;
        let mut pairs = vec![(0.9, true), (0.1, false)];
        pairs.extend(middle.map(|correct| (0.5, correct)));
        close(of_answers(answers(&pairs)).unwrap().aurc, mean);
    }

    proptest! {
        #[test]
        fn auroc_is_the_share_of_ordered_pairs(
            pairs in prop::collection::vec((0_u8..12, any::<bool>()), 1..60),
        ) {
            let pairs: Vec<(f64, bool)> = pairs.iter().map(|&(c, b)| (f64::from(c) / 12.0, b)).collect();
            let (mut score, mut count) = (0.0, 0.0);
            for right in pairs.iter().filter(|p| p.1) {
                for wrong in pairs.iter().filter(|p| !p.1) {
                    count += 1.0;
                    score += match right.0.total_cmp(&wrong.0) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
            let s = of_answers(answers(&pairs)).unwrap();
            match s.auroc {
                None => prop_assert!(count == 0.0),
                Some(auroc) => prop_assert!((auroc - score / count).abs() < 1e-12),
            }
            prop_assert!((0.0..=1.0).contains(&s.aurc) && s.e_aurc <= s.aurc);
            prop_assert!(s.curve.len() <= POINTS && s.curve.last().unwrap().answered >= 1.0);
            prop_assert!(s.curve.is_sorted_by(|a, b| a.answered < b.answered));
        }
    }
}
