//! Letters scored after a thought.
//!
//! Each thought is a request for an answer in words, up to a limit of tokens. A cue then fixes the
//! answer, and a second request scores the letters after both. On the completions route the second
//! prompt holds the thought; in a chat the server continues the assistant's message.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};
use sureness_record::{Reasoned, Sampled};

use super::super::connect_error::ConnectError;
use super::super::exchange::batch::{Stats, in_order};
use super::super::options::HttpOptions;
use super::super::transport::Client;
use super::super::{HttpScorer, at_first_poll};
use super::api::Api;
use super::asking::Asking;
use super::probe::trial_template;
use crate::said::{End, Said};
use crate::thought::Parts;
use crate::{
    Draw, Hints, ModelIdentity, OptionScorer, OptionScores, Reply, RequestKey, ScoreError,
    ScoreRequest, Usage,
};

/// Scores letters after a thought, through an OpenAI-compatible server.
pub struct ReasoningScorer {
    letters: HttpScorer,
    /// `None` where no token is to be thought.
    thinking: Option<Asking>,
    chat: bool,
    identity: ModelIdentity,
    kept: Kept,
}

/// Thoughts whose letters could not be scored, for the next attempt. A new thought would be paid for
/// again, and thoughts that make the second request fail would be drawn too rarely.
#[derive(Default)]
struct Kept(Mutex<HashMap<RequestKey, (Said, Usage)>>);

/// Maximum number of thoughts that are kept: they are lost where a server fails for thousands.
const MOST_KEPT: usize = 4096;

impl Kept {
    fn keep(&self, key: RequestKey, thought: (Said, Usage)) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_KEPT {
            kept.insert(key, thought);
        }
    }

    fn take(&self, key: RequestKey) -> Option<(Said, Usage)> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&key)
    }
}

impl ReasoningScorer {
    /// Probes the server, for log-probabilities and for answers in words.
    pub async fn connect(options: HttpOptions, reasoned: Reasoned) -> Result<Self, ConnectError> {
        let letters = HttpScorer::connect(options.clone()).await?;
        Self::over(letters, options, reasoned).await
    }

    /// The same on a server that has been probed for log-probabilities with the same options.
    pub async fn over(
        letters: HttpScorer,
        options: HttpOptions,
        reasoned: Reasoned,
    ) -> Result<Self, ConnectError> {
        let (chat, options) = (options.chat, options.with_own_key());
        let thinking = match NonZeroU32::new(reasoned.think_tokens) {
            None => None,
            Some(max_tokens) => {
                let sampled = Sampled {
                    samples: NonZeroU32::MIN,
                    within: None,
                    temperature: reasoned.temperature,
                    max_tokens,
                };
                let api = if chat { Api::Chat } else { Api::Completions };
                let endpoint = Arc::clone(&letters.endpoint);
                let template =
                    trial_template(&letters.transport, &endpoint, &options, api, sampled).await?;
                Some(Asking::new(&endpoint, template, false))
            }
        };
        let mut identity = letters.identity.clone();
        let mut detail = |name: &str, value: String| {
            identity.details.insert(name.to_owned(), value);
        };
        detail("answers", "reasoned".to_owned());
        detail("think tokens", reasoned.think_tokens.to_string());
        detail("temperature", reasoned.temperature.to_string());
        Ok(Self {
            letters,
            thinking,
            chat,
            identity,
            kept: Kept::default(),
        })
    }

    /// The server's address without credentials and query, for messages and logs.
    pub fn address(&self) -> String {
        self.letters.address()
    }

    async fn batch<C: Client>(&self, client: &C, batch: &[ScoreRequest]) -> Reply {
        let asked = batch.iter().map(|request| self.one(client, request));
        let (scores, stats) = in_order(client, asked.collect()).await;
        stats.reply(scores)
    }

    /// One thought, and the letters after it.
    async fn one<C: Client>(
        &self,
        client: &C,
        request: &ScoreRequest,
    ) -> (Result<OptionScores, ScoreError>, Stats) {
        let Some(thinking) = &self.thinking else {
            let (outcome, stats) = self.letters_after(client, request.clone()).await;
            return (outcome.map(|scores| Said::default().before(scores)), stats);
        };
        let parts = Parts::of(&request.prompt, self.chat);
        let (thought, stats) = match self.kept.take(request.key) {
            Some(thought) => (Ok(thought), Stats::default()),
            None => thinking.said(client, &parts.question.text()).await,
        };
        let (said, usage) = match thought {
            Ok(thought) => thought,
            Err(error) => return (Err(error), stats),
        };
        if said.end == End::Refused {
            let none = said.in_place_of_letters(request.labels.len(), usage);
            return (Ok(none), stats);
        }
        let after = after(request, &parts, &said, self.chat);
        let (outcome, then) = self.letters_after(client, after).await;
        let outcome = match outcome {
            Ok(mut scores) => {
                scores.usage = usage.before(scores.usage);
                Ok(said.before(scores))
            }
            Err(error) => {
                if error.is_retryable() {
                    self.kept.keep(request.key, (said, usage));
                }
                Err(error)
            }
        };
        (outcome, stats.then(then))
    }

    async fn letters_after<C: Client>(
        &self,
        client: &C,
        request: ScoreRequest,
    ) -> (Result<OptionScores, ScoreError>, Stats) {
        let reply = self.letters.score_through(client, &[request]).await;
        let stats = Stats::of_reply(&reply);
        let outcome = reply.scores.into_iter().next();
        let none = ScoreError::Malformed {
            message: "no answer to the only prompt".to_owned(),
        };
        (outcome.unwrap_or(Err(none)), stats)
    }
}

/// The request for the letters after a thought.
fn after(request: &ScoreRequest, parts: &Parts, said: &Said, chat: bool) -> ScoreRequest {
    let mut after = request.clone();
    if chat {
        after.prompt = parts.question.clone();
        after.draw = Some(Draw {
            number: 0,
            options: Vec::new(),
            said: Some(parts.begun(said, false)),
        });
    } else {
        after.prompt = parts.after(said);
    }
    after
}

impl OptionScorer for ReasoningScorer {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn hints(&self) -> Hints {
        Hints {
            answers_at_once: 1,
            ..self.letters.hints()
        }
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        self.batch(&self.letters.transport, batch).boxed()
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        at_first_poll(self.batch(&self.letters.blocking, batch), batch.len())
    }
}

impl std::fmt::Debug for ReasoningScorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReasoningScorer")
            .field("url", &self.address())
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
