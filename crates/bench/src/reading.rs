//! How an answer in words was read, for people.

use sureness_questions::letter;
use sureness_scorers::{OptionScores, Reading, Words};

/// Stands for a text that was not kept.
pub const NOT_KEPT: &str = "[its text was not kept]";

/// The letter that the answer chooses, what it says in normal form, or why it is none of both.
pub fn named(words: &Words, scores: &OptionScores) -> String {
    match words.reading {
        Reading::Option => {
            let chosen = scores.logprobs.iter().position(|logprob| *logprob == 0.0);
            chosen.map_or('?', letter).to_string()
        }
        Reading::Refused => "refused".to_owned(),
        Reading::Cut => "cut".to_owned(),
        Reading::Unreadable => "unreadable".to_owned(),
        Reading::Thought => "a thought".to_owned(),
        Reading::Said => {
            let short = sureness_answers::short(&words.text);
            format!("{:?}", sureness_open::normalised(short))
        }
    }
}
