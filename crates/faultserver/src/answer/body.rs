//! Good answers as JSON.

use serde_json::{Map, Value, json};

use super::{Wanted, Work};
use crate::model::{Token, top_tokens};
use crate::script::Healthy;

pub(super) fn models(server: &Healthy) -> Value {
    let limit = server.context_words;
    let mut list = json!({"object": "list", "data": [{
        "id": server.model, "object": "model", "owned_by": "faultserver",
        "root": server.model, "max_model_len": limit,
    }]});
    // Whoever takes any name says so, as proxies do.
    if let (false, Some(entries)) = (server.check_model, list["data"].as_array_mut()) {
        entries.push(json!({"id": "*", "object": "model"}));
    }
    list
}

/// llama.cpp's description of itself, as far as a client can use it.
pub(super) fn props(server: &Healthy) -> Value {
    json!({
        "default_generation_settings": {"n_ctx": server.context_words},
        "model_path": server.model,
        "chat_template": "{% for message in messages %}{{ message['content'] }}{% endfor %}",
        "bos_token": "<s>",
        "eos_token": "</s>",
    })
}

/// The best token and, where they are asked for, the most probable ones.
fn tokens(
    server: &Healthy,
    wanted: &Wanted,
    prompt: &str,
    space: bool,
) -> (Token, Option<Vec<Token>>) {
    let top = wanted.top.filter(|_| server.logprobs);
    let count = usize::try_from(top.unwrap_or(0)).unwrap_or(usize::MAX);
    let mut tokens = top_tokens(server, prompt, count.max(1), space);
    let best = tokens[0].clone();
    tokens.truncate(count);
    (best, top.map(|_| tokens))
}

/// `{"tokens": […], "token_logprobs": […], "top_logprobs": [{text: value}]}`
pub(super) fn legacy_shape(best: &Token, top: &[Token]) -> Value {
    let listed: Map<String, Value> = top
        .iter()
        .map(|token| (token.text.clone(), token.logprob.into()))
        .collect();
    json!({
        "text_offset": [0],
        "tokens": [best.text],
        "token_logprobs": [best.logprob],
        "top_logprobs": [listed],
    })
}

/// `{"content": [{"token", "logprob", "top_logprobs": […]}]}`
pub(super) fn content_shape(best: &Token, top: &[Token]) -> Value {
    json!({"content": [position(best, top)]})
}

fn position(best: &Token, top: &[Token]) -> Value {
    let mut position = entry(best);
    position["top_logprobs"] = top.iter().map(entry).collect();
    position
}

fn entry(token: &Token) -> Value {
    let bytes = token.text.as_bytes();
    json!({"id": token.id, "token": token.text, "bytes": bytes, "logprob": token.logprob})
}

pub(super) fn completions(
    server: &Healthy,
    wanted: &Wanted,
    work: &[Work],
    shape: fn(&Token, &[Token]) -> Value,
) -> Value {
    let choices: Vec<Value> = work
        .iter()
        .enumerate()
        .map(|(index, work)| {
            let (best, top) = tokens(server, wanted, &work.prompt, true);
            json!({
                "index": index,
                "text": best.text,
                "logprobs": top.map(|top| shape(&best, &top)),
                "finish_reason": "length",
            })
        })
        .collect();
    whole(server, "text_completion", &choices, work)
}

pub(super) fn chat(server: &Healthy, wanted: &Wanted, work: &[Work]) -> Value {
    let choices: Vec<Value> = work
        .iter()
        .enumerate()
        .map(|(index, work)| {
            let (best, top) = tokens(server, wanted, &work.prompt, false);
            json!({
                "index": index,
                "message": {"role": "assistant", "content": best.text},
                "logprobs": top.map(|top| content_shape(&best, &top)),
                "finish_reason": "length",
            })
        })
        .collect();
    whole(server, "chat.completion", &choices, work)
}

fn whole(server: &Healthy, object: &str, choices: &[Value], work: &[Work]) -> Value {
    let mut body = json!({
        "id": "cmpl-1", "object": object, "created": 0, "model": server.model, "choices": choices,
    });
    if server.usage {
        let prompt: usize = work.iter().map(|work| work.words).sum();
        let cached: usize = work.iter().map(|work| work.cached).sum();
        body["usage"] = json!({
            "prompt_tokens": prompt,
            "completion_tokens": work.len(),
            "total_tokens": prompt + work.len(),
            "prompt_tokens_details": {"cached_tokens": cached},
        });
    }
    body
}

/// llama.cpp's own shape: one object, or a list of them for a list of prompts.
pub(super) fn native(server: &Healthy, wanted: &Wanted, work: &[Work]) -> Value {
    let mut answers: Vec<Value> = work
        .iter()
        .enumerate()
        .map(|(index, work)| {
            let (best, top) = tokens(server, wanted, &work.prompt, true);
            let mut answer = json!({"index": index, "content": best.text, "model": server.model});
            if server.usage {
                answer["tokens_evaluated"] = work.words.into();
                answer["timings"] =
                    json!({"cache_n": work.cached, "prompt_n": work.words - work.cached});
            }
            if let Some(top) = top {
                answer["completion_probabilities"] = json!([position(&best, &top)]);
            }
            answer
        })
        .collect();
    if wanted.is_list {
        answers.into()
    } else {
        answers.pop().unwrap_or_default()
    }
}
