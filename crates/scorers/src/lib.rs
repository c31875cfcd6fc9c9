#![doc = include_str!("../README.md")]

mod error;
pub mod http;
#[cfg(feature = "llama")]
pub mod llama;
mod opening;
pub mod replay;
mod reply;
mod said;
mod scores;
mod thought;

pub use error::ScoreError;
pub use opening::Opening;
pub use reply::{Allowance, Quota, Reply, Timing};
pub use scores::{
    Draw, KeyPrefix, OptionScores, Reading, RequestKey, ScoreRequest, Usage, Words, log_sum_exp,
};
pub use sureness_record::ModelIdentity;

use std::time::Duration;

use futures_util::future::BoxFuture;

/// How a server evaluates several prompts at once: a first guess for how many to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Serving {
    /// Unknown.
    #[default]
    Unknown,
    /// In a few slots that may share the processor's cores, each with its own prefix cache to warm:
    /// llama.cpp.
    Slots,
    /// In steps over all current prompts, with one prefix cache, so that more at once are cheaper:
    /// vLLM and `SGLang`.
    Steps,
}

impl Serving {
    /// How the kind of server serves that names itself as the owner of its models.
    pub(crate) fn of(owner: Option<&str>) -> Self {
        match owner {
            Some("llamacpp") => Self::Slots,
            Some("vllm" | "sglang") => Self::Steps,
            _ => Self::Unknown,
        }
    }
}

/// What is known of a backend before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Hints {
    /// How it evaluates several prompts at once.
    pub serving: Serving,
    /// The time limit of a request, if any.
    pub timeout: Option<Duration>,
    /// Whether it passes questions on to workers with prefix caches, limits and retries of their own.
    /// Latency and failures then do not reflect this backend's load.
    pub relays: bool,
    /// Answers in words that one request may ask for; 0 where letters are scored.
    pub answers_at_once: u32,
}

/// Scores how probable a model finds each option as the next token.
pub trait OptionScorer: Send + Sync {
    /// Everything about the model and the way of asking that can move a score.
    fn identity(&self) -> &ModelIdentity;

    /// Fails with [`ScoreError::ContextTooLong`] if a prefix leaves no room for a question in the
    /// model's context and the backend can determine that without the model.
    fn check_prefix<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), ScoreError>> {
        let _ = prefix;
        Box::pin(async { Ok(()) })
    }

    /// What is known of the backend before the first request.
    fn hints(&self) -> Hints {
        Hints::default()
    }

    /// Scores a batch.
    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply>;

    /// Scores a batch and blocks the calling thread. Must not be called from async code.
    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply;
}
