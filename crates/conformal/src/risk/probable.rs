//! Learn then Test of the error rate among given answers.

use super::{AnswerRule, SureAnswer};

/// Log-odds of [`confidence_grid`], the surest first.
const LOG_ODDS_GRID: (f64, f64, usize) = (7.0, -2.5, 20);

/// Thresholds that have a part of δ of their own.
const STARTS: usize = 4;

/// Stakes of the bet against clusters, as shares of the largest possible one.
const STAKES: usize = 16;

/// Thresholds for probabilities: twenty, evenly spaced in log-odds from 0.999 to 0.08, the surest first.
pub fn confidence_grid() -> Vec<f64> {
    let (first, last, points) = LOG_ODDS_GRID;
    let step = (last - first) / (points - 1) as f64;
    let at = |point: usize| 1.0 / (1.0 + (-(first + step * point as f64)).exp());
    (0..points).map(at).collect()
}

/// Thresholds for shares of `draws`: between each two possible shares, at most twenty, the surest first.
pub fn share_grid(draws: usize) -> Vec<f64> {
    let points = draws.clamp(1, 20);
    let between = |point: usize| 1.0 - (point as f64 + 0.5) / points as f64;
    (0..points).map(between).collect()
}

/// The rule that answers most questions while the error rate among the given answers is at most `alpha`,
/// in all but `delta` of the calibration sets.
///
/// For each threshold of `grid`, from the surest on, the hypothesis is that more than `alpha` of the
/// answers above it are wrong. Its p-value is the binomial probability of as few wrong answers among as
/// many given ones (Angelopoulos et al. 2022, section 3.1; exact, since given their number the answers
/// above a fixed threshold are independent draws). The fallback procedure (Wiens 2003) keeps the
/// familywise error: every fifth of twenty hypotheses has a quarter of `delta`, and each inherits the
/// level of the one before it if this was rejected. The rule is the lowest threshold whose hypothesis is rejected. `grid` must not
/// depend on the calibration questions.
///
/// With clusters of up to `largest` questions, the p-value is that of a bet: the capital
/// `∏ (1 − λ Xc)`, with Xc the sum of `wrong − alpha` over the given answers of cluster c, does not grow
/// on average under the hypothesis for any stake λ that cannot lose everything; it is averaged over
/// sixteen stakes (Waudby-Smith & Ramdas 2024, section 4), and its inverse is a p-value.
///
/// ```
/// use sureness_conformal::{SureAnswer, at_most_wrong_of_answered, share_grid};
///
/// let answer = |number: u16| {
///     let mut cluster = [0; 32];
///     cluster[..2].copy_from_slice(&number.to_le_bytes());
///     // All ten draws agree in half of the questions; nearly all of these are right.
///     let agree = number % 2 == 0;
///     SureAnswer {
///         sureness: if agree { 1.0 } else { 0.4 },
///         wrong: if agree { number % 100 == 0 } else { number % 4 == 1 },
///         cluster,
///     }
/// };
/// let calibration: Vec<SureAnswer> = (0..400).map(answer).collect();
/// let rule = at_most_wrong_of_answered(&calibration, 0.1, 0.1, &share_grid(10), 1);
/// assert!(rule.answers(1.0) && !rule.answers(0.4));
/// ```
pub fn at_most_wrong_of_answered(
    calibration: &[SureAnswer],
    alpha: f64,
    delta: f64,
    grid: &[f64],
    largest: usize,
) -> AnswerRule {
    let every = grid.len().div_ceil(STARTS).max(1);
    let part = delta / grid.len().div_ceil(every).max(1) as f64;
    let (mut inherited, mut rule) = (0.0, AnswerRule::Nothing);
    for (number, &threshold) in grid.iter().enumerate() {
        let is_start = number % every == every - 1 || number + 1 == grid.len();
        let level = inherited + if is_start { part } else { 0.0 };
        let given = AnswerRule::SurerThan(threshold);
        let p_value = if largest <= 1 {
            binomial_p_value(calibration, given, alpha)
        } else {
            betting_p_value(calibration, given, alpha, largest)
        };
        let is_rejected = p_value <= level;
        if is_rejected {
            rule = given;
        }
        inherited = if is_rejected { level } else { 0.0 };
    }
    rule
}

/// The probability of as few wrong answers where `alpha` of the answers are wrong.
fn binomial_p_value(calibration: &[SureAnswer], rule: AnswerRule, alpha: f64) -> f64 {
    let given = calibration.iter().filter(|a| rule.answers(a.sureness));
    let (mut n, mut wrong) = (0, 0);
    for answer in given {
        n += 1;
        wrong += usize::from(answer.wrong);
    }
    binomial_at_most(wrong, n, alpha)
}

/// P(X ≤ k) of X ~ Binomial(n, p), p between 0 and 1.
fn binomial_at_most(k: usize, n: usize, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let (n, log_odds) = (n as f64, p.ln() - (-p).ln_1p());
    let mut log_mass = n * (-p).ln_1p();
    let mut total = log_mass.exp();
    for i in 0..k {
        let i = i as f64;
        log_mass += ((n - i) / (i + 1.0)).ln() + log_odds;
        total += log_mass.exp();
    }
    total.min(1.0)
}

/// The inverse of the capital of a bet that fewer than `alpha` of the answers are wrong.
fn betting_p_value(
    calibration: &[SureAnswer],
    rule: AnswerRule,
    alpha: f64,
    largest: usize,
) -> f64 {
    let mut given: Vec<_> = calibration
        .iter()
        .filter(|answer| rule.answers(answer.sureness))
        .collect();
    given.sort_unstable_by_key(|answer| answer.cluster);
    let losses: Vec<f64> = given
        .chunk_by(|a, b| a.cluster == b.cluster)
        .map(|of_cluster| {
            let loss = |a: &&SureAnswer| f64::from(u8::from(a.wrong)) - alpha;
            of_cluster.iter().map(loss).sum()
        })
        .collect();
    let most = 1.0 / (largest as f64 * (1.0 - alpha));
    let capital = |stake: usize| {
        let stake = most * stake as f64 / (STAKES as f64 + 1.0);
        let log: f64 = losses.iter().map(|loss| (-stake * loss).ln_1p()).sum();
        log.exp()
    };
    let mean = (1..=STAKES).map(capital).sum::<f64>() / STAKES as f64;
    (1.0 / mean).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_the_binomial() {
        // 0.9²² is the first power of 0.9 below 0.1.
        assert!(binomial_at_most(0, 22, 0.1) < 0.1 && binomial_at_most(0, 21, 0.1) > 0.1);
        // By hand: 0.5³ (1 + 3).
        assert!((binomial_at_most(1, 3, 0.5) - 0.5).abs() < 1e-12);
        // Summed with lgamma in Python: P(X ≤ 180) of Binomial(2000, 0.1).
        assert!((binomial_at_most(180, 2000, 0.1) - 0.071_430_8).abs() < 1e-7);
        assert!((binomial_at_most(0, 0, 0.1) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn thresholds_lie_between_shares() {
        let grid = share_grid(4);
        assert_eq!(grid, [0.875, 0.625, 0.375, 0.125]);
        assert_eq!(share_grid(200).len(), 20);
        let grid = confidence_grid();
        assert!(grid.is_sorted_by(|a, b| a > b) && grid[0] > 0.999 && grid[19] < 0.08);
    }
}
