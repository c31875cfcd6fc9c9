//! Answers that say nothing, or not all.

use super::Wanted;
use super::said::{End, REFUSAL, Said};
use crate::model::words;
use crate::script::Unsaid;

/// Tokens of an answer that is cut, where the request sets no limit.
const LIMIT: usize = 16;
/// What a thought that never ends goes round in.
const CIRCLE: &str = "Wait, let me look at this once more. ";

/// The answer in place of `said`, of as many tokens as a server would count.
pub(super) fn unsaid(said: Said, how: Option<Unsaid>, wanted: &Wanted) -> Said {
    let Some(how) = how else {
        return said;
    };
    let limit = wanted
        .limit
        .map_or(LIMIT, |limit| usize::try_from(limit).unwrap_or(LIMIT));
    let (text, thought, tokens, end) = match how {
        Unsaid::Refusal => (REFUSAL.to_owned(), None, words(REFUSAL), End::Refused),
        Unsaid::Cut => ("Let us first look at the".to_owned(), None, limit, End::Cut),
        Unsaid::Empty | Unsaid::Withheld => (String::new(), None, 0, End::Whole),
        Unsaid::Filtered => (String::new(), None, 0, End::Filtered),
        Unsaid::Thinking => (String::new(), Some(circles(limit)), limit, End::Cut),
        Unsaid::Broken => ("The ans".to_owned(), None, 0, End::Broken),
    };
    Said {
        text,
        thought,
        tokens,
        end,
        ..said
    }
}

/// A thought of so many words.
fn circles(tokens: usize) -> String {
    let words = CIRCLE.split_whitespace().cycle().take(tokens);
    words.collect::<Vec<_>>().join(" ")
}
