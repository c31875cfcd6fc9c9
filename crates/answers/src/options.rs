//! Labels and texts of the options, as they occur in an answer.

use crate::lexer::tokens;
use crate::lexicon::ARTICLES;
use crate::token::{Kind, Token};

/// Signs that are part of an option's text; others may differ between the option and its quotation.
const SOLID: &str = "+*/^=<>×÷√±≤≥≠≈∞°%#&";
/// A number after one of these is part of another one.
const BEFORE_NUMBER: &str = "+-*/^=<>×÷√±≤≥≠≈.";
/// A number before one of these is part of another one.
const BEHIND_NUMBER: &str = "+*/^=<>×÷°%";

/// How a label is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As the label.
    Exact,
    /// In another case.
    Loose,
}

/// The options of a question.
#[derive(Debug)]
pub(crate) struct Options {
    labels: Vec<String>,
    texts: Vec<Text>,
}

#[derive(Debug)]
struct Text {
    words: Vec<Token>,
    /// Whether brackets are part of it, as in a formula.
    formula: bool,
}

impl Options {
    pub(crate) fn new(labels: &[impl AsRef<str>], options: &[impl AsRef<str>]) -> Self {
        Self {
            labels: labels
                .iter()
                .map(|label| label.as_ref().trim().to_owned())
                .collect(),
            texts: options
                .iter()
                .map(|option| Text::new(option.as_ref()))
                .collect(),
        }
    }

    /// The option whose label a token spells.
    pub(crate) fn labelled(&self, token: &Token) -> Option<(usize, Spelling)> {
        if token.raw.is_empty() {
            return None;
        }
        if let Some(option) = self.labels.iter().position(|label| *label == token.raw) {
            return Some((option, Spelling::Exact));
        }
        let loose = |label: &String| label.to_lowercase() == token.text;
        self.labels
            .iter()
            .position(loose)
            .map(|option| (option, Spelling::Loose))
    }

    /// Whether a label is a letter, and not a number or a word.
    pub(crate) fn is_letter(&self, option: usize) -> bool {
        let label = self.labels.get(option).map_or("", String::as_str);
        let mut signs = label.chars();
        signs.next().is_some_and(char::is_alphabetic) && signs.next().is_none()
    }

    /// The options whose text begins at a token, and the token behind it. Of several the longest.
    pub(crate) fn texts_at(&self, words: &[Token], at: usize) -> Option<(Vec<usize>, usize)> {
        let mut longest: Option<(usize, usize)> = None;
        let mut found = Vec::new();
        for (option, text) in self.texts.iter().enumerate() {
            let Some(end) = text.end_at(words, at) else {
                continue;
            };
            let length = (text.words.len(), end);
            match longest {
                Some(other) if other > length => {}
                Some(other) if other == length => found.push(option),
                _ => {
                    longest = Some(length);
                    found = vec![option];
                }
            }
        }
        longest.map(|(_, end)| (found, end))
    }

    /// Whether the tokens from `at` to the end begin the text of an option, cut short by a limit.
    pub(crate) fn is_cut_text(&self, option: usize, words: &[Token], at: usize) -> bool {
        let Some(text) = self.texts.get(option) else {
            return false;
        };
        let rest = solid(words.get(at..).unwrap_or_default(), text.formula);
        // Beyond its length no text is cut.
        let rest: Vec<&Token> = rest
            .map(|(_, token)| token)
            .take(text.words.len() + 1)
            .collect();
        let Some((last, whole)) = rest.split_last() else {
            return false;
        };
        let mut own = text.words.iter();
        whole
            .iter()
            .all(|token| own.next().is_some_and(|own| same(own, token)))
            && own
                .next()
                .is_some_and(|own| own.text.starts_with(&last.text))
    }

    /// Whether a text holds the texts of all options, as a repeated question does.
    pub(crate) fn are_all_in(&self, words: &[Token]) -> bool {
        self.texts
            .iter()
            .all(|text| (0..words.len()).any(|at| text.end_at(words, at).is_some()))
    }
}

impl Text {
    fn new(option: &str) -> Self {
        let words = tokens(option);
        let formula = words
            .iter()
            .any(|token| matches!(token.kind, Kind::Sign(sign) if SOLID.contains(sign)));
        let mut words: Vec<Token> = solid(&words, formula)
            .map(|(_, token)| token.clone())
            .collect();
        if words.len() > 1
            && words
                .first()
                .is_some_and(|word| ARTICLES.contains(&word.text))
        {
            words.remove(0);
        }
        Self { words, formula }
    }

    /// The end of this text in an answer, if it begins at `at` and no number goes on there.
    fn end_at(&self, words: &[Token], at: usize) -> Option<usize> {
        let first = self.words.first()?;
        if !words.get(at).is_some_and(|token| same(first, token)) {
            return None;
        }
        let rest = words.get(at..)?;
        let mut found = solid(rest, self.formula);
        let mut end = at;
        for own in &self.words {
            let (place, token) = found.next()?;
            if !same(own, token) {
                return None;
            }
            end = at + place + 1;
        }
        let glued_sign = |token: &Token, signs: &str| {
            token.glued && matches!(token.kind, Kind::Sign(sign) if signs.contains(sign))
        };
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let part_of_another = (words.get(at).is_some_and(|token| token.glued)
            && before.is_some_and(
                |before| matches!(before.kind, Kind::Sign(sign) if BEFORE_NUMBER.contains(sign)),
            )
            && self.words.first().is_some_and(Token::is_mathematical))
            || words
                .get(end)
                .is_some_and(|token| glued_sign(token, BEHIND_NUMBER));
        // "1914-1918"
        let is_range = self.words.first().is_some_and(Token::is_mathematical)
            && words.get(end).is_some_and(|token| glued_sign(token, "-—"))
            && words.get(end + 1).is_some_and(|token| token.glued);
        (!part_of_another && !is_range).then_some(end)
    }
}

fn same(own: &Token, other: &Token) -> bool {
    own.kind == other.kind && own.text == other.text
}

/// The tokens that make up a text, with their places.
fn solid(words: &[Token], formula: bool) -> impl Iterator<Item = (usize, &Token)> {
    words
        .iter()
        .enumerate()
        .filter(move |(at, token)| match token.kind {
            Kind::Word => true,
            Kind::Sign('(' | ')') => formula,
            // A hyphen between words may be missing; a minus may not.
            Kind::Sign('-') => {
                let near = [at.checked_sub(1), Some(at + 1)];
                near.into_iter()
                    .flatten()
                    .filter_map(|at| words.get(at))
                    .any(Token::is_mathematical)
            }
            Kind::Sign(sign) => SOLID.contains(sign),
            Kind::Cue | Kind::Close | Kind::Break => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(options: &[&str], text: &str) -> Vec<(Vec<usize>, usize)> {
        let options = Options::new(&["A", "B", "C", "D"], options);
        let words = tokens(text);
        (0..words.len())
            .filter_map(|at| options.texts_at(&words, at))
            .collect()
    }

    #[test]
    fn the_longest_text_is_found() {
        let cities = ["York", "New York", "Paris.", "The Hague"];
        assert_eq!(found(&cities, "in new york"), [(vec![1], 3), (vec![0], 3)]);
        assert_eq!(found(&cities, "Paris"), [(vec![2], 1)]);
        assert_eq!(found(&cities, "the Hague"), [(vec![3], 2)]);
        assert_eq!(found(&cities, "Yorkshire, Parisian"), []);
    }

    #[test]
    fn numbers_are_whole() {
        let numbers = ["5", "-5", "x + 1", "1,000"];
        assert_eq!(found(&numbers, "-5"), [(vec![1], 1)]);
        assert_eq!(found(&numbers, "x+1"), [(vec![2], 3)]);
        assert_eq!(found(&numbers, "1000"), [(vec![3], 1)]);
        for text in ["15", "5.5", "1/5", "5%", "5/6", "√5", "x + 11", "5^2"] {
            assert_eq!(found(&numbers, text), [], "{text:?}");
        }
    }

    #[test]
    fn texts_that_look_the_same_are_both_found() {
        assert_eq!(found(&["Yes.", "yes", "no", "-"], "Yes"), [(vec![0, 1], 1)]);
    }
}
