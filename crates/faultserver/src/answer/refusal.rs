//! Errors in the shapes and roughly the words of real servers.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::script::{Dialect, RetryAfter};
use crate::wire::Reply;

/// An error body: `kinds` are the types that vLLM and llama.cpp give it.
fn error(dialect: Dialect, status: u16, kinds: [&str; 2], message: &str) -> Reply {
    let kind = match dialect {
        Dialect::Vllm => kinds[0],
        Dialect::LlamaCpp => kinds[1],
    };
    let body = json!({"error": {"message": message, "type": kind, "code": status}});
    Reply::json(status, &body)
}

const BAD: [&str; 2] = ["BadRequestError", "invalid_request_error"];
const MISSING: [&str; 2] = ["NotFoundError", "not_found_error"];
const BROKEN: [&str; 2] = ["InternalServerError", "server_error"];

pub(super) fn bad_request(dialect: Dialect, message: &str) -> Reply {
    error(dialect, 400, BAD, message)
}

pub(super) fn unauthorised(dialect: Dialect) -> Reply {
    match dialect {
        Dialect::Vllm => Reply::json(401, &json!({"error": "Unauthorized"})),
        Dialect::LlamaCpp => error(
            dialect,
            401,
            ["", "authentication_error"],
            "Invalid API Key",
        ),
    }
}

pub(super) fn no_such_route(dialect: Dialect) -> Reply {
    match dialect {
        Dialect::Vllm => Reply::json(404, &json!({"detail": "Not Found"})),
        Dialect::LlamaCpp => error(dialect, 404, MISSING, "File Not Found"),
    }
}

pub(super) fn wrong_method(dialect: Dialect) -> Reply {
    match dialect {
        Dialect::Vllm => Reply::json(405, &json!({"detail": "Method Not Allowed"})),
        Dialect::LlamaCpp => no_such_route(dialect),
    }
}

pub(super) fn no_such_model(dialect: Dialect, name: &str) -> Reply {
    let message = format!("The model `{name}` does not exist.");
    error(dialect, 404, MISSING, &message)
}

pub(super) fn too_many_logprobs(dialect: Dialect, asked: u64, most: u64) -> Reply {
    let message =
        format!("Requested sample logprobs of {asked}, which is greater than max allowed: {most}");
    error(dialect, 400, BAD, &message)
}

pub(super) fn too_long(dialect: Dialect, words: usize, limit: usize) -> Reply {
    match dialect {
        Dialect::Vllm => bad_request(
            dialect,
            &format!(
                "This model's maximum context length is {limit} tokens. However, your prompt \
                 contains {words} input tokens."
            ),
        ),
        Dialect::LlamaCpp => Reply::json(
            400,
            &json!({"error": {
                "code": 400,
                "message": format!("request ({words} tokens) exceeds the available context size ({limit} tokens)"),
                "type": "exceed_context_size_error",
                "n_prompt_tokens": words,
                "n_ctx": limit,
            }}),
        ),
    }
}

/// HTTP 400 of a filter that judges the prompt, as Azure's does.
pub(crate) fn content_filter() -> Reply {
    let kind = |filtered, severity| json!({"filtered": filtered, "severity": severity});
    let body = json!({"error": {
        "message": "The prompt was blocked by the content management policy of this deployment.",
        "type": null, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "hate": kind(false, "safe"), "violence": kind(true, "medium"),
            },
        },
    }});
    Reply::json(400, &body)
}

/// HTTP 429.
pub(crate) fn too_many(dialect: Dialect, retry_after: RetryAfter) -> Reply {
    let kinds = ["RateLimitError", "rate_limit_error"];
    let reply = error(dialect, 429, kinds, "Too many requests.");
    with_retry_after(reply, retry_after)
}

/// HTTP 503 while the model loads.
pub(crate) fn loading(retry_after: RetryAfter) -> Reply {
    let kinds = ["", "unavailable_error"];
    let reply = error(Dialect::LlamaCpp, 503, kinds, "Loading model");
    with_retry_after(reply, retry_after)
}

/// Any other failure.
pub(crate) fn failed(dialect: Dialect, status: u16, message: &str) -> Reply {
    let kinds = if status < 500 { BAD } else { BROKEN };
    error(dialect, status, kinds, message)
}

fn with_retry_after(reply: Reply, retry_after: RetryAfter) -> Reply {
    let value = match retry_after {
        RetryAfter::None => return reply,
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::DateIn(seconds) => {
            let wait = Duration::from_secs(seconds);
            let now = SystemTime::now();
            httpdate::fmt_http_date(now.checked_add(wait).unwrap_or(now))
        }
    };
    reply.with("retry-after", value)
}
