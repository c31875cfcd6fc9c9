//! The best way to ask that this server knows.

use super::super::answer::only_choice;
use super::super::exchange::ask::ask;
use super::super::exchange::{Question, Route, Spellings, Tier, covers};
use super::super::transport::{Endpoint, Transport};
use super::PROMPTS;

/// The labels to try with: as many as most questions have.
const LABELS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// Tries the ways to ask for an option's own token, the best first. What a server does not know
/// it mostly ignores without a word, so that only its answer tells.
pub(in crate::http) async fn best_tier(
    transport: &Transport,
    endpoint: &Endpoint,
    question: &Question,
    spellings: &Spellings,
) -> (Tier, &'static str) {
    let labels = LABELS.map(str::to_owned);
    let ids = spellings.of(&labels, usize::MAX);
    if ids.is_empty() {
        return (
            Tier::TopTokens,
            "the server does not tell its token numbers (no /tokenize), so that options are read from its most probable tokens",
        );
    }
    let base = endpoint.base();
    let route = endpoint.post(base.route(question.route().path()));
    // By number, no more can be asked for than by rank.
    let numbers = spellings.of(&labels, question.top() as usize);
    // By their numbers: a server that ignores the wish may list some letters all the same.
    let all_there = |answer: serde_json::Value| {
        let tokens = only_choice(&answer).and_then(|choice| choice.tokens());
        tokens.is_ok_and(|tokens| {
            numbers
                .iter()
                .all(|&(id, _)| tokens.iter().any(|token| token.id == Some(u64::from(id))))
        })
    };

    let body = question.whole(PROMPTS[0], &question.by_number_ending(&numbers));
    if !numbers.is_empty()
        && let Ok(answer) = ask(transport, endpoint, &route, body.as_bytes()).await
        && all_there(answer)
    {
        return (
            Tier::TokenIds,
            "the server gives each option's own log-probability (logprob_token_ids)",
        );
    }
    let body = question.whole(PROMPTS[0], &question.biased_ending(&ids));
    if let Ok(answer) = ask(transport, endpoint, &route, body.as_bytes()).await
        && covers(&answer, &ids, labels.len())
    {
        return (
            Tier::Biased,
            "options beyond the most probable tokens are asked for again with a bias (logit_bias with post_sampling_probs)",
        );
    }
    // Text alone: no chat template is applied there.
    if question.route() == Route::Completions && !numbers.is_empty() {
        let generate = endpoint.post(base.beside("generate"));
        let body = Question::whole_generate(PROMPTS[0], &numbers);
        if let Ok(answer) = ask(transport, endpoint, &generate, body.as_bytes()).await
            && all_there(answer)
        {
            return (
                Tier::Generate,
                "the server gives each option's own log-probability on /generate (token_ids_logprob)",
            );
        }
    }
    (
        Tier::TopTokens,
        "the server knows no way to ask for an option's own token, so that options are read from its most probable tokens",
    )
}

/// The way for those who want no better one.
pub(in crate::http) fn by_choice() -> (Tier, &'static str) {
    (
        Tier::TopTokens,
        "exact scores are switched off, so that options are read from the most probable tokens",
    )
}
