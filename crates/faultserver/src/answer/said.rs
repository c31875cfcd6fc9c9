//! Answers in words, drawn from the model's probabilities of the letters.

use serde_json::{Value, json};

use super::{Route, Wanted, Work};
use crate::chance::unit;
use crate::model::{letters, words};
use crate::script::{Healthy, Words};

/// How an answer may put a letter.
const DRESSES: [(&str, &str); 8] = [
    ("", ""),
    ("(", ")"),
    ("**", "**"),
    ("The answer is ", "."),
    ("Answer: ", ""),
    ("\\boxed{", "}"),
    ("Option ", " is right."),
    ("The correct answer is (", ")."),
];
/// How an answer to an open question may be put.
const OPEN_DRESSES: [(&str, &str); 5] = [
    ("", ""),
    ("", "."),
    ("**", "**"),
    ("Answer: ", ""),
    ("", "\n\nThis is what I remember."),
];
const THOUGHT: &str =
    "The first option looks plausible, but let me compare all of them before I settle.";
const REFUSAL: &str = "I'm sorry, but I can't help with that.";
const UNREADABLE: &str = "That depends on how one looks at it.";

/// One answer.
struct Said {
    text: String,
    thought: Option<&'static str>,
    tokens: usize,
    /// Log-probability of each token, the same for all.
    logprob: f64,
}

fn say(server: &Healthy, said: &Words, prompt: &str, number: u64, index: u64) -> Said {
    let draw = |purpose: &[u8]| {
        let (number, index) = (number.to_le_bytes(), index.to_le_bytes());
        unit(&[prompt.as_bytes(), &number, &index, purpose])
    };
    let outcome = draw(b"outcome");
    let text = if outcome < said.refusals {
        REFUSAL.to_owned()
    } else if outcome < said.refusals + said.unreadable {
        UNREADABLE.to_owned()
    } else if let Some(saying) =
        (server.open.as_ref()).and_then(|open| open.at(prompt, draw(b"saying"), draw(b"spelling")))
    {
        let (before, after) = OPEN_DRESSES[(draw(b"dress") * OPEN_DRESSES.len() as f64) as usize];
        format!("{before}{saying}{after}")
    } else {
        let letter = letter(server, prompt, draw(b"letter"));
        let (before, after) = DRESSES[(draw(b"dress") * DRESSES.len() as f64) as usize];
        format!("{before}{letter}{after}")
    };
    let thought = (draw(b"thought") < said.thoughts).then_some(THOUGHT);
    let tokens = words(&text) + thought.map_or(0, words);
    Said {
        logprob: -(draw(b"logprob") + text.len() as f64 / 40.0),
        text,
        thought,
        tokens,
    }
}

/// The letter at this place of the distribution over those that a question offers.
fn letter(server: &Healthy, prompt: &str, place: f64) -> char {
    let all = letters(server, prompt);
    let offered = server.offered(prompt);
    let total: f64 = all[..offered].iter().map(|logprob| logprob.exp()).sum();
    let mut below = 0.0;
    for (letter, logprob) in ('A'..).zip(&all[..offered]) {
        below += logprob.exp() / total;
        if place < below {
            return letter;
        }
    }
    'A'
}

/// The answer to a request for words.
pub(super) fn said(
    server: &Healthy,
    said: &Words,
    wanted: &Wanted,
    work: &[Work],
    number: u64,
) -> Value {
    let each = |(place, work): (usize, &Work)| {
        let first = place as u64 * wanted.n;
        let answers = first..first + wanted.n;
        answers
            .map(|index| say(server, said, &work.prompt, number, index))
            .collect::<Vec<_>>()
    };
    let all: Vec<Said> = work.iter().enumerate().flat_map(each).collect();
    let tokens: usize = all.iter().map(|said| said.tokens).sum();
    let prompt: usize = work.iter().map(|work| work.words).sum();
    let cached: usize = work.iter().map(|work| work.cached).sum();
    match wanted.route {
        Route::Responses => responses(server, &all, prompt, cached, tokens),
        Route::Messages => messages(server, &all, prompt, cached, tokens),
        route => json!({
            "id": "cmpl-1", "created": 0, "model": server.model,
            "choices": choices(&all, route, wanted.top.is_some() && server.logprobs),
            "usage": {
                "prompt_tokens": prompt, "completion_tokens": tokens,
                "total_tokens": prompt + tokens,
                "prompt_tokens_details": {"cached_tokens": cached},
            },
        }),
    }
}

fn choices(all: &[Said], route: Route, logprobs: bool) -> Vec<Value> {
    let numbered = all.iter().enumerate();
    let of_tokens = |said: &Said| match route {
        _ if !logprobs => Value::Null,
        Route::Chat => json!({"content": vec![json!({"logprob": said.logprob}); said.tokens]}),
        _ => json!({"token_logprobs": vec![said.logprob; said.tokens]}),
    };
    let choice = |(index, said): (usize, &Said)| match route {
        Route::Chat => {
            let text = match said.thought {
                Some(thought) => format!("<think>\n{thought}\n</think>\n\n{}", said.text),
                None => said.text.clone(),
            };
            json!({
                "index": index, "finish_reason": "stop", "logprobs": of_tokens(said),
                "message": {"role": "assistant", "content": text},
            })
        }
        _ => json!({
            "index": index, "finish_reason": "stop", "logprobs": of_tokens(said),
            "text": format!(" {}", said.text),
        }),
    };
    numbered.map(choice).collect()
}

fn responses(server: &Healthy, all: &[Said], prompt: usize, cached: usize, tokens: usize) -> Value {
    let mut output = Vec::new();
    for said in all {
        if let Some(thought) = said.thought {
            output.push(json!({
                "type": "reasoning", "summary": [{"type": "summary_text", "text": thought}],
            }));
        }
        output.push(json!({
            "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": said.text, "annotations": []}],
        }));
    }
    json!({
        "id": "resp-1", "object": "response", "status": "completed", "model": server.model,
        "output": output,
        "usage": {
            "input_tokens": prompt, "output_tokens": tokens, "total_tokens": prompt + tokens,
            "input_tokens_details": {"cached_tokens": cached},
        },
    })
}

fn messages(server: &Healthy, all: &[Said], prompt: usize, cached: usize, tokens: usize) -> Value {
    let mut content = Vec::new();
    for said in all {
        if let Some(thought) = said.thought {
            content.push(json!({"type": "thinking", "thinking": thought, "signature": ""}));
        }
        content.push(json!({"type": "text", "text": said.text}));
    }
    json!({
        "id": "msg-1", "type": "message", "role": "assistant", "model": server.model,
        "content": content, "stop_reason": "end_turn",
        "usage": {
            "input_tokens": prompt - cached, "cache_read_input_tokens": cached,
            "output_tokens": tokens,
        },
    })
}
