//! Requests and scores.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sureness_prompts::Prompt;

/// BLAKE3 hash of everything that determines an answer. Requests with equal keys are sent once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(pub [u8; 32]);

impl RequestKey {
    /// The key of asking the model with digest `identity` for `labels` after `prompt`.
    pub fn new(identity: &[u8; 32], prompt: &Prompt, labels: &[String]) -> Self {
        KeyPrefix::new(identity, &prompt.prefix, labels).key(&prompt.suffix)
    }

    /// The key of the answer with this number, where several are drawn to one prompt.
    #[must_use]
    pub fn drawn(self, number: u32) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(&number.to_le_bytes());
        Self(hasher.finalize().into())
    }
}

/// The hash state that keys share: model, labels and the prompts' common prefix.
#[derive(Debug, Clone)]
pub struct KeyPrefix(blake3::Hasher);

impl KeyPrefix {
    /// The common part of asking the model with digest `identity` for `labels` after prompts
    /// that begin with `prefix`.
    pub fn new(identity: &[u8; 32], prefix: &str, labels: &[String]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(identity);
        hasher.update(&(labels.len() as u64).to_le_bytes());
        for label in labels {
            hasher.update(&(label.len() as u64).to_le_bytes());
            hasher.update(label.as_bytes());
        }
        // The text comes last and whole: its split into prefix and suffix does not matter to the
        // model, so it must not matter to the key.
        hasher.update(prefix.as_bytes());
        Self(hasher)
    }

    /// The key of the prompt that ends with `suffix`.
    pub fn key(&self, suffix: &str) -> RequestKey {
        let mut hasher = self.0.clone();
        hasher.update(suffix.as_bytes());
        RequestKey(hasher.finalize().into())
    }
}

/// One prompt to score.
#[derive(Debug, Clone)]
pub struct ScoreRequest {
    /// Content key of this request.
    pub key: RequestKey,
    /// The text for the model.
    pub prompt: Prompt,
    /// The option labels in option order, such as `A` to `F`. Shared between requests.
    pub labels: Arc<[String]>,
    /// What it takes to read an answer in words; `None` where the labels' log-probabilities are read.
    pub draw: Option<Draw>,
}

/// One of several answers in words to the same prompt.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Its number, from 0.
    pub number: u32,
    /// The texts of the options, by which an answer may name them; none where the question is open.
    pub options: Vec<String>,
    /// What the assistant has said so far, which the server continues; only in a chat.
    pub said: Option<String>,
}

/// Token counts of one answer, if the backend reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u32>,
    /// Of these, tokens taken from a prefix cache.
    pub cached_tokens: Option<u32>,
    /// Tokens of an answer in words, thoughts included.
    #[serde(default)]
    pub answer_tokens: Option<u32>,
}

impl Usage {
    /// The counts of a thought and of the letters after it: prompts count together, and the answer is
    /// the thought.
    pub(crate) fn before(self, letters: Self) -> Self {
        let add = |a: Option<u32>, b: Option<u32>| Some(a?.saturating_add(b?));
        Self {
            prompt_tokens: add(letters.prompt_tokens, self.prompt_tokens),
            cached_tokens: add(letters.cached_tokens, self.cached_tokens),
            answer_tokens: self.answer_tokens,
        }
    }

    /// The counts as a server wrote them, with those that it `evaluated`. Some servers leave the cached
    /// tokens out of those of the prompt, so that the count falls as the cache warms.
    pub(crate) fn counted(
        prompt: Option<u32>,
        cached: Option<u32>,
        evaluated: Option<u32>,
    ) -> Self {
        let hits = cached.unwrap_or(0);
        let leaves_out = |tokens: u32| hits > tokens || (hits > 0 && evaluated == Some(tokens));
        let prompt_tokens = match prompt {
            Some(tokens) if !leaves_out(tokens) => Some(tokens),
            outside => outside
                .or(evaluated)
                .map(|tokens| tokens.saturating_add(hits)),
        };
        Self {
            prompt_tokens,
            cached_tokens: cached,
            answer_tokens: None,
        }
    }
}

/// A model's log-probabilities of the options of one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptionScores {
    /// Natural log-probability of each option, in option order, over the whole vocabulary (not
    /// renormalised), summed over the spellings of its label (`A`, ` A`, `▁A`).
    pub logprobs: Vec<f64>,
    /// Whether each option was observed. For an option outside the server's top-k, the entry in
    /// `logprobs` is only an upper bound.
    pub observed: Vec<bool>,
    /// Total probability of the observed options, in 0..=1.
    pub mass: f64,
    /// Token counts.
    pub usage: Usage,
    /// The answer itself, where it was given in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Box<Words>>,
}

/// An answer in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Words {
    /// What the model wrote, thoughts of a field of their own left out. What a filter said, where it
    /// withheld the answer.
    pub text: String,
    /// The thought that the server reports apart from the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought: Option<String>,
    /// The mean log-probability of its tokens, thoughts included: of answers to open questions, where the
    /// server gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprob: Option<f64>,
    /// How it was read.
    pub reading: Reading,
}

/// How an answer in words was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// It chooses an option.
    Option,
    /// It refuses to answer.
    Refused,
    /// It ends at the limit of tokens before it has chosen.
    Cut,
    /// It chooses none of the options, or several.
    Unreadable,
    /// It is a thought, after which the letters were scored.
    Thought,
    /// It answers an open question.
    Said,
}

impl OptionScores {
    /// An answer to an open question, which has no options. `mass` is 1 if it says something.
    pub fn said(usage: Usage, words: Words) -> Self {
        Self {
            mass: f64::from(u8::from(words.reading == Reading::Said)),
            ..Self::chosen(None, 0, usage, words)
        }
    }

    /// The scores of an answer that chooses one of so many `options`, or none of them.
    pub fn chosen(choice: Option<usize>, options: usize, usage: Usage, words: Words) -> Self {
        let logprob = |option| match choice {
            Some(chosen) if chosen == option => 0.0,
            _ => f64::NEG_INFINITY,
        };
        Self {
            logprobs: (0..options).map(logprob).collect(),
            observed: vec![true; options],
            mass: f64::from(u8::from(choice.is_some())),
            usage,
            words: Some(Box::new(words)),
        }
    }
}

/// `ln(sum(exp(values)))` without overflow; negative infinity for no values.
pub fn log_sum_exp(values: impl IntoIterator<Item = f64> + Clone) -> f64 {
    let max = values.clone().into_iter().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + values
        .into_iter()
        .map(|v| (v - max).exp())
        .sum::<f64>()
        .ln()
}
