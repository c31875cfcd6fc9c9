//! Tests the prefix cache with the same prompt twice.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::super::answer::usage;
use super::super::exchange::RequestTemplate;
use super::super::probe::ask_again;
use super::super::transport::{Endpoint, Transport};
use super::report::PrefixCache;

/// Ordinary text.
pub(super) const SENTENCE: &str = "The letters of the alphabet are A, B, C, D, E and F. ";
/// Repetitions of the sentence: a few hundred tokens, more than the block size of a cache.
pub(super) const REPEATS: usize = 30;

/// The beginning of a prompt that no cache has.
pub(super) fn note() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("Note {}. ", now.unwrap_or_default().as_nanos())
}

/// Sends a prompt that cannot be cached yet, then repeats it.
pub(super) async fn examine(
    transport: &Transport,
    endpoint: &Endpoint,
    template: &RequestTemplate,
) -> Option<PrefixCache> {
    let prompt = note() + &SENTENCE.repeat(REPEATS);
    let resource = endpoint.post(endpoint.base().route(template.route().path()));
    let body = template.whole(&prompt, &template.ending(None));
    let timed = async || {
        let started = Instant::now();
        let answer = ask_again(transport, endpoint, &resource, body.as_bytes()).await;
        answer
            .ok()
            .map(|answer| (usage(&answer), started.elapsed().as_secs_f64()))
    };
    let (cold, first_seconds) = timed().await?;
    let (counts, second_seconds) = timed().await?;
    Some(PrefixCache {
        // A server may leave cached tokens out of the count.
        prompt_tokens: cold.prompt_tokens.max(counts.prompt_tokens),
        cached_tokens: counts.cached_tokens,
        first_seconds,
        second_seconds,
    })
}
