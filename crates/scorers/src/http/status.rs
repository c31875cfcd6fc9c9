//! Turns an HTTP status and the server's message into a [`ScoreError`].

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::address::shown_text;
use super::secret::Scrubber;
use super::wire::KeptHeaders;
use crate::ScoreError;

/// Maximum characters kept of a server's message.
pub(super) const EXCERPT: usize = 300;

/// The error that an unsuccessful response stands for.
pub(super) fn failure(
    number: u16,
    headers: &KeptHeaders,
    body: &[u8],
    scrubber: &Scrubber,
) -> ScoreError {
    let json = serde_json::from_slice::<Value>(body).ok();
    if let Some(error) = json.as_ref().and_then(|json| {
        let client_error = (400..500).contains(&number);
        client_error.then(|| too_long(json)).flatten()
    }) {
        return error;
    }
    let message = scrubber.excerpt(&server_message(json.as_ref(), body), EXCERPT);
    let retry_after = headers
        .get("retry-after")
        .and_then(|value| wait(value, server_time(headers)));
    match number {
        429 => ScoreError::RateLimited { retry_after },
        401 | 403 => ScoreError::Unauthorized {
            status: number,
            message,
        },
        404 => ScoreError::NotFound { message },
        300..=399 => {
            let target = headers.get("location").unwrap_or("an unnamed address");
            let target = scrubber.excerpt(&shown_text(target), EXCERPT);
            ScoreError::Rejected {
                status: number,
                message: format!("it redirects to {target}, and redirects are not followed"),
            }
        }
        // Timeout, conflict or too early: the next attempt may succeed.
        408 | 409 | 425 | 500..=599 => ScoreError::Server {
            status: number,
            retry_after,
            message,
        },
        _ => ScoreError::Rejected {
            status: number,
            message,
        },
    }
}

/// The server's time, to which its dates refer: our clock may be wrong, or jump.
fn server_time(headers: &KeptHeaders) -> SystemTime {
    let date = headers.get("date").map(httpdate::parse_http_date);
    date.and_then(Result::ok).unwrap_or_else(SystemTime::now)
}

/// `Retry-After`: seconds or an HTTP date; a date in the past means now.
fn wait(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = httpdate::parse_http_date(value).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}

/// The server's message, in any of its usual places.
fn server_message(json: Option<&Value>, body: &[u8]) -> String {
    let found = json.and_then(|json| {
        ["/error/message", "/error", "/message", "/detail"]
            .iter()
            .find_map(|path| json.pointer(path))
    });
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None if body.is_empty() => "no message".to_owned(),
        None => String::from_utf8_lossy(body).into_owned(),
    }
}

/// An error about the prompt's length, as llama.cpp's server, vLLM and `OpenAI` word it.
fn too_long(json: &Value) -> Option<ScoreError> {
    let error = json.get("error").unwrap_or(json);
    let number = |field: &str| {
        let value = error.get(field).and_then(Value::as_u64);
        value.and_then(|n| u32::try_from(n).ok())
    };
    let text = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("type") == "exceed_context_size_error" {
        return Some(ScoreError::ContextTooLong {
            tokens: number("n_prompt_tokens"),
            limit: number("n_ctx"),
        });
    }
    let message = text("message").to_lowercase();
    if let Some((_, rest)) = message.split_once("maximum context length") {
        // "… is 4096 tokens. However, your prompt contains 4160 input tokens …"
        let mut numbers = rest
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok());
        let limit = numbers.next();
        let tokens = numbers.next();
        return Some(ScoreError::ContextTooLong { tokens, limit });
    }
    (text("code") == "context_length_exceeded").then_some(ScoreError::ContextTooLong {
        tokens: None,
        limit: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(status: u16, body: &str) -> ScoreError {
        let headers = KeptHeaders::default();
        failure(status, &headers, body.as_bytes(), &Scrubber::default())
    }

    #[test]
    fn every_wording_of_too_long_is_known() {
        let known = |tokens, limit| ScoreError::ContextTooLong { tokens, limit };
        let llama = r#"{"error":{"type":"exceed_context_size_error","message":"request (9 tokens) exceeds","n_prompt_tokens":9,"n_ctx":8}}"#;
        assert_eq!(fail(400, llama), known(Some(9), Some(8)));
        let openai = r#"{"error":{"message":"This model's maximum context length is 4097 tokens. However, your messages resulted in 4160 tokens. Please reduce them.","code":"context_length_exceeded"}}"#;
        assert_eq!(fail(400, openai), known(Some(4160), Some(4097)));
        let bare = r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#;
        assert_eq!(fail(413, bare), known(None, None));
        let other = r#"{"error":{"message":"Requested sample logprobs of 100, which is greater than max allowed: 20"}}"#;
        assert!(matches!(
            fail(400, other),
            ScoreError::Rejected { status: 400, .. }
        ));
    }

    #[test]
    fn the_words_are_found_wherever_they_stand() {
        for body in [
            r#"{"error":{"message":"no"}}"#,
            r#"{"error":"no"}"#,
            r#"{"message":"no"}"#,
            r#"{"detail":"no"}"#,
            "no",
        ] {
            let message = "no".to_owned();
            assert_eq!(fail(404, body), ScoreError::NotFound { message }, "{body}");
        }
        let ScoreError::Rejected { message, .. } = fail(418, &"x".repeat(5000)) else {
            panic!("not a rejection");
        };
        assert_eq!(message.chars().count(), EXCERPT + 1);
    }

    #[test]
    fn a_date_is_meant_by_the_server_s_clock() {
        let mut headers = KeptHeaders::default();
        // A server that lives in the past.
        headers.keep("Retry-After", b"Tue, 24 Nov 1998 14:41:47 GMT");
        headers.keep_date(Some(b"Tue, 24 Nov 1998 14:41:40 GMT"));
        let error = failure(429, &headers, b"", &Scrubber::default());
        let retry_after = Some(Duration::from_secs(7));
        assert_eq!(error, ScoreError::RateLimited { retry_after });
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        for status in [408, 409, 425, 429, 500, 502, 503, 504, 529] {
            let error = fail(status, "wait");
            assert!(error.is_retryable() && !error.is_fatal(), "{status}");
        }
        for status in [400, 405, 406, 410, 413, 415, 418, 422] {
            assert!(!fail(status, "no").is_retryable(), "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Tue, 24 Nov 2026 14:41:40 GMT").unwrap();
        let seconds = |value| wait(value, now).map(|d| d.as_millis());
        assert_eq!(seconds("7"), Some(7000));
        assert_eq!(seconds("1.5"), Some(1500));
        assert_eq!(seconds("Tue, 24 Nov 2026 14:42:00 GMT"), Some(20_000));
        assert_eq!(seconds("Tue, 24 Nov 2026 14:00:00 GMT"), Some(0));
        for bad in ["", "-1", "soon", "NaN", "1e300"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
