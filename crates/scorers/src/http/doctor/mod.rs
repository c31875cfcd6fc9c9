//! Examines a server: log-probabilities, scoring method, reproducibility.
//!
//! [`diagnose`] sends a few dozen short requests. It never fails: a diagnosis includes the problem
//! that would stop a run, and all findings before it. [`super::HttpScorer::connect`] begins with
//! the same steps.

mod abilities;
mod noise;
mod prefix;
mod report;

use std::sync::Arc;

use sureness_hint::Hint;

use super::connect_error::ConnectError;
use super::exchange::{Dialect, Exchange, RequestTemplate, Route};
use super::options::HttpOptions;
use super::probe::{Probe, TierChoice, Tokenizer, best_tier, spellings};
use super::transport::{Endpoint, Transport};
use super::{address, prepare};
use abilities::Examination;
pub use noise::noise_between;
pub use report::{Bos, Diagnosis, KeyState, Obstacle, PrefixCache, Routes, Scoring};

/// Examines the server that `options` describe.
pub async fn diagnose(options: HttpOptions) -> Diagnosis {
    let mut options = options.with_own_key();
    // The noise measurement sends this many requests at once.
    options.max_connections = options.max_connections.max(noise::QUESTIONS);
    let mut diagnosis = Diagnosis {
        api_base: address::shown_text(&options.api_base),
        ..Diagnosis::default()
    };
    let found = match prepare(&options) {
        Ok((endpoint, transport)) => {
            diagnosis.api_base = address::shown(endpoint.base().url());
            examine(&mut diagnosis, &options, &endpoint, &transport).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = found {
        if matches!(error, ConnectError::Unauthorized { .. }) {
            diagnosis.key = KeyState::Refused;
        }
        diagnosis.reachable =
            !matches!(error, ConnectError::Unreachable { .. }) && diagnosis.reachable;
        diagnosis.obstacle = Some(Obstacle {
            message: error.to_string(),
            hint: error.hint().into_owned(),
        });
    }
    diagnosis
}

/// Fills in the findings in turn, up to the first problem.
async fn examine(
    diagnosis: &mut Diagnosis,
    options: &HttpOptions,
    endpoint: &Arc<Endpoint>,
    transport: &Transport,
) -> Result<(), ConnectError> {
    let route = if options.chat {
        Route::Chat
    } else {
        Route::Completions
    };
    let mut probe = Probe::new(transport, endpoint, options, route);
    diagnosis.reachable = true;
    let listed = probe.models().await?;
    diagnosis.models = listed.iter().map(|model| model.id.clone()).collect();
    let model = probe.model(&listed)?;
    diagnosis.model = Some(model.clone());

    let examination = Examination::new(transport, endpoint, &model);
    diagnosis.routes = examination.routes().await;
    let (top_k, returned) = probe.top_logprobs(&model, &listed).await?;
    let dialect = probe.dialect;
    let examination = examination.speaking(dialect);
    if dialect != Dialect::default() {
        // What was refused until now may be answered.
        diagnosis.routes = examination.routes().await;
    }
    diagnosis.key = if options.api_key.is_some() {
        KeyState::Accepted
    } else {
        KeyState::NotNeeded
    };
    diagnosis.top_logprobs = Some(examination.largest_count(route, top_k).await);
    diagnosis.returned_logprobs = Some(returned);
    if diagnosis.routes.completions {
        diagnosis.lists = Some(probe.takes_lists(&model, top_k).await?);
    }

    let template = RequestTemplate::new(route, &model, top_k).speaking(dialect);
    let tokenizer = Tokenizer::new(transport, endpoint, &model);
    let letters = spellings(&tokenizer, route).await;
    diagnosis.letters.clone_from(&letters.0);
    let choice = if options.exact_scores {
        best_tier(transport, endpoint, &template, &letters).await
    } else {
        TierChoice::as_requested()
    };
    diagnosis.scoring = Some(choice.into());

    let abilities = examination.abilities(route, &letters).await;
    diagnosis.logit_bias = abilities.logit_bias;
    diagnosis.grammar = abilities.grammar;
    diagnosis.structured_choice = abilities.structured_choice;
    diagnosis.context = examination.context(&tokenizer).await;
    diagnosis.bos = examination.bos(&tokenizer).await;
    diagnosis.prefix_cache = prefix::examine(transport, endpoint, &template).await;
    let exchange = |template| {
        let letters = letters.clone();
        Exchange::new(Arc::clone(endpoint), template, choice, letters)
    };
    let uncached = RequestTemplate::new(route, &model, top_k)
        .speaking(dialect)
        .uncached();
    let lists = diagnosis.lists == Some(true);
    let (cached, uncached) = (exchange(template), exchange(uncached));
    diagnosis.noise = noise::measure(&cached, &uncached, transport, lists).await;
    Ok(())
}
