//! A flag per test question, for weighted counts.

/// A flag per question, as a byte of all ones or zeros.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask(Vec<u8>);

/// Words of eight weights that are added up without overflow: a lane of 16 bits takes 257 of 255.
const WORDS: usize = 256;

/// Every other byte.
const LANES: u64 = 0x00ff_00ff_00ff_00ff;

impl Mask {
    pub(super) fn with_capacity(questions: usize) -> Self {
        Self(Vec::with_capacity(questions))
    }

    pub(super) fn push(&mut self, holds: bool) {
        self.0.push(if holds { u8::MAX } else { 0 });
    }

    /// The flag of a question.
    pub(super) fn holds(&self, question: usize) -> bool {
        self.0[question] != 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = bool> + '_ {
        self.0.iter().map(|&byte| byte != 0)
    }

    /// Number of questions with the flag.
    pub(super) fn count(&self) -> i64 {
        self.iter().map(i64::from).sum()
    }

    /// The total weight of the questions with the flag. Draws spend most of their time here: eight
    /// bytes at a time are three times as fast as a sum of products.
    pub(super) fn weigh(&self, weights: &[u8]) -> i64 {
        let (masks, last_masks) = self.0.as_chunks::<8>();
        let (words, last_weights) = weights.as_chunks::<8>();
        let mut total = 0;
        for (masks, words) in masks.chunks(WORDS).zip(words.chunks(WORDS)) {
            let (mut even, mut odd) = (0, 0);
            for (mask, word) in masks.iter().zip(words) {
                let held = u64::from_le_bytes(*mask) & u64::from_le_bytes(*word);
                even += held & LANES;
                odd += held >> 8 & LANES;
            }
            for lanes in [even, odd] {
                total += [0, 16, 32, 48]
                    .map(|shift| lanes >> shift & 0xffff)
                    .iter()
                    .sum::<u64>();
            }
        }
        let last = last_masks.iter().zip(last_weights);
        let last: i64 = last.map(|(mask, weight)| i64::from(mask & weight)).sum();
        total.cast_signed() + last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn weighs_what_holds(questions in prop::collection::vec((any::<bool>(), any::<u8>()), 0..40), copies in 1_usize..90) {
            let questions = questions.repeat(copies);
            let mut mask = Mask::default();
            for &(holds, _) in &questions {
                mask.push(holds);
            }
            let weights: Vec<u8> = questions.iter().map(|&(_, weight)| weight).collect();
            let held = questions.iter().filter(|question| question.0);
            prop_assert_eq!(usize::try_from(mask.count()), Ok(held.clone().count()));
            prop_assert_eq!(mask.weigh(&weights), held.map(|&(_, weight)| i64::from(weight)).sum::<i64>());
        }
    }

    #[test]
    fn no_lane_overflows() {
        let mut mask = Mask::default();
        (0..8 * WORDS * 3).for_each(|_| mask.push(true));
        assert_eq!(
            mask.weigh(&vec![255; 8 * WORDS * 3]),
            i64::try_from(255 * 8 * WORDS * 3).unwrap()
        );
    }
}
