//! The findings of an examination.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sureness_record::Noise;

use super::super::probe::TierChoice;
use super::super::report::Letters;

/// What is known of a server. `None` means unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The address, without credentials or query.
    pub api_base: String,
    /// The problem that stops a run, if any. Findings end with it.
    pub obstacle: Option<Obstacle>,
    /// Whether the server answers at all.
    pub reachable: bool,
    /// Whether the server accepts the key.
    pub key: KeyState,
    /// The models that the server lists.
    pub models: Vec<String>,
    /// The model asked.
    pub model: Option<String>,
    /// Which routes answer.
    pub routes: Routes,
    /// The largest accepted count of most probable tokens, of those tried.
    pub top_logprobs: Option<u32>,
    /// Tokens returned for the count that a run asks for.
    pub returned_logprobs: Option<usize>,
    /// How many answers lack log-probabilities, if any do.
    #[serde(default)]
    pub missing_logprobs: Option<MissingLogprobs>,
    /// The token numbers that spell each letter, the likelier first. Empty if the server has no
    /// tokenizer route.
    pub letters: BTreeMap<String, Vec<u32>>,
    /// How options are scored.
    pub scoring: Option<Scoring>,
    /// The server's own sampling settings that would move scores; scoring switches them off.
    #[serde(default)]
    pub own_settings: Option<String>,
    /// How the model answers a trial question.
    #[serde(default)]
    pub trial: Option<Letters>,
    /// Whether a request may hold several prompts.
    pub lists: Option<bool>,
    /// The same prompt twice, for the prefix cache.
    pub prefix_cache: Option<PrefixCache>,
    /// Whether `logit_bias` affects generation.
    pub logit_bias: Option<bool>,
    /// Whether llama.cpp's `grammar` does.
    pub grammar: Option<bool>,
    /// Whether vLLM's `structured_outputs` does.
    pub structured_choice: Option<bool>,
    /// Context length in tokens, prompt and answer together.
    pub context: Option<u32>,
    /// How the BOS token is handled.
    pub bos: Option<Bos>,
    /// What became of a long prompt.
    #[serde(default)]
    pub long_prompt: Option<LongPrompt>,
    /// How reproducible the scores are.
    pub noise: Option<Noise>,
}

/// A problem that stops a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// What is wrong.
    pub message: String,
    /// How to solve it.
    pub hint: String,
}

/// Whether a server accepts the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Not tested.
    #[default]
    Unknown,
    /// No key was given, and none is needed.
    NotNeeded,
    /// The server answers with the given key.
    Accepted,
    /// The server refuses the key, or requires one.
    Refused,
}

/// Which routes answer a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// `/v1/completions`.
    pub completions: bool,
    /// `/v1/chat/completions`.
    pub chat: bool,
    /// llama.cpp's own `/completion`.
    pub native: bool,
    /// Routes that are there but give no answer, each with its last error.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failing: BTreeMap<String, String>,
}

/// Answers that should have log-probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingLogprobs {
    /// All of them.
    pub answers: usize,
    /// Those without any.
    pub without: usize,
}

/// How options are scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scoring {
    /// The method, as in the model's identity.
    pub tier: String,
    /// Why this one, in one line.
    pub reason: String,
    /// Whether every option is observed instead of bounded.
    pub exact: bool,
}

impl From<TierChoice> for Scoring {
    fn from(choice: TierChoice) -> Self {
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
    /// Of these, tokens from the cache at the second time, if reported.
    pub cached_tokens: Option<u32>,
    /// Seconds for the first.
    pub first_seconds: f64,
    /// Seconds for the second.
    pub second_seconds: f64,
}

impl PrefixCache {
    /// Whether there is a cache: as reported by the server, or else by time.
    pub fn works(&self) -> bool {
        match self.cached_tokens {
            Some(tokens) => tokens > 0,
            None => self.second_seconds < self.first_seconds / 2.0,
        }
    }
}

/// How a server handles the BOS token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bos {
    /// Whether the server adds one to every prompt.
    pub added: bool,
    /// Whether a prompt that begins with one gets a second; `None` if the server does not report
    /// the token.
    pub doubled: Option<bool>,
}

/// A prompt that is long for the server, and what the server made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongPrompt {
    /// Its characters.
    pub characters: usize,
    /// What became of it.
    pub outcome: LongPromptOutcome,
}

/// What a server makes of a long prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongPromptOutcome {
    /// The server refused it as too long.
    Refused,
    /// The server read all of it.
    Read {
        /// Its tokens.
        tokens: u32,
    },
    /// The server dropped a part of it and answered the rest.
    Cut {
        /// The tokens that the server counted.
        tokens: Option<u32>,
        /// About how many it has, by the count of a shorter one.
        expected: Option<u32>,
    },
    /// The server counts no prompt tokens.
    NotCounted,
}
