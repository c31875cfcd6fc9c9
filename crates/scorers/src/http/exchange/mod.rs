//! Encodes requests for scores and decodes the answers, whichever client sends them.
//!
//! [`Exchange`] writes the bytes of a request for a batch and reads the options' scores from the
//! bytes of a response. It does no I/O; see [`super::transport`] for the clients, and
//! [`batch`] for what connects the two.

pub(super) mod ask;
pub(super) mod batch;
mod biased;
mod dialect;
mod tier;
pub(super) mod typed;

pub(super) use ask::{RequestTemplate, Sampling, json};
pub(super) use biased::{First, Seen, allowed, covers, disagreement, shares};
pub(super) use dialect::Dialect;
pub(super) use tier::{Spellings, Tier};

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::answer::{matched_choices, only_choice, usage, was_cut};
use super::probe::TierChoice;
use super::status::failure;
use super::tokens::{Options, TopToken, option_scores};
use super::transport::{Endpoint, Resource};
use super::wire::Response;
use crate::{OptionScores, ScoreError, ScoreRequest, Usage};

/// Texts that are kept escaped: a few groups of questions overlap at most.
const MEMO_CAPACITY: usize = 8;

pub(super) type Scored = Result<OptionScores, ScoreError>;

/// Completions for base models, chat completions for instruction-tuned ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Completions,
    Chat,
}

impl Route {
    /// Path under the API.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat/completions",
        }
    }

    /// The name in the model's identity.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat",
        }
    }
}

/// The end of a request that continues the assistant's message. llama.cpp does so by itself.
const CONTINUES: &str = ",\"continue_final_message\":true,\"add_generation_prompt\":false}";

/// The labels of one question, and which token numbers spell them.
type Ids = Arc<[(u32, usize)]>;

/// The requests and answers of one server.
pub(super) struct Exchange {
    endpoint: Arc<Endpoint>,
    ordinary: Resource,
    /// `SGLang`'s own route.
    generate: Resource,
    template: RequestTemplate,
    tier: Tier,
    /// How many token numbers one request may name.
    max_ids: usize,
    /// How far the answers to one prompt may disagree, in nats.
    allowed_nats: f64,
    spellings: Spellings,
    /// Prefixes as JSON: many questions share one.
    prefixes: Memo<str, Arc<[u8]>>,
    /// Token numbers and the end of a request's body, by labels.
    endings: Memo<[String], Ending>,
}

#[derive(Clone)]
struct Ending {
    ids: Ids,
    /// Whether the request names these tokens.
    exact: bool,
    text: Arc<str>,
}

impl Exchange {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        template: RequestTemplate,
        choice: TierChoice,
        spellings: Spellings,
    ) -> Self {
        let TierChoice {
            tier,
            max_ids,
            noise_nats,
            ..
        } = choice;
        let base = endpoint.base();
        let ordinary = endpoint.post(base.route(template.route.path()));
        let generate = endpoint.post(base.root_route("generate"));
        Self {
            ordinary,
            generate,
            endpoint,
            template,
            tier,
            max_ids,
            allowed_nats: allowed(noise_nats),
            spellings,
            prefixes: Memo::new(),
            endings: Memo::new(),
        }
    }

    /// The route of a request.
    pub(super) fn resource(&self, request: &ScoreRequest) -> &Resource {
        if self.is_generate(&self.ending(&request.labels)) {
            &self.generate
        } else {
            &self.ordinary
        }
    }

    /// Whether the request goes to `SGLang`'s own route, which reports only the requested tokens.
    fn is_generate(&self, ending: &Ending) -> bool {
        self.tier == Tier::Generate && ending.exact
    }

    fn ending(&self, labels: &Arc<[String]>) -> Ending {
        self.endings.get(labels, |labels| {
            let ids: Ids = self.spellings.of(labels, self.max_ids).into();
            let exact = self.tier.asks_by_number() && !ids.is_empty();
            let text = match self.tier {
                Tier::Generate if exact => RequestTemplate::generate_ending(&ids),
                Tier::TokenIds if exact => self.template.by_number_ending(&ids),
                _ => self.template.ending(Some(self.template.top)),
            };
            let text = text.into();
            Ending { ids, exact, text }
        })
    }

    /// The body of a request for one prompt.
    pub(super) fn encode_one(&self, request: &ScoreRequest) -> Vec<u8> {
        let ending = self.ending(&request.labels);
        self.body(request, self.opening(&ending), &ending.text)
    }

    fn body(&self, request: &ScoreRequest, opening: &str, ending: &str) -> Vec<u8> {
        let prefix = self.prefix(request);
        let suffix = &request.prompt.suffix;
        // A few line breaks per question grow by a byte each.
        let room = opening.len() + prefix.len() + suffix.len() + ending.len() + 64;
        let mut body = Vec::with_capacity(room);
        body.extend_from_slice(opening.as_bytes());
        body.push(b'"');
        body.extend_from_slice(&prefix);
        escape(&mut body, suffix);
        body.push(b'"');
        let said = request.draw.as_ref().and_then(|draw| draw.said.as_ref());
        if let Some((said, ending)) = said.zip(ending.strip_suffix('}')) {
            body.extend_from_slice(b"},{\"role\":\"assistant\",\"content\":\"");
            escape(&mut body, said);
            body.push(b'"');
            body.extend_from_slice(ending.as_bytes());
            body.extend_from_slice(CONTINUES.as_bytes());
            return body;
        }
        body.extend_from_slice(ending.as_bytes());
        body
    }

    /// The body of a request for a list of prompts.
    pub(super) fn encode_list(&self, batch: &[ScoreRequest]) -> Vec<u8> {
        let Some(first) = batch.first() else {
            return Vec::new();
        };
        let ending = self.ending(&first.labels);
        let mut body = self.opening(&ending).as_bytes().to_vec();
        let mut separator = b'[';
        for request in batch {
            body.extend_from_slice(&[separator, b'"']);
            body.extend_from_slice(&self.prefix(request));
            escape(&mut body, &request.prompt.suffix);
            body.push(b'"');
            separator = b',';
        }
        body.push(b']');
        body.extend_from_slice(ending.text.as_bytes());
        body
    }

    /// Whether one list may hold both prompts: a request names the tokens for all of them.
    pub(super) fn go_together(&self, a: &ScoreRequest, b: &ScoreRequest) -> bool {
        !self.tier.asks_by_number() || a.labels == b.labels
    }

    fn prefix(&self, request: &ScoreRequest) -> Arc<[u8]> {
        self.prefixes.get(&request.prompt.prefix, |prefix| {
            let mut escaped = Vec::with_capacity(prefix.len() + prefix.len() / 16);
            escape(&mut escaped, prefix);
            escaped.into()
        })
    }

    fn opening(&self, ending: &Ending) -> &str {
        if self.is_generate(ending) {
            "{\"text\":"
        } else {
            &self.template.opening
        }
    }

    /// The scores in an answer to one prompt.
    pub(super) fn decode_one(&self, response: &Response, request: &ScoreRequest) -> Scored {
        self.success(response)?;
        if let Some(read) = typed::read(&response.body)
            && let Ok([(_, tokens)]) = <[_; 1]>::try_from(read.choices)
        {
            return self.scores(tokens, request, read.usage);
        }
        let value = self.whole(response)?;
        only_choice(&value)
            .and_then(|choice| self.scores(choice.tokens()?, request, usage(&value)))
            .map_err(|error| self.endpoint.scrubbed(error))
    }

    /// The scores in an answer to a list of prompts. An error concerns all of them.
    pub(super) fn decode_list(
        &self,
        response: &Response,
        batch: &[ScoreRequest],
    ) -> Result<Vec<Scored>, ScoreError> {
        self.success(response)?;
        if let Some(read) = typed::read(&response.body)
            && let Some(tokens) = in_order(read.choices, batch.len())
        {
            let scored = tokens.into_iter().zip(batch);
            return Ok(scored
                .map(|(tokens, request)| {
                    self.scores(tokens, request, shared_usage(batch, read.usage))
                })
                .collect());
        }
        let value = self.whole(response)?;
        let counts = shared_usage(batch, usage(&value));
        let choices =
            matched_choices(&value, batch.len()).map_err(|error| self.endpoint.scrubbed(error))?;
        let scored = choices.into_iter().zip(batch).map(|(choice, request)| {
            choice
                .and_then(|choice| self.scores(choice.tokens()?, request, counts))
                .map_err(|error| self.endpoint.scrubbed(error))
        });
        Ok(scored.collect())
    }

    /// The body that asks for the options that `scores` leaves open, on servers that support it.
    pub(super) fn encode_rest(
        &self,
        request: &ScoreRequest,
        scores: &OptionScores,
    ) -> Option<Vec<u8>> {
        let ids = self.ending(&request.labels).ids;
        let open = self.tier == Tier::Biased && scores.observed.contains(&false);
        (open && !ids.is_empty()).then(|| {
            let ending = self.template.biased_ending(&ids);
            self.body(request, &self.template.opening, &ending)
        })
    }

    /// The options' tokens in an answer to these prompts, for comparison with a second answer.
    pub(super) fn seen(&self, response: &Response, batch: &[ScoreRequest]) -> Vec<Seen> {
        let read = |value: &Value| -> Result<Vec<Seen>, ScoreError> {
            let choices = matched_choices(value, batch.len())?.into_iter().zip(batch);
            Ok(choices
                .map(|(choice, request)| {
                    let tokens = choice.and_then(|choice| choice.tokens());
                    tokens.map_or_else(
                        |_| Seen::new(),
                        |tokens| seen(&tokens, &self.ending(&request.labels).ids),
                    )
                })
                .collect())
        };
        let value = json(&self.endpoint, response).ok();
        let seen = value.and_then(|value| read(&value).ok());
        seen.unwrap_or_else(|| vec![Seen::new(); batch.len()])
    }

    /// The scores of `first`, completed by the answer to [`Self::encode_rest`].
    pub(super) fn decode_rest(
        &self,
        response: &Response,
        request: &ScoreRequest,
        first: First,
    ) -> Scored {
        self.success(response)?;
        let value = json(&self.endpoint, response)?;
        let ids = self.ending(&request.labels).ids;
        biased::complete(&value, &ids, first, self.allowed_nats)
            .map_err(|error| self.endpoint.scrubbed(error))
    }

    /// The JSON of an answer to whole prompts.
    fn whole(&self, response: &Response) -> Result<Value, ScoreError> {
        let value = json(&self.endpoint, response)?;
        if was_cut(&value) {
            return Err(ScoreError::PromptCut);
        }
        Ok(value)
    }

    fn success(&self, response: &Response) -> Result<(), ScoreError> {
        success(&self.endpoint, response)
    }

    fn scores(&self, tokens: Vec<TopToken<'_>>, request: &ScoreRequest, usage: Usage) -> Scored {
        let ending = self.ending(&request.labels);
        let options = Options {
            labels: &request.labels,
            ids: &ending.ids,
            exact: ending.exact,
            chat: self.template.route == Route::Chat,
        };
        option_scores(tokens, options, self.template.top as usize, usage)
            .map_err(|error| self.endpoint.scrubbed(error))
    }
}

/// The tokens of `ids` among those listed.
pub(super) fn seen(tokens: &[TopToken<'_>], ids: &[(u32, usize)]) -> Seen {
    let value = |&(id, _): &(u32, usize)| {
        let mut same = tokens.iter().filter(|token| token.id == Some(id.into()));
        same.next().map(|token| (id, token.logprob))
    };
    ids.iter().filter_map(value).collect()
}

/// The error of a response without a success status.
pub(super) fn success(endpoint: &Endpoint, response: &Response) -> Result<(), ScoreError> {
    if response.is_success() {
        return Ok(());
    }
    let Response {
        status,
        headers,
        body,
        ..
    } = response;
    Err(failure(*status, headers, body, endpoint.scrubber()))
}

/// The token counts of each prompt in a list. vLLM reports the sum over all prompts and llama.cpp
/// one prompt's, so that only a list of one has known counts.
fn shared_usage(batch: &[ScoreRequest], usage: Usage) -> Usage {
    if batch.len() == 1 {
        usage
    } else {
        Usage::default()
    }
}

/// The tokens of each prompt, in order; `None` unless every prompt has exactly one answer.
fn in_order<'a>(
    choices: Vec<(Option<u64>, Vec<TopToken<'a>>)>,
    prompts: usize,
) -> Option<Vec<Vec<TopToken<'a>>>> {
    let mut places: Vec<Option<Vec<TopToken<'a>>>> = vec![None; prompts];
    for (index, tokens) in choices {
        let place = places.get_mut(usize::try_from(index?).ok()?)?;
        if place.replace(tokens).is_some() {
            return None;
        }
    }
    places.into_iter().collect()
}

/// Appends `text` as the inside of a JSON string.
fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            out.extend_from_slice(&[b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        copied = at + 1;
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// `text` as a JSON string.
pub(in crate::http) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Results computed from shared values, looked up by address.
///
/// Each entry keeps its value alive, so that no other value can have the same address.
struct Memo<K: ?Sized, V> {
    entries: Mutex<Vec<(Arc<K>, V)>>,
}

impl<K: ?Sized, V: Clone> Memo<K, V> {
    fn new() -> Self {
        Self {
            entries: Mutex::new(Vec::new()),
        }
    }

    /// The result of `make` for `key`, computed once.
    fn get(&self, key: &Arc<K>, make: impl FnOnce(&K) -> V) -> V {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = entries.iter().find(|(known, _)| Arc::ptr_eq(known, key)) {
            return value.clone();
        }
        if entries.len() == MEMO_CAPACITY {
            entries.remove(0);
        }
        let value = make(key);
        entries.push((Arc::clone(key), value.clone()));
        value
    }
}

#[cfg(test)]
mod tests;
