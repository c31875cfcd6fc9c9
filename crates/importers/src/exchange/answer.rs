//! Right answers as people write them beside a request.

use serde_json::Value;
use sureness_questions::letter_index;

use super::prompt::{self, plain};
use crate::error::printable;
use crate::{Problem, json};

/// The option that a right answer means, and whether it is a number: a letter, an option's text, both
/// (`B. green`), or a number from 0.
pub(super) fn index_of(written: &Value, options: &[String]) -> Result<(usize, bool), Problem> {
    let text = match written {
        Value::Array(list) => match list.as_slice() {
            [one] => return index_of(one, options),
            [] => return Err(Problem::NoAnswer),
            _ => return Err(Problem::SeveralAnswers(printable(&written.to_string()))),
        },
        Value::String(_) | Value::Number(_) => as_text(written),
        Value::Null => return Err(Problem::NoAnswer),
        other => {
            return Err(Problem::Type {
                expected: "a letter, an option's text or a number",
                found: json::describe(other),
            });
        }
    };
    let text = plain(&text);
    if text.is_empty() {
        return Err(Problem::NoAnswer);
    }
    let wrong = || Problem::Answer {
        answer: printable(&text),
        options: options.len(),
    };
    let within = |index: &usize| *index < options.len();
    let bare = text.trim_matches(['(', ')', '[', ']', '.', ':', '*', ' ']);
    if let Some(index) = letter_index(bare).filter(within) {
        return Ok((index, false));
    }
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|it| it.fract() == 0.0 && *it >= 0.0);
    let number = number.map(|it| it as usize).filter(within);
    let is_it = |option: &String| plain(option) == text;
    if let Some(index) = options.iter().position(is_it) {
        // A number may mean an option of this text or the option of this index.
        let other = number.is_some_and(|number| number != index);
        return if other {
            Err(wrong())
        } else {
            Ok((index, false))
        };
    }
    let both = prompt::label(&text)
        .filter(|(index, option)| options.get(*index).is_some_and(|it| plain(it) == *option));
    if let Some((index, _)) = both {
        return Ok((index, false));
    }
    let small = letter_index(&bare.to_ascii_uppercase()).filter(within);
    let small = small.map(|index| (index, false));
    small
        .or(number.map(|index| (index, true)))
        .ok_or_else(wrong)
}

/// A text or a number as it is written.
pub(super) fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn right_answers_are_letters_texts_or_numbers_from_0() {
        let options = ["red", "green", "3", "4"].map(str::to_owned);
        for (written, expected) in [
            (json!("B"), Some((1, false))),
            (json!("(B)"), Some((1, false))),
            (json!("b"), Some((1, false))),
            (json!("green"), Some((1, false))),
            (json!("B. green"), Some((1, false))),
            (json!(["B"]), Some((1, false))),
            (json!(1), Some((1, true))),
            (json!("1"), Some((1, true))),
            (json!(1.0), Some((1, true))),
            (json!(4), Some((3, false))),
            // The text of C, and the index of D.
            (json!(3), None),
            (json!("B. red"), None),
            (json!("E"), None),
            (json!(7), None),
            (json!(-1), None),
            (json!(""), None),
            (json!(null), None),
            (json!(true), None),
            (json!(["A", "B"]), None),
        ] {
            assert_eq!(index_of(&written, &options).ok(), expected, "{written}");
        }
    }
}
