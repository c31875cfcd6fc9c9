//! The tokens of single answers in a request for several.

use std::borrow::Borrow;

use crate::Usage;
use crate::said::{End, Said};

/// Bytes per token of an estimate. Tokenizers need 3.2 or more for English answers, so that it is rather too
/// many tokens than too few.
const BYTES_PER_TOKEN: usize = 3;

/// Tokens of the text before which an answer ends, beyond the one that ends it: a server generates them, and
/// reports neither their text nor whether they were there.
const STOP_TOKENS: u32 = 3;

/// The counts of a request for several answers, as the server told them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    /// The server's counts.
    pub(super) usage: Usage,
    /// Whether they have the tokens of one answer only, as llama.cpp's.
    pub(super) counts_one: bool,
    /// Maximum tokens of an answer.
    pub(super) most: u32,
    /// Whether an answer may end before a text.
    pub(super) has_stop: bool,
}

impl Counted {
    /// The counts of each answer. The prompt is counted once; the answers together have at least the tokens
    /// that the server counted.
    pub(super) fn shares<S: Borrow<Said>>(self, answers: &[S]) -> Vec<Usage> {
        let tokens = self.tokens(answers);
        let of = |(place, answer_tokens): (usize, Option<u32>)| {
            let once = |count: Option<u32>| count.map(|count| if place == 0 { count } else { 0 });
            Usage {
                prompt_tokens: once(self.usage.prompt_tokens),
                cached_tokens: once(self.usage.cached_tokens),
                answer_tokens,
            }
        };
        tokens.into_iter().enumerate().map(of).collect()
    }

    /// The tokens of each answer: its own where they are known, with an equal share of those that the server
    /// counts beyond them, such as hidden thoughts.
    fn tokens(self, answers: &[impl Borrow<Said>]) -> Vec<Option<u32>> {
        let given = answers.len() as u32;
        let Some(counted) = self.usage.answer_tokens else {
            return answers.iter().map(|said| said.borrow().tokens).collect();
        };
        if self.counts_one && given > 1 {
            let numbered = answers.iter().map(Borrow::<Said>::borrow).enumerate();
            let of = |(place, said): (usize, &Said)| {
                if place == 0 {
                    counted
                } else {
                    self.alone(said)
                }
            };
            return numbered.map(of).map(Some).collect();
        }
        let known: Option<Vec<u32>> = answers.iter().map(|said| said.borrow().tokens).collect();
        let own = known.unwrap_or_else(|| vec![0; answers.len()]);
        let all = own
            .iter()
            .fold(0_u32, |sum, tokens| sum.saturating_add(*tokens));
        let rest = counted.saturating_sub(all);
        let share = |(place, tokens): (u32, u32)| {
            let more = rest / given + u32::from(place < rest % given);
            Some(tokens.saturating_add(more))
        };
        (0..).zip(own).map(share).collect()
    }

    /// The tokens of an answer that the server does not count: rather too many than too few.
    fn alone(self, said: &Said) -> u32 {
        if said.end == End::Cut {
            return self.most;
        }
        let bytes = said.text.len() + said.thought.as_ref().map_or(0, String::len);
        let estimated = 1 + bytes.div_ceil(BYTES_PER_TOKEN) as u32;
        let stop = if self.has_stop { STOP_TOKENS } else { 0 };
        (said.tokens.unwrap_or(estimated) + stop).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, tokens: Option<u32>, end: End) -> Said {
        Said {
            text: text.to_owned(),
            tokens,
            end,
            ..Said::default()
        }
    }

    fn counted(answer_tokens: u32, counts_one: bool) -> Counted {
        Counted {
            usage: Usage {
                prompt_tokens: Some(90),
                cached_tokens: Some(64),
                answer_tokens: Some(answer_tokens),
            },
            counts_one,
            most: 32,
            has_stop: false,
        }
    }

    fn tokens(counted: Counted, answers: &[Said]) -> Vec<u32> {
        let shares = counted.shares(answers);
        shares
            .iter()
            .filter_map(|usage| usage.answer_tokens)
            .collect()
    }

    #[test]
    fn counts_are_neither_lost_nor_doubled() {
        let answers = ["A", "B", "C"].map(|text| said(text, None, End::Whole));
        let shares = counted(11, false).shares(&answers);
        let sum = |of: fn(&Usage) -> Option<u32>| shares.iter().filter_map(of).sum::<u32>();
        assert_eq!(sum(|usage| usage.prompt_tokens), 90);
        assert_eq!(sum(|usage| usage.cached_tokens), 64);
        assert_eq!(sum(|usage| usage.answer_tokens), 11);
        assert_eq!(counted(11, false).shares::<Said>(&[]), []);
    }

    #[test]
    fn listed_tokens_come_first_and_hidden_ones_are_added() {
        let answers = [2, 7, 1].map(|tokens| said("x", Some(tokens), End::Whole));
        assert_eq!(tokens(counted(10, false), &answers), [2, 7, 1]);
        assert_eq!(tokens(counted(2, true), &answers), [2, 7, 1]);
        let stopped = Counted {
            has_stop: true,
            ..counted(5, true)
        };
        assert_eq!(tokens(stopped, &answers), [5, 10, 4]);
        assert_eq!(tokens(counted(17, false), &answers), [5, 9, 3]);
        // More than are counted are paid for, too.
        assert_eq!(tokens(counted(3, false), &answers), [2, 7, 1]);
    }

    #[test]
    fn where_one_answer_is_counted_the_others_are_estimated_not_free() {
        let answers = [
            said("The answer is B.", None, End::Whole),
            said("B", None, End::Whole),
            said("It is option B, I think.", None, End::Whole),
            said("Let me think about", None, End::Cut),
        ];
        assert_eq!(tokens(counted(6, true), &answers), [6, 2, 9, 32]);
        assert_eq!(tokens(counted(6, true), &answers[..1]), [6]);
    }
}
