//! Right answers as people write them beside a request.

use serde_json::Value;
use sureness_questions::{RightOptions, letter_index};

use super::prompt::{self, plain};
use crate::error::printable;
use crate::{Problem, json};

/// The options that a right answer means, and whether it has a number: one as [`index_of`] says, a list
/// of such, or letters with commas between them.
pub(super) fn right_of(
    written: &Value,
    options: &[String],
) -> Result<(RightOptions, bool), Problem> {
    let letters = || {
        let parts = written.as_str()?.split([',', ';']).map(str::trim);
        let are_letters = parts.clone().all(|part| letter_index(part).is_some());
        are_letters.then(|| parts.map(Value::from).collect::<Vec<_>>())
    };
    let each = match written {
        Value::Array(list) if list.len() > 1 => list.clone(),
        _ => match (index_of(written, options), letters()) {
            (Err(_), Some(letters)) => letters,
            (one, _) => return one.map(|(index, numbered)| (index.into(), numbered)),
        },
    };
    let each = each.iter().map(|one| index_of(one, options));
    let each = each.collect::<Result<Vec<_>, _>>()?;
    let right = RightOptions::of(each.iter().map(|(index, _)| *index));
    let right = right.filter(|right| right.count() == each.len());
    let right = right.ok_or_else(|| Problem::Answer {
        answer: printable(&as_text(written)),
        options: options.len(),
    })?;
    Ok((right, each.iter().any(|(_, numbered)| *numbered)))
}

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
    let is_it = |option: &String| plain(option) == text;
    let by_text = options.iter().position(is_it);
    // Also another option may have this text.
    let clear = |index: usize| match by_text {
        Some(other) if other != index && !options.get(index).is_some_and(is_it) => {
            Err(Problem::AmbiguousAnswer(printable(&text)))
        }
        _ => Ok((index, false)),
    };
    if let Some(index) = letter_index(bare).filter(within) {
        return clear(index);
    }
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|it| it.fract() == 0.0 && *it >= 0.0);
    let number = number.map(|it| it as usize).filter(within);
    if let Some(index) = by_text {
        return clear(number.unwrap_or(index));
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
        // Blood types: each letter is an option's text.
        let options = ["O", "AB", "A", "B"].map(str::to_owned);
        for (written, expected) in [
            ("O", Some(0)),
            ("A", None),
            ("(A)", Some(0)),
            ("C. A", Some(2)),
        ] {
            let index = index_of(&json!(written), &options).ok();
            assert_eq!(index.map(|(index, _)| index), expected, "{written}");
        }
        let own = ["A", "B"].map(str::to_owned);
        assert_eq!(index_of(&json!("B"), &own).ok(), Some((1, false)));
    }

    #[test]
    fn several_right_answers_are_a_list_or_letters() {
        let options = ["red", "green", "3", "4"].map(str::to_owned);
        let several = |places: [usize; 2]| RightOptions::of(places);
        for (written, expected) in [
            (json!(["A", "C"]), several([0, 2])),
            (json!(["red", "B. green"]), several([0, 1])),
            (json!("A, D"), several([0, 3])),
            (json!("green"), several([1, 1])),
            (json!(["A", "A"]), None),
            (json!(["A", "E"]), None),
            (json!("A, E"), None),
            (json!("red, green"), None),
            (json!([]), None),
        ] {
            let right = right_of(&written, &options).ok().map(|(right, _)| right);
            assert_eq!(right, expected, "{written}");
        }
    }
}
