//! Recognises the messages by which servers say that a prompt is too long, and their numbers.

use serde_json::Value;

use super::numbers::numbers;
use crate::ScoreError;

/// What a message must speak of, and how: no other error speaks of both.
const SUBJECTS: [&str; 12] = [
    "context length",
    "context size",
    "context window",
    "contextwindow",
    "model length",
    "max_model_len",
    "max_seq_len",
    "prompt",
    "input",
    "sequence",
    "too many tokens",
    "the messages",
];
const EXCESSES: [&str; 14] = [
    "context length is only",
    "maximum context length",
    "exceed",
    "longer than",
    "greater than",
    "larger than",
    "too long",
    "too large for model",
    "must be <=",
    "must have less than",
    "must be less than",
    "reduce the length",
    "overflow",
    "not enough",
];

/// Words before or after a number that make it the number of tokens that fit …
const LIMIT_BEFORE: [&str; 12] = [
    "context length",
    "context size",
    "context window",
    "model length",
    "max_model_len",
    "max_seq_len",
    "maximum",
    "<=",
    "less than",
    "limit",
    "exceed",
    "at most",
];
const LIMIT_AFTER: [&str; 3] = ["maximum", "tokens maximum", "token limit"];
/// … or the length of the prompt, for certain …
const PROMPT_AFTER: [&str; 9] = [
    "input token",
    "inputs token",
    "prompt token",
    "text token",
    "in your prompt",
    "in the prompt",
    "in the messages",
    "tokens from the input",
    "tokens in the prompt",
];
/// … or perhaps, since the answer may be counted, too …
const PROMPT_BEFORE: [&str; 12] = [
    "prompt",
    "input",
    "request",
    "messages",
    "resulted in",
    "contains",
    "given",
    "received",
    "passed",
    "too long",
    "length",
    "got",
];
/// … or something else.
const OTHER_AFTER: [&str; 8] = [
    "output token",
    "max_new_tokens",
    "new token",
    "draft token",
    "completion token",
    "for the completion",
    "tokens for the completion",
    "in the completion",
];
const OTHER_BEFORE: [&str; 3] = ["code", "http", "status"];

/// The error, if a response says that the prompt is too long. `message` is its text.
pub(super) fn too_long(json: Option<&Value>, message: &str) -> Option<ScoreError> {
    let error = json.map(|json| json.get("error").unwrap_or(json));
    let field = |name: &str| error.and_then(|error| error.get(name));
    let text = |name: &str| field(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| {
        let number = field(name).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok())
    };
    if text("type") == "exceed_context_size_error" {
        return Some(error_of(number("n_prompt_tokens"), number("n_ctx")));
    }
    let message = message.to_lowercase().replace(['`', '\'', '"'], "");
    let speaks_of = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let said = speaks_of(&SUBJECTS) && speaks_of(&EXCESSES);
    if !said && text("code") != "context_length_exceeded" {
        return None;
    }
    let (tokens, limit) = counts(&message);
    Some(error_of(tokens, limit))
}

/// Numbers that contradict the error are left out.
fn error_of(tokens: Option<u32>, limit: Option<u32>) -> ScoreError {
    let tokens = tokens.filter(|&tokens| tokens > 0 && limit.is_none_or(|limit| tokens >= limit));
    ScoreError::ContextTooLong { tokens, limit }
}

/// The length of the prompt and what fits, as far as the words around a number tell.
fn counts(message: &str) -> (Option<u32>, Option<u32>) {
    let numbers = numbers(message);
    let (mut limit, mut certain, mut possible) = (None, None, Vec::new());
    for (place, number) in numbers.iter().enumerate() {
        let from = place.checked_sub(1).map_or(0, |before| numbers[before].end);
        let until = numbers
            .get(place + 1)
            .map_or(message.len(), |next| next.start);
        // A sentence ends the words that belong to a number.
        let before = &message[from..number.start];
        let before = before.rsplit(". ").next().unwrap_or(before);
        let after = &message[number.end..until];
        let after = after.split(". ").next().unwrap_or(after).trim_start();
        let begins = |words: &[&str]| words.iter().any(|word| after.starts_with(word));
        let has = |words: &[&str]| words.iter().any(|word| before.contains(word));
        let code = before.trim_end_matches([' ', ':', '=']);
        if begins(&OTHER_AFTER) || OTHER_BEFORE.iter().any(|word| code.ends_with(word)) {
            continue;
        }
        if begins(&PROMPT_AFTER) {
            certain = certain.or(Some(number.value));
        } else if has(&LIMIT_BEFORE) || begins(&LIMIT_AFTER) {
            limit = limit.or(Some(number.value));
        } else if has(&PROMPT_BEFORE) {
            possible.push(number.value);
        }
    }
    let fits = |tokens: &u32| limit.is_none_or(|limit| *tokens >= limit);
    let tokens = certain
        .filter(fits)
        .or_else(|| possible.into_iter().find(fits));
    (tokens, limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(message: &str) -> Option<(Option<u32>, Option<u32>)> {
        match too_long(None, message)? {
            ScoreError::ContextTooLong { tokens, limit } => Some((tokens, limit)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_wording_and_its_numbers() {
        let both = Some((Some(5210), Some(2048)));
        for (message, expected) in [
            (
                "The input (5210 tokens) is longer than the model's context length (2048 tokens).",
                both,
            ),
            (
                "The prompt (length 5210) is longer than the maximum model length of 2048.",
                both,
            ),
            (
                "The decoder prompt (length 5210) is longer than the maximum model length of 2048. Make sure that `max_model_len` is no smaller than the number of text tokens.",
                both,
            ),
            (
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 5210 `inputs` tokens and 1 `max_new_tokens`",
                both,
            ),
            (
                "Input validation error: `inputs` must have less than 2048 tokens. Given: 5210",
                both,
            ),
            (
                "This model's maximum context length is 2048 tokens. However, your prompt contains 5210 input tokens.",
                both,
            ),
            (
                "This model's maximum context length is 2,048 tokens. However, your messages resulted in 5,210 tokens.",
                both,
            ),
            (
                "This model's maximum context length is 2048 tokens, however you requested 5211 tokens (5210 in your prompt; 1 for the completion). Please reduce your prompt; or completion length.",
                both,
            ),
            (
                "litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - Error code: 400 - request (5210 tokens) exceeds the available context size (2048 tokens), try increasing it\nmodel=smollm2. context_window_fallbacks=None.",
                both,
            ),
            (
                "Requested token count exceeds the model's maximum context length of 2048 tokens. You requested a total of 5211 tokens: 5210 tokens from the input messages and 1 tokens for the completion.",
                both,
            ),
            (
                "You passed 5210 input tokens and requested 1 output tokens. However, the model's context length is only 2048 tokens, resulting in a maximum input length of 2047 tokens.",
                both,
            ),
            ("prompt is too long: 5210 tokens > 2048 maximum", both),
            (
                "The input token count (5210) exceeds the maximum number of tokens allowed (2048).",
                both,
            ),
            (
                "Prompt contains 5210 tokens and 0 draft tokens, too large for model with 2048 maximum context length",
                both,
            ),
            (
                "too many tokens: total number of tokens in the prompt cannot exceed 2048 - received 5210.",
                both,
            ),
            (
                "Input tokens exceed the configured limit of 2_048 tokens. Your messages resulted in 5\u{202f}210 tokens.",
                both,
            ),
            ("Prompt length 5210 is greater than max_seq_len 2048", both),
            (
                "The prompt (length 5 210) is longer than the maximum model length of 2 048.",
                both,
            ),
            (
                "This model's maximum context length is 2 048 tokens. However, your prompt contains 5 210 input tokens.",
                both,
            ),
            (
                "This model's maximum context length is 2048 tokens. However, you requested 1 output tokens and your prompt contains at least 2048 input tokens.",
                Some((Some(2048), Some(2048))),
            ),
            (
                "the request exceeds the available context size. try increasing the context size",
                Some((None, None)),
            ),
            (
                "the input length exceeds the context length",
                Some((None, None)),
            ),
            ("Input is too long for requested model.", Some((None, None))),
            (
                "Please reduce the length of the messages or completion.",
                Some((None, None)),
            ),
            // A prompt of 2040 tokens fits into 2048: with the answer it does not.
            (
                "This model's maximum context length is 2048 tokens, however you requested 2056 tokens (2040 in your prompt; 16 for the completion).",
                Some((Some(2056), Some(2048))),
            ),
            (
                "maximum context length is 2048 tokens; the prompt has 12 tokens",
                Some((None, Some(2048))),
            ),
        ] {
            assert_eq!(read(message), expected, "{message}");
        }
    }

    #[test]
    fn other_refusals_are_not_about_the_length() {
        for message in [
            "Requested sample logprobs of 100, which is greater than max allowed: 20",
            "max_tokens is too large: 5000. This model supports at most 4096 completion tokens",
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
            "The model `x` does not exist.",
            "prompt must be a string",
            "logprobs are not supported",
        ] {
            assert_eq!(read(message), None, "{message}");
        }
    }

    proptest! {
        #[test]
        fn a_prompt_that_is_too_long_is_never_shorter_than_what_fits(
            words in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "maximum context length is", "tokens", "prompt contains", "in your prompt",
                        "exceeds", "context size (", ". ", "received", "input", "for the completion",
                    ]).prop_map(str::to_owned),
                    (0u32..9000).prop_map(|number| number.to_string()),
                    ".{0,6}",
                ],
                0..14,
            ),
        ) {
            if let Some((Some(tokens), Some(limit))) = read(&words.join(" ")) {
                prop_assert!(tokens >= limit);
            }
        }
    }
}
