//! Reads lists of tokens from a server's JSON, in every shape that servers use.
//!
//! On either route a choice may carry its log-probabilities in the *legacy* shape
//! (`{"tokens", "token_logprobs", "top_logprobs": [{" A": -1.1, …}]}`), in the *chat* shape
//! (`{"content": [{"token", "bytes", "logprob", "top_logprobs": […]}]}`) or, from llama.cpp's
//! own routes, as `completion_probabilities`; `SGLang`'s own route has them in `meta_info`. The
//! route does not determine the shape, so all are tried.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::lenient;
use super::secret::Scrubber;
use super::status::failure_within;
use super::tokens::{TopToken, with_sampled};
use super::wire::KeptHeaders;
use crate::said::End;
use crate::{ScoreError, Usage};

type Tokens<'a> = Vec<TopToken<'a>>;

/// The answer to one prompt, as the server wrote it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    /// The prompt of a list that it answers, from 0.
    pub(super) index: Option<u64>,
    body: &'a Value,
}

/// Characters of an answer without scores in which a reason is looked for.
const SHOWN_OF_BODY: usize = 4096;

/// Fields of an answer on llama.cpp's and `SGLang`'s own routes.
const OWN_SHAPES: [&str; 2] = ["completion_probabilities", "meta_info"];

/// The answers in a response, in the server's order.
pub(super) fn choices(response: &Value) -> Result<Vec<Choice<'_>>, ScoreError> {
    let list = match response {
        Value::Array(list) => list.as_slice(),
        Value::Object(fields) => match fields.get("choices") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(repeated) if lenient::values(repeated).len() > 1 => {
                return Err(malformed("the answer has `choices` more than once"));
            }
            Some(_) => return Err(unanswered("`choices` is not a list", response)),
            None if OWN_SHAPES.iter().any(|name| fields.contains_key(*name)) => {
                std::slice::from_ref(response)
            }
            None => return Err(unanswered("the answer has no `choices`", response)),
        },
        _ => return Err(unanswered("the answer is not an object", response)),
    };
    let numbered = list.iter().enumerate().map(|(place, body)| {
        let index = body.get("index").and_then(Value::as_u64);
        // `SGLang` lists answers in the order of the prompts, without numbers.
        let in_order = meta_info(body).map(|_| place as u64);
        Choice {
            index: index.or(in_order),
            body,
        }
    });
    Ok(numbered.collect())
}

/// The answer to the only prompt of a request.
pub(super) fn only_choice(response: &Value) -> Result<Choice<'_>, ScoreError> {
    match choices(response)?.as_slice() {
        [choice] => Ok(*choice),
        other => Err(malformed(&format!(
            "{} choices for one prompt",
            other.len()
        ))),
    }
}

/// The answers to a list of `prompts` prompts, matched by `index`. A prompt whose answer is
/// missing or comes twice fails alone.
pub(super) fn matched_choices(
    response: &Value,
    prompts: usize,
) -> Result<Vec<Result<Choice<'_>, ScoreError>>, ScoreError> {
    let mut matched: Vec<Vec<Choice>> = vec![Vec::new(); prompts];
    let choices = choices(response)?;
    // The only answer to the only prompt needs no number.
    if let ([choice], 1) = (choices.as_slice(), prompts)
        && choice.index.is_none()
    {
        return Ok(vec![Ok(*choice)]);
    }
    for choice in choices {
        let place = choice.index.and_then(|i| usize::try_from(i).ok());
        // An answer without a prompt does not put the others in doubt.
        if let Some(answers) = place.and_then(|i| matched.get_mut(i)) {
            answers.push(choice);
        }
    }
    Ok(matched
        .into_iter()
        .enumerate()
        .map(|(i, answers)| match answers.as_slice() {
            [answer] => Ok(*answer),
            [] => Err(malformed(&format!("no choice has index {i}"))),
            more => Err(malformed(&format!("{} choices have index {i}", more.len()))),
        })
        .collect())
}

/// Whether the server says that it dropped a part of the prompt. llama.cpp does, with its verbose
/// answers on every route.
pub(super) fn was_cut(response: &Value) -> bool {
    let says = |value: &Value| {
        let said = ["/truncated", "/__verbose/truncated"];
        said.iter()
            .any(|path| value.pointer(path) == Some(&Value::Bool(true)))
    };
    says(response) || choices(response).is_ok_and(|all| all.iter().any(|one| says(one.body)))
}

/// A count of tokens at this path of a response, if it is one.
pub(super) fn count(response: &Value, path: &str) -> Option<u32> {
    let number = lenient::number(response.pointer(path)?)?;
    let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    whole.then_some(number as u32)
}

/// Token counts of a response to one prompt.
pub(super) fn usage(response: &Value) -> Usage {
    let count = |path: &str| count(response, path);
    let cached = count("/usage/prompt_tokens_details/cached_tokens")
        .or_else(|| count("/timings/cache_n"))
        .or_else(|| count("/meta_info/cached_tokens"))
        .or_else(|| count("/usage/cache_read_input_tokens"));
    // Anthropic's names: the cached tokens are not among the others.
    let apart = || {
        let parts = ["cache_read_input_tokens", "cache_creation_input_tokens"];
        let parts = parts
            .iter()
            .filter_map(|name| count(&format!("/usage/{name}")));
        Some(parts.fold(count("/usage/input_tokens")?, u32::saturating_add))
    };
    let prompt = count("/usage/prompt_tokens")
        .or_else(apart)
        .or_else(|| count("/tokens_evaluated"))
        .or_else(|| count("/meta_info/prompt_tokens"));
    Usage::counted(prompt, cached, count("/timings/prompt_n"))
}

impl<'a> Choice<'a> {
    /// The tokens listed for the first generated position, the sampled one included.
    ///
    /// An empty list means that the model generated nothing: the answer has log-probabilities, but
    /// not of any option. If a token was generated, the most probable ones must be listed, or the
    /// sampled token alone would look like a very confident model.
    pub(super) fn tokens(&self) -> Result<Tokens<'a>, ScoreError> {
        let fields = self
            .body
            .as_object()
            .ok_or_else(|| malformed("a choice is not an object"))?;
        if let Some(meta) = meta_info(self.body) {
            return sglang_shape(meta);
        }
        let read = match fields.get("completion_probabilities") {
            Some(Value::Array(positions)) => chat_shape(positions)?,
            _ => match fields.get("logprobs") {
                None | Some(Value::Null) => {
                    return match self.failure() {
                        Some(error) => Err(error),
                        None if self.is_filtered() => Err(ScoreError::Filtered {
                            message: String::new(),
                        }),
                        None if self.ended_at_once() => Ok(Vec::new()),
                        None => Err(ScoreError::NoLogprobs),
                    };
                }
                Some(Value::Object(logprobs)) => match logprobs.get("content") {
                    Some(Value::Array(positions)) => chat_shape(positions)?,
                    _ => legacy_shape(logprobs)?,
                },
                Some(_) => return Err(malformed("`logprobs` is not an object")),
            },
        };
        match read {
            Some(tokens) => Ok(tokens),
            None if self.text().is_none_or(str::is_empty) => Ok(Vec::new()),
            None => Err(ScoreError::NoLogprobs),
        }
    }

    /// llama.cpp's probabilities after sampling, `{"id", "token", "prob"}`, if requested.
    pub(super) fn after_sampling(&self) -> Option<&'a Vec<Value>> {
        let own = self.body.pointer("/completion_probabilities/0/top_probs");
        own.or_else(|| self.body.pointer("/logprobs/content/0/top_probs"))
            .and_then(Value::as_array)
    }

    /// Whether the server declares what was generated a thought.
    pub(super) fn has_reasoning(&self) -> bool {
        ["/message/reasoning_content", "/message/reasoning"]
            .iter()
            .filter_map(|path| self.body.pointer(path)?.as_str())
            .any(|text| !text.trim().is_empty())
    }

    /// Whether there is an answer beside a thought.
    pub(super) fn has_text(&self) -> bool {
        self.text().is_some_and(|text| !text.trim().is_empty())
    }

    /// The error of this choice alone, as a router reports that of one of its machines. Callers remove
    /// secrets.
    fn failure(&self) -> Option<ScoreError> {
        failure_within(self.body, &KeptHeaders::default(), &Scrubber::default())
    }

    /// Whether a filter of the server's withheld the answer, and its log-probabilities with it.
    fn is_filtered(&self) -> bool {
        let reason = self.body.get("finish_reason").and_then(Value::as_str);
        End::of(reason) == End::Refused
    }

    /// Whether the model generated only the end-of-text token, for which some servers report no
    /// log-probabilities.
    fn ended_at_once(&self) -> bool {
        self.body.get("finish_reason").and_then(Value::as_str) == Some("stop")
            && self.text() == Some("")
    }

    /// The generated text, in any of its places.
    fn text(&self) -> Option<&'a str> {
        let text = self.body.get("text").or_else(|| self.body.get("content"));
        let text = text.or_else(|| self.body.pointer("/message/content"));
        text.and_then(Value::as_str)
    }
}

/// `SGLang`'s own part of an answer.
fn meta_info(body: &Value) -> Option<&Value> {
    body.get("meta_info").filter(|meta| !meta.is_null())
}

/// `[{"token", "bytes", "logprob", "top_logprobs": [{…}]}]`; `None` without any position.
fn chat_shape(positions: &[Value]) -> Result<Option<Tokens<'_>>, ScoreError> {
    let Some(position) = positions.first() else {
        return Ok(None);
    };
    let position = position
        .as_object()
        .ok_or_else(|| malformed("a position in `content` is not an object"))?;
    let listed = match position.get("top_logprobs") {
        Some(Value::Array(listed)) => entries(listed)?,
        None | Some(Value::Null) => return Err(ScoreError::NoLogprobs),
        Some(_) => return Err(malformed("`top_logprobs` is not a list")),
    };
    // Without `logprob`, the position holds probabilities after sampling, which we do not want.
    let sampled = if position.contains_key("logprob") {
        entry(position)?
    } else {
        None
    };
    Ok(Some(with_sampled(listed, sampled)))
}

/// `{"tokens": […], "token_logprobs": […], "top_logprobs": [{text: value}]}`; `None` if
/// nothing was generated.
fn legacy_shape(logprobs: &Map<String, Value>) -> Result<Option<Tokens<'_>>, ScoreError> {
    if matches!(logprobs.get("tokens"), Some(Value::Array(list)) if list.is_empty()) {
        return Ok(None);
    }
    let first = |field: &str| logprobs.get(field).and_then(|list| list.get(0));
    let listed = match first("top_logprobs") {
        Some(Value::Object(listed)) => {
            // Two tokens with one text are two equal names.
            let read = listed.iter().flat_map(|(text, value)| {
                let values = lenient::values(value).iter();
                values.map(move |value| token(text, None, None, value))
            });
            available(read, listed.len())?
        }
        Some(Value::Array(listed)) => entries(listed)?,
        None | Some(Value::Null) => return Err(ScoreError::NoLogprobs),
        Some(_) => return Err(malformed("an entry of `top_logprobs` is not an object")),
    };
    let sampled = match (first("tokens"), first("token_logprobs")) {
        (Some(text), Some(value)) => {
            let text = text
                .as_str()
                .ok_or_else(|| malformed("an entry of `tokens` is not a string"))?;
            token(text, None, None, value)?
        }
        _ => None,
    };
    Ok(Some(with_sampled(listed, sampled)))
}

/// `{"output_token_ids_logprobs": [[[value, id, text], …]]}`
fn sglang_shape(meta: &Value) -> Result<Tokens<'_>, ScoreError> {
    let listed = meta
        .pointer("/output_token_ids_logprobs/0")
        .and_then(Value::as_array)
        .ok_or(ScoreError::NoLogprobs)?;
    let read = listed.iter().map(|item| {
        let [value, id, ..] = item.as_array().map_or(&[][..], Vec::as_slice) else {
            return Err(malformed(
                "an entry of `output_token_ids_logprobs` is not a triple",
            ));
        };
        token("", id.as_u64(), None, value)
    });
    available(read, listed.len())
}

fn entries(listed: &[Value]) -> Result<Tokens<'_>, ScoreError> {
    let read = listed.iter().map(|item| {
        let fields = item
            .as_object()
            .ok_or_else(|| malformed("an entry of `top_logprobs` is not an object"))?;
        entry(fields)
    });
    available(read, listed.len())
}

/// Those of `listed` tokens that have a value. An empty list is what servers send that know no
/// log-probabilities; a list without a single value is not an answer.
fn available<'a>(
    tokens: impl Iterator<Item = Result<Option<TopToken<'a>>, ScoreError>>,
    listed: usize,
) -> Result<Tokens<'a>, ScoreError> {
    if listed == 0 {
        return Err(ScoreError::NoLogprobs);
    }
    let mut found = Vec::with_capacity(listed + 1);
    for token in tokens {
        found.extend(token?);
    }
    if found.is_empty() {
        return Err(malformed("none of the listed tokens has a log-probability"));
    }
    Ok(found)
}

/// `{"id", "token", "bytes", "logprob"}`; `None` where the value is not available.
///
/// mistral.rs writes the number in `token` and the text in `bytes`.
fn entry(fields: &Map<String, Value>) -> Result<Option<TopToken<'_>>, ScoreError> {
    let (mut text, mut id) = (None, fields.get("id").and_then(Value::as_u64));
    match fields.get("token") {
        Some(Value::String(given)) => text = Some(given.as_str()),
        Some(Value::Number(number)) if number.is_u64() => id = number.as_u64(),
        _ => return Err(malformed("an entry of `top_logprobs` has no `token`")),
    }
    let bytes = match fields.get("bytes") {
        Some(Value::Array(list)) => {
            let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
            let bytes = list.iter().map(byte).collect::<Option<Vec<u8>>>();
            Some(bytes.ok_or_else(|| malformed("`bytes` holds something other than bytes"))?)
        }
        Some(Value::String(given)) => {
            text = text.or(Some(given));
            None
        }
        _ => None,
    };
    let value = fields.get("logprob").unwrap_or(&Value::Null);
    token(text.unwrap_or_default(), id, bytes, value)
}

/// A token, or `None` if its value is not available, is not a number (NaN) or stands for a
/// probability of zero.
fn token<'a>(
    text: &'a str,
    id: Option<u64>,
    bytes: Option<Vec<u8>>,
    value: &Value,
) -> Result<Option<TopToken<'a>>, ScoreError> {
    if value.is_null() {
        return Ok(None);
    }
    let logprob =
        lenient::number(value).ok_or_else(|| malformed("a log-probability is not a number"))?;
    let token = TopToken::new(Cow::Borrowed(text), id, bytes, logprob);
    token.map(TopToken::checked).transpose()
}

/// An answer of an unknown shape, with its text, which may say why.
fn unanswered(what: &str, response: &Value) -> ScoreError {
    // Callers cut it once secrets are removed; a body may be huge.
    let text: String = response.to_string().chars().take(SHOWN_OF_BODY).collect();
    malformed(&format!("{what}: {text}"))
}

pub(super) fn malformed(message: &str) -> ScoreError {
    ScoreError::Malformed {
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
