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
mod models;
mod options;
mod probe;
mod route;
mod secret;
mod status;
mod tokens;
mod transport;

pub use connect_error::ConnectError;
pub use models::ServerTemplate;
pub use options::HttpOptions;
pub use secret::Secret;

use std::time::Instant;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream;
use reqwest::Url;

use address::{ApiBase, shown, shown_text};
use answer::{Choice, matched_choices, only_choice, usage};
use probe::{Findings, probe};
use route::Route;
use transport::Transport;

use crate::{
    ModelIdentity, OptionScorer, OptionScores, Reply, ScoreError, ScoreRequest, Timing, Usage,
};

type Scored = Result<OptionScores, ScoreError>;

/// Scores options through an OpenAI-compatible server.
pub struct HttpScorer {
    transport: Transport,
    route: Route,
    url: Url,
    findings: Findings,
}

impl HttpScorer {
    /// Probes the server and gets ready to ask it.
    pub async fn connect(options: HttpOptions) -> Result<Self, ConnectError> {
        let base = ApiBase::parse(&options.api_base).map_err(|reason| ConnectError::Address {
            given: shown_text(&options.api_base),
            reason,
        })?;
        let transport = Transport::new(&options, base.clone()).map_err(|message| {
            let url = shown(base.url());
            ConnectError::Client { url, message }
        })?;
        let route = if options.chat {
            Route::Chat
        } else {
            Route::Completions
        };
        let findings = probe(&transport, &options, route).await?;
        let url = transport.base().route(route.path());
        tracing::debug!(identity = ?findings.identity, "connected");
        Ok(Self {
            transport,
            route,
            url,
            findings,
        })
    }

    /// The chat template of a llama.cpp server; `None` where the server does not tell it.
    pub async fn server_template(&self) -> Option<ServerTemplate> {
        let url = self.transport.base().beside("props");
        match self.transport.get(&url).await {
            Ok(props) => ServerTemplate::read(&props),
            Err(error) => {
                tracing::debug!(%error, "no chat template from the server");
                None
            }
        }
    }

    /// Whether a batch goes out as one list of prompts.
    pub fn sends_lists(&self) -> bool {
        self.findings.takes_lists
    }

    /// How many of the most probable tokens each request asks for.
    pub fn top_logprobs(&self) -> u32 {
        self.findings.top_k
    }

    /// One request per prompt, as many at once as there are connections.
    async fn score_each(&self, batch: &[ScoreRequest]) -> Vec<Scored> {
        let asked: Vec<BoxFuture<'_, Scored>> = batch
            .iter()
            .map(|request| self.score_one(request).boxed())
            .collect();
        stream::iter(asked)
            .buffered(self.transport.connections())
            .collect()
            .await
    }

    async fn score_one(&self, request: &ScoreRequest) -> Scored {
        let text = request.prompt.text();
        let top_k = self.findings.top_k;
        let body = self.route.one(&self.findings.model, &text, Some(top_k));
        let response = self.transport.post(&self.url, &body).await?;
        only_choice(&response)
            .and_then(|choice| self.read(choice, request, usage(&response)))
            .map_err(|error| self.transport.scrubbed(error))
    }

    /// One request for the whole batch; one per prompt where the server refuses that and a
    /// single prompt may be the reason.
    async fn score_list(&self, batch: &[ScoreRequest]) -> Vec<Scored> {
        let prompts: Vec<String> = batch.iter().map(|request| request.prompt.text()).collect();
        let body = route::list(&self.findings.model, &prompts, self.findings.top_k);
        let answered = self.transport.post(&self.url, &body).await;
        let response = match answered {
            Ok(response) => response,
            Err(error) if one_prompt_may_be_to_blame(&error) && batch.len() > 1 => {
                tracing::debug!(%error, "a list was refused: one request per prompt");
                return self.score_each(batch).await;
            }
            Err(error) => return vec![Err(error); batch.len()],
        };
        // The counts of a list are the sum over its prompts (vLLM) or those of one of them
        // (llama.cpp): nothing to tell of a single prompt, unless it is alone.
        let counts = if batch.len() == 1 {
            usage(&response)
        } else {
            Usage::default()
        };
        match matched_choices(&response, batch.len()) {
            Ok(choices) => choices
                .into_iter()
                .zip(batch)
                .map(|(choice, request)| {
                    choice
                        .and_then(|choice| self.read(choice, request, counts))
                        .map_err(|error| self.transport.scrubbed(error))
                })
                .collect(),
            Err(error) => vec![Err(self.transport.scrubbed(error)); batch.len()],
        }
    }

    fn read(&self, choice: Choice<'_>, request: &ScoreRequest, usage: Usage) -> Scored {
        let top_k = self.findings.top_k as usize;
        tokens::option_scores(choice.tokens()?, &request.labels, top_k, usage)
    }
}

/// Whether a failed list may owe to one of its prompts, so that each deserves its own request.
fn one_prompt_may_be_to_blame(error: &ScoreError) -> bool {
    matches!(
        error,
        ScoreError::Rejected { .. } | ScoreError::ContextTooLong { .. }
    )
}

impl OptionScorer for HttpScorer {
    fn identity(&self) -> &ModelIdentity {
        &self.findings.identity
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        async move {
            let started = Instant::now();
            let scores = if self.findings.takes_lists && !batch.is_empty() {
                self.score_list(batch).await
            } else {
                self.score_each(batch).await
            };
            Reply {
                timing: Timing {
                    server: started.elapsed(),
                    ..Timing::default()
                },
                ..Reply::of(scores)
            }
        }
        .boxed()
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.score(batch)),
            Err(error) => {
                let error = ScoreError::Backend {
                    message: error.to_string(),
                };
                Reply::of(vec![Err(error); batch.len()])
            }
        }
    }
}

impl std::fmt::Debug for HttpScorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpScorer")
            .field("url", &shown(&self.url))
            .field("identity", &self.findings.identity)
            .finish_non_exhaustive()
    }
}
