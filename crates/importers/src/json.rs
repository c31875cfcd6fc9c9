//! JSON as Python writes it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Fault, Problem, printable};

/// Constants that Python writes but JSON lacks.
const CONSTANTS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

/// Parses one JSON value. `NaN` and infinities outside strings count as `null`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).or_else(|error| {
        let without = without_constants(bytes).ok_or_else(|| syntax(&error))?;
        serde_json::from_slice(&without).map_err(|error| syntax(&error))
    })
}

fn syntax(error: &serde_json::Error) -> Problem {
    let text = printable(&error.to_string());
    let one_line = text.replace(" at line 1 column", " at column");
    Problem::Json(one_line)
}

/// The same with `null` for these constants; `None` if there are none.
fn without_constants(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut in_text, mut escaped, mut found) = (false, false, false);
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        if !in_text && matches!(byte, b'-' | b'I' | b'N') {
            let constant = CONSTANTS.iter().find(|word| rest.starts_with(word));
            if let Some(word) = constant {
                out.extend_from_slice(b"null");
                rest = rest.get(word.len()..).unwrap_or_default();
                found = true;
                continue;
            }
        }
        if escaped {
            escaped = false;
        } else if in_text && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            in_text = !in_text;
        }
        out.push(byte);
        rest = tail;
    }
    found.then_some(out)
}

/// The kind of a value, for messages.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => "a truth value".to_owned(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {:?}", printable(text)),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A text or a whole number, as text.
pub(crate) fn id(value: &Value, field: &str) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        other => Err(Problem::Type {
            expected: "a text or a whole number",
            found: describe(other),
        }
        .field(field)),
    }
}

/// The non-blank text at a path of keys.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constants_count_as_null_outside_of_texts() {
        let text = br#"{"a": NaN, "b": [-Infinity, Infinity, -1], "NaN": "\"NaN\\", "c": NaN}"#;
        let read: Value = parse(text).unwrap();
        let expected = serde_json::json!(
            {"a": null, "b": [null, null, -1], "NaN": "\"NaN\\", "c": null});
        assert_eq!(read, expected);
        assert!(parse::<Value>(b"{\"a\": NaN").is_err());
        assert!(parse::<Value>(b"nAn").is_err());
    }

    proptest! {
        #[test]
        fn valid_json_stays_unchanged(text in ".{0,30}", number in any::<f64>()) {
            let value = serde_json::json!({"text": text, "list": [number, null]});
            let bytes = serde_json::to_vec(&value).unwrap();
            prop_assert!(without_constants(&bytes).is_none());
            prop_assert_eq!(parse::<Value>(&bytes).unwrap(), value);
        }
    }
}
