//! Finds the best way to obtain scores that a server supports.

use serde_json::Value;

use super::super::answer::only_choice;
use super::super::exchange::ask::ask;
use super::super::exchange::{RequestTemplate, Route, Spellings, Tier, covers};
use super::super::transport::{Endpoint, Resource, Transport};
use super::{PROMPTS, TRIES, lacks_logprobs};

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
}

impl TierChoice {
    fn top_tokens(reason: &'static str) -> Self {
        Self {
            tier: Tier::TopTokens,
            reason,
            max_ids: 0,
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
            let answer = ask(transport, endpoint, resource, body.as_bytes()).await;
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
            return TierChoice {
                tier: Tier::TokenIds,
                reason: "the server gives each option's own log-probability (logprob_token_ids)",
                // A server that lists this many top tokens accepts as many numbers.
                max_ids: numbers.len().max(template.top() as usize),
            };
        }
    }
    let body = template.whole(PROMPTS[0], &template.biased_ending(&ids));
    if let Some(answer) = post(&route, body).await
        && covers(&answer, &ids, labels.len())
    {
        return TierChoice {
            tier: Tier::Biased,
            reason: "options beyond the most probable tokens are asked for again with a bias (logit_bias with post_sampling_probs)",
            max_ids: usize::MAX,
        };
    }
    // This route applies no chat template.
    if template.route() == Route::Completions {
        let generate = endpoint.post(base.root_route("generate"));
        let body = RequestTemplate::whole_generate(PROMPTS[0], &ids);
        if let Some(answer) = post(&generate, body).await
            && names(&answer, &ids)
        {
            return TierChoice {
                tier: Tier::Generate,
                reason: "the server gives each option's own log-probability on /generate (token_ids_logprob)",
                max_ids: usize::MAX,
            };
        }
    }
    TierChoice::top_tokens(
        "the server knows no way to ask for an option's own token, so that options are read from its most probable tokens",
    )
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
