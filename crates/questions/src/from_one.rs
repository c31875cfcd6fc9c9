//! Notices numbers of options that are counted from 1 where they are read as counted from 0.

use std::fmt;

/// Below this probability, it is not by chance that no answer is 0.
const LEVEL: f64 = 0.001;

/// Right answers that a file gives as numbers, read as counted from 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct NumberedAnswers {
    answers: usize,
    any_zero: bool,
    /// Logarithm of the probability that none of them is 0.
    ln_p: f64,
}

/// Numbers none of which is 0, although some should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromOne {
    /// How many answers there are.
    pub answers: usize,
    /// The probability that none is 0, if each option is right as often as the others.
    pub p: f64,
}

impl NumberedAnswers {
    /// Takes the answer to a question with so many options into account.
    pub fn add(&mut self, answer: usize, options: usize) {
        self.answers += 1;
        self.any_zero |= answer == 0;
        self.ln_p += (1.0 - 1.0 / options.max(1) as f64).ln();
    }

    /// The finding, if it is not by chance that no answer is 0.
    pub fn from_one(&self) -> Option<FromOne> {
        let p = self.ln_p.exp();
        (!self.any_zero && self.answers > 0 && p < LEVEL).then_some(FromOne {
            answers: self.answers,
            p,
        })
    }
}

impl fmt::Display for FromOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "none of the {} answers is 0 (p = {:.0e} if every option is right equally often), so that \
             they may be counted from 1; answers that are numbers are read as counted from 0",
            self.answers, self.p
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(answers: impl IntoIterator<Item = usize>, options: usize) -> Option<FromOne> {
        let mut numbered = NumberedAnswers::default();
        for answer in answers {
            numbered.add(answer, options);
        }
        numbered.from_one()
    }

    #[test]
    fn numbers_from_one_are_told_from_chance() {
        let from_one = found((0..200).map(|row| 1 + row % 4), 5).unwrap();
        assert_eq!(from_one.answers, 200);
        assert!((from_one.p / 0.8_f64.powi(200) - 1.0).abs() < 1e-9);
        assert_eq!(found((0..200).map(|row| row % 4), 5), None);
        // 0.75 to the power of 24 is 0.001003, of 25 it is 0.00075.
        assert_eq!(found((0..24).map(|row| 1 + row % 3), 4), None);
        assert!(found((0..25).map(|row| 1 + row % 3), 4).is_some());
        assert_eq!(found([], 4), None);
    }
}
