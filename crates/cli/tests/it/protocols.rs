//! The ways of asking against servers that do not answer as they should, in every protocol.
#![cfg(unix)]

mod faults;
mod killed;
mod limits;
mod mixture;
mod thoughts;

use std::sync::Arc;

use serde_json::Value;
use sureness_faultserver::{Asked, Entry, Fault, Rule, Script, Tokens, Unsaid, When, Words};
use sureness_testkit::Case;

use crate::sampled::{drawn, server, unit};

/// Prices of a million tokens.
const PRICES: &str = "--price-in 2 --price-cached 0.5 --price-out 8";
/// The protocols for answers in words.
const PROTOCOLS: [&str; 4] = ["completions", "chat", "responses", "messages"];

/// A server that takes one answer per request and plays this rule on questions.
fn playing(rule: Rule) -> Script {
    let words = Words {
        at_once: Some(1),
        ..Words::default()
    };
    server(words).rule(rule)
}

/// One of these faults on so many percent of the requests about questions; a trial question is spared.
fn now_and_then(percent: u64, faults: Vec<Fault>) -> Rule {
    let is_chosen = move |number| unit(number, 3) * 100.0 < percent as f64;
    let when = move |asked: &Asked| asks_question(asked) && is_chosen(asked.number);
    Rule::new(When::If(Arc::new(when)), faults)
}

/// Whether a request asks one of the case's questions.
fn asks_question(asked: &Asked) -> bool {
    let mut prompts = asked.prompts.iter();
    prompts.any(|prompt| prompt.contains("Which item"))
}

/// The requests for answers to questions; not those of the trial.
fn requests(case: &Case) -> Vec<Entry> {
    let mut log = case.server.log();
    log.retain(|entry| asks_question(&entry.asked));
    log
}

/// How many of these requests met a fault of this kind.
fn played(requests: &[Entry], is: impl Fn(&Fault) -> bool) -> u64 {
    let faults = requests.iter().filter_map(|entry| entry.fault.as_ref());
    faults.filter(|fault| is(fault)).count() as u64
}

/// Whether the answer breaks off, so that it is asked for again.
fn is_broken(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Unsaid {
            how: Unsaid::Broken
        }
    )
}

/// A count of `drawn` in the results.
fn count(results: &Value, name: &str) -> u64 {
    drawn(results)[name].as_u64().unwrap_or(0)
}

/// Asserts that tokens and money are those of these requests, by the server's own count.
#[track_caller]
fn costs(results: &Value, requests: &[Entry], what: &str) {
    let told: Tokens = requests.iter().map(|entry| entry.tokens).sum();
    let spent = &results["models"][0]["timing"]["spent"];
    let counted = |name: &str| spent[name].as_u64().unwrap();
    let counted = Tokens {
        prompt: counted("prompt_tokens"),
        cached: counted("cached_tokens"),
        answer: counted("answer_tokens"),
    };
    assert_eq!(counted, told, "{what}");
    let fresh = (told.prompt - told.cached) as f64;
    let cost = (2.0 * fresh + 0.5 * told.cached as f64 + 8.0 * told.answer as f64) / 1e6;
    assert!(
        (spent["cost"].as_f64().unwrap() - cost).abs() < 1e-9,
        "{what}: {spent}"
    );
}
