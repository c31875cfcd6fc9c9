//! What a backend gives back for one batch.

use std::time::Duration;

use crate::{OptionScores, ScoreError};

/// A backend's answer to one batch.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// One entry per request, in the order of the requests. One request's failure leaves the
    /// others' answers in place.
    pub scores: Vec<Result<OptionScores, ScoreError>>,
    /// Where the time went.
    pub timing: Timing,
    /// What the server says is left of its rate limits.
    pub quota: Quota,
    /// How many requests it took, where the backend counts them; 0 stands for one.
    pub requests: u32,
}

/// Where the time of one batch went, in wall-clock time. Phases that a backend cannot tell apart
/// are zero and counted in `server`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Opening connections: zero where one was there.
    pub connect: Duration,
    /// From the request's first byte to the answer's last.
    pub server: Duration,
    /// Reading scores from the answer.
    pub parse: Duration,
}

/// What a server says is left of its rate limits (`x-ratelimit-*` headers). `None` where it says
/// nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Requests.
    pub requests: Option<Allowance>,
    /// Tokens.
    pub tokens: Option<Allowance>,
}

/// What is left of one rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How much may still be sent before `resets_in` is over.
    pub remaining: u64,
    /// When the full allowance is back.
    pub resets_in: Duration,
}

impl Reply {
    /// A reply that tells the scores alone.
    pub fn of(scores: Vec<Result<OptionScores, ScoreError>>) -> Self {
        Self {
            scores,
            ..Self::default()
        }
    }
}
