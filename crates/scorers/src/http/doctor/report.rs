//! The findings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::probe::Choice;

/// What is known of a server. `None` means that it could not be found out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The address, without credentials or query.
    pub api_base: String,
    /// What stops a run; `None` if nothing does. The findings below then end where it was met.
    pub obstacle: Option<Obstacle>,
    /// Whether the server answers at all.
    pub reachable: bool,
    /// What the server makes of the key.
    pub key: KeyState,
    /// The models that the server lists.
    pub models: Vec<String>,
    /// The model that is asked.
    pub model: Option<String>,
    /// Which routes answer.
    pub routes: Routes,
    /// The largest count of most probable tokens that the server takes, of those tried.
    pub top_logprobs: Option<u32>,
    /// How many tokens came back for the count that a run asks for.
    pub returned_logprobs: Option<usize>,
    /// The numbers of the tokens that spell each letter, the likelier one first. Empty where the
    /// server has no tokenizer to ask.
    pub letters: BTreeMap<String, Vec<u32>>,
    /// How options are scored.
    pub scoring: Option<Scoring>,
    /// Whether several prompts may travel in one request.
    pub lists: Option<bool>,
    /// Whether a repeated prompt is cheaper.
    pub prefix_cache: Option<PrefixCache>,
    /// Whether `logit_bias` moves what is generated.
    pub logit_bias: Option<bool>,
    /// Whether llama.cpp's `grammar` does.
    pub grammar: Option<bool>,
    /// Whether vLLM's `structured_outputs` does.
    pub structured_choice: Option<bool>,
    /// Tokens that fit into one prompt and its answer.
    pub context: Option<u32>,
    /// What becomes of the token that opens a text.
    pub bos: Option<Bos>,
    /// How much the same question's scores move.
    pub noise: Option<Noise>,
}

/// What stops a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// What is wrong.
    pub message: String,
    /// What would help.
    pub hint: String,
}

/// What a server makes of the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It was not asked anything that needs one.
    #[default]
    Unknown,
    /// None was given, and none is asked for.
    NotNeeded,
    /// It was given, and the server answers.
    Accepted,
    /// The server refuses it, or asks for one.
    Refused,
}

/// Which routes answer a prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// `/v1/completions`.
    pub completions: bool,
    /// `/v1/chat/completions`.
    pub chat: bool,
    /// llama.cpp's own `/completion`.
    pub native: bool,
}

/// How options are scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scoring {
    /// The way, as in the model's identity.
    pub tier: String,
    /// Why this one, in a line.
    pub reason: String,
    /// Whether every option gets its own figure and not just a bound.
    pub exact: bool,
}

impl From<Choice> for Scoring {
    fn from(choice: Choice) -> Self {
        Self {
            tier: choice.tier.name().to_owned(),
            reason: choice.reason.to_owned(),
            exact: choice.tier.is_exact(),
        }
    }
}

/// The same prompt twice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PrefixCache {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u32>,
    /// Of these, taken from the cache the second time, where the server tells it.
    pub cached_tokens: Option<u32>,
    /// Seconds for the first.
    pub first_seconds: f64,
    /// Seconds for the second.
    pub second_seconds: f64,
}

impl PrefixCache {
    /// Whether there is a cache: by the server's word, else by the clock.
    pub fn works(&self) -> bool {
        match self.cached_tokens {
            Some(tokens) => tokens > 0,
            None => self.second_seconds < self.first_seconds / 2.0,
        }
    }
}

/// What becomes of the token that opens a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bos {
    /// Whether the server puts one before every prompt.
    pub added: bool,
    /// Whether a prompt that begins with one gets a second; `None` where the server does not tell
    /// which token it is.
    pub doubled: Option<bool>,
}

/// The same questions one by one, all together, and once more one by one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// How many questions.
    pub questions: usize,
    /// The largest difference of an option's log-probability between two rounds, in nats.
    pub largest_difference: f64,
    /// Questions whose most probable option changed.
    pub changed_top_options: usize,
}
