//! Tries a prompt that is longer than the context, where that is known.

use super::super::answer::{usage, was_cut};
use super::super::exchange::RequestTemplate;
use super::super::probe::ask_again;
use super::super::transport::{Endpoint, Transport};
use super::prefix::{REPEATS, SENTENCE, note};
use super::report::{LongPrompt, LongPromptOutcome};
use crate::ScoreError;

/// Length where the context is unknown: beyond what small default contexts hold.
const CHARACTERS: usize = 80_000;
/// Longest prompt, whatever the context.
const MOST_CHARACTERS: usize = 1_000_000;
/// More than a token of the sentence has, so that the prompt exceeds the context.
const CHARACTERS_PER_TOKEN: usize = 4;

/// Sends the prompt, of which a shorter one of [`REPEATS`] sentences has `short_tokens` tokens. `None`
/// if the request fails for another reason than its length.
pub(super) async fn examine(
    transport: &Transport,
    endpoint: &Endpoint,
    template: &RequestTemplate,
    context: Option<u32>,
    short_tokens: Option<u32>,
) -> Option<LongPrompt> {
    let wanted = context.map_or(CHARACTERS, |tokens| tokens as usize * CHARACTERS_PER_TOKEN);
    let repeats = wanted.min(MOST_CHARACTERS).div_ceil(SENTENCE.len());
    // A server may count only what its cache lacks, and an earlier examination sent this, too.
    let prompt = note() + &SENTENCE.repeat(repeats);
    let resource = endpoint.post(endpoint.base().route(template.route().path()));
    let body = template.whole(&prompt, &template.ending(None));
    let outcome = match ask_again(transport, endpoint, &resource, body.as_bytes()).await {
        Ok(answer) => {
            let tokens = usage(&answer).prompt_tokens.filter(|tokens| *tokens > 0);
            let expected = short_tokens.filter(|tokens| *tokens > 0).map(|short| {
                let expected = u64::from(short) * repeats as u64 / REPEATS as u64;
                u32::try_from(expected).unwrap_or(u32::MAX)
            });
            let is_short = tokens
                .zip(expected)
                .is_some_and(|(tokens, expected)| tokens < expected / 2);
            match tokens {
                _ if is_short || was_cut(&answer) => LongPromptOutcome::Cut { tokens, expected },
                Some(tokens) if expected.is_some() => LongPromptOutcome::Read { tokens },
                _ => LongPromptOutcome::NotCounted,
            }
        }
        Err(ScoreError::ContextTooLong { .. } | ScoreError::Rejected { .. }) => {
            LongPromptOutcome::Refused
        }
        Err(_) => return None,
    };
    Some(LongPrompt {
        characters: prompt.len(),
        outcome,
    })
}
