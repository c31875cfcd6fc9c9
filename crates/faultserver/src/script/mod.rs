//! Scripts: the server, its limits and its faults.

mod beliefs;
mod fault;
mod file;
mod jsonl;
mod logits;
mod open;
mod rule;
mod thoughts;

pub use beliefs::Beliefs;
pub use fault::{Coding, Fault, Indices, Nan, Point, RetryAfter, Target, Unsaid};
pub use file::ScriptError;
pub use logits::Logits;
pub use open::{Saying, Sayings};
pub use rule::{Predicate, Routes, Rule, When};
pub use thoughts::{Thought, Thoughts};

use std::borrow::Cow;

use serde::Deserialize;

/// A server and its faults. The default is a healthy server without limits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// The healthy server.
    pub server: Healthy,
    /// Its limits.
    pub capacity: Capacity,
    /// Its faults, and when they occur.
    pub rules: Vec<Rule>,
}

/// The server without faults.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent abilities of a server"
)]
pub struct Healthy {
    /// The server software that it imitates.
    pub dialect: Dialect,
    /// The name of its model.
    pub model: String,
    /// Whether it refuses requests for another model (404).
    pub check_model: bool,
    /// The API key that it requires (401 without it).
    pub key: Option<String>,
    /// Whether answers have log-probabilities.
    pub logprobs: bool,
    /// Maximum number of log-probabilities per request (400 above).
    pub max_logprobs: Option<u64>,
    /// Maximum length of a prompt in words (400 above).
    pub context_words: Option<usize>,
    /// Whether it accepts a list of prompts (400 otherwise).
    pub lists: bool,
    /// Whether answers have token counts.
    pub usage: bool,
    /// Number of prompts in its prefix cache.
    pub cache_slots: usize,
    /// Maximum deviation of each letter's logit from the default model's, in nats: another model
    /// under the same name.
    pub drift: f64,
    /// The model's logits of the letters by question, in place of a function of the prompt: a JSONL file
    /// of `{"question": "…", "logits": […]}`.
    #[serde(deserialize_with = "logits::from_file")]
    pub logits: Option<Logits>,
    /// The model's logits of options by their texts, wherever they stand: a JSONL file of
    /// `{"option": "…", "logit": 1.5}`.
    #[serde(deserialize_with = "beliefs::from_file")]
    pub beliefs: Option<Beliefs>,
    /// What each letter, from A on, adds to the logit of the option beside it; for `beliefs`.
    pub letter_bias: Vec<f64>,
    /// Answers in words to requests without log-probabilities, on the routes of all protocols.
    pub words: Option<Words>,
    /// What the model thinks before a letter, and the logits of the letters after each thought: a JSONL
    /// file of the thoughts on each question. Without `words` only the logits count.
    #[serde(deserialize_with = "thoughts::from_file")]
    pub thoughts: Option<Thoughts>,
    /// What these say to open questions, in place of a letter: a JSONL file of what is said to each.
    #[serde(deserialize_with = "open::from_file")]
    pub open: Option<Sayings>,
}

/// Answers in words: a letter in one of several dresses, drawn from the letters' probabilities.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Words {
    /// Share of answers that come after a thought, but for completions.
    pub thoughts: f64,
    /// Share of refusals.
    pub refusals: f64,
    /// Share of answers that choose nothing.
    pub unreadable: f64,
    /// Maximum number of answers that one request may ask for (400 above).
    pub at_once: Option<u64>,
    /// Whether the k-th request with a prompt has the same answer in every run, whatever was asked
    /// between. Otherwise every request of the log has a draw of its own.
    pub by_repeat: bool,
}

impl Healthy {
    /// Number of letters that a question offers.
    pub(crate) fn offered(&self, prompt: &str) -> usize {
        let given = self.logits_of(prompt);
        given.map_or(crate::model::OFFERED, |logits| logits.len())
    }

    /// The logits that the files give: those of the options, those after the prompt's thought, or those of its question.
    pub(crate) fn logits_of(&self, prompt: &str) -> Option<Cow<'_, [f64]>> {
        let beliefs = self.beliefs.as_ref();
        if let Some(logits) = beliefs.and_then(|it| it.of(prompt, &self.letter_bias)) {
            return Some(logits.into());
        }
        let thoughts = self.thoughts.as_ref();
        let after = thoughts.and_then(|thoughts| thoughts.logits_after(prompt));
        after
            .or_else(|| self.logits.as_ref()?.of(prompt))
            .map(Cow::Borrowed)
    }
}

impl Default for Healthy {
    fn default() -> Self {
        Self {
            dialect: Dialect::Vllm,
            model: "fault-model".to_owned(),
            check_model: true,
            key: None,
            logprobs: true,
            max_logprobs: None,
            context_words: None,
            lists: true,
            usage: true,
            cache_slots: 4,
            drift: 0.0,
            logits: None,
            beliefs: None,
            letter_bias: Vec::new(),
            words: None,
            thoughts: None,
            open: None,
        }
    }
}

/// Server software, with its JSON shapes, error messages and routes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Completions answer in the legacy log-probability shape; errors in vLLM's words.
    #[default]
    Vllm,
    /// Completions answer in the chat shape; errors in llama.cpp's words; `/completion` and
    /// `/props` exist.
    LlamaCpp,
}

/// Limits and response times. The default has no limits and answers at once.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// Concurrent scoring requests; further ones queue.
    pub workers: Option<usize>,
    /// Length of the queue; further requests get a 429.
    pub queue: Option<usize>,
    /// `Retry-After` of that 429.
    pub retry_after: RetryAfter,
    /// Time per scoring request, in milliseconds.
    pub base_ms: u64,
    /// Time per word outside the prefix cache, in microseconds.
    pub per_word_us: u64,
    /// Scoring requests accepted per minute; beyond that a 429 with `Retry-After`, and every
    /// answer carries `x-ratelimit-*` headers.
    pub requests_per_minute: Option<usize>,
    /// Length of that minute in milliseconds, for fast tests.
    pub minute_ms: Option<u64>,
}

impl Script {
    /// A healthy server without limits.
    pub fn healthy() -> Self {
        Self::default()
    }

    /// A healthy server with one rule.
    pub fn with(rule: Rule) -> Self {
        Self::healthy().rule(rule)
    }

    /// Adds a rule after the others.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Replaces the healthy server.
    #[must_use]
    pub fn server(mut self, server: Healthy) -> Self {
        self.server = server;
        self
    }

    /// Replaces the limits.
    #[must_use]
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = capacity;
        self
    }
}
