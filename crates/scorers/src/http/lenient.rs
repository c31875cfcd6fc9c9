//! JSON as servers write it: with the numbers that only some programs know (`NaN`, `-Infinity`,
//! `-1e999`), with halves of characters where a token ends inside one, and with one name several
//! times in an object.
//!
//! [`read`] returns an ordinary [`Value`], so that its readers need not care: a number that JSON
//! does not know becomes a text, which [`number`] reads, half a character becomes U+FFFD, and a repeated name gets a mark that only
//! [`values`] sees through. Elsewhere the mark is of the wrong type, so that an ambiguous field is
//! an error and never one of its values.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The only name in an object that stands for the values of a repeated name.
const REPEATED: &str = "\0values of a repeated name";

/// Reads a body. The error is that of strict JSON.
pub(super) fn read(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(body)
        .or_else(|strict| {
            // Bytes that are not UTF-8 are half a character, too.
            let body = String::from_utf8_lossy(body);
            serde_json::from_slice(&mended(body.as_bytes())).map_err(|_| strict)
        })
        .map(|Tree(value)| value)
}

/// A number, written as one or as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// All values under one name.
pub(super) fn values(value: &Value) -> &[Value] {
    match value.get(REPEATED) {
        Some(Value::Array(values)) => values,
        _ => std::slice::from_ref(value),
    }
}

/// `body` with quotes around each number that JSON does not know, and whole characters in texts.
fn mended(body: &[u8]) -> Vec<u8> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let mut mended = Vec::with_capacity(body.len() + 64);
    let mut at = 0;
    while let Some((first, rest)) = body[at..].split_first() {
        let length = match first {
            b'"' => text_length(rest),
            _ if is_word(first) => 1 + rest.iter().take_while(|byte| is_word(byte)).count(),
            _ => 1,
        };
        let part = &body[at..at + length];
        match first {
            b'"' => copy_whole_characters(&mut mended, part),
            _ if is_word(first) && is_odd_number(part) => {
                mended.push(b'"');
                mended.extend_from_slice(part);
                mended.push(b'"');
            }
            _ => mended.extend_from_slice(part),
        }
        at += length;
    }
    mended
}

/// Copies a JSON string with `\ufffd` in place of surrogates that are not in a pair.
fn copy_whole_characters(out: &mut Vec<u8>, text: &[u8]) {
    let escaped = |at: usize| -> Option<u16> {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let is_first = |code: u16| (0xd800..0xdc00).contains(&code);
    let is_second = |code: u16| (0xdc00..0xe000).contains(&code);
    let mut at = 0;
    while at < text.len() {
        let length = match escaped(at) {
            Some(code) if is_first(code) && escaped(at + 6).is_some_and(is_second) => 12,
            Some(code) if is_first(code) || is_second(code) => {
                out.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            Some(_) => 6,
            None if text[at] == b'\\' => 2,
            None => 1,
        };
        let end = text.len().min(at + length);
        out.extend_from_slice(&text[at..end]);
        at = end;
    }
}

/// Length of a JSON string with its quotes; `rest` follows the first one.
fn text_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    let end = rest.iter().position(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(rest.len() + 1, |inside| inside + 2)
}

/// Rust reads every number of JSON and those beyond: infinities, NaN, a leading plus.
fn is_odd_number(word: &[u8]) -> bool {
    let known = std::str::from_utf8(word).is_ok_and(|word| word.parse::<f64>().is_ok());
    known && serde_json::from_slice::<Value>(word).is_err()
}

/// A [`Value`] with marks for repeated names.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Grow).map(Self)
    }
}

struct Grow;

impl<'de> Visitor<'de> for Grow {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Tree(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, Tree(value))) = map.next_entry::<String, _>()? {
            match fields.get_mut(&name) {
                Some(earlier) => repeat(earlier, value),
                None => {
                    fields.insert(name, value);
                }
            }
        }
        Ok(fields.into())
    }
}

/// Adds a value to those that a name has already.
fn repeat(earlier: &mut Value, value: Value) {
    if let Some(Value::Array(values)) = earlier.get_mut(REPEATED) {
        values.push(value);
    } else {
        let values = vec![earlier.take(), value];
        *earlier = Value::Object(Map::from_iter([(REPEATED.to_owned(), values.into())]));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_beyond_json_are_read_and_texts_stay() {
        for (written, meant) in [
            ("-Infinity", f64::NEG_INFINITY),
            ("-inf", f64::NEG_INFINITY),
            ("-1e999", f64::NEG_INFINITY),
            ("Infinity", f64::INFINITY),
            ("\"-INF\"", f64::NEG_INFINITY),
            ("\"-infinity\"", f64::NEG_INFINITY),
            ("\" -0.25 \"", -0.25),
            ("-.5", -0.5),
            ("-1", -1.0),
        ] {
            let body = format!(r#"{{"a \" NaN": [{written}], "b": "x: -Infinity,"}}"#);
            let value = read(body.as_bytes()).unwrap();
            let found = number(&value["a \" NaN"][0]);
            assert_eq!(found.map(f64::to_bits), Some(meant.to_bits()), "{written}");
            assert_eq!(value["b"], "x: -Infinity,");
        }
        let value = read(b"[NaN, nan]").unwrap();
        assert!(number(&value[0]).unwrap().is_nan() && number(&value[1]).unwrap().is_nan());
        for other in [json!(true), json!(null), json!("x"), json!("")] {
            assert_eq!(number(&other), None, "{other}");
        }
    }

    #[test]
    fn half_a_character_is_a_character_of_its_own() {
        for (written, meant) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""a\uDE00\ud83d\ude00""#, "a\u{fffd}\u{1f600}"),
            (r#""\ud83d\ud83d\ude00\n""#, "\u{fffd}\u{1f600}\n"),
            (r#""\\ud83d \ud83dA""#, "\\ud83d \u{fffd}A"),
        ] {
            let value = read(format!("[{written}]").as_bytes()).unwrap();
            assert_eq!(value[0], meant, "{written}");
        }
        assert_eq!(read(b"[\"\xf0\x9f\", NaN]").unwrap()[0], "\u{fffd}");
    }

    #[test]
    fn what_is_no_json_stays_an_error() {
        for bad in [
            "",
            "OK",
            "<html>NaN</html>",
            "{\"a\": NaN",
            "[inf inf]",
            "\"NaN",
            "\"\\ud8",
            "[\"\\ud83\"]",
        ] {
            let strict = serde_json::from_slice::<Value>(bad.as_bytes()).unwrap_err();
            let error = read(bad.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), strict.to_string(), "{bad}");
        }
    }

    #[test]
    fn a_repeated_name_keeps_all_its_values_and_is_nothing_else() {
        let value = read(br#"{"A": -1, "B": [2], "A": -2, "A": {"A": 3}}"#).unwrap();
        assert_eq!(values(&value["A"]), [json!(-1), json!(-2), json!({"A": 3})]);
        assert_eq!(values(&value["B"]), [json!([2])]);
        let marked = &value["A"];
        assert!(marked.as_array().is_none() && number(marked).is_none());
        assert!(marked.get("A").is_none() && marked.get(0).is_none());
    }

    proptest! {
        #[test]
        fn texts_of_any_halves_are_read(codes in prop::collection::vec(prop_oneof![0xd7f0..0xe010u16, any::<u16>()], 0..8)) {
            let escapes: Vec<String> = codes.iter().map(|code| format!("\\u{code:04x}")).collect();
            let escapes = escapes.concat();
            let value = read(format!("[\"{escapes}\"]").as_bytes()).unwrap();
            prop_assert_eq!(&value[0], &Value::from(String::from_utf16_lossy(&codes)));
        }

        #[test]
        fn strict_json_is_read_as_ever(names in prop::collection::btree_set("[A-C\"\\\\]{1,3}", 0..4), text in ".*", x in -1e9..1e9f64) {
            let fields: Map<String, Value> =
                names.into_iter().map(|name| (name, json!([x, text, null, 7, -7, true]))).collect();
            let value = json!({"x": fields, "y": [text, {}]});
            prop_assert_eq!(read(value.to_string().as_bytes()).unwrap(), value);
        }
    }
}
