//! Conformal risk control of wrong answers.

use super::{AnswerRule, SureAnswer};

/// The rule that answers most questions while at most `alpha` of all questions are answered wrongly, on
/// average over calibration sets.
///
/// The loss of a question is 1 where it is answered wrongly and 0 otherwise, and falls as the
/// threshold rises, so that the threshold is the smallest with
/// `(wrong answers among the calibration questions + 1) / (n + 1) ≤ α` (Angelopoulos et al. 2024,
/// equation 4 with B = 1). A question whose sureness equals the threshold is not answered, so that ties
/// need no chance. Under `alpha` of `1 / (n + 1)` nothing is answered.
///
/// Clusters are exchangeable rather than questions: one more cluster adds up to `largest` wrong answers
/// and at least one question, so that `(wrong + largest) / (n + 1) ≤ α` keeps the promise for the
/// expected number of wrong answers over the expected number of questions.
///
/// ```
/// use sureness_conformal::{AnswerRule, SureAnswer, at_most_wrong};
///
/// let answer = |number: u8| SureAnswer {
///     sureness: f64::from(number) / 100.0,
///     wrong: number % 4 == 0,
///     cluster: [number; 32],
/// };
/// let calibration: Vec<SureAnswer> = (0..99).map(answer).collect();
/// // Of the 25 wrong answers, 9 may be given.
/// let rule = at_most_wrong(&calibration, 0.1, 1);
/// assert_eq!(rule, AnswerRule::SurerThan(0.6));
/// ```
pub fn at_most_wrong(calibration: &[SureAnswer], alpha: f64, largest: usize) -> AnswerRule {
    // The slack keeps a product such as 0.1 · 30 from being rounded to below 3.
    let bound = (alpha * (calibration.len() as f64 + 1.0) + 1e-9).floor();
    let Some(allowed) = (bound as usize).checked_sub(largest.max(1)) else {
        return AnswerRule::Nothing;
    };
    let wrong = calibration.iter().filter(|a| a.wrong && a.exists());
    let mut sureness: Vec<f64> = wrong.map(|answer| answer.sureness).collect();
    sureness.sort_unstable_by(|a, b| b.total_cmp(a));
    // Surer than the first wrong answer that may not be given.
    match sureness.get(allowed) {
        Some(&threshold) => AnswerRule::SurerThan(threshold),
        None => AnswerRule::Everything,
    }
}
