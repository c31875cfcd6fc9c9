//! Errors that a server sends in place of an answer, with HTTP 200.

use serde_json::Value;

/// Lists that an answer holds: where one has entries, an error beside it is not the whole story.
const ANSWERS: [&str; 3] = ["choices", "data", "tokens"];

/// What the names of an error say about its status; the first match counts.
const NAMED: [(&[&str], u16); 5] = [
    (&["rate_limit", "too_many_requests", "quota"], 429),
    (
        &["api_key", "authentication", "unauthorized", "permission"],
        401,
    ),
    (&["not_found", "notfound"], 404),
    (&["overloaded", "unavailable"], 503),
    (
        &["invalid", "bad_request", "badrequest", "context_length"],
        400,
    ),
];

/// The status that the error in `answer` stands for, and the error itself; `None` for an answer. An
/// error that tells no status keeps HTTP's, 200.
pub(super) fn told(answer: &Value) -> Option<(u16, &Value)> {
    let answer = match answer {
        // Gemini wraps errors in a list.
        Value::Array(list) => match list.as_slice() {
            [only] => only,
            _ => return None,
        },
        other => other,
    };
    let mut lists = ANSWERS
        .iter()
        .filter_map(|name| answer.get(*name)?.as_array());
    if lists.any(|list| !list.is_empty()) {
        return None;
    }
    let error = match answer.get("error") {
        Some(error) if says_something(error) => error,
        _ if answer.get("object").and_then(Value::as_str) == Some("error") => answer,
        _ => return None,
    };
    Some((status(error), answer))
}

fn says_something(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

fn status(error: &Value) -> u16 {
    let numbers = ["code", "status", "status_code"].iter().filter_map(|name| {
        let number = error.get(*name)?;
        let text = number.as_str().and_then(|text| text.parse().ok());
        number.as_u64().or(text)
    });
    let mut statuses = numbers.filter_map(|number| u16::try_from(number).ok());
    if let Some(status) = statuses.find(|status| (400..600).contains(status)) {
        return status;
    }
    let names = ["code", "type", "status"]
        .iter()
        .filter_map(|name| error.get(*name)?.as_str());
    let names = names.collect::<Vec<_>>().join(" ").to_lowercase();
    let known = NAMED
        .iter()
        .find(|(words, _)| words.iter().any(|word| names.contains(word)));
    known.map_or(200, |(_, status)| *status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_told_from_an_answer() {
        let status = |answer: Value| told(&answer).map(|(status, _)| status);
        for (answer, expected) in [
            (json!({"error": "overloaded"}), Some(200)),
            (json!({"error": {"message": "x"}}), Some(200)),
            (
                json!({"error": {"code": 502, "message": "x"}, "choices": []}),
                Some(502),
            ),
            (json!({"error": {"code": "429", "message": "x"}}), Some(429)),
            (json!({"error": {"type": "insufficient_quota"}}), Some(429)),
            (
                json!({"error": {"code": "invalid_api_key", "type": "invalid_request_error"}}),
                Some(401),
            ),
            (
                json!({"error": {"type": "invalid_request_error"}}),
                Some(400),
            ),
            (
                json!([{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}]),
                Some(400),
            ),
            (
                json!({"object": "error", "code": 40303, "message": "x"}),
                Some(200),
            ),
            (json!({"error": null, "choices": []}), None),
            (json!({"error": "odd", "choices": [{}]}), None),
            (json!({"error": {}}), None),
            (json!([]), None),
            (json!("error"), None),
        ] {
            assert_eq!(status(answer.clone()), expected, "{answer}");
        }
    }
}
