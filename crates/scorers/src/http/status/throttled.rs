//! What a server says when it throttles: how long to wait, and whether waiting helps.

use std::time::Duration;

use serde_json::Value;

use super::super::quota::span;
use super::numbers::first_number;

/// The message with the error's code or type, which may say more than the words.
pub(super) fn words(json: Option<&Value>, message: String) -> String {
    let code = |name: &str| json?.get("error")?.get(name)?.as_str();
    match code("code").or_else(|| code("type")) {
        // A number only repeats the status.
        Some(code) if !message.contains(code) && code.parse::<u16>().is_err() => {
            format!("{message} ({code})")
        }
        _ => message,
    }
}

/// Whether the request alone exceeds what a limit of tokens per minute lets through, so that it
/// never will. That limit has nothing to do with the model's context.
pub(super) fn is_above_rate(json: Option<&Value>, message: &str) -> bool {
    let said = words(json, message.to_owned()).to_lowercase();
    let of_rate = ["tokens per min", "(tpm)", "rate_limit"];
    if !of_rate.iter().any(|words| said.contains(words)) {
        return false;
    }
    let after = |word: &str| first_number(said.split_once(word)?.1);
    match (after("limit"), after("requested")) {
        (Some(limit), Some(requested)) => requested > limit,
        _ => said.contains("request too large"),
    }
}

/// "Try again in 5 seconds", where no header tells.
pub(super) fn told_wait(message: &str) -> Option<Duration> {
    let message = message.to_lowercase();
    let rest = ["again in ", "retry in ", "retry after "]
        .iter()
        .find_map(|words| Some(message.split_once(words)?.1))?;
    let mut words = rest.split_whitespace();
    let time = span(words.next()?.trim_end_matches([',', '.', ';', ')']))?;
    let seconds = match words.next() {
        Some(unit) if unit.starts_with("minute") => 60,
        Some(unit) if unit.starts_with("hour") => 3600,
        Some(unit) if unit.starts_with("day") => 86_400,
        _ => 1,
    };
    time.checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_in_words_is_read() {
        let millis = |message: &str| told_wait(message).map(|time| time.as_millis());
        let cooling =
            "No deployments available for selected model, Try again in 5 seconds. Passed model=m";
        assert_eq!(millis(cooling), Some(5000));
        assert_eq!(millis("Please try again in 1.5s. Visit …"), Some(1500));
        assert_eq!(millis("Please retry in 2 minutes"), Some(120_000));
        assert_eq!(millis("try again in a moment"), None);
        assert_eq!(
            millis("Please retry after 86400 seconds."),
            Some(86_400_000)
        );
        assert_eq!(
            millis("try again in 900000000 hours"),
            Some(3_240_000_000_000_000)
        );
        assert_eq!(millis("no"), None);
    }
}
