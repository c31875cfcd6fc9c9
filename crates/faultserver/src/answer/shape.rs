//! Answers in words as JSON, in the shape of each protocol.

use serde_json::{Value, json};

use super::said::{End, Said};
use super::{Route, Wanted, Work};
use crate::script::Healthy;

/// Token counts of a response.
struct Counts {
    prompt: usize,
    cached: usize,
    answer: usize,
}

/// The response with these answers, or with none of them where they are withheld.
pub(super) fn shaped(
    server: &Healthy,
    wanted: &Wanted,
    work: &[Work],
    all: &[Said],
    withheld: bool,
) -> Value {
    let counts = Counts {
        prompt: work.iter().map(|work| work.words).sum(),
        cached: work.iter().map(|work| work.cached).sum(),
        answer: all.iter().map(|said| said.tokens).sum(),
    };
    let given = if withheld { &[] } else { all };
    match wanted.route {
        Route::Responses => responses(server, given, &counts),
        Route::Messages => messages(server, given, &counts),
        route => json!({
            "id": "cmpl-1", "created": 0, "model": server.model,
            "choices": choices(given, route, wanted.top.is_some() && server.logprobs),
            "usage": {
                "prompt_tokens": counts.prompt, "completion_tokens": counts.answer,
                "total_tokens": counts.prompt + counts.answer,
                "prompt_tokens_details": {"cached_tokens": counts.cached},
            },
        }),
    }
}

fn choices(all: &[Said], route: Route, logprobs: bool) -> Vec<Value> {
    let choice = |(index, said): (usize, &Said)| {
        let mut choice = json!({
            "index": index, "finish_reason": finish_reason(said.end),
            "logprobs": if logprobs { logprobs_of(said, route) } else { Value::Null },
        });
        match route {
            Route::Chat => choice["message"] = message(said),
            _ => choice["text"] = completion(said).into(),
        }
        if said.end == End::Broken {
            choice["error"] = json!({"code": 502, "message": "the upstream died"});
        }
        choice
    };
    all.iter().enumerate().map(choice).collect()
}

fn finish_reason(end: End) -> &'static str {
    match end {
        End::Whole | End::Refused => "stop",
        End::Cut => "length",
        End::Filtered => "content_filter",
        End::Broken => "error",
    }
}

fn logprobs_of(said: &Said, route: Route) -> Value {
    match route {
        Route::Chat => json!({"content": vec![json!({"logprob": said.logprob}); said.tokens]}),
        _ => json!({"token_logprobs": vec![said.logprob; said.tokens]}),
    }
}

/// A completion shows its thought where it never ends; else the model thinks in chats alone.
fn completion(said: &Said) -> String {
    match &said.thought {
        Some(thought) if said.end == End::Cut => format!("<think>\n{thought}"),
        _ if said.text.is_empty() => String::new(),
        _ => format!(" {}", said.text),
    }
}

/// A chat's message: a thought stands in the text between its marks, or, where it never ends, apart.
fn message(said: &Said) -> Value {
    let mut message = json!({"role": "assistant", "content": said.text});
    match (&said.thought, said.end) {
        (_, End::Refused) => {
            message["content"] = Value::Null;
            message["refusal"] = said.text.as_str().into();
        }
        (Some(thought), End::Cut) => {
            message["content"] = Value::Null;
            message["reasoning_content"] = thought.as_str().into();
        }
        (Some(thought), _) => {
            message["content"] = format!("<think>\n{thought}\n</think>\n\n{}", said.text).into();
        }
        (None, _) => {}
    }
    message
}

fn responses(server: &Healthy, all: &[Said], counts: &Counts) -> Value {
    let end = all.first().map_or(End::Whole, |said| said.end);
    let (status, reason) = match end {
        End::Whole | End::Refused => ("completed", Value::Null),
        End::Cut => ("incomplete", json!({"reason": "max_output_tokens"})),
        End::Filtered => ("incomplete", json!({"reason": "content_filter"})),
        End::Broken => ("failed", Value::Null),
    };
    let broken = json!({"code": "server_error", "message": "the upstream died"});
    json!({
        "id": "resp-1", "object": "response", "status": status, "model": server.model,
        "incomplete_details": reason,
        "error": if end == End::Broken { broken } else { Value::Null },
        "output": all.iter().flat_map(items).collect::<Vec<_>>(),
        "usage": {
            "input_tokens": counts.prompt, "output_tokens": counts.answer,
            "total_tokens": counts.prompt + counts.answer,
            "input_tokens_details": {"cached_tokens": counts.cached},
        },
    })
}

/// The items of one answer: its thought, then its message.
fn items(said: &Said) -> Vec<Value> {
    let thought = said.thought.as_ref().map(|thought| {
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": thought}]})
    });
    let content = match said.end {
        End::Refused => json!({"type": "refusal", "refusal": said.text}),
        _ => json!({"type": "output_text", "text": said.text, "annotations": []}),
    };
    let message = json!({"type": "message", "role": "assistant", "content": [content]});
    let is_said = match said.end {
        End::Filtered | End::Broken => false,
        End::Cut => !said.text.is_empty(),
        End::Whole | End::Refused => true,
    };
    thought
        .into_iter()
        .chain(is_said.then_some(message))
        .collect()
}

fn messages(server: &Healthy, all: &[Said], counts: &Counts) -> Value {
    let end = all.first().map_or(End::Whole, |said| said.end);
    if end == End::Broken {
        let error = json!({"type": "overloaded_error", "message": "Overloaded"});
        return json!({"type": "error", "error": error});
    }
    let refused = matches!(end, End::Refused | End::Filtered);
    let stop_reason = match end {
        End::Cut => "max_tokens",
        _ if refused => "refusal",
        _ => "end_turn",
    };
    let details = json!({"type": "refusal", "category": null, "explanation": null});
    json!({
        "id": "msg-1", "type": "message", "role": "assistant", "model": server.model,
        "content": all.iter().flat_map(blocks).collect::<Vec<_>>(),
        "stop_reason": stop_reason, "stop_details": if refused { details } else { Value::Null },
        "usage": {
            "input_tokens": counts.prompt - counts.cached,
            "cache_read_input_tokens": counts.cached, "output_tokens": counts.answer,
        },
    })
}

/// The blocks of one answer: its thought, then its text.
fn blocks(said: &Said) -> Vec<Value> {
    let thought = said.thought.as_ref();
    let thought =
        thought.map(|thought| json!({"type": "thinking", "thinking": thought, "signature": ""}));
    let text = json!({"type": "text", "text": said.text});
    thought
        .into_iter()
        .chain((!said.text.is_empty()).then_some(text))
        .collect()
}
