//! Backends that give a model's log-probability of each option.
//!
//! Every backend implements [`OptionScorer`]: a batch of prompts in, one [`OptionScores`] or
//! one typed [`ScoreError`] per prompt out. Backends do not retry and keep no results; that is
//! the engine's and the store's work.

mod error;
pub mod http;
mod identity;
#[cfg(feature = "llama")]
pub mod llama;
pub mod replay;
mod scores;

pub use error::ScoreError;
pub use identity::ModelIdentity;
pub use scores::{OptionScores, RequestKey, ScoreRequest, Usage, log_sum_exp};

use futures_util::future::BoxFuture;

/// Asks a model how probable each option is as the next token.
pub trait OptionScorer: Send + Sync {
    /// What is asked: everything about the model and the way of asking that can move a score.
    fn identity(&self) -> &ModelIdentity;

    /// Scores a batch. The result has one entry per request, in the order of the requests.
    /// One request's failure leaves the others' answers in place.
    fn score<'a>(
        &'a self,
        batch: &'a [ScoreRequest],
    ) -> BoxFuture<'a, Vec<Result<OptionScores, ScoreError>>>;
}
