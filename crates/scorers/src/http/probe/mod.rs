//! Short requests before the first question that identify the server and its abilities.

mod letters;
mod patience;
mod returned;
mod sampling;
mod spellings;
mod tier;
mod trials;

pub(super) use patience::ask_again;
use patience::{PAUSES, REPEATS, may_pass};
pub(super) use returned::Counted;
use returned::{TRIES, lacks_logprobs};
pub(super) use spellings::{Tokenizer, listed_tokens, spellings, tokenizing};
pub(super) use tier::{TierChoice, best_tier};

use std::time::Instant;

use reqwest::Url;
use sampling::Listed;
use serde_json::Value;

use super::address::shown;
use super::answer::matched_choices;
use super::connect_error::{ConnectError, lacks};
use super::exchange::ask::ask;
use super::exchange::{Dialect, RequestTemplate, Route, Spellings};
use super::models::{ListedModel, listed, owner};
use super::options::HttpOptions;
use super::report::Letters;
use super::transport::{Endpoint, Resource, Transport};
use crate::error::is_about_logprobs;
use crate::{ModelIdentity, ScoreError};

/// Default counts of log-probabilities to try. 100 holds every option of any
/// usual question; 20 is the limit of vLLM's default and of `OpenAI`'s chat, 5 that of its
/// completions.
const TOP_LOGPROBS: [u32; 3] = [100, 20, 5];
/// The prompts of the probe: short, and with an obvious next letter.
pub(super) const PROMPTS: [&str; 2] = [
    "A B C D A B C D A B C",
    "The alphabet begins with the letter",
];

/// What the probe found.
pub(super) struct Findings {
    pub(super) identity: ModelIdentity,
    /// Requests to the model, without a prompt.
    pub(super) template: RequestTemplate,
    pub(super) takes_lists: bool,
    pub(super) choice: TierChoice,
    pub(super) spellings: Spellings,
    /// How the model answers a trial question.
    pub(super) letters: Option<Letters>,
}

/// The examination of an unknown server.
pub(super) struct Probe<'a> {
    pub(super) transport: &'a Transport,
    pub(super) endpoint: &'a Endpoint,
    pub(super) options: &'a HttpOptions,
    pub(super) route: Route,
    /// What the server has turned out to want.
    pub(super) dialect: Dialect,
    /// Answers to requests for log-probabilities so far.
    pub(super) counted: Counted,
    loading_deadline: Instant,
    warned: bool,
    /// Whether the server has answered anything.
    answered: bool,
}

/// Probes the server; fails at the first problem.
pub(super) async fn probe(
    transport: &Transport,
    endpoint: &Endpoint,
    options: &HttpOptions,
    route: Route,
) -> Result<Findings, ConnectError> {
    let mut probe = Probe::new(transport, endpoint, options, route);
    let mut listed = probe.models().await?;
    let model = probe.model(&listed)?;
    let (top_k, first) = probe.top_logprobs(&model, &listed).await?;
    let known = listed.iter().find(|entry| entry.answers_to(&model));
    if known.is_some_and(|entry| !entry.is_distinctive()) {
        // A router that loads a model on its first request knows its properties only now.
        listed = probe.models().await?;
    }
    if first.len() < 5 {
        tracing::warn!(
            returned = first.len(),
            "the server returns very few log-probabilities: most options will only be bounded"
        );
    }
    let takes_lists = options.list_prompts
        && route == Route::Completions
        && probe.takes_lists(&model, top_k).await?;
    let mut identity = probe.identity(&model, &listed);
    let owner = owner(&model, &listed);
    let template = probe.template(&model, top_k);
    let settings = probe.settings(&template, &first, owner.as_deref()).await;
    let template = template.sampling(settings.sampling);
    let mut spelt = Spellings::default();
    let choice = if options.exact_scores {
        spelt = spellings(&Tokenizer::new(transport, endpoint, &model), route).await;
        best_tier(transport, endpoint, &template, &spelt).await
    } else {
        TierChoice::as_requested()
    };
    tracing::info!(tier = choice.tier.name(), choice.reason, "scoring method");
    let letters = probe.letters(&template).await;
    let shape = if takes_lists { "list" } else { "single" };
    let own_settings = probe.own_settings(settings, choice).await;
    let mut detail = |name: &str, value: String| identity.details.insert(name.to_owned(), value);
    detail("route", route.name().to_owned());
    detail("top logprobs", top_k.to_string());
    detail("option scores", choice.tier.name().to_owned());
    detail("request shape", shape.to_owned());
    if !probe.dialect.sets_temperature() {
        detail("temperature", "the server's own".to_owned());
    }
    // Both are absent where version 0.1.0 would have asked alike: its answers stay usable.
    if let Some(settings) = own_settings {
        detail("server settings, switched off", settings);
    }
    if let Some(extra) = &options.extra_body {
        detail("extra body", extra.canonical());
    }
    Ok(Findings {
        identity,
        template,
        takes_lists,
        choice,
        spellings: spelt,
        letters,
    })
}

impl<'a> Probe<'a> {
    pub(super) fn new(
        transport: &'a Transport,
        endpoint: &'a Endpoint,
        options: &'a HttpOptions,
        route: Route,
    ) -> Self {
        let now = Instant::now();
        Self {
            transport,
            endpoint,
            options,
            route,
            dialect: Dialect::default(),
            loading_deadline: now.checked_add(options.loading_wait).unwrap_or(now),
            warned: false,
            answered: false,
            counted: Counted::default(),
        }
    }

    /// The listed models; empty if the server has no list or does not share it.
    pub(super) async fn models(&mut self) -> Result<Vec<ListedModel>, ConnectError> {
        let url = self.endpoint.base().route("models");
        match self.ask_when_loaded(&url, None).await? {
            Ok(response) => Ok(listed(&response)),
            Err(ScoreError::NotFound { .. } | ScoreError::Unauthorized { status: 403, .. }) => {
                Ok(Vec::new())
            }
            Err(ScoreError::Rejected { status, .. }) if lacks(status) => Ok(Vec::new()),
            // `transformers serve` does so where the hub's cache folder does not exist, and serves
            // its model all the same.
            Err(ScoreError::Server {
                status: 500,
                message,
                ..
            }) if self.options.model.is_some() => {
                tracing::warn!(
                    url = shown(&url),
                    message,
                    "the server's list of models fails; it is asked for the model as named"
                );
                Ok(Vec::new())
            }
            Err(error) => Err(self.failed(&url, error)),
        }
    }

    /// The name of the model to ask: one that the server lists, if it lists its models.
    pub(super) fn model(&self, listed: &[ListedModel]) -> Result<String, ConnectError> {
        let named: Vec<&ListedModel> = listed.iter().filter(|it| !it.is_wildcard()).collect();
        let takes_any = self.options.any_model || named.len() < listed.len();
        let url = || shown(&self.endpoint.base().route("models"));
        match (&self.options.model, named.as_slice()) {
            (Some(name), [_, ..])
                if !takes_any && !listed.iter().any(|entry| entry.answers_to(name)) =>
            {
                Err(ConnectError::NoSuchModel {
                    url: url(),
                    model: name.clone(),
                    listed: names(listed),
                    message: None,
                })
            }
            (Some(name), _) => Ok(name.clone()),
            (None, [only]) => Ok(only.id.clone()),
            (None, _) => Err(ConnectError::ChooseModel {
                url: url(),
                listed: names(listed),
            }),
        }
    }

    /// The largest count of log-probabilities that the server accepts, and the tokens that it then
    /// returns.
    pub(super) async fn top_logprobs(
        &mut self,
        model: &str,
        listed: &[ListedModel],
    ) -> Result<(u32, Listed), ConnectError> {
        let url = self.endpoint.base().route(self.route.path());
        let asked = self.options.top_logprobs;
        let candidates = asked.map_or(TOP_LOGPROBS.to_vec(), |k| vec![k]);
        let mut refused = None;
        for &top in &candidates {
            let error = match self.tokens_returned(&url, model, top).await? {
                Ok(returned) => return Ok((top, returned)),
                Err(error) => error,
            };
            refused = match error {
                ScoreError::Rejected { status, message } if status >= 400 && !lacks(status) => {
                    Some(message)
                }
                // Some accounts may ask, but not for log-probabilities.
                ScoreError::Unauthorized {
                    status: 403,
                    message,
                } => Some(message),
                ScoreError::Unauthorized { message, .. }
                | ScoreError::Server {
                    status: 200,
                    message,
                    ..
                } if is_about_logprobs(&message) => Some(message),
                ScoreError::NotFound { message } => {
                    return Err(not_found(&url, model, listed, message));
                }
                error => return Err(self.failed(&url, error)),
            };
        }
        // Find out what was refused: the number, log-probabilities as such, or the whole request.
        if let Err(error) = self.answer(&url, model, None).await? {
            return Err(self.failed(&url, error));
        }
        let one = match asked {
            Some(_) => self.tokens_returned(&url, model, 1).await?.is_ok(),
            None => false,
        };
        let message = refused;
        Err(match (asked.filter(|_| one), message) {
            (Some(asked), Some(message)) => ConnectError::TopLogprobsRefused {
                url: shown(&url),
                asked,
                message,
            },
            (_, message) => ConnectError::NoLogprobs {
                url: shown(&url),
                message,
            },
        })
    }

    /// Whether two prompts in one request get two numbered answers.
    pub(super) async fn takes_lists(
        &mut self,
        model: &str,
        top: u32,
    ) -> Result<bool, ConnectError> {
        let url = self.endpoint.base().route(self.route.path());
        let template = RequestTemplate::new(Route::Completions, model, top)
            .speaking(self.dialect)
            .extra(self.options.extra_body.as_ref());
        let body = template.whole_list(&PROMPTS, &template.ending(Some(top)));
        let mut answer = self.ask_when_loaded(&url, Some(&body)).await?;
        for _ in 1..TRIES {
            if !answer.as_ref().is_ok_and(lacks_logprobs) {
                break;
            }
            answer = self.ask_when_loaded(&url, Some(&body)).await?;
        }
        let reason = match answer {
            Ok(response) => {
                let both = matched_choices(&response, PROMPTS.len()).and_then(|choices| {
                    choices
                        .into_iter()
                        .map(|choice| choice.and_then(|choice| choice.tokens()))
                        .collect::<Result<Vec<_>, _>>()
                });
                match both {
                    Ok(_) => return Ok(true),
                    Err(error) => self.endpoint.scrubbed(error),
                }
            }
            Err(error) => error,
        };
        tracing::info!(%reason, "the server does not accept lists of prompts: sending one request per prompt");
        Ok(false)
    }

    pub(in crate::http) fn identity(&self, model: &str, listed: &[ListedModel]) -> ModelIdentity {
        let mut identity = ModelIdentity {
            name: model.to_owned(),
            backend: "openai-http".to_owned(),
            details: std::collections::BTreeMap::new(),
        };
        let mut entry = listed.iter().find(|entry| entry.answers_to(model));
        if entry.is_none() && !listed.is_empty() {
            let served = names(listed).join(", ");
            tracing::warn!(
                model,
                served,
                "the server answers although it does not list this model: it may ignore the name"
            );
            identity
                .details
                .insert("not listed, but".to_owned(), served);
            if let [only] = listed {
                entry = Some(only);
            }
        }
        for (name, value) in entry.iter().flat_map(|entry| &entry.fingerprint) {
            let name = format!("server.{name}");
            identity.details.insert(name, value.clone());
        }
        if !entry.is_some_and(ListedModel::is_distinctive) {
            let base = shown(self.endpoint.base().url());
            identity
                .details
                .insert(ModelIdentity::ADDRESS.to_owned(), base);
        }
        identity
    }

    /// Sends a request, and repeats it while the server is loading its model or throttles, and a few
    /// times where it fails in another way that may pass.
    pub(in crate::http) async fn ask_when_loaded(
        &mut self,
        url: &Url,
        body: Option<&str>,
    ) -> Result<Result<Value, ScoreError>, ConnectError> {
        let [mut pause, longest] = PAUSES;
        let mut repeats = REPEATS;
        let resource: Resource = match body {
            Some(_) => self.endpoint.post(url.clone()),
            None => self.endpoint.get(url.clone()),
        };
        let bytes = body.unwrap_or_default().as_bytes();
        loop {
            let answer = ask(self.transport, self.endpoint, &resource, bytes).await;
            let Err(error) = &answer else {
                self.answered = true;
                return Ok(answer);
            };
            let left = self
                .loading_deadline
                .saturating_duration_since(Instant::now());
            let wait = error.retry_after().unwrap_or(pause);
            match error {
                // A wait beyond all patience is the user's to decide on.
                _ if !self.passes(error) || wait > self.options.loading_wait.max(longest) => {
                    return Ok(answer);
                }
                ScoreError::Server {
                    status: 503,
                    message,
                    ..
                } if left.is_zero() => {
                    return Err(ConnectError::StillLoading {
                        url: shown(url),
                        seconds: self.options.loading_wait.as_secs(),
                        message: message.clone(),
                    });
                }
                ScoreError::RateLimited { .. } if left.is_zero() => return Ok(answer),
                ScoreError::Server { status: 503, .. } | ScoreError::RateLimited { .. } => {
                    self.warn_once(error);
                    tokio::time::sleep(wait.min(left)).await;
                }
                _ if repeats == 0 => return Ok(answer),
                _ => {
                    repeats -= 1;
                    tracing::info!(%error, "a request of the probe failed: asking again");
                    tokio::time::sleep(wait).await;
                }
            }
            pause = (pause * 2).min(longest);
        }
    }

    /// Whether the failure may pass. An address where nobody has answered yet may be wrong.
    fn passes(&self, error: &ScoreError) -> bool {
        let nobody = matches!(
            error,
            ScoreError::Unreachable {
                connected: false,
                ..
            }
        );
        may_pass(error) && (self.answered || !nobody)
    }

    fn warn_once(&mut self, error: &ScoreError) {
        if !std::mem::replace(&mut self.warned, true) {
            let limit = self.options.loading_wait.as_secs();
            tracing::warn!("the server is not ready yet ({error}): waiting up to {limit} s");
        }
    }

    /// HTTP 404 means that either the model or the route is missing.
    pub(in crate::http) fn not_found(
        &self,
        url: &Url,
        model: &str,
        listed: &[ListedModel],
        message: &str,
    ) -> ConnectError {
        not_found(url, model, listed, self.endpoint.scrubber().scrub(message))
    }

    pub(super) fn failed(&self, url: &Url, error: ScoreError) -> ConnectError {
        let key_given = self.options.api_key.is_some();
        ConnectError::at(shown(url), key_given, self.endpoint.scrubbed(error))
    }
}

fn names(listed: &[ListedModel]) -> Vec<String> {
    listed.iter().map(|model| model.id.clone()).collect()
}

/// HTTP 404 means that either the model or the route is missing.
fn not_found(url: &Url, model: &str, listed: &[ListedModel], message: String) -> ConnectError {
    let known = listed.iter().any(|entry| entry.answers_to(model));
    if !known && (!listed.is_empty() || message.to_lowercase().contains("model")) {
        return ConnectError::NoSuchModel {
            url: shown(url),
            model: model.to_owned(),
            listed: names(listed),
            message: Some(message),
        };
    }
    ConnectError::NoSuchRoute {
        url: shown(url),
        status: 404,
        message,
    }
}
