//! The log of requests and their outcomes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::asked::Asked;
use crate::script::Fault;
use crate::sync::lock;

/// One request and its outcome.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The request.
    pub asked: Asked,
    /// Time of arrival since the server's start.
    pub at: Duration,
    /// Time until the last byte was written or the exchange broke off; `None` while in progress.
    pub took: Option<Duration>,
    /// Scripted delay.
    pub delay: Duration,
    /// The fault that was played.
    pub fault: Option<Fault>,
    /// The status, if at least a part of the response was sent.
    pub status: Option<u16>,
    /// For each prompt, whether its complete good answer was written to the connection.
    pub answered: Vec<bool>,
    /// Token counts that it was told, if the answer was written completely.
    pub tokens: Tokens,
}

/// Token counts that a client was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Of prompts, those from the cache included.
    pub prompt: u64,
    /// Of these, those from the cache.
    pub cached: u64,
    /// Of answers.
    pub answer: u64,
}

impl std::ops::AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        self.prompt += other.prompt;
        self.cached += other.cached;
        self.answer += other.answer;
    }
}

impl std::iter::Sum for Tokens {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let mut sum = Self::default();
        all.for_each(|tokens| sum += tokens);
        sum
    }
}

impl Entry {
    /// Whether complete good answers to all prompts were written.
    pub fn is_whole(&self) -> bool {
        !self.answered.is_empty() && self.answered.iter().all(|&answered| answered)
    }
}

/// A server's counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Requests read.
    pub requests: u64,
    /// Requests in progress.
    pub in_flight: u64,
    /// Maximum number of requests in progress at once.
    pub max_in_flight: u64,
    /// Distinct prompts.
    pub prompts: u64,
    /// Prompts in all requests.
    pub prompts_asked: u64,
    /// Complete good answers written.
    pub prompts_answered: u64,
    /// Prompts that were asked again after their complete good answer.
    pub asked_again: u64,
    /// Finished requests by status; 0 where none was sent.
    pub statuses: BTreeMap<u16, u64>,
    /// Faults played, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Token counts of all complete answers.
    pub tokens: Tokens,
}

/// How often one prompt was asked and answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PromptCounts {
    /// Requests for it.
    pub asked: u64,
    /// Complete good answers written.
    pub answered: u64,
}

/// The outcome of a request.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) fault: Option<Fault>,
    pub(crate) delay: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) answered: Vec<bool>,
    pub(crate) tokens: Tokens,
}

#[derive(Debug)]
pub(crate) struct Log {
    started: Instant,
    connections: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    prompts: HashMap<Arc<str>, PromptCounts>,
    counts: Counts,
    /// Requests before the log was last cleared.
    forgotten: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            connections: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// Counts a new connection and returns its number.
    pub(crate) fn connect(&self) -> u64 {
        lock(&self.state).counts.connections += 1;
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Records a request, and sets its number and repeats.
    pub(crate) fn begin(self: &Arc<Self>, asked: &mut Asked) -> Open {
        let at = self.started.elapsed();
        let mut state = lock(&self.state);
        let state = &mut *state;
        state.counts.requests += 1;
        state.counts.prompts_asked += asked.prompts.len() as u64;
        state.counts.in_flight += 1;
        state.counts.max_in_flight = state.counts.max_in_flight.max(state.counts.in_flight);
        for (index, prompt) in asked.prompts.iter().enumerate() {
            let of_prompt = state.prompts.entry(Arc::clone(prompt)).or_default();
            if index == 0 {
                asked.repeats = of_prompt.asked;
            }
            of_prompt.asked += 1;
            state.counts.asked_again += u64::from(of_prompt.answered > 0);
        }
        asked.number = state.forgotten + state.entries.len() as u64 + 1;
        state.entries.push(Entry {
            asked: asked.clone(),
            at,
            took: None,
            delay: Duration::ZERO,
            fault: None,
            status: None,
            answered: Vec::new(),
            tokens: Tokens::default(),
        });
        Open {
            log: Arc::clone(self),
            number: asked.number,
            outcome: Outcome::default(),
        }
    }

    fn end(&self, number: u64, outcome: Outcome) {
        let now = self.started.elapsed();
        let mut state = lock(&self.state);
        let state = &mut *state;
        // The log may have been cleared while the request was in progress.
        let Some(entry) = number
            .checked_sub(state.forgotten + 1)
            .and_then(|index| state.entries.get_mut(index as usize))
        else {
            return;
        };
        entry.took = Some(now.saturating_sub(entry.at));
        entry.fault = outcome.fault;
        entry.delay = outcome.delay;
        entry.status = outcome.status;
        entry.answered = outcome.answered;
        entry.tokens = outcome.tokens;
        state.counts.tokens += outcome.tokens;
        for (prompt, answered) in entry.asked.prompts.iter().zip(&entry.answered) {
            if *answered && let Some(of_prompt) = state.prompts.get_mut(prompt) {
                of_prompt.answered += 1;
                state.counts.prompts_answered += 1;
            }
        }
        if let Some(fault) = &entry.fault {
            *state
                .counts
                .faults
                .entry(fault.kind().to_owned())
                .or_default() += 1;
        }
        *state
            .counts
            .statuses
            .entry(entry.status.unwrap_or(0))
            .or_default() += 1;
        state.counts.in_flight -= 1;
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        lock(&self.state).entries.clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        let state = lock(&self.state);
        let mut counts = state.counts.clone();
        counts.prompts = state.prompts.len() as u64;
        counts
    }

    pub(crate) fn prompt(&self, prompt: &str) -> PromptCounts {
        lock(&self.state)
            .prompts
            .get(prompt)
            .copied()
            .unwrap_or_default()
    }

    /// Clears everything, including requests in progress.
    pub(crate) fn clear(&self) {
        let mut state = lock(&self.state);
        let forgotten = state.forgotten + state.entries.len() as u64;
        *state = State {
            forgotten,
            ..State::default()
        };
    }
}

/// A request in progress, which ends when dropped: also where its connection is torn down.
#[derive(Debug)]
pub(crate) struct Open {
    log: Arc<Log>,
    number: u64,
    pub(crate) outcome: Outcome,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.log.end(self.number, std::mem::take(&mut self.outcome));
    }
}
