//! How many answers to draw for a question.

use sureness_conformal::wilson_share;
use sureness_record::Sampled;

/// Answers before the first look.
const FIRST: u32 = 10;
/// Level of the interval of the most frequent answer's share.
const LEVEL: f64 = 0.95;

/// Draws until the interval of the most frequent answer's share is narrow, or a limit is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// Half-width of the interval at which it stops.
    within: f64,
    /// Maximum answers.
    most: u32,
}

/// The answers to one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    /// Of the most frequent option or meaning.
    pub(super) top: u32,
    /// Of all options or meanings.
    pub(super) chosen: u32,
    /// All, those included that choose none.
    pub(super) drawn: u32,
}

impl Rule {
    /// The rule of these settings; `None` where the number of answers is fixed.
    pub(super) fn of(sampled: &Sampled) -> Option<Self> {
        sampled.within.map(|within| Self {
            within,
            most: sampled.samples.get(),
        })
    }

    pub(super) fn most(self) -> u32 {
        self.most
    }

    pub(super) fn within(self) -> f64 {
        self.within
    }

    /// Answers to draw before the first look.
    pub(super) fn first(self) -> u32 {
        FIRST.min(self.most)
    }

    /// Answers to draw in all before the next look: as many as this share seems to need, at least a quarter more
    /// and at most twice as many. `None` if these are enough.
    pub(super) fn next(self, counts: Counts) -> Option<u32> {
        let Counts { top, chosen, drawn } = counts;
        let share = f64::from(top) / f64::from(chosen.max(1));
        let is_known = chosen > 0 && self.is_narrow(share, f64::from(chosen));
        if is_known || drawn >= self.most {
            return None;
        }
        let least = drawn + drawn.div_ceil(4).max(1);
        let double = drawn.saturating_mul(2);
        // Of all answers, only those that choose an option count.
        let readable = f64::from(chosen) / f64::from(drawn.max(1));
        let enough = |all: &u32| self.is_narrow(share, f64::from(*all) * readable);
        let needed = (least..double).find(enough);
        Some(needed.unwrap_or(double.max(least)).min(self.most))
    }

    fn is_narrow(self, share: f64, answers: f64) -> bool {
        let (low, high) = wilson_share(share, answers, LEVEL);
        high - low <= 2.0 * self.within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        within: 0.1,
        most: 100,
    };

    fn next(top: u32, chosen: u32, drawn: u32) -> Option<u32> {
        RULE.next(Counts { top, chosen, drawn })
    }

    #[test]
    fn a_clear_answer_takes_few_draws_and_a_close_one_many() {
        assert_eq!(next(10, 10, 10), Some(16));
        assert_eq!(next(16, 16, 16), None);
        assert_eq!(next(5, 10, 10), Some(20));
        assert_eq!(next(20, 40, 40), Some(80));
        // The limit ends it.
        assert_eq!(next(40, 80, 80), Some(100));
        assert_eq!(next(50, 100, 100), None);
    }

    #[test]
    fn answers_that_choose_nothing_do_not_count() {
        assert_eq!(next(16, 16, 32), None);
        // Every other answer counts.
        assert_eq!(next(10, 10, 20), Some(31));
        assert_eq!(next(0, 0, 10), Some(20));
        assert_eq!(next(0, 0, 100), None);
    }

    #[test]
    fn every_question_comes_to_an_end() {
        for top in 0..=100_u32 {
            let mut drawn = RULE.first();
            let mut looks = 0;
            while let Some(next) = next(drawn * top / 100, drawn, drawn) {
                assert!(next > drawn && next <= RULE.most);
                (drawn, looks) = (next, looks + 1);
            }
            assert!(looks < 12, "{looks}");
        }
    }
}
