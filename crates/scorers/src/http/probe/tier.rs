//! The best way to ask that this server knows.

use serde_json::Value;

use super::super::answer::only_choice;
use super::super::exchange::ask::ask;
use super::super::exchange::{Question, Route, Spellings, Tier, covers};
use super::super::transport::{Endpoint, Resource, Transport};
use super::PROMPTS;

/// The labels to try with: as many as most questions have.
const LABELS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// The way that was chosen.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Choice {
    pub(in crate::http) tier: Tier,
    /// Why this one, in a line.
    pub(in crate::http) reason: &'static str,
    /// How many token numbers one request may name.
    pub(in crate::http) most: usize,
}

impl Choice {
    fn top_tokens(reason: &'static str) -> Self {
        Self {
            tier: Tier::TopTokens,
            reason,
            most: 0,
        }
    }

    /// The way for those who want no better one.
    pub(in crate::http) fn by_wish() -> Self {
        Self::top_tokens(
            "exact scores are switched off, so that options are read from the most probable tokens",
        )
    }
}

/// Tries the ways to ask for an option's own token, the best first. What a server does not know
/// it mostly ignores without a word, so that only its answer tells.
pub(in crate::http) async fn best_tier(
    transport: &Transport,
    endpoint: &Endpoint,
    question: &Question,
    spellings: &Spellings,
) -> Choice {
    let labels = LABELS.map(str::to_owned);
    let ids = spellings.of(&labels, usize::MAX);
    if ids.is_empty() {
        return Choice::top_tokens(
            "the server does not tell its token numbers (no /tokenize), so that options are read from its most probable tokens",
        );
    }
    let base = endpoint.base();
    let route = endpoint.post(base.route(question.route().path()));
    let post = async |resource: &Resource, body: String| {
        ask(transport, endpoint, resource, body.as_bytes())
            .await
            .ok()
    };
    // Both spellings of each letter, or else the likelier ones.
    let few = spellings.of(&labels, labels.len());
    for numbers in [&ids, &few] {
        let body = question.whole(PROMPTS[0], &question.by_number_ending(numbers));
        if let Some(answer) = post(&route, body).await
            && names(&answer, numbers)
        {
            return Choice {
                tier: Tier::TokenIds,
                reason: "the server gives each option's own log-probability (logprob_token_ids)",
                // A server that lists so many of the most probable tokens takes as many numbers.
                most: numbers.len().max(question.top() as usize),
            };
        }
    }
    let body = question.whole(PROMPTS[0], &question.biased_ending(&ids));
    if let Some(answer) = post(&route, body).await
        && covers(&answer, &ids, labels.len())
    {
        return Choice {
            tier: Tier::Biased,
            reason: "options beyond the most probable tokens are asked for again with a bias (logit_bias with post_sampling_probs)",
            most: usize::MAX,
        };
    }
    // Text alone: no chat template is applied there.
    if question.route() == Route::Completions {
        let generate = endpoint.post(base.beside("generate"));
        let body = Question::whole_generate(PROMPTS[0], &ids);
        if let Some(answer) = post(&generate, body).await
            && names(&answer, &ids)
        {
            return Choice {
                tier: Tier::Generate,
                reason: "the server gives each option's own log-probability on /generate (token_ids_logprob)",
                most: usize::MAX,
            };
        }
    }
    Choice::top_tokens(
        "the server knows no way to ask for an option's own token, so that options are read from its most probable tokens",
    )
}

/// Whether an answer tells of all these tokens by their numbers: a server that ignores the wish
/// may list some letters all the same.
fn names(answer: &Value, ids: &[(u32, usize)]) -> bool {
    let tokens = only_choice(answer).and_then(|choice| choice.tokens());
    tokens.is_ok_and(|tokens| {
        let is_there = |id: u32| tokens.iter().any(|token| token.id == Some(id.into()));
        ids.iter().all(|&(id, _)| is_there(id))
    })
}
