//! Events of a run.

use std::time::Duration;

use sureness_scorers::{ScoreError, Timing};

/// Something that happened. Sent to the observer from many threads.
#[derive(Debug, Clone)]
pub enum Event {
    /// Questions of a group have cached answers.
    Cached {
        /// Index of the group.
        group: usize,
        /// How many.
        count: usize,
    },
    /// A batch was sent.
    Sent {
        /// Index of the group.
        group: usize,
        /// Questions in it.
        count: usize,
        /// Index of the endpoint.
        endpoint: usize,
        /// With this request.
        load: Load,
    },
    /// A batch's attempt is over; its questions are no longer in flight.
    Attempt(Attempt),
    /// A question was answered.
    Answered {
        /// Index of the group.
        group: usize,
        /// Index of the question in it.
        question: u32,
    },
    /// A question is given up.
    Failed {
        /// Index of the group.
        group: usize,
        /// Index of the question in it.
        question: u32,
        /// Why.
        error: ScoreError,
    },
    /// Questions will be asked again.
    Retrying {
        /// Index of the group.
        group: usize,
        /// Indices of the questions in it.
        questions: Vec<u32>,
        /// The back-off.
        wait: Duration,
        /// Why.
        error: ScoreError,
    },
    /// The server of an endpoint asks for a notable wait.
    Throttled {
        /// Index of the endpoint.
        endpoint: usize,
        /// How long.
        wait: Duration,
        /// Why, in words.
        reason: String,
    },
    /// One endpoint gets no more questions.
    EndpointDown {
        /// Index of the endpoint.
        endpoint: usize,
        /// Why.
        error: ScoreError,
        /// Whether the endpoint is out for the rest of the run. Otherwise it is probed.
        for_good: bool,
    },
    /// One endpoint is back.
    EndpointUp {
        /// Index of the endpoint.
        endpoint: usize,
    },
    /// No endpoint is up: the run pauses until one is back.
    Outage {
        /// The last endpoint's error.
        error: ScoreError,
        /// How long the run waits before it gives up.
        give_up_after: Duration,
    },
    /// The outage is over.
    Resumed {
        /// How long it lasted.
        after: Duration,
    },
}

/// How busy the endpoints are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests that may be in flight now, over all endpoints that are up.
    pub limit: usize,
    /// Requests in flight.
    pub in_flight: usize,
}

/// One request and its outcome.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Index of the group.
    pub group: usize,
    /// Indices of its questions in the group.
    pub questions: Vec<u32>,
    /// How many of them were answered.
    pub answered: usize,
    /// Index of the endpoint.
    pub endpoint: usize,
    /// Attempt number, from 1.
    pub attempt: u32,
    /// How long the questions waited to be sent after they could have been.
    pub waited: Duration,
    /// From sending to the reply.
    pub took: Duration,
    /// How that time divides up, as far as the backend reports it.
    pub timing: Timing,
    /// Prompt tokens of the answers, as far as the backend reports them.
    pub prompt_tokens: u64,
    /// Of these, tokens taken from a prefix cache.
    pub cached_tokens: u64,
    /// Tokens of answers in words, as far as the backend reports them.
    pub answer_tokens: u64,
    /// Bytes of the prompts.
    pub prompt_bytes: usize,
    /// The prompt tokens of a lone answered question, where the backend reports them; 0 is a count,
    /// too.
    pub counted: Option<u32>,
    /// Total probability of the options, summed over the answers.
    pub mass: f64,
    /// The first error, if questions were not answered.
    pub error: Option<ScoreError>,
    /// After the reply.
    pub load: Load,
}

impl Attempt {
    /// `answered`, or the kind of the error.
    pub fn outcome(&self) -> &'static str {
        self.error.as_ref().map_or("answered", ScoreError::kind)
    }

    /// The HTTP status, where it is known.
    pub fn status(&self) -> Option<u16> {
        match self.error {
            Some(ScoreError::RateLimited { .. }) => Some(429),
            Some(ScoreError::NotFound { .. }) => Some(404),
            Some(
                ScoreError::Server { status, .. }
                | ScoreError::Unauthorized { status, .. }
                | ScoreError::Rejected { status, .. },
            ) => Some(status),
            _ => None,
        }
    }
}
