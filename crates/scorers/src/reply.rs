//! A backend's reply to a batch.

use std::time::Duration;

use crate::{OptionScores, ScoreError};

/// A backend's answer to one batch.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// One entry per request, in the order of the requests. A failed request leaves the
    /// other answers in place.
    pub scores: Vec<Result<OptionScores, ScoreError>>,
    /// How long each phase took.
    pub timing: Timing,
    /// What is left of the server's rate limits.
    pub quota: Quota,
    /// Number of requests, if the backend counts them; 0 stands for one.
    pub requests: u32,
}

/// Wall-clock time of the phases of one batch. Phases that a backend cannot measure are zero and
/// included in `server`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Opening connections; zero for reused ones.
    pub connect: Duration,
    /// From the request's first byte to the answer's last.
    pub server: Duration,
    /// Reading scores from the answer.
    pub parse: Duration,
}

/// What is left of a server's rate limits, by its `x-ratelimit-*` headers; `None` if it sends none.
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
    /// How much may still be sent within `resets_in`.
    pub remaining: u64,
    /// Time until the full allowance is restored.
    pub resets_in: Duration,
}

impl Reply {
    /// A reply with scores only.
    pub fn of(scores: Vec<Result<OptionScores, ScoreError>>) -> Self {
        Self {
            scores,
            ..Self::default()
        }
    }
}
