//! Trial requests before the first question: whether and how the server answers in words.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::Value;
use sureness_record::Sampled;

use super::super::address::shown;
use super::super::connect_error::ConnectError;
use super::super::exchange::{Dialect, Route};
use super::super::models::{ListedModel, owner};
use super::super::options::HttpOptions;
use super::super::probe::Probe;
use super::super::transport::{Endpoint, Transport};
use super::api::{Api, Template};
use super::said::said;
use crate::said::READER;
use crate::{ModelIdentity, ScoreError};

/// A question with an obvious answer, in a form that every model can answer.
const QUESTION: &str =
    "Question: Which of these is a colour?\nChoices:\nA. Seven\nB. Green\nAnswer:";
/// Values that switch off the samplers of llama.cpp, vLLM and `SGLang`, so that answers are drawn from
/// the model's own probabilities.
const NO_SAMPLERS: &str = ",\"top_p\":1,\"top_k\":-1,\"min_p\":0,\"repetition_penalty\":1,\
    \"repeat_penalty\":1,\"presence_penalty\":0,\"frequency_penalty\":0";
/// Numbers of answers in one request that are tried below the wanted one.
const AT_ONCE: [u32; 3] = [8, 4, 2];

/// What the probe found.
pub(super) struct Found {
    pub(super) identity: ModelIdentity,
    pub(super) template: Template,
    pub(super) at_once: NonZeroU32,
    /// Whether the server counts the tokens of one answer where a request has several.
    pub(super) counts_one: bool,
}

pub(super) async fn probe(
    transport: &Transport,
    endpoint: &Arc<Endpoint>,
    options: &HttpOptions,
    api: Api,
    sampled: Sampled,
) -> Result<Found, ConnectError> {
    let route = match api {
        Api::Completions => Route::Completions,
        _ => Route::Chat,
    };
    let mut probe = Probe::new(transport, endpoint, options, route);
    let mut listed = probe.models().await?;
    let model = probe.model(&listed)?;
    let template = of_server(&mut probe, &listed, &model, api, sampled).await?;
    let known = listed.iter().find(|entry| entry.answers_to(&model));
    if known.is_some_and(|entry| !entry.is_distinctive()) {
        // A router that loads a model on its first request knows its properties only now.
        listed = probe.models().await?;
    }
    let (at_once, counts_one) = at_once(&mut probe, &template, sampled.samples).await?;
    let mut identity = probe.identity(&model, &listed);
    let mut detail = |name: &str, value: String| identity.details.insert(name.to_owned(), value);
    detail("answers", "sampled".to_owned());
    detail("answer reader", READER.to_owned());
    detail("answer tokens", template.max_tokens.to_string());
    detail("route", api.name().to_owned());
    let temperature = if template.dialect.sets_temperature() {
        sampled.temperature.to_string()
    } else {
        "the server's own".to_owned()
    };
    detail("temperature", temperature);
    let samplers = if template.samplers.is_empty() {
        "the server's own"
    } else {
        "none"
    };
    detail("samplers", samplers.to_owned());
    if let Some(extra) = &options.extra_body {
        detail("extra body", extra.canonical());
    }
    Ok(Found {
        identity,
        template,
        at_once,
        counts_one,
    })
}

/// Requests for answers in words to a server that has been probed for log-probabilities.
pub(super) async fn trial_template(
    transport: &Transport,
    endpoint: &Arc<Endpoint>,
    options: &HttpOptions,
    api: Api,
    sampled: Sampled,
) -> Result<Template, ConnectError> {
    let route = match api {
        Api::Completions => Route::Completions,
        _ => Route::Chat,
    };
    let mut probe = Probe::new(transport, endpoint, options, route);
    let listed = probe.models().await?;
    let model = probe.model(&listed)?;
    of_server(&mut probe, &listed, &model, api, sampled).await
}

/// Requests as this server takes them.
async fn of_server(
    probe: &mut Probe<'_>,
    listed: &[ListedModel],
    model: &str,
    api: Api,
    sampled: Sampled,
) -> Result<Template, ConnectError> {
    let owner = owner(model, listed);
    let is_known = matches!(owner.as_deref(), Some("llamacpp" | "vllm" | "sglang"));
    let samplers = is_known && matches!(api, Api::Completions | Api::Chat);
    let mut template = Template {
        api,
        model: model.to_owned(),
        temperature: sampled.temperature,
        max_tokens: sampled.max_tokens.get(),
        dialect: Dialect::default(),
        samplers: if samplers { NO_SAMPLERS } else { "" },
        extra: Template::extra(probe.options.extra_body.as_ref()),
    };
    let answer = trial(probe, &mut template, listed).await?;
    let url = probe.endpoint.base().route(api.path());
    said(api, &answer).map_err(|error| probe.failed(&url, error))?;
    Ok(template)
}

/// The answer to a trial question. Learns from refusals how the server wants to be asked.
async fn trial(
    probe: &mut Probe<'_>,
    template: &mut Template,
    listed: &[ListedModel],
) -> Result<Value, ConnectError> {
    let url = probe.endpoint.base().route(template.api.path());
    loop {
        let error = match ask(probe, template, 1).await? {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let message = match &error {
            ScoreError::Rejected { message, .. } => message,
            ScoreError::NotFound { message } => {
                let model = &template.model;
                return Err(probe.not_found(&url, model, listed, message));
            }
            _ => return Err(probe.failed(&url, error)),
        };
        let Some(dialect) = template.dialect.after(message) else {
            return Err(probe.failed(&url, error));
        };
        tracing::info!(
            ?dialect,
            "the server refused the request: asking in another way"
        );
        template.dialect = dialect;
    }
}

/// How many answers one request may ask for: those that are wanted, or fewer; and whether the server then
/// counts the tokens of one alone.
async fn at_once(
    probe: &mut Probe<'_>,
    template: &Template,
    wanted: NonZeroU32,
) -> Result<(NonZeroU32, bool), ConnectError> {
    let one = (NonZeroU32::MIN, false);
    if !template.api.has_n() {
        return Ok(one);
    }
    // The shortest answers: only their number counts.
    let short = Template {
        max_tokens: 1,
        ..template.clone()
    };
    let fewer = AT_ONCE.into_iter().filter(|n| *n < wanted.get());
    for n in [wanted.get()].into_iter().filter(|n| *n > 1).chain(fewer) {
        let answers = ask(probe, &short, n).await?;
        let answers = answers.and_then(|answer| said(short.api, &answer));
        match answers {
            Ok((answers, usage)) if answers.len() == n as usize => {
                // Each answer has a token, and at most as many as were asked for.
                let one_has = short.dialect.limit().1.max(1);
                let counts_one = |tokens: u32| tokens < n && tokens <= one_has;
                let counts_one = usage.answer_tokens.is_some_and(counts_one);
                return Ok((NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN), counts_one));
            }
            // It ignores the field.
            Ok(_) => break,
            Err(error) => tracing::info!(%error, n, "the server refused so many answers at once"),
        }
    }
    Ok(one)
}

async fn ask(
    probe: &mut Probe<'_>,
    template: &Template,
    n: u32,
) -> Result<Result<Value, ScoreError>, ConnectError> {
    let url = probe.endpoint.base().route(template.api.path());
    tracing::debug!(url = shown(&url), n, "trial request");
    let body = String::from_utf8_lossy(&template.body(QUESTION, n)).into_owned();
    probe.ask_when_loaded(&url, Some(&body)).await
}
