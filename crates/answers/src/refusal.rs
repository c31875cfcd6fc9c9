//! Whether a model declines to answer.

use crate::lexicon::{DECLINED, DEEDS, UNABLE, Words};
use crate::token::{Kind, Token};

/// Words between "cannot" and the deed: "cannot in good conscience help".
const REACH: usize = 4;
/// Words before "cannot" where the model speaks of itself.
const SPEAKERS: Words = Words("i we am sorry but do would");

/// Whether a text without a choice says that the model will not answer.
pub(crate) fn is_refusal(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text.as_str())
        .collect();
    (0..words.len()).any(|at| {
        let rest = words.get(at..).unwrap_or_default();
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let own = before.is_none_or(|word| SPEAKERS.contains(word));
        DECLINED.iter().any(|words| rest.starts_with(words))
            || own
                && UNABLE
                    .iter()
                    .any(|words| rest.starts_with(words) && names_deed(rest, words.len()))
    })
}

/// Whether what the model cannot do is to answer, and not to find the answer.
fn names_deed(words: &[&str], from: usize) -> bool {
    let mut before = "";
    words.iter().skip(from).take(REACH).any(|word| {
        let deed = DEEDS.contains(word) && before != "the";
        before = word;
        deed
    })
}
