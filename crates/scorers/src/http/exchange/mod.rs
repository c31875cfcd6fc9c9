//! What is said to a server and how its answers are read, whatever carries them.
//!
//! [`Exchange`] writes the bytes of a request for a batch and reads the options' scores from the
//! bytes of a response. It does no I/O; see [`super::transport`] for what does, and
//! [`converse`] for the order of the two.

pub(super) mod ask;
mod biased;
pub(super) mod converse;
mod escape;
mod tier;
pub(super) mod typed;

pub(super) use ask::{Question, json};
pub(super) use biased::covers;
pub(super) use tier::{Spellings, Tier};

use std::sync::Arc;

use escape::{Remembered, escape, quoted};

use super::answer::{matched_choices, only_choice, usage};
use super::probe::Choice;
use super::status::failure;
use super::tokens::{Options, TopToken, option_scores};
use super::transport::{Endpoint, Resource};
use super::wire::Response;
use crate::{OptionScores, ScoreError, ScoreRequest, Usage};

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

/// The labels of one question, and which token numbers spell them.
type Ids = Arc<[(u32, usize)]>;

/// How one server is asked for scores.
pub(super) struct Exchange {
    endpoint: Arc<Endpoint>,
    ordinary: Resource,
    /// `SGLang`'s own route.
    generate: Resource,
    question: Question,
    tier: Tier,
    /// How many token numbers one request may name.
    most: usize,
    spellings: Spellings,
    /// Prefixes as JSON: many questions share one.
    prefixes: Remembered<str, Arc<[u8]>>,
    /// Token numbers and the end of a request's body, by labels.
    endings: Remembered<[String], Ending>,
}

#[derive(Clone)]
struct Ending {
    ids: Ids,
    /// Whether the server is asked for these tokens and no others.
    exact: bool,
    text: Arc<str>,
}

impl Exchange {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        question: Question,
        choice: Choice,
        spellings: Spellings,
    ) -> Self {
        let Choice { tier, most, .. } = choice;
        let base = endpoint.base();
        let ordinary = endpoint.post(base.route(question.route.path()));
        let generate = endpoint.post(base.beside("generate"));
        Self {
            ordinary,
            generate,
            endpoint,
            question,
            tier,
            most,
            spellings,
            prefixes: Remembered::new(),
            endings: Remembered::new(),
        }
    }

    /// Where a request goes.
    pub(super) fn resource(&self, request: &ScoreRequest) -> &Resource {
        if self.is_generate(&self.ending(&request.labels)) {
            &self.generate
        } else {
            &self.ordinary
        }
    }

    /// Whether it is asked on `SGLang`'s own route, which gives nothing but what it is asked for.
    fn is_generate(&self, ending: &Ending) -> bool {
        self.tier == Tier::Generate && ending.exact
    }

    fn ending(&self, labels: &Arc<[String]>) -> Ending {
        self.endings.get(labels, |labels| {
            let ids: Ids = self.spellings.of(labels, self.most).into();
            let exact = self.tier.asks_by_number() && !ids.is_empty();
            let text = match self.tier {
                Tier::Generate if exact => Question::generate_ending(&ids),
                Tier::TokenIds if exact => self.question.by_number_ending(&ids),
                _ => self.question.ending(Some(self.question.top)),
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

    /// Whether one list may hold both: what is asked for has to be the same.
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
            &self.question.opening
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
        let value = json(&self.endpoint, response)?;
        only_choice(&value)
            .and_then(|choice| self.scores(choice.tokens()?, request, usage(&value)))
            .map_err(|error| self.endpoint.scrubbed(error))
    }

    /// The scores in an answer to a list of prompts. An error is one that all share.
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
        let value = json(&self.endpoint, response)?;
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

    /// The body that asks for what `scores` leaves open, if this server can be asked so.
    pub(super) fn encode_rest(
        &self,
        request: &ScoreRequest,
        scores: &OptionScores,
    ) -> Option<Vec<u8>> {
        let ids = self.ending(&request.labels).ids;
        let open = self.tier == Tier::Biased && scores.observed.contains(&false);
        (open && !ids.is_empty()).then(|| {
            let ending = self.question.biased_ending(&ids);
            self.body(request, &self.question.opening, &ending)
        })
    }

    /// `scores` with what [`Self::encode_rest`] asked for.
    pub(super) fn decode_rest(
        &self,
        response: &Response,
        request: &ScoreRequest,
        scores: OptionScores,
    ) -> Scored {
        self.success(response)?;
        let value = json(&self.endpoint, response)?;
        let ids = self.ending(&request.labels).ids;
        biased::complete(&value, &ids, scores).map_err(|error| self.endpoint.scrubbed(error))
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
        };
        option_scores(tokens, options, self.question.top as usize, usage)
            .map_err(|error| self.endpoint.scrubbed(error))
    }
}

/// Whether the server did what it was asked.
pub(super) fn success(endpoint: &Endpoint, response: &Response) -> Result<(), ScoreError> {
    if response.is_success() {
        return Ok(());
    }
    let Response {
        status,
        notes,
        body,
        ..
    } = response;
    Err(failure(*status, notes, body, endpoint.scrubber()))
}

/// The counts of a list are the sum over its prompts (vLLM) or those of one of them (llama.cpp):
/// nothing to tell of a single prompt, unless it is alone.
fn shared_usage(batch: &[ScoreRequest], usage: Usage) -> Usage {
    if batch.len() == 1 {
        usage
    } else {
        Usage::default()
    }
}

/// The tokens in the order of the prompts, if each prompt has exactly one answer.
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

#[cfg(test)]
mod tests;
