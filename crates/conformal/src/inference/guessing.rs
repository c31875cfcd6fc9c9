//! Whether answers are right no more often than by guessing.

use crate::Row;

/// Fewer questions tell a weak model and a guessing one apart too badly.
const MIN_QUESTIONS: usize = 20;
/// Above this p-value, answers are called no better than guesses.
const LEVEL: f64 = 0.05;

/// Answers beside guesses that have the same letters equally often but know nothing of the
/// questions: what is left of any model under the answer key of other questions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guessing {
    /// Questions answered.
    pub questions: usize,
    /// How many of them have the right answer on top.
    pub right: usize,
    /// Mean share of guesses that are right: over all letters, the share of answers with the letter
    /// times the share of questions for which it is right.
    pub chance: f64,
    /// Exact probability that as many guesses or more are right, if each is right with probability
    /// [`chance`](Self::chance).
    pub p: f64,
}

impl Guessing {
    /// Compares the most probable option of each row with its answer.
    pub fn of<'a>(rows: impl IntoIterator<Item = Row<'a>>) -> Self {
        let (mut questions, mut right) = (0, 0);
        // Answers and right answers, by option.
        let mut letters: Vec<[usize; 2]> = Vec::new();
        for row in rows {
            let Some(top) = top(&row) else { continue };
            questions += 1;
            right += usize::from(row.right.contains(top));
            let most = top.max(row.right.last());
            letters.resize(letters.len().max(most + 1), [0; 2]);
            letters[top][0] += 1;
            for option in row.right.iter() {
                letters[option][1] += 1;
            }
        }
        let n = questions.max(1) as f64;
        let shares = letters.iter().map(|[a, b]| *a as f64 / n * (*b as f64 / n));
        // Rounding may take the sum above 1.
        let chance = shares.sum::<f64>().min(1.0);
        Self {
            questions,
            right,
            chance,
            p: at_least(right, questions, chance),
        }
    }

    /// Whether the answers are no better than guesses. False where there are too few to tell, and
    /// where every guess would be right.
    pub fn is_all(&self) -> bool {
        self.questions >= MIN_QUESTIONS && self.chance < 1.0 && self.p > LEVEL
    }
}

/// The first of the most probable options.
fn top(row: &Row<'_>) -> Option<usize> {
    let options = row.logits.iter().enumerate();
    let best = options.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(option, _)| option)
}

/// `P(X ≥ k)` of a binomial distribution.
///
/// From the ratio of neighbours, outwards from the mean and scaled to sum to 1, so that no power
/// underflows.
fn at_least(k: usize, n: usize, chance: f64) -> f64 {
    if chance <= 0.0 || chance >= 1.0 {
        return if k == 0 || chance >= 1.0 { 1.0 } else { 0.0 };
    }
    let start = ((n as f64 * chance) as usize).min(n);
    let odds = chance / (1.0 - chance);
    let (mut total, mut above) = (0.0, 0.0);
    let mut add = |at: usize, mass: f64| {
        total += mass;
        above += if at >= k { mass } else { 0.0 };
    };
    let mut mass = 1.0;
    for at in start..=n {
        add(at, mass);
        mass *= (n - at) as f64 / (at + 1) as f64 * odds;
    }
    let mut mass = 1.0;
    for at in (0..start).rev() {
        mass *= (at + 1) as f64 / (n - at) as f64 / odds;
        add(at, mass);
    }
    above / total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessing(pairs: impl IntoIterator<Item = (usize, usize)>) -> Guessing {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let logits: Vec<[f64; 4]> = pairs
            .iter()
            .map(|(top, _)| std::array::from_fn(|option| f64::from(u8::from(option == *top))))
            .collect();
        Guessing::of(logits.iter().zip(&pairs).map(|(logits, (_, answer))| Row {
            key: &[],
            cluster: None,
            logits: logits.as_slice().into(),
            right: (*answer).into(),
            dont_know: None,
            none_of_the_above: None,
        }))
    }

    #[test]
    fn the_tail_is_that_of_the_binomial_distribution() {
        // By hand: three tosses of a coin, and ten draws at one in four.
        assert!((at_least(2, 3, 0.5) - 0.5).abs() < 1e-12);
        assert!((at_least(10, 10, 0.25) - 0.25_f64.powi(10)).abs() < 1e-18);
        assert!((at_least(1, 10, 0.25) - (1.0 - 0.75_f64.powi(10))).abs() < 1e-12);
        assert!((at_least(0, 1_000_000, 0.3) - 1.0).abs() < 1e-9);
        assert!(at_least(310_000, 1_000_000, 0.3) < 1e-90);
        assert_eq!((at_least(0, 5, 0.0), at_least(1, 5, 0.0)), (1.0, 0.0));
    }

    #[test]
    fn a_key_of_other_questions_leaves_guesses() {
        // Four answers in turn, against a key that runs through the letters more slowly.
        let shifted = guessing((0..400).map(|id| (id % 4, (id / 4) % 4)));
        assert_eq!((shifted.questions, shifted.right), (400, 100));
        assert!((shifted.chance - 0.25).abs() < 1e-12);
        assert!(shifted.is_all(), "{shifted:?}");
        // One letter throughout is as good as the letter is common.
        let constant = guessing((0..400).map(|id| (0, usize::from(id % 5 > 2))));
        assert!((constant.chance - 0.6).abs() < 1e-12);
        assert!(constant.is_all(), "{constant:?}");
    }

    #[test]
    fn a_weak_model_is_told_from_guesses_and_too_few_questions_tell_nothing() {
        let weak =
            guessing((0..400).map(|id| (id % 4, if id % 5 == 0 { id % 4 } else { (id / 4) % 4 })));
        assert!(!weak.is_all(), "{weak:?}");
        assert!(!guessing((0..19).map(|id| (id % 4, (id / 4) % 4))).is_all());
        assert!(!guessing((0..100).map(|_| (1, 1))).is_all());
        assert!(!guessing([]).is_all());
    }
}
