//! Examines a server: log-probabilities, scoring method, reproducibility.
//!
//! [`diagnose`] sends a few dozen short requests. It never fails: a diagnosis includes the problem
//! that would stop a run, and all findings before it, each of which is told as soon as it is known.
//! [`super::HttpScorer::connect`] begins with the same steps.

mod abilities;
mod long;
mod noise;
mod prefix;
mod report;

use std::sync::Arc;

use sureness_hint::Hint;

use super::connect_error::ConnectError;
use super::exchange::{Exchange, Route};
use super::models::owner;
use super::options::HttpOptions;
use super::probe::{Counted, Probe, TierChoice, Tokenizer, best_tier, spellings};
use super::transport::{Endpoint, Transport};
use super::{address, prepare};
use abilities::Examination;
pub use noise::noise_between;
pub use report::{
    Bos, Diagnosis, KeyState, LongPrompt, LongPromptOutcome, MissingLogprobs, Obstacle,
    PrefixCache, Routes, Scoring,
};

/// How thoroughly a server is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// In some ten seconds: without what comes after the context length in [`Diagnosis`].
    Quick,
    /// Everything. The noise floor takes most of the time: it asks each of its questions three or four
    /// times.
    Whole {
        /// Questions for the noise floor, sent at once in one of the rounds; at least 1. The built-in
        /// pack has a few hundred.
        noise_questions: usize,
    },
}

impl Default for Depth {
    /// Everything, with the default number of questions.
    fn default() -> Self {
        Self::Whole {
            noise_questions: Self::NOISE_QUESTIONS,
        }
    }
}

impl Depth {
    /// The default number of questions for the noise floor.
    pub const NOISE_QUESTIONS: usize = 20;

    fn noise_questions(self) -> Option<usize> {
        match self {
            Self::Quick => None,
            Self::Whole { noise_questions } => Some(noise_questions),
        }
    }
}

/// Examines the server that `options` describe. `told` receives what is known after each step.
pub async fn diagnose(
    options: HttpOptions,
    depth: Depth,
    told: &mut (dyn FnMut(&Diagnosis) + Send),
) -> Diagnosis {
    let mut options = options.with_own_key();
    // The noise measurement sends this many requests at once.
    let at_once = depth.noise_questions().unwrap_or(1);
    options.max_connections = options.max_connections.max(at_once);
    let mut diagnosis = Diagnosis {
        api_base: address::shown_text(&options.api_base),
        ..Diagnosis::default()
    };
    let found = match prepare(&options) {
        Ok((endpoint, transport)) => {
            diagnosis.api_base = address::shown(endpoint.base().url());
            let server = Server {
                options: &options,
                endpoint: &endpoint,
                transport: &transport,
                depth,
            };
            server.examine(&mut diagnosis, told).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = found {
        if matches!(error, ConnectError::Unauthorized { .. }) {
            diagnosis.key = KeyState::Refused;
        }
        diagnosis.reachable =
            !matches!(error, ConnectError::Unreachable { .. }) && diagnosis.reachable;
        let hint = match &error {
            // The routes are known here.
            ConnectError::NoSuchRoute { .. } if diagnosis.routes.chat && !options.chat => {
                "use --chat: the server has chat completions alone".into()
            }
            ConnectError::NoSuchRoute { .. } if diagnosis.routes.completions && options.chat => {
                "leave out --chat: the server has completions alone".into()
            }
            error => error.hint().into_owned(),
        };
        diagnosis.obstacle = Some(Obstacle {
            message: error.to_string(),
            hint,
        });
    }
    diagnosis
}

/// The answers without log-probabilities, if there are any.
fn missing(counted: Counted) -> Option<MissingLogprobs> {
    (counted.without > 0).then_some(MissingLogprobs {
        answers: counted.answers,
        without: counted.without,
    })
}

/// A server under examination.
struct Server<'a> {
    options: &'a HttpOptions,
    endpoint: &'a Arc<Endpoint>,
    transport: &'a Transport,
    depth: Depth,
}

impl Server<'_> {
    /// Fills in the findings in turn, up to the first problem.
    async fn examine(
        &self,
        diagnosis: &mut Diagnosis,
        told: &mut (dyn FnMut(&Diagnosis) + Send),
    ) -> Result<(), ConnectError> {
        let (options, transport, endpoint) = (self.options, self.transport, self.endpoint);
        let route = if options.chat {
            Route::Chat
        } else {
            Route::Completions
        };
        let mut probe = Probe::new(transport, endpoint, options, route);
        // Until an answer says otherwise.
        diagnosis.reachable = true;
        let listed = probe.models().await?;
        diagnosis.models = listed.iter().map(|model| model.id.clone()).collect();
        told(diagnosis);
        let model = probe.model(&listed)?;
        diagnosis.model = Some(model.clone());

        let found = probe.top_logprobs(&model, &listed).await;
        // In the way that the server has turned out to want.
        let examination =
            Examination::new(transport, endpoint, options, &model).speaking(probe.dialect);
        diagnosis.routes = examination.routes().await;
        told(diagnosis);
        let (top_k, first) = found?;
        diagnosis.key = if options.api_key.is_some() {
            KeyState::Accepted
        } else {
            KeyState::NotNeeded
        };
        diagnosis.returned_logprobs = Some(first.len());
        diagnosis.top_logprobs = Some(if self.depth == Depth::Quick {
            top_k
        } else {
            examination.largest_count(route, top_k).await
        });
        told(diagnosis);
        if diagnosis.routes.completions {
            diagnosis.lists = Some(probe.takes_lists(&model, top_k).await?);
            told(diagnosis);
        }

        let owner = owner(&model, &listed);
        let template = probe.template(&model, top_k);
        let settings = probe.settings(&template, &first, owner.as_deref()).await;
        let template = template.sampling(settings.sampling);
        let tokenizer = Tokenizer::new(transport, endpoint, &model);
        let letters = spellings(&tokenizer, route).await;
        diagnosis.letters.clone_from(&letters.0);
        told(diagnosis);
        let choice = if options.exact_scores {
            best_tier(transport, endpoint, &template, &letters).await
        } else {
            TierChoice::as_requested()
        };
        diagnosis.own_settings = probe.own_settings(settings, choice).await;
        diagnosis.scoring = Some(choice.into());
        told(diagnosis);
        diagnosis.trial = probe.letters(&template).await;
        diagnosis.context = examination.context(&tokenizer).await;
        told(diagnosis);
        let Some(noise_questions) = self.depth.noise_questions() else {
            diagnosis.missing_logprobs = missing(probe.counted);
            return Ok(());
        };

        let abilities = examination.abilities(route, &letters).await;
        diagnosis.logit_bias = abilities.logit_bias;
        diagnosis.grammar = abilities.grammar;
        diagnosis.structured_choice = abilities.structured_choice;
        diagnosis.bos = examination.bos(&tokenizer).await;
        told(diagnosis);
        diagnosis.prefix_cache = prefix::examine(transport, endpoint, &template).await;
        told(diagnosis);
        let short = diagnosis.prefix_cache.and_then(|cache| cache.prompt_tokens);
        let context = diagnosis.context;
        diagnosis.long_prompt = long::examine(transport, endpoint, &template, context, short).await;
        told(diagnosis);
        let exchange = |template| {
            let letters = letters.clone();
            Exchange::new(Arc::clone(endpoint), template, choice, letters)
        };
        let lists = diagnosis.lists == Some(true);
        let (cached, uncached) = (exchange(template.clone()), exchange(template.uncached()));
        let mut counted = probe.counted;
        let asked = noise_questions;
        diagnosis.noise =
            noise::measure(asked, &cached, &uncached, transport, lists, &mut counted).await;
        diagnosis.missing_logprobs = missing(counted);
        told(diagnosis);
        Ok(())
    }
}
