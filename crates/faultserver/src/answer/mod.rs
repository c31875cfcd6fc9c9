//! Answers of a healthy server, and faults in their text.

mod body;
mod refusal;
mod said;
mod shape;
mod spoil;
mod unsaid;
mod wanted;

pub(crate) use refusal::{content_filter, failed, loading, too_many};
pub(crate) use spoil::spoil;
pub(crate) use wanted::{Route, Wanted};

use std::sync::Arc;

use serde_json::{Value, json};

use crate::asked::{Asked, Key};
use crate::log::Tokens;
use crate::script::{Dialect, Fault, Healthy};
use crate::wire::{Reply, Request};

/// A prompt, its number of words and the number of them in the prefix cache.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) prompt: Arc<str>,
    pub(crate) words: usize,
    pub(crate) cached: usize,
}

/// The immediate response of a healthy server: a refusal, or an answer that takes no model. `None`
/// if there are prompts to score.
pub(crate) fn at_once(
    server: &Healthy,
    request: &Request,
    wanted: &Wanted,
    key: Key,
) -> Option<Reply> {
    let route = wanted.route;
    if server.key.is_some() && key != Key::Right && route != Route::Health {
        return Some(refusal::unauthorised(server.dialect));
    }
    if route == Route::Unknown {
        return Some(refusal::no_such_route(server.dialect));
    }
    if request.method != route.method() {
        return Some(refusal::wrong_method(server.dialect));
    }
    match route {
        Route::Models => Some(Reply::json(200, &body::models(server))),
        Route::Props => Some(Reply::json(200, &body::props(server))),
        Route::Health => Some(Reply::json(200, &json!({"status": "ok"}))),
        Route::Responses | Route::Messages if server.words.is_none() => {
            Some(refusal::no_such_route(server.dialect))
        }
        Route::Completions | Route::Chat | Route::Native | Route::Responses | Route::Messages => {
            refused(server, request, wanted)
        }
        Route::Unknown => None,
    }
}

fn refused(server: &Healthy, request: &Request, wanted: &Wanted) -> Option<Reply> {
    let dialect = server.dialect;
    let Some(body) = &request.body else {
        return Some(refusal::bad_request(dialect, "the body is not JSON"));
    };
    let named = body.get("model").and_then(Value::as_str);
    if let Some(named) = named
        && server.check_model
        && named != server.model
    {
        return Some(refusal::no_such_model(dialect, named));
    }
    if wanted.prompts.is_empty() {
        return Some(refusal::bad_request(dialect, "there is no prompt"));
    }
    if wanted.is_list && !server.lists {
        return Some(refusal::bad_request(dialect, "the prompt must be one text"));
    }
    if let (Some(top), Some(most)) = (wanted.top, server.max_logprobs)
        && server.logprobs
        && top > most
    {
        return Some(refusal::too_many_logprobs(dialect, top, most));
    }
    let most = server.words.as_ref().and_then(|words| words.at_once);
    if let Some(most) = most.filter(|most| wanted.n > *most) {
        let message = format!("n cannot be greater than the number of slots, {most}");
        return Some(refusal::bad_request(dialect, &message));
    }
    let limit = server.context_words?;
    let words = wanted
        .prompts
        .iter()
        .map(|prompt| crate::model::words(prompt));
    let longest = words.max().unwrap_or(0);
    (longest > limit).then(|| refusal::too_long(dialect, longest, limit))
}

/// The answer to prompts: scores, or words, which are drawn by the request's number or repeats. `fault`
/// may be what becomes of words.
pub(crate) fn answer(
    server: &Healthy,
    wanted: &Wanted,
    work: &[Work],
    asked: &Asked,
    fault: Option<&Fault>,
) -> Value {
    let is_open = |open: &crate::script::Sayings| {
        let place = |work: &Work| open.at(&work.prompt, 0.0, 0.0).is_some();
        work.iter().any(place)
    };
    let in_words = wanted.top.is_none() || server.open.as_ref().is_some_and(is_open);
    if let Some(words) = server.words.as_ref().filter(|_| in_words) {
        let unsaid = match fault {
            Some(Fault::Unsaid { how }) => Some(*how),
            _ => None,
        };
        let number = if words.by_repeat {
            asked.repeats
        } else {
            asked.number
        };
        return said::said(server, words, wanted, work, number, unsaid);
    }
    match (wanted.route, server.dialect) {
        (Route::Native, _) => body::native(server, wanted, work),
        (Route::Chat, _) => body::chat(server, wanted, work),
        (_, Dialect::LlamaCpp) => body::completions(server, wanted, work, body::content_shape),
        (_, Dialect::Vllm) => body::completions(server, wanted, work, body::legacy_shape),
    }
}

/// The token counts that an answer tells, in any protocol's names.
pub(crate) fn tokens_in(answer: &Value) -> Tokens {
    let count = |path: &str| answer.pointer(path).and_then(Value::as_u64);
    let apart = count("/usage/cache_read_input_tokens");
    let prompt = count("/usage/prompt_tokens").or_else(|| count("/usage/input_tokens"));
    let answer = count("/usage/completion_tokens").or_else(|| count("/usage/output_tokens"));
    let cached = ["prompt", "input"].iter().find_map(|name| {
        let path = format!("/usage/{name}_tokens_details/cached_tokens");
        count(&path)
    });
    Tokens {
        prompt: prompt.unwrap_or(0) + apart.unwrap_or(0),
        cached: apart.or(cached).unwrap_or(0),
        answer: answer.unwrap_or(0),
    }
}
