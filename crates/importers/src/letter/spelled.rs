//! Which of an answer's tokens are its text.

use sureness_scorers::ScoreError;

use super::{marks, unanswered};

/// Why an answer that is all thought has no letter.
pub(super) const IN_THOUGHTS: &str = "the answer ends inside the model's thoughts (<think>)";

/// The part of the tokens' text that is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it is the answer's text for sure: it spells it, or no text is known.
    pub(super) is_sure: bool,
}

/// Finds the answer in the `text` of the tokens: up to the end of the model's turn, and from where it
/// spells what the model `said`. A server may take thoughts out of what it said without marks in the
/// tokens; some record tokens behind the end of the turn (`inspect_ai`'s provider of Hugging Face pads
/// batches), and some leave tokens out (that of Google those with a log-probability of 0).
pub(super) fn answer(text: &str, said: Option<&str>) -> Result<Part, ScoreError> {
    // The marks of harmony end thoughts, too.
    let behind = marks::behind_thoughts(text).unwrap_or(0);
    let turn = sureness_answers::first_turn(text.get(behind..).unwrap_or_default());
    let end = behind + turn.len();
    let whole = Part {
        start: 0,
        end,
        is_sure: true,
    };
    let Some(said) = said else {
        return Ok(whole);
    };
    let Some(from) = marks::behind_thoughts(said) else {
        return Err(unanswered(IN_THOUGHTS));
    };
    let wanted: Vec<char> = letters(said.get(from..).unwrap_or_default())
        .map(|(_, sign)| sign)
        .collect();
    let sent: Vec<(usize, char)> = letters(text.get(..end).unwrap_or_default()).collect();
    if wanted.is_empty() {
        return match sent.as_slice() {
            [] => Ok(whole),
            _ => Err(unanswered("the answer has no text, only thoughts")),
        };
    }
    let spells = sent.len().checked_sub(wanted.len()).filter(|at| {
        let tail = sent.iter().skip(*at).map(|(_, sign)| sign);
        tail.eq(wanted.iter())
    });
    let start = spells.and_then(|at| sent.get(at)).map(|(start, _)| *start);
    Ok(Part {
        start: start.unwrap_or(0),
        is_sure: start.is_some(),
        ..whole
    })
}

/// The visible ASCII signs of a text with their places, since tokenizers write blanks and other signs in
/// ways of their own: OpenAI's, the bytes of a part of a sign as `\xf0`.
fn letters(text: &str) -> impl Iterator<Item = (usize, char)> {
    let is_escape = |at: usize| {
        let escape = text.get(at..).and_then(|rest| rest.strip_prefix("\\x"));
        let digits = escape.and_then(|rest| rest.get(..2));
        digits.is_some_and(|digits| digits.bytes().all(|it| it.is_ascii_hexdigit()))
    };
    text.char_indices().filter(move |(at, sign)| {
        let of_escape = (at.saturating_sub(3)..=*at).any(is_escape);
        sign.is_ascii_graphic() && !of_escape
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_where_the_tokens_spell_it() {
        for (text, said, expected) in [
            ("ANSWER: B", None, Some(("ANSWER: B", true))),
            ("B<|im_end|>\nB", None, Some(("B", true))),
            (
                "ANSWER: B<|im_end|>\nANSWER: B",
                Some("ANSWER: B"),
                Some(("ANSWER: B", true)),
            ),
            ("It may be B or C. B", Some("B"), Some(("B", true))),
            (
                "<think>Is it C?</think>\n\nB</s>",
                Some(" B\n"),
                Some(("B", true)),
            ),
            (
                "<think>Is it C?</think>\n\nB",
                Some("<think>Is it C?</think>\n\nB"),
                Some(("B", true)),
            ),
            ("It’s B", Some("Itâ\u{80}\u{99}s B"), Some(("It’s B", true))),
            (
                "Option B it is.",
                Some("Option B it is. ANSWER: B"),
                Some(("Option B it is.", false)),
            ),
            (
                "It is \\xe2\\x80\\x99B\\xe2\\x80\\x99",
                Some("It is ’B’"),
                Some(("It is \\xe2\\x80\\x99B\\xe2\\x80\\x99", true)),
            ),
            ("It may be B", Some(""), None),
            ("It may be B", Some(" \n"), None),
        ] {
            let found = answer(text, said).ok();
            let found =
                found.and_then(|part| Some((text.get(part.start..part.end)?, part.is_sure)));
            assert_eq!(found, expected, "{text:?}, {said:?}");
        }
    }
}
