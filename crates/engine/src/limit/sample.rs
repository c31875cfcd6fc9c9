//! The controller's input.

use std::time::Duration;

/// One attempt that has ended. An attempt is one request and its reply: a question that is asked
/// three times gives three samples, so that back-off is never mistaken for a slow server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it was sent, since the run's start, by a clock that never goes back.
    pub started: Duration,
    /// When its reply was complete, or when it was given up, by the same clock.
    pub ended: Duration,
    /// The highest number of attempts in flight while it ran, itself included.
    pub in_flight: usize,
    /// Prompt tokens that the server had to compute, without those from its prefix cache. `None` if
    /// the server does not report them.
    pub tokens: Option<u32>,
    /// Length of the prompt, or of all prompts of a batch.
    pub prompt_bytes: usize,
    /// How it ended.
    pub outcome: Outcome,
    /// How many attempts are still to come, where that is known.
    pub left: Option<usize>,
}

impl Sample {
    /// Seconds from sending to the end.
    pub(super) fn latency(&self) -> f64 {
        self.ended.saturating_sub(self.started).as_secs_f64()
    }
}

/// How an attempt ended, as far as load on the server goes, by rising severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// With an error that lies in the request: it says nothing about load.
    Refused,
    /// With an answer.
    Answered,
    /// HTTP 5xx, or a malformed reply.
    ServerFailed,
    /// Without a connection, or with one that broke.
    Unreachable,
    /// Without a reply in time.
    TimedOut,
    /// HTTP 429: the server asks for less.
    Throttled,
}
