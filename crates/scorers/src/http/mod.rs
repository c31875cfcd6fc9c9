//! Scores from any OpenAI-compatible server.
//!
//! One request asks for the next token after a prompt and for the log-probabilities of the most
//! probable tokens, among which the options are found. [`HttpScorer::connect`] first checks that
//! the server answers, accepts the key, has the model and reports log-probabilities, so that a
//! problem shows before the first question.
//!
//! Retries are the engine's responsibility.

mod address;
mod answer;
mod connect_error;
mod counter;
mod doctor;
mod exchange;
mod extra;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod lenient;
mod models;
mod options;
mod probe;
mod quota;
mod report;
mod sampled;
mod secret;
mod status;
mod tokens;
mod transport;
mod wire;

pub use connect_error::ConnectError;
pub use counter::TokenCounter;
pub use doctor::{
    Bos, Depth, Diagnosis, KeyState, LongPrompt, LongPromptOutcome, MissingLogprobs, Obstacle,
    PrefixCache, Routes, Scoring, diagnose, noise_between,
};
pub use extra::{ExtraBody, ExtraBodyError};
pub use models::ServerTemplate;
pub use options::HttpOptions;
pub use report::Letters;
pub use sampled::{Api, ReasoningScorer, SamplingScorer};
pub use secret::{Header, Secret};

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use address::{ApiBase, shown, shown_text};
use exchange::ask::ask;
use exchange::{Exchange, Route};
use probe::{Findings, probe};
use transport::{AsyncClient, BlockingClient, Endpoint, Http2Client, Transport};

use crate::{Hints, ModelIdentity, OptionScorer, Reply, ScoreError, ScoreRequest, Serving};

/// Scores options through an OpenAI-compatible server.
pub struct HttpScorer {
    endpoint: Arc<Endpoint>,
    transport: Transport,
    /// For calls from plain threads. Opens no connection before the first call.
    blocking: BlockingClient,
    exchange: Exchange,
    identity: ModelIdentity,
    takes_lists: bool,
    top_k: u32,
    scoring: Scoring,
    letters: Option<Letters>,
    /// Limit for the first byte of an answer.
    timeout: Duration,
}

/// Endpoint and client, before the first request.
fn prepare(options: &HttpOptions) -> Result<(Arc<Endpoint>, Transport), ConnectError> {
    let base = ApiBase::parse(&options.api_base).map_err(|reason| ConnectError::Address {
        given: shown_text(&options.api_base),
        reason,
    })?;
    let url = shown(base.url());
    let client = |message| ConnectError::Client { url, message };
    let endpoint = Endpoint::new(options, base).map(Arc::new);
    let both = endpoint.and_then(|endpoint| {
        let transport = if options.http2 {
            Transport::Http2(Http2Client::new(Arc::clone(&endpoint))?)
        } else {
            Transport::Http1(AsyncClient::new(Arc::clone(&endpoint)))
        };
        Ok((endpoint, transport))
    });
    let (endpoint, transport) = both.map_err(client)?;
    let extra = options.extra_body.as_ref();
    if extra.is_some_and(|extra| extra.holds(|text| endpoint.scrubber().finds_any(text))) {
        return Err(ConnectError::KeyInBody);
    }
    Ok((endpoint, transport))
}

impl HttpScorer {
    /// Probes the server and prepares to ask it.
    pub async fn connect(options: HttpOptions) -> Result<Self, ConnectError> {
        let options = options.with_own_key();
        let (endpoint, transport) = prepare(&options)?;
        let route = if options.chat {
            Route::Chat
        } else {
            Route::Completions
        };
        let findings = probe(&transport, &endpoint, &options, route).await?;
        let Findings {
            identity,
            template,
            takes_lists,
            choice,
            spellings,
            letters,
        } = findings;
        tracing::debug!(?identity, "connected");
        let timeout = options.timeout;
        Ok(Self {
            top_k: template.top(),
            timeout: options
                .first_byte_timeout
                .map_or(timeout, |t| t.min(timeout)),
            exchange: Exchange::new(Arc::clone(&endpoint), template, choice, spellings),
            blocking: BlockingClient::new(Arc::clone(&endpoint)),
            endpoint,
            transport,
            identity,
            takes_lists,
            scoring: choice.into(),
            letters,
        })
    }

    /// The chat template of a llama.cpp server; `None` if the server does not report it.
    pub async fn server_template(&self) -> Option<ServerTemplate> {
        let props = self.endpoint.get(self.endpoint.base().root_route("props"));
        match ask(&self.transport, &self.endpoint, &props, b"").await {
            Ok(props) => ServerTemplate::read(&props),
            Err(error) => {
                tracing::debug!(%error, "no chat template from the server");
                None
            }
        }
    }

    /// The server's address without credentials and query, for messages and logs.
    pub fn address(&self) -> String {
        shown(self.endpoint.base().url())
    }

    /// Whether a batch is sent as one list of prompts.
    pub fn sends_lists(&self) -> bool {
        self.takes_lists
    }

    /// Scores a batch through either client.
    async fn score_through<C: transport::Client>(
        &self,
        client: &C,
        batch: &[ScoreRequest],
    ) -> Reply {
        self.exchange.score_batch(client, batch, false).await
    }

    /// How options are scored, and why.
    pub fn scoring(&self) -> &Scoring {
        &self.scoring
    }

    /// How the model answered a trial question; `None` where that is unknown.
    pub fn letters(&self) -> Option<&Letters> {
        self.letters.as_ref()
    }

    /// How many of the most probable tokens each request asks for.
    pub fn top_logprobs(&self) -> u32 {
        self.top_k
    }
}

/// The reply to a batch of so many questions through the blocking client, which has finished by the
/// first poll.
fn at_first_poll(answered: impl Future<Output = Reply>, questions: usize) -> Reply {
    answered.now_or_never().unwrap_or_else(|| {
        let error = ScoreError::Backend {
            message: "a blocking request did not block".to_owned(),
        };
        Reply::of(vec![Err(error); questions])
    })
}

impl OptionScorer for HttpScorer {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn hints(&self) -> Hints {
        let owner = self.identity.details.get("server.owned_by");
        Hints {
            serving: Serving::of(owner.map(String::as_str)),
            timeout: Some(self.timeout),
            ..Hints::default()
        }
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        self.exchange
            .score_batch(&self.transport, batch, self.takes_lists)
            .boxed()
    }

    /// Needs no runtime: plain sockets, and one prompt after the other unless the server accepts
    /// lists.
    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        let answered = self
            .exchange
            .score_batch(&self.blocking, batch, self.takes_lists);
        at_first_poll(answered, batch.len())
    }
}

impl std::fmt::Debug for HttpScorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpScorer")
            .field("url", &self.address())
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
