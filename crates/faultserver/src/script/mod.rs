//! What the server is and how it misbehaves.

mod fault;
mod file;
mod rule;

pub use fault::{Coding, Fault, Indices, Nan, Point, RetryAfter, Target};
pub use file::ScriptError;
pub use rule::{Predicate, Routes, Rule, When};

use serde::Deserialize;

/// A server and its misbehaviour. The default is a healthy one without limits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What the server is while nothing goes wrong.
    pub server: Healthy,
    /// How much it can do at once.
    pub capacity: Capacity,
    /// What goes wrong, and when.
    pub rules: Vec<Rule>,
}

/// What the server is while nothing goes wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent abilities of a server"
)]
pub struct Healthy {
    /// Whose shapes, words and routes it has.
    pub dialect: Dialect,
    /// The name of its model.
    pub model: String,
    /// Whether another model's name is refused (404).
    pub check_model: bool,
    /// The API key without which everything is refused (401).
    pub key: Option<String>,
    /// Whether it gives log-probabilities.
    pub logprobs: bool,
    /// The most log-probabilities that may be asked for (400 above).
    pub max_logprobs: Option<u64>,
    /// The longest prompt in words (400 above).
    pub context_words: Option<usize>,
    /// Whether it takes a list of prompts (400 otherwise).
    pub lists: bool,
    /// Whether it tells token counts.
    pub usage: bool,
    /// How many past prompts its prefix cache holds.
    pub cache_slots: usize,
    /// How far each letter's logit is at most, in nats, from that of the model that the server has
    /// by default: another one under the same name.
    pub drift: f64,
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
        }
    }
}

/// Whose shapes, words and routes the server has.
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

/// How much the server can do at once. The default has no limit and takes no time.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// Scoring requests worked on at once; the others queue.
    pub workers: Option<usize>,
    /// Requests that may queue; the others get a 429.
    pub queue: Option<usize>,
    /// What that 429 tells.
    pub retry_after: RetryAfter,
    /// Time that each scoring request takes, in milliseconds.
    pub base_ms: u64,
    /// Time that each word takes that is not in the prefix cache, in microseconds.
    pub per_word_us: u64,
    /// Scoring requests accepted per minute; beyond that a 429 with `Retry-After`, and every
    /// answer carries `x-ratelimit-*` headers.
    pub requests_per_minute: Option<usize>,
    /// Another length for that minute, in milliseconds, for tests in a hurry.
    pub minute_ms: Option<u64>,
}

impl Script {
    /// A healthy server without limits.
    pub fn healthy() -> Self {
        Self::default()
    }

    /// A healthy server but for `rule`.
    pub fn with(rule: Rule) -> Self {
        Self::healthy().rule(rule)
    }

    /// The same with one more rule, tried after those before it.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The same, healthy in another way.
    #[must_use]
    pub fn server(mut self, server: Healthy) -> Self {
        self.server = server;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = capacity;
        self
    }
}
