//! Finds the letter that a text gives as its answer, and its place.
//!
//! `sureness-answers` reads more ways to state an answer. Here the letter's token counts, and a log's
//! own scorer knows no other mark than [`MARK`].

use super::token::{is_dress, option_of};

/// The word before the letter, as the solver `multiple_choice` requests it.
pub(super) const MARK: &str = "ANSWER";
/// Words before the mark that take the answer back.
const DENIED: [&str; 5] = ["INCORRECT", "WRONG", "NOT", "BAD", "FALSE"];
/// Words that may precede the mark where it states the answer: `My final answer: B`.
const STATING: [&str; 12] = [
    "THE",
    "MY",
    "FINAL",
    "CORRECT",
    "RIGHT",
    "BEST",
    "SO",
    "THUS",
    "HENCE",
    "THEREFORE",
    "AND",
    "IS",
];
/// Letters that are words of their own.
const WORDS: [char; 2] = ['A', 'I'];

/// A letter in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Byte offset of the letter.
    pub(super) offset: usize,
    /// The option that it labels.
    pub(super) option: usize,
    /// How sure it is that the letter, and it alone, is the answer.
    pub(super) reading: Reading,
}

/// What a letter behind a mark may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The answer.
    Answer,
    /// The answer or a word: `Answer: A stone`.
    Word,
    /// One of several: `ANSWER: A, B`.
    Several,
}

/// The letters behind the marks of a text, in order. A mark that no letter of an option follows, such
/// as `Answer: this`, is none.
pub(super) fn marked(text: &str, options: usize) -> Vec<Found> {
    // Only ASCII changes, so byte offsets stay valid.
    let upper = text.to_ascii_uppercase();
    let marks = upper.match_indices(MARK).filter_map(|(start, _)| {
        // Incorrect answer: C
        let before = upper.get(..start)?.trim_end_matches([' ', '\t', '*', '_']);
        if DENIED.iter().any(|word| before.ends_with(word)) {
            return None;
        }
        let behind = text.get(start + MARK.len()..)?;
        let colon = behind.trim_start_matches([' ', '\t', '*', '_', '`', '#', '"']);
        let rest = colon.strip_prefix([':', '：', '='])?;
        letter(text, text.len() - rest.len(), options)
    });
    marks.collect()
}

/// The letter at or behind `from`, after blanks and dress.
pub(super) fn letter(text: &str, from: usize, options: usize) -> Option<Found> {
    let mut rest = text.get(from..)?;
    loop {
        rest = rest.trim_start_matches(|sign: char| {
            (sign.is_whitespace() || is_dress(sign)) && sign != '\\'
        });
        // \boxed{B}, \text{B}
        let Some(command) = rest.strip_prefix('\\') else {
            break;
        };
        let name = command.trim_start_matches(|sign: char| sign.is_ascii_lowercase());
        rest = name.strip_prefix('{').unwrap_or(command);
    }
    let first = rest.chars().next()?;
    let option = option_of(first).filter(|option| *option < options)?;
    let behind = rest.get(1..)?;
    if behind.starts_with(|next: char| next.is_alphanumeric() || next == '’' || next == '\'') {
        return None;
    }
    let reading = if joined(behind, options) {
        Reading::Several
    } else if follows_word(behind) && WORDS.contains(&first.to_ascii_uppercase()) {
        Reading::Word
    } else {
        Reading::Answer
    };
    Some(Found {
        offset: text.len() - rest.len(),
        option,
        reading,
    })
}

/// Whether a word follows after blanks alone.
fn follows_word(behind: &str) -> bool {
    let rest = behind.trim_start_matches([' ', '\t']);
    rest.len() < behind.len() && rest.starts_with(char::is_alphanumeric)
}

/// Whether another letter of an option follows: `, B`, `/C`, ` and D`.
fn joined(behind: &str, options: usize) -> bool {
    let is_between = |sign: char| sign == ' ' || is_dress(sign);
    let bare = behind.trim_start_matches(is_between);
    let signs = bare.strip_prefix(['/', '&', '+']);
    let words = ["and ", "or ", "And ", "Or ", "AND ", "OR "];
    let words = words.iter().find_map(|word| bare.strip_prefix(word));
    let comma = behind.trim_start_matches(|sign: char| is_between(sign) && sign != ',');
    let Some(rest) = signs.or(words).or(comma.strip_prefix(',')) else {
        return false;
    };
    let rest = rest.trim_start_matches(is_between);
    let mut next = rest.chars();
    let letter = next.next().filter(char::is_ascii_uppercase);
    letter.and_then(option_of).is_some_and(|it| it < options)
        && !next.next().is_some_and(char::is_alphanumeric)
        && !follows_word(rest.get(1..).unwrap_or_default())
}

/// Where a text goes on behind the model's thoughts; `None` if it ends inside them.
pub(super) fn behind_thoughts(text: &str) -> Option<usize> {
    match sureness_answers::split_thought(text) {
        (None, "") => Some(0),
        (Some(_), "") => None,
        // A part of the text, also behind a thought without words.
        (_, answer) => Some(answer.as_ptr() as usize - text.as_ptr() as usize),
    }
}

/// The letter alone in the first line behind `start`, if what follows states no answer: further down
/// another list of options begins, since a model that nothing stops asks itself the next question; or the
/// mark stands within a sentence, such as `Explanation: the answer: C would be wrong`.
pub(super) fn before_other_text(text: &str, start: usize, choices: &[&str]) -> Option<Found> {
    let begin = text.len() - text.get(start..)?.trim_start().len();
    let first = text.get(begin..)?.lines().next()?;
    let found = alone_from(text.get(..begin + first.len())?, begin, choices)?;
    let labels = |line: &str, letter: char| {
        let bare = line.trim_start().trim_start_matches('(');
        let rest = bare.strip_prefix(letter);
        rest.is_some_and(|rest| rest.starts_with(['.', ')', ':']))
    };
    let behind = text.get(begin + first.len()..)?;
    let mut lines = behind.lines();
    let asks_another = lines.any(|line| labels(line, 'A')) && lines.any(|line| labels(line, 'B'));
    let is_capital = text
        .get(found.offset..)?
        .starts_with(|sign: char| sign.is_ascii_uppercase());
    (asks_another || is_capital && !behind.lines().any(states)).then_some(found)
}

/// Whether a line has the mark at its start, or behind words that state an answer.
fn states(line: &str) -> bool {
    let upper = line.to_ascii_uppercase();
    let mut marks = upper.match_indices(MARK);
    marks.any(|(start, _)| {
        let before = upper.get(..start).unwrap_or_default();
        let mut words = before.split(|sign: char| !sign.is_alphanumeric());
        words.all(|word| word.is_empty() || STATING.contains(&word))
    })
}

/// The same as [`alone`] for the text behind `start`.
pub(super) fn alone_from(text: &str, start: usize, choices: &[&str]) -> Option<Found> {
    let found = alone(text.get(start..)?, choices)?;
    let offset = start + found.offset;
    Some(Found { offset, ..found })
}

/// The letter of a text that consists of it, or of it and its option's text: `B`, `(B)`, `B. green`.
pub(super) fn alone(text: &str, choices: &[&str]) -> Option<Found> {
    let found = letter(text, 0, choices.len())?;
    let behind = text.get(found.offset + 1..)?;
    let dress = |sign: char| is_dress(sign) || sign == ' ';
    let rest = behind.trim_start_matches(dress);
    let first = text.get(found.offset..)?.chars().next()?;
    let begins = |text: &str, with: &str| {
        let head = text.get(..with.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    let option = choices.get(found.option)?.trim();
    let rest = rest.trim_end();
    let is_alone = rest.is_empty() || (rest.starts_with('\n') && first.is_ascii_uppercase());
    // A limit of tokens may have cut the option short.
    let is_option = behind.starts_with(is_dress)
        && first.is_ascii_uppercase()
        && (begins(rest, option) || begins(option, rest));
    let answer = found.reading == Reading::Answer && (is_alone || is_option);
    answer.then_some(found)
}

/// The last capital letter of an option that stands alone behind `start` and is not a word.
pub(super) fn last(text: &str, start: usize, option: usize) -> Option<Found> {
    let letter = sureness_questions::letter(option);
    let mut found = text.match_indices(letter).filter(|(offset, _)| {
        let is_behind = *offset >= start;
        let before = text.get(..*offset).unwrap_or_default();
        let behind = text.get(offset + 1..).unwrap_or_default();
        let is_word = WORDS.contains(&letter) && follows_word(behind);
        is_behind
            && !before.ends_with(char::is_alphanumeric)
            && !behind
                .starts_with(|next: char| next.is_alphanumeric() || next == '\'' || next == '’')
            && !is_word
    });
    let (offset, _) = found.next_back()?;
    Some(Found {
        offset,
        option,
        reading: Reading::Answer,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_dress_is_taken_off(
            before in "[*_( \\[$\"]{0,4}",
            after in "[*_)\\]$\".,;:]{0,4}",
            mark in prop::sample::select(vec!["ANSWER:", "Answer :", "**answer**:", "Final answer ="]),
            option in 0_usize..4,
            small in any::<bool>(),
            prose in "[b-hj-z ]{0,20}\n",
        ) {
            let letter = sureness_questions::letter(option);
            let letter = if small { letter.to_ascii_lowercase() } else { letter };
            let text = format!("Answer: zz {prose}ANSWER: D\nNo. {mark}{before}{letter}{after}\n");
            let found = marked(&text, 4);
            let last = found.last().copied();
            prop_assert_eq!(last.map(|it| (it.option, it.reading)), Some((option, Reading::Answer)));
            let at = last.and_then(|it| text.get(it.offset..=it.offset));
            prop_assert_eq!(at, Some(&*letter.to_string()));
        }

        #[test]
        fn any_text_is_read(text in "([a-dA-D:\\\\{},. \n*é]|ANSWER|answer:){0,12}") {
            for found in marked(&text, 4).into_iter().chain(alone(&text, &["x", "y"])) {
                prop_assert!(text.get(found.offset..).is_some_and(|rest| !rest.is_empty()));
            }
            let _ = last(&text, 0, 0);
        }
    }

    /// What the parser of all answers reads, which may not contradict this one.
    fn elsewhere(text: &str) -> Option<usize> {
        match sureness_answers::read(text, &["A", "B", "C", "D"], &[""; 4]) {
            sureness_answers::Reading::Option(option) => Some(option),
            _ => None,
        }
    }

    fn letters(text: &str) -> Vec<(char, Reading)> {
        let found = marked(text, 4).into_iter();
        let of = |found: Found| (sureness_questions::letter(found.option), found.reading);
        found.map(of).collect()
    }

    #[test]
    fn letters_behind_marks_in_any_dress() {
        for text in [
            "ANSWER: B",
            "answer : b",
            "**ANSWER: b**",
            "**Answer**: B",
            "Answer: (B).",
            "ANSWER: $B$",
            "ANSWER:B",
            "Answer: \"B\"",
            "ANSWER: [B]",
            "Final answer: \\boxed{B}",
            "ANSWER: $\\boxed{\\text{B}}$",
            "ANSWER:\n\nB",
            "ANSWER: B, because it is blue",
            "ANSWER: B is right",
            "ANSWER: B\nA stone is blue",
            "ANSWER: B, A stone is not",
        ] {
            assert_eq!(letters(text), [('B', Reading::Answer)], "{text:?}");
            assert_eq!(elsewhere(text), Some(1), "{text:?}");
        }
        assert_eq!(
            letters("Answer: this asks for a colour.\nANSWER: C\nWait. ANSWER: d"),
            [('C', Reading::Answer), ('D', Reading::Answer)]
        );
    }

    #[test]
    fn words_and_letters_of_no_option_are_no_answers() {
        for text in [
            "ANSWER: $LETTER",
            "ANSWER: none",
            "ANSWER: E",
            "ANSWER: B's",
            "ANSWER:",
            "ANSWER: \\",
        ] {
            assert_eq!(letters(text), [], "{text:?}");
            assert_eq!(elsewhere(text), None, "{text:?}");
        }
        assert_eq!(letters("The answer is B."), []);
        assert_eq!(letters("Answer: A stone"), [('A', Reading::Word)]);
        for text in [
            "ANSWER: A, B",
            "ANSWER: A,B",
            "ANSWER: A and C",
            "ANSWER: (A) or (B)",
            "ANSWER: A/B",
        ] {
            assert_eq!(letters(text), [('A', Reading::Several)], "{text:?}");
            assert_eq!(elsewhere(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_first_letter_is_an_answer_if_no_other_words_follow() {
        let choices = ["red", "Green grass", "blue", "grey"];
        for text in [
            "B",
            " (B).",
            "b",
            "B. green grass",
            "B) Green",
            "**B**\n\nIt is green.",
        ] {
            assert_eq!(
                alone(text, &choices).map(|it| it.option),
                Some(1),
                "{text:?}"
            );
        }
        for text in [
            "A stone is blue.",
            "B. It is",
            "b. It",
            "I",
            "E",
            "",
            "As",
            "A, B",
            "A\u{301}",
        ] {
            assert_eq!(alone(text, &choices), None, "{text:?}");
        }
    }

    #[test]
    fn the_last_letter_is_not_the_article() {
        let text = "A stone is B or A. A dog";
        assert_eq!(last(text, 0, 0).map(|it| it.offset), Some(16));
        assert_eq!(last(text, 0, 1).map(|it| it.offset), Some(11));
        assert_eq!(last(text, 12, 1), None);
        assert_eq!(last(text, 0, 2), None);
    }
}
