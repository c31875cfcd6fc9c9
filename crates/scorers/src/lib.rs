//! Backends that give a model's log-probability of each option.
//!
//! Every backend implements [`OptionScorer`]: a batch of prompts in, one [`OptionScores`] or
//! one typed [`ScoreError`] per prompt out. Backends do not retry and keep no results; that is
//! the engine's and the store's work.

mod error;
pub mod http;
#[cfg(feature = "llama")]
pub mod llama;
pub mod replay;
mod reply;
mod scores;

pub use error::ScoreError;
pub use reply::{Allowance, Quota, Reply, Timing};
pub use scores::{KeyPrefix, OptionScores, RequestKey, ScoreRequest, Usage, log_sum_exp};
pub use sureness_record::ModelIdentity;

use std::time::Duration;

use futures_util::future::BoxFuture;

/// How a server works on several prompts at once: a first guess for how many to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Serving {
    /// Unknown.
    #[default]
    Unknown,
    /// In a few slots, each with a prefix cache of its own that must be warmed, which may have to
    /// share the processor's cores: llama.cpp.
    Slots,
    /// In steps over all that is there, with one prefix cache, so that more at once are cheaper:
    /// vLLM and `SGLang`.
    Steps,
}

/// What is known of a server before the first request: where to begin, and how far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Hints {
    /// How it works on several prompts at once.
    pub serving: Serving,
    /// After how long a request is given up, where it is.
    pub timeout: Option<Duration>,
    /// Whether it hands questions on to others, who have prefix caches, limits and retries of
    /// their own. Then nothing is to be learned here from how fast answers come or why they fail.
    pub relays: bool,
}

/// Asks a model how probable each option is as the next token.
pub trait OptionScorer: Send + Sync {
    /// What is asked: everything about the model and the way of asking that can move a score.
    fn identity(&self) -> &ModelIdentity;

    /// Whether a prefix leaves room for a question in the model's context, as far as the backend
    /// can tell without asking the model: [`ScoreError::ContextTooLong`] where it does not.
    fn check_prefix<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), ScoreError>> {
        let _ = prefix;
        Box::pin(async { Ok(()) })
    }

    /// What is known beforehand of how fast the server is best asked.
    fn hints(&self) -> Hints {
        Hints::default()
    }

    /// Scores a batch.
    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply>;

    /// The same on the calling thread, which it blocks. Must not be called from async code.
    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply;
}
