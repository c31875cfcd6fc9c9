//! What the log's own scorer says about a sample.

use std::collections::BTreeMap;

use serde_json::Value;
use sureness_questions::letter;

use crate::json;
use crate::letter::{Answer, is_dress, option_of};

/// The scorer that belongs to the solver `multiple_choice`.
const CHOICE: &str = "choice";
/// Scorers that leave their answer out where they find none.
const PATTERNS: [&str; 2] = ["pattern", "answer"];
/// How the explanation of `choice` begins if the solver shuffled the options.
const SHUFFLED: &str = "Choices were shuffled before generating a response";
/// What an edit leaves as it is.
const UNCHANGED: &str = "UNCHANGED";
/// How the list of options ends there.
const LIST_END: &str = "Shuffled answer:";

/// The order in which the model saw the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// That of the log.
    AsLogged,
    /// For each option that the model saw, its index in the log.
    Shuffled(Vec<usize>),
    /// Another one, which cannot be told.
    Unknown,
}

/// The verdict on a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict<'a> {
    name: &'a str,
    score: &'a Value,
}

impl<'a> Verdict<'a> {
    /// The verdict of `choice`, or else of the first scorer, in the order of `judges`.
    pub(super) fn of(scores: &'a BTreeMap<String, Value>, judges: &[String]) -> Option<Self> {
        let order = std::iter::once(CHOICE).chain(judges.iter().map(String::as_str));
        let mut known = order.filter_map(|name| scores.get_key_value(name));
        let (name, score) = known.next().or_else(|| scores.iter().next())?;
        Some(Self { name, score })
    }

    /// The scorer's name.
    pub(super) fn scorer(self) -> &'a str {
        self.name
    }

    /// What the scorer explained, before anybody edited it.
    fn explanation(self) -> Option<&'a str> {
        match json::text(self.score, "/history/0/explanation") {
            Some(first) => Some(first).filter(|text| *text != UNCHANGED),
            None => json::text(self.score, "/explanation"),
        }
    }

    /// `C` or 1 for right, `I`, `N` or 0 for wrong.
    pub(super) fn correct(self) -> Option<bool> {
        match self.score.get("value")? {
            Value::String(text) if text == "C" => Some(true),
            Value::String(text) if matches!(text.as_str(), "I" | "N") => Some(false),
            Value::Bool(right) => Some(*right),
            Value::Number(number) if number.as_f64() == Some(1.0) => Some(true),
            Value::Number(number) if number.as_f64() == Some(0.0) => Some(false),
            _ => None,
        }
    }

    /// The answer among `options`. Other scorers than `choice` may keep the whole text as the answer,
    /// which says nothing.
    pub(super) fn answer(self, options: usize) -> Answer {
        let Some(written) = self.score.get("answer").and_then(Value::as_str) else {
            let finds_none = match self.name {
                CHOICE => self.correct() != Some(true),
                name => PATTERNS.contains(&name) && self.correct() == Some(false),
            };
            return if finds_none {
                Answer::None
            } else {
                Answer::Unknown
            };
        };
        if written.trim().is_empty() {
            return Answer::None;
        }
        let parts = written.split([',', ' ']).map(bare);
        let letters: Option<Vec<usize>> = parts
            .filter(|part| !part.is_empty())
            .map(|part| {
                let mut signs = part.chars();
                let option = signs.next().and_then(option_of)?;
                (signs.next().is_none() && option < options).then_some(option)
            })
            .collect();
        match letters.as_deref() {
            Some([option]) => Answer::Option(*option),
            Some([_, ..]) => Answer::Several(written.to_owned()),
            _ => Answer::Unknown,
        }
    }

    /// Whether `choice` scored the sample: then its explanation tells of every shuffled sample.
    pub(super) fn tells_order(self) -> bool {
        self.name == CHOICE && self.explanation().is_some()
    }

    /// The order in which the model saw the options, as far as the scorer's explanation tells it.
    pub(super) fn shown(self, choices: &[String]) -> Shown {
        let list = self
            .explanation()
            .and_then(|text| text.strip_prefix(SHUFFLED));
        match list.map(|list| order(list, choices)) {
            None => Shown::AsLogged,
            Some(Some(order)) => Shown::Shuffled(order),
            Some(None) => Shown::Unknown,
        }
    }
}

fn bare(word: &str) -> &str {
    word.trim_matches(|sign: char| sign.is_whitespace() || is_dress(sign))
}

/// Reads `A) text of an option`, `B) …`, one after the other.
fn order(list: &str, choices: &[String]) -> Option<Vec<usize>> {
    let (_, mut rest) = list.split_once("\n\n")?;
    let mut order: Vec<usize> = Vec::with_capacity(choices.len());
    for at in 0..choices.len() {
        let text = rest.strip_prefix(letter(at))?.strip_prefix(") ")?;
        let next = if at + 1 < choices.len() {
            format!("{}) ", letter(at + 1))
        } else {
            LIST_END.to_owned()
        };
        let behind = |choice: &str| {
            let rest = text.strip_prefix(choice)?.strip_prefix('\n')?;
            rest.trim_start_matches('\n')
                .starts_with(&next)
                .then(|| rest.trim_start_matches('\n'))
        };
        let mut fitting = (0..choices.len()).filter_map(|index| {
            let rest = behind(choices.get(index)?)?;
            (!order.contains(&index)).then_some((index, rest))
        });
        let (index, after) = fitting.next()?;
        // Equal texts could be either.
        if fitting.next().is_some() {
            return None;
        }
        order.push(index);
        rest = after;
    }
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(name: &str, score: &Value) -> Answer {
        Verdict { name, score }.answer(4)
    }

    #[test]
    fn answers_are_letters_or_unknown() {
        let read =
            |answer_text: &str| answer(CHOICE, &json!({"value": "I", "answer": answer_text}));
        assert_eq!(read("B"), Answer::Option(1));
        assert_eq!(read("(b)."), Answer::Option(1));
        assert_eq!(read(""), Answer::None);
        assert_eq!(read("A, B"), Answer::Several("A, B".into()));
        assert_eq!(read("The answer is B"), Answer::Unknown);
        assert_eq!(read("E"), Answer::Unknown);
        // Without an answer, `choice` found none, whatever else it says.
        for value in [json!("I"), json!("N"), json!(0), json!(null), json!("P")] {
            let score = json!({"value": value, "answer": null});
            assert_eq!(answer(CHOICE, &score), Answer::None, "{value}");
            let blank = json!({"value": value, "answer": " "});
            assert_eq!(answer(CHOICE, &blank), Answer::None, "{value}");
            assert_eq!(answer("my_scorer", &blank), Answer::None, "{value}");
        }
        let right = json!({"value": "C"});
        assert_eq!(answer(CHOICE, &right), Answer::Unknown);
        let wrong = json!({"value": "I", "explanation": "not matched"});
        assert_eq!(answer("pattern", &wrong), Answer::None);
        assert_eq!(answer("my_scorer", &wrong), Answer::Unknown);
    }

    #[test]
    fn the_order_that_was_shown() {
        let choices = ["red", "red\ngreen", "blue"].map(str::to_owned);
        let shown = |text: &str| {
            let score = json!({"explanation": text});
            Verdict {
                name: CHOICE,
                score: &score,
            }
            .shown(&choices)
        };
        let list = "Choices were shuffled before generating a response, the following was sent to \
                    the model:\n\nA) blue\nB) red\ngreen\nC) red\nShuffled answer:\nANSWER: C";
        assert_eq!(shown(list), Shown::Shuffled(vec![2, 1, 0]));
        assert_eq!(shown("ANSWER: C"), Shown::AsLogged);
        assert_eq!(shown(&list.replace("blue", "grey")), Shown::Unknown);
        assert_eq!(shown(&list.replace("A) blue", "A) red")), Shown::Unknown);
    }
}
