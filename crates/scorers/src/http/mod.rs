//! Scores from any OpenAI-compatible server.
//!
//! One request asks for the next token after a prompt and for the log-probabilities of the
//! most probable ones; the options are read from those. [`HttpScorer::connect`] finds out
//! first whether the server is there, takes the key, has the model and gives
//! log-probabilities, so that whatever is wrong is said before the first question.
//!
//! Nothing is retried here: that is the engine's work.

mod address;
mod answer;
mod connect_error;
mod doctor;
mod exchange;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod models;
mod options;
mod probe;
mod quota;
mod secret;
mod status;
mod tokens;
mod transport;
mod wire;

pub use connect_error::ConnectError;
pub use doctor::{
    Bos, Diagnosis, KeyState, Noise, Obstacle, PrefixCache, Routes, Scoring, diagnose,
};
pub use models::ServerTemplate;
pub use options::HttpOptions;
pub use secret::Secret;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use address::{ApiBase, shown, shown_text};
use exchange::ask::ask;
use exchange::{Exchange, Question, Route};
use probe::{Findings, probe};
use transport::{Asynchronous, Blocking, Endpoint, Multiplexed, Transport};

use crate::{Hints, ModelIdentity, OptionScorer, Reply, ScoreError, ScoreRequest, Serving};

/// Scores options through an OpenAI-compatible server.
pub struct HttpScorer {
    endpoint: Arc<Endpoint>,
    transport: Transport,
    /// For calls from plain threads. Opens nothing before the first one.
    blocking: Blocking,
    exchange: Exchange,
    identity: ModelIdentity,
    takes_lists: bool,
    top_k: u32,
    scoring: Scoring,
    /// How long the first byte of an answer may take.
    timeout: Duration,
}

/// Server and transport, before anything is asked.
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
            Transport::Http2(Multiplexed::new(Arc::clone(&endpoint))?)
        } else {
            Transport::Http1(Asynchronous::new(Arc::clone(&endpoint)))
        };
        Ok((endpoint, transport))
    });
    both.map_err(client)
}

impl HttpScorer {
    /// Probes the server and gets ready to ask it.
    pub async fn connect(options: HttpOptions) -> Result<Self, ConnectError> {
        let (endpoint, transport) = prepare(&options)?;
        let route = if options.chat {
            Route::Chat
        } else {
            Route::Completions
        };
        let findings = probe(&transport, &endpoint, &options, route).await?;
        let Findings {
            identity,
            model,
            top_k,
            takes_lists,
            choice,
            spellings,
        } = findings;
        tracing::debug!(?identity, "connected");
        let question = Question::new(route, &model, top_k);
        let timeout = options.timeout;
        Ok(Self {
            timeout: options
                .first_byte_timeout
                .map_or(timeout, |t| t.min(timeout)),
            exchange: Exchange::new(Arc::clone(&endpoint), question, choice, spellings),
            blocking: Blocking::new(Arc::clone(&endpoint)),
            endpoint,
            transport,
            identity,
            takes_lists,
            top_k,
            scoring: choice.into(),
        })
    }

    /// The chat template of a llama.cpp server; `None` where the server does not tell it.
    pub async fn server_template(&self) -> Option<ServerTemplate> {
        let props = self.endpoint.get(self.endpoint.base().beside("props"));
        match ask(&self.transport, &self.endpoint, &props, b"").await {
            Ok(props) => ServerTemplate::read(&props),
            Err(error) => {
                tracing::debug!(%error, "no chat template from the server");
                None
            }
        }
    }

    /// The server's address for people and logs: without credentials and query.
    pub fn address(&self) -> String {
        shown(self.endpoint.base().url())
    }

    /// Whether a batch goes out as one list of prompts.
    pub fn sends_lists(&self) -> bool {
        self.takes_lists
    }

    /// How options are scored, and why so.
    pub fn scoring(&self) -> &Scoring {
        &self.scoring
    }

    /// How many of the most probable tokens each request asks for.
    pub fn top_logprobs(&self) -> u32 {
        self.top_k
    }
}

impl OptionScorer for HttpScorer {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn hints(&self) -> Hints {
        let serving = match self
            .identity
            .details
            .get("server.owned_by")
            .map(|name| &**name)
        {
            Some("llamacpp") => Serving::Slots,
            Some("vllm" | "sglang") => Serving::Steps,
            _ => Serving::Unknown,
        };
        Hints {
            serving,
            timeout: Some(self.timeout),
            relays: false,
        }
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        self.exchange
            .converse(&self.transport, batch, self.takes_lists)
            .boxed()
    }

    /// Needs no runtime: plain sockets, and one prompt after the other unless the server takes
    /// lists.
    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        let answered = self
            .exchange
            .converse(&self.blocking, batch, self.takes_lists);
        // Whatever the blocking transport does is done when the future is polled first.
        answered.now_or_never().unwrap_or_else(|| {
            let error = ScoreError::Backend {
                message: "a blocking request did not block".to_owned(),
            };
            Reply::of(vec![Err(error); batch.len()])
        })
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
