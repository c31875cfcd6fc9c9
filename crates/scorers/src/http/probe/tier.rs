//! Finds the best way to obtain scores that a server supports.

use serde_json::Value;

use super::super::answer::only_choice;
use super::super::exchange::{
    First, RequestTemplate, Route, Spellings, Tier, allowed, covers, disagreement, seen, shares,
};
use super::super::tokens::{Options, option_scores};
use super::super::transport::{Endpoint, Resource, Transport};
use super::ask_again;
use super::{PROMPTS, TRIES, lacks_logprobs};
use crate::Usage;

/// Trial labels: as many as most questions have.
const LABELS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// The tier chosen for a server.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct TierChoice {
    pub(in crate::http) tier: Tier,
    /// Why this one, in a line.
    pub(in crate::http) reason: &'static str,
    /// How many token numbers one request may name.
    pub(in crate::http) max_ids: usize,
    /// How far two answers to one prompt disagreed, in nats, where two are combined.
    pub(in crate::http) noise_nats: f64,
    /// Whether the server's own samplers would move the second of them.
    pub(in crate::http) bent: bool,
}

impl TierChoice {
    fn top_tokens(reason: &'static str) -> Self {
        Self {
            tier: Tier::TopTokens,
            reason,
            max_ids: 0,
            noise_nats: 0.0,
            bent: false,
        }
    }

    fn exact(tier: Tier, max_ids: usize, reason: &'static str) -> Self {
        Self {
            tier,
            max_ids,
            ..Self::top_tokens(reason)
        }
    }

    /// Exact scores are switched off.
    pub(in crate::http) fn as_requested() -> Self {
        Self::top_tokens(
            "exact scores are switched off, so that options are read from the most probable tokens",
        )
    }
}

/// Tries the tiers, best first. Most servers silently ignore unknown parameters, so that only the
/// answer shows whether one is supported.
pub(in crate::http) async fn best_tier(
    transport: &Transport,
    endpoint: &Endpoint,
    template: &RequestTemplate,
    spellings: &Spellings,
) -> TierChoice {
    let labels = LABELS.map(str::to_owned);
    let ids = spellings.of(&labels, usize::MAX);
    if ids.is_empty() {
        return TierChoice::top_tokens(
            "the server does not tell its token numbers (no /tokenize), so that options are read from its most probable tokens",
        );
    }
    let base = endpoint.base();
    let route = endpoint.post(base.route(template.route().path()));
    let post = async |resource: &Resource, body: String| {
        for _ in 1..TRIES {
            let answer = ask_again(transport, endpoint, resource, body.as_bytes()).await;
            let answer = answer.ok()?;
            if !lacks_logprobs(&answer) {
                return Some(answer);
            }
        }
        None
    };
    // Both spellings of each letter, or else only the likelier.
    let few = spellings.of(&labels, labels.len());
    for numbers in [&ids, &few] {
        let body = template.whole(PROMPTS[0], &template.by_number_ending(numbers));
        if let Some(answer) = post(&route, body).await
            && names(&answer, numbers)
        {
            return TierChoice::exact(
                Tier::TokenIds,
                // A server that lists this many top tokens accepts as many numbers.
                numbers.len().max(template.top() as usize),
                "the server gives each option's own log-probability (logprob_token_ids)",
            );
        }
    }
    let after_sampling = async |ending: String| {
        let answer = post(&route, template.whole(PROMPTS[0], &ending)).await?;
        shares(&answer, &ids).ok()
    };
    if let Some(biased) = after_sampling(template.biased_ending(&ids)).await
        && covers(&biased, &ids, labels.len())
    {
        let body = template.whole(PROMPTS[0], &template.ending(Some(template.top())));
        let listed = post(&route, body).await;
        let first = listed.and_then(|answer| first(&answer, &labels, &ids, template));
        let apart = first.and_then(|first| first.apart(&biased, &ids));
        let noise_nats = apart.unwrap_or(0.0);
        if noise_nats > allowed(0.0) {
            return TierChoice::top_tokens(
                "the server's probabilities with a bias contradict those without, so that options are read from its most probable tokens",
            );
        }
        let own = after_sampling(template.bendable_ending(&ids)).await;
        let bent = own.and_then(|own| disagreement(&own, &biased));
        return TierChoice {
            noise_nats,
            bent: bent.is_some_and(|nats| nats > allowed(noise_nats)),
            ..TierChoice::exact(
                Tier::Biased,
                usize::MAX,
                "options beyond the most probable tokens are asked for again with a bias (logit_bias with post_sampling_probs)",
            )
        };
    }
    // This route applies no chat template and takes no fields of the user.
    if template.route() == Route::Completions && !template.has_extra() {
        let generate = endpoint.post(base.root_route("generate"));
        let body = RequestTemplate::whole_generate(PROMPTS[0], &ids);
        if let Some(answer) = post(&generate, body).await
            && names(&answer, &ids)
        {
            return TierChoice::exact(
                Tier::Generate,
                usize::MAX,
                "the server gives each option's own log-probability on /generate (token_ids_logprob)",
            );
        }
    }
    TierChoice::top_tokens(
        "the server knows no way to ask for an option's own token, so that options are read from its most probable tokens",
    )
}

/// The options and their tokens in a list of the most probable tokens; `None` without any option.
fn first(
    answer: &Value,
    labels: &[String],
    ids: &[(u32, usize)],
    template: &RequestTemplate,
) -> Option<First> {
    let tokens = only_choice(answer)
        .and_then(|choice| choice.tokens())
        .ok()?;
    let seen = seen(&tokens, ids);
    let options = Options {
        labels,
        ids,
        exact: false,
        chat: template.route() == Route::Chat,
    };
    let scores = option_scores(tokens, options, template.top() as usize, Usage::default());
    scores.ok().map(|scores| First { scores, seen })
}

/// Whether an answer names all these tokens by number. Some may be there even if the server
/// ignored the request.
fn names(answer: &Value, ids: &[(u32, usize)]) -> bool {
    let tokens = only_choice(answer).and_then(|choice| choice.tokens());
    tokens.is_ok_and(|tokens| {
        let is_there = |id: u32| tokens.iter().any(|token| token.id == Some(id.into()));
        ids.iter().all(|&(id, _)| is_there(id))
    })
}
