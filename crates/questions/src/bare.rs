//! Words that JSON does not have, such as Python's `NaN`.

use std::iter;

use serde_json::Value;

/// What Python's `json` writes for numbers that JSON cannot express.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
/// Begins the string that stands for such a word. No file of text has it in a value by chance.
const MARK: &str = "\u{0}bare ";

/// The text with a string in place of each such word, so that it can be parsed and the field found;
/// `None` without such words.
pub fn replaced(text: &str) -> Option<String> {
    let mut new = String::new();
    let mut copied = 0;
    for (at, word) in words(text) {
        new.push_str(&text[copied..at]);
        new.push_str("\"\\u0000bare ");
        new.push_str(word);
        new.push('"');
        copied = at + word.len();
    }
    new.push_str(&text[copied..]);
    (copied > 0).then_some(new)
}

/// The word that [`replaced`] found in this value, at any depth.
pub fn word_in(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.strip_prefix(MARK),
        Value::Array(items) => items.iter().find_map(word_in),
        Value::Object(fields) => fields.values().find_map(word_in),
        _ => None,
    }
}

/// The words outside strings and their offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (0, false);
    iter::from_fn(move || {
        while let Some(&byte) = bytes.get(at) {
            let here = at;
            at += 1;
            match byte {
                b'"' => quoted = !quoted,
                b'\\' if quoted => at += 1,
                b'-' | b'I' | b'N' if !quoted => {
                    let rest = &bytes[here..];
                    let word = WORDS
                        .into_iter()
                        .find(|word| rest.starts_with(word.as_bytes()));
                    if let Some(word) = word {
                        at = here + word.len();
                        return Some((here, word));
                    }
                }
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_strings_are_text() {
        let text = r#"{"a": "NaN \" Infinity", "b": [1, -Infinity], "é": NaN}"#;
        let new = replaced(text).unwrap();
        let value: Value = serde_json::from_str(&new).unwrap();
        assert_eq!(word_in(&value["a"]), None);
        assert_eq!(word_in(&value["b"]), Some("-Infinity"));
        assert_eq!(word_in(&value["é"]), Some("NaN"));
        assert_eq!(replaced(r#"{"a": "NaN", "b": -1}"#), None);
    }
}
