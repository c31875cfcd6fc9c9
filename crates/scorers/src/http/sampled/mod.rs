//! Answers in words, drawn from a model and read as text.
//!
//! One request asks for an answer, or for several to the same prompt where the server takes `n`.
//! [`SamplingScorer::connect`] first asks a trial question, so that a refusal shows before the first
//! real one, and learns from refusals how the server wants to be asked.

mod api;
mod asking;
mod counted;
mod probe;
mod reasoned;
mod said;

pub use api::Api;
pub use reasoned::ReasoningScorer;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use sureness_record::Sampled;

use super::options::HttpOptions;
use super::transport::{BlockingClient, Transport};
use super::{ConnectError, address::shown, at_first_poll, prepare};
use crate::{Hints, ModelIdentity, OptionScorer, Reply, ScoreRequest, Serving};
use asking::Asking;

/// Draws answers from a model behind a server, and counts which option each chooses.
pub struct SamplingScorer {
    asking: Asking,
    transport: Transport,
    /// For calls from plain threads. Opens no connection before the first call.
    blocking: BlockingClient,
    identity: ModelIdentity,
    /// Answers that one request may ask for.
    at_once: NonZeroU32,
    timeout: Duration,
}

impl SamplingScorer {
    /// Probes the server and prepares to ask it through `api`.
    pub async fn connect(
        options: HttpOptions,
        api: Api,
        sampled: Sampled,
    ) -> Result<Self, ConnectError> {
        let options = api.with_headers(options.with_own_key());
        let (endpoint, transport) = prepare(&options)?;
        let found = probe::probe(&transport, &endpoint, &options, api, sampled).await?;
        let timeout = options.timeout;
        Ok(Self {
            asking: Asking::new(&endpoint, found.template, found.counts_one),
            blocking: BlockingClient::new(Arc::clone(&endpoint)),
            transport,
            identity: found.identity,
            at_once: found.at_once,
            timeout: options
                .first_byte_timeout
                .map_or(timeout, |first| first.min(timeout)),
        })
    }

    /// Whether the server counts the tokens of one answer where a request has several, as llama.cpp's. The
    /// others' are then counted by its tokenizer, or else estimated from their length.
    pub fn counts_one_answer(&self) -> bool {
        self.asking.counts_one()
    }

    /// The server's address without credentials and query, for messages and logs.
    pub fn address(&self) -> String {
        shown(self.asking.endpoint().base().url())
    }
}

impl OptionScorer for SamplingScorer {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn hints(&self) -> Hints {
        let owner = self.identity.details.get("server.owned_by");
        let serving = Serving::of(owner.map(String::as_str));
        Hints {
            serving,
            timeout: Some(self.timeout),
            answers_at_once: self.at_once.get(),
            ..Hints::default()
        }
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        self.asking.batch(&self.transport, batch).boxed()
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        at_first_poll(self.asking.batch(&self.blocking, batch), batch.len())
    }
}

impl std::fmt::Debug for SamplingScorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SamplingScorer")
            .field("url", &self.address())
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
