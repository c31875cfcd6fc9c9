//! Turns an HTTP status and the server's message into a [`ScoreError`].

mod filtered;
mod numbers;
mod throttled;
mod too_long;
mod within;

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::address::shown_text;
use super::lenient;
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
    let json = lenient::read(body).ok();
    // Gemini wraps errors in a list.
    let json = json.as_ref().map(|json| match json {
        Value::Array(list) if list.len() == 1 => &list[0],
        other => other,
    });
    explained(number, headers, json, server_message(json, body), scrubber)
}

/// The error that an answer with a success status holds, if it holds one.
pub(super) fn failure_within(
    answer: &Value,
    headers: &KeptHeaders,
    scrubber: &Scrubber,
) -> Option<ScoreError> {
    let (number, error) = within::told(answer)?;
    let message = server_message(Some(error), b"");
    Some(explained(number, headers, Some(error), message, scrubber))
}

fn explained(
    number: u16,
    headers: &KeptHeaders,
    json: Option<&Value>,
    message: String,
    scrubber: &Scrubber,
) -> ScoreError {
    if matches!(number, 413 | 429) && throttled::is_above_rate(json, &message) {
        return ScoreError::Rejected {
            status: number,
            message: scrubber.excerpt(&message, EXCERPT),
        };
    }
    if filtered::is_filtered(number, json, &message) {
        return ScoreError::Filtered {
            message: scrubber.excerpt(&message, EXCERPT),
        };
    }
    if may_concern_length(number)
        && let Some(error) = too_long::too_long(json, &message)
    {
        return error;
    }
    let retry_after = headers
        .get("retry-after")
        .and_then(|value| wait(value, server_time(headers)));
    if number == 429 {
        return ScoreError::RateLimited {
            retry_after: retry_after.or_else(|| throttled::told_wait(&message)),
            message: scrubber.excerpt(&throttled::words(json, message), EXCERPT),
        };
    }
    let message = scrubber.excerpt(&with_parameter(json, message), EXCERPT);
    match number {
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
        // Not implemented: neither will the next attempt be.
        501 | 505 => ScoreError::Rejected {
            status: number,
            message,
        },
        // Timeout, conflict or too early: the next attempt may succeed. So it may where HTTP says
        // success and the body an error of unknown kind.
        200..=299 | 408 | 409 | 425 | 500..=599 => ScoreError::Server {
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
pub(super) fn server_time(headers: &KeptHeaders) -> SystemTime {
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

/// The message with the parameter that it is about, unless it names it.
fn with_parameter(json: Option<&Value>, message: String) -> String {
    let parameter = json.and_then(|json| json.pointer("/error/param")?.as_str());
    match parameter {
        Some(name) if !message.contains(name) && name.len() < 40 => format!("{message} ({name})"),
        _ => message,
    }
}

/// Statuses with which servers refuse a long prompt. Others have a meaning of their own: a request
/// that is too large for a rate limit (429) may pass later.
fn may_concern_length(status: u16) -> bool {
    matches!(status, 400..=499 if ![401, 403, 404, 408, 429].contains(&status))
        || [200, 500].contains(&status)
}

#[cfg(test)]
mod tests {
    use sureness_hint::Hint;

    use super::*;

    fn fail(status: u16, body: &str) -> ScoreError {
        let headers = KeptHeaders::default();
        failure(status, &headers, body.as_bytes(), &Scrubber::default())
    }

    #[test]
    fn too_long_is_recognised_by_fields_and_by_words_wherever_they_stand() {
        let known = |tokens, limit| ScoreError::ContextTooLong { tokens, limit };
        let llama = r#"{"error":{"type":"exceed_context_size_error","message":"request (9 tokens) exceeds","n_prompt_tokens":9,"n_ctx":8}}"#;
        assert_eq!(fail(400, llama), known(Some(9), Some(8)));
        let coded = r#"{"error":{"message":"no","code":"context_length_exceeded"}}"#;
        assert_eq!(fail(413, coded), known(None, None));
        let words = "This model's maximum context length is 8 tokens. However, your prompt contains 9 input tokens.";
        for body in [
            serde_json::json!({"error": {"message": words}}).to_string(),
            serde_json::json!({"error": words, "error_type": "validation"}).to_string(),
            serde_json::json!({"detail": words}).to_string(),
            serde_json::json!({"message": words}).to_string(),
            words.to_owned(),
        ] {
            for status in [400, 413, 422, 500] {
                assert_eq!(
                    fail(status, &body),
                    known(Some(9), Some(8)),
                    "{status} {body}"
                );
            }
            assert_eq!(fail(429, &body).kind(), "rate_limited");
        }
    }

    #[test]
    fn an_error_inside_a_success_keeps_its_words_and_its_kind() {
        let fail = |body: &Value| {
            failure_within(body, &KeptHeaders::default(), &Scrubber::default()).unwrap()
        };
        let said = |error: &Value| serde_json::json!({"error": error});
        for (body, kind) in [
            (said(&"the words".into()), "server"),
            (
                said(&serde_json::json!({"message": "the words", "code": 502})),
                "server",
            ),
            (
                said(&serde_json::json!({"message": "the words", "code": 429})),
                "rate_limited",
            ),
            (
                said(&serde_json::json!({"message": "the words", "type": "invalid_request_error"})),
                "rejected",
            ),
            (
                serde_json::json!({"object": "error", "message": "the words"}),
                "server",
            ),
        ] {
            let error = fail(&body);
            assert_eq!(error.kind(), kind, "{body}");
            assert!(error.to_string().contains("the words"), "{error}");
        }
        let long = fail(&said(&"prompt is too long: 9 tokens > 8 maximum".into()));
        assert_eq!(long.kind(), "context_too_long");
        assert_eq!(
            failure_within(
                &serde_json::json!({"choices": []}),
                &KeptHeaders::default(),
                &Scrubber::default()
            ),
            None
        );
    }

    #[test]
    fn a_request_above_a_limit_of_rate_is_neither_too_long_nor_asked_again() {
        let body = |message: &str| {
            serde_json::json!({"error": {"message": message, "type": "tokens",
                "code": "rate_limit_exceeded"}})
            .to_string()
        };
        for message in [
            "Request too large for model `m` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 7203, please reduce your message size and try again.",
            "Request too large for gpt-x in organization org-1 on tokens per min (TPM): Limit 30000, Requested 35000. The input or output tokens must be reduced in order to run successfully.",
            "Rate limit reached for m on tokens per min (TPM): Limit 6,000, Used 0, Requested 7,203. Please try again in 12s.",
        ] {
            for status in [413, 429] {
                let error = fail(status, &body(message));
                assert_eq!(error.kind(), "rejected", "{status} {message}");
                assert!(!error.is_retryable());
                assert!(error.hint().contains("rate"), "{}", error.hint());
            }
        }
        let passing = "Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 28000, Requested 3500. Please try again in 3s.";
        assert_eq!(
            fail(429, &body(passing)).retry_after(),
            Some(Duration::from_secs(3))
        );
        let proxy = fail(413, "<html>413 Request Entity Too Large</html>");
        assert!(proxy.hint().contains("--shots"), "{}", proxy.hint());
    }

    #[test]
    fn a_429_keeps_the_words() {
        let said = r#"{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","code":"insufficient_quota"}}"#;
        let error = fail(429, said);
        let message = error.to_string();
        assert!(
            message.contains("current quota. (insufficient_quota)"),
            "{message}"
        );
        assert!(
            error.is_fatal() && error.hint().contains("billing"),
            "{error:?}"
        );
        let cooling = r#"{"error":{"message":"No deployments available for selected model, Try again in 5 seconds.","code":"429"}}"#;
        let error = fail(429, cooling);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
        assert!(error.to_string().ends_with("in 5 seconds."), "{error}");
        assert!(!error.is_fatal() && error.hint().contains("--max-retries"));
        assert!(fail(429, "{}").hint().contains("--max-workers"));
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
        assert_eq!(error.retry_after(), retry_after);
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        for status in [408, 409, 425, 429, 500, 502, 503, 504, 529] {
            let error = fail(status, "wait");
            assert!(error.is_retryable() && !error.is_fatal(), "{status}");
        }
        for status in [400, 405, 406, 410, 413, 415, 418, 422, 501, 505] {
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
