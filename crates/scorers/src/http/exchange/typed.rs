//! Fast reader for the usual shapes of an answer, in one pass and without a JSON tree.
//!
//! It declines anything unexpected and leaves it to [`crate::http::answer`], which knows every
//! shape and explains errors. Where both readers accept an answer, they agree.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::Usage;
use crate::http::tokens::{TopToken, with_sampled};

/// Borrowed from the body unless it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    choices: Vec<TypedChoice<'a>>,
    usage: Option<Counts>,
    timings: Option<Timings>,
    /// llama.cpp's own name for a count.
    tokens_evaluated: Option<u32>,
    /// Whether a part of the prompt was dropped.
    truncated: Option<bool>,
    /// llama.cpp's answer in its own words, which may say the same.
    #[serde(rename = "__verbose")]
    verbose: Option<Never>,
    /// `SGLang`'s own.
    meta_info: Option<Never>,
}

#[derive(Deserialize)]
struct TypedChoice<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    logprobs: Logprobs<'a>,
    completion_probabilities: Option<Never>,
    meta_info: Option<Never>,
    truncated: Option<bool>,
}

/// A field whose presence makes an answer unusual.
#[derive(Deserialize)]
enum Never {}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the server's names")]
struct Logprobs<'a> {
    /// The chat shape.
    #[serde(borrow)]
    content: Option<Vec<Position<'a>>>,
    /// The legacy shape: these three.
    #[serde(borrow)]
    tokens: Option<Vec<Text<'a>>>,
    token_logprobs: Option<Vec<f64>>,
    #[serde(borrow)]
    top_logprobs: Option<Vec<Listed<'a>>>,
}

#[derive(Deserialize)]
struct Position<'a> {
    #[serde(borrow)]
    token: Text<'a>,
    logprob: f64,
    id: Option<u64>,
    bytes: Option<Vec<u8>>,
    #[serde(borrow)]
    top_logprobs: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    token: Text<'a>,
    logprob: f64,
    id: Option<u64>,
    bytes: Option<Vec<u8>>,
}

/// `{" A": -1.1, …}`
struct Listed<'a>(Vec<(Text<'a>, f64)>);

impl<'de: 'a, 'a> Deserialize<'de> for Listed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Pairs<'a> {
            type Value = Listed<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tokens with their log-probabilities")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut listed = Vec::with_capacity(24);
                while let Some(pair) = map.next_entry()? {
                    listed.push(pair);
                }
                Ok(Listed(listed))
            }
        }
        deserializer.deserialize_map(Pairs(std::marker::PhantomData))
    }
}

#[derive(Deserialize)]
struct Counts {
    prompt_tokens: Option<u32>,
    prompt_tokens_details: Option<Details>,
    /// Another name of the count, left to the thorough reader.
    input_tokens: Option<Never>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Timings {
    cache_n: Option<u32>,
    prompt_n: Option<u32>,
}

/// The tokens of each choice with its index, and the token counts.
pub(in crate::http) struct Parsed<'a> {
    pub(in crate::http) choices: Vec<(Option<u64>, Vec<TopToken<'a>>)>,
    pub(in crate::http) usage: Usage,
}

/// Reads an answer of the usual shapes; `None` for any other.
pub(in crate::http) fn read(body: &[u8]) -> Option<Parsed<'_>> {
    let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
    let counts_otherwise = answer
        .usage
        .as_ref()
        .is_some_and(|usage| usage.input_tokens.is_some());
    if answer.meta_info.is_some()
        || answer.verbose.is_some()
        || answer.truncated == Some(true)
        || counts_otherwise
    {
        return None;
    }
    let choices = answer.choices.into_iter().map(|choice| {
        let tokens = match choice.logprobs {
            Logprobs {
                content: Some(positions),
                ..
            } => chat(positions)?,
            Logprobs {
                tokens: Some(tokens),
                token_logprobs: Some(values),
                top_logprobs: Some(listed),
                content: None,
            } => legacy(tokens, &values, listed)?,
            _ => return None,
        };
        let is_unusual = choice.completion_probabilities.is_some()
            || choice.meta_info.is_some()
            || choice.truncated == Some(true);
        if is_unusual {
            return None;
        }
        Some((choice.index, tokens))
    });
    let details = answer
        .usage
        .as_ref()
        .and_then(|usage| usage.prompt_tokens_details.as_ref());
    let cached = details.and_then(|details| details.cached_tokens);
    let timed = answer.timings.as_ref();
    let usage = answer.usage.as_ref();
    Some(Parsed {
        choices: choices.collect::<Option<_>>()?,
        usage: Usage::counted(
            usage
                .and_then(|usage| usage.prompt_tokens)
                .or(answer.tokens_evaluated),
            cached.or_else(|| timed?.cache_n),
            timed.and_then(|timings| timings.prompt_n),
        ),
    })
}

fn chat(positions: Vec<Position<'_>>) -> Option<Vec<TopToken<'_>>> {
    let position = positions.into_iter().next()?;
    let mut tokens = Vec::with_capacity(position.top_logprobs.len() + 1);
    for entry in position.top_logprobs {
        tokens.extend(token(entry.token, entry.id, entry.bytes, entry.logprob)?);
    }
    // Left to the thorough reader.
    if tokens.is_empty() {
        return None;
    }
    let sampled = token(
        position.token,
        position.id,
        position.bytes,
        position.logprob,
    );
    Some(with_sampled(tokens, sampled?))
}

fn legacy<'a>(
    tokens: Vec<Text<'a>>,
    values: &[f64],
    listed: Vec<Listed<'a>>,
) -> Option<Vec<TopToken<'a>>> {
    let sampled = tokens.into_iter().next()?;
    let first = listed.into_iter().next()?.0;
    let mut read = Vec::with_capacity(first.len() + 1);
    for (text, logprob) in first {
        read.extend(token(text, None, None, logprob)?);
    }
    if read.is_empty() {
        return None;
    }
    let sampled = token(sampled, None, None, *values.first()?)?;
    Some(with_sampled(read, sampled))
}

/// A token, if its value is available; `None` leaves the answer to the thorough reader.
#[expect(clippy::option_option, reason = "declined, absent and present")]
fn token(
    text: Text<'_>,
    id: Option<u64>,
    bytes: Option<Vec<u8>>,
    logprob: f64,
) -> Option<Option<TopToken<'_>>> {
    let token = TopToken::new(text.0, id, bytes, logprob);
    token.map(TopToken::checked).transpose().ok()
}
