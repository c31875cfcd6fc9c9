//! The questions in a log of Inspect, to be asked again.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Record, wrong_type};
use crate::DataError;
use crate::source::Source;

/// How much of a file is looked at to tell a log.
const BEGIN: usize = 1 << 10;

/// A log, as far as it is needed.
#[derive(Deserialize)]
struct Log<'a> {
    #[serde(rename = "eval")]
    _eval: IgnoredAny,
    #[serde(borrow)]
    samples: Vec<&'a RawValue>,
}

/// Whether a file begins as a log does: one object with a version, a status and an evaluation.
pub(crate) fn is_log(source: &Source) -> Result<bool, DataError> {
    let begin = source.begin(BEGIN)?;
    let has = |key: &[u8]| begin.windows(key.len()).any(|part| part == key);
    let keys: [&[u8]; 3] = [b"\"version\"", b"\"status\"", b"\"eval\""];
    Ok(begin.trim_ascii_start().starts_with(b"{") && keys.into_iter().all(has))
}

/// The samples in the text of a log; `None` if it is something else.
pub(crate) fn samples(text: &str) -> Option<Vec<&RawValue>> {
    let log: Log<'_> = serde_json::from_str(text).ok()?;
    Some(log.samples)
}

/// The question of a sample; `None` of a later epoch, which asks the same again.
pub(crate) fn question<'a>(sample: &Record<'a>) -> Result<Option<Record<'a>>, DataError> {
    if sample.has("epoch") && sample.integer("epoch")? > 1 {
        return Ok(None);
    }
    let stem = match sample.required("input")? {
        Value::String(text) => text.clone(),
        other => other
            .as_array()
            .and_then(|messages| asked(messages))
            .ok_or_else(|| {
                let problem = wrong_type("a text or one message of a user", other);
                sample.at.field("input", problem)
            })?,
    };
    let mut fields = Map::new();
    let id = sample.id("id")?;
    fields.insert("id".to_owned(), id.map_or(Value::Null, Value::String));
    fields.insert("question".to_owned(), stem.into());
    for (field, name) in [("choices", "options"), ("target", "answer")] {
        fields.insert(name.to_owned(), sample.required(field)?.clone());
    }
    Ok(Some(Record::new(sample.at, fields)))
}

/// What the only user's message says.
fn asked(messages: &[Value]) -> Option<String> {
    let of_user = |message: &&Value| message.get("role").and_then(Value::as_str) == Some("user");
    let mut messages = messages.iter().filter(of_user);
    let (Some(message), None) = (messages.next(), messages.next()) else {
        return None;
    };
    message.get("content")?.as_str().map(str::to_owned)
}
