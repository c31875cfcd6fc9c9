//! Everything that the server was asked, and what it did.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::asked::Asked;
use crate::script::Fault;
use crate::sync::lock;

/// One request and what became of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was asked.
    pub asked: Asked,
    /// When, since the server was started.
    pub at: Duration,
    /// How long it took until the last byte was written or the exchange broke off; `None` while
    /// it is under way.
    pub took: Option<Duration>,
    /// How long it was delayed on purpose.
    pub delay: Duration,
    /// Which fault was played.
    pub fault: Option<Fault>,
    /// The status that was sent or begun to be sent; `None` where nothing was.
    pub status: Option<u16>,
    /// For each prompt, whether its whole good answer was written to the connection.
    pub answered: Vec<bool>,
}

impl Entry {
    /// Whether whole good answers to all prompts were written.
    pub fn is_whole(&self) -> bool {
        !self.answered.is_empty() && self.answered.iter().all(|&answered| answered)
    }
}

/// What a server did, in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Requests read.
    pub requests: u64,
    /// Requests being dealt with now.
    pub in_flight: u64,
    /// The most that were dealt with at once.
    pub max_in_flight: u64,
    /// Different prompts asked.
    pub prompts: u64,
    /// How often prompts were asked, all together.
    pub prompts_asked: u64,
    /// Whole good answers written.
    pub prompts_answered: u64,
    /// How often a prompt was asked after its whole good answer had been written.
    pub asked_again: u64,
    /// Finished requests by status; 0 where none was sent.
    pub statuses: BTreeMap<u16, u64>,
    /// Faults played, by kind.
    pub faults: BTreeMap<String, u64>,
}

/// How often one prompt was asked and answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PromptCounts {
    /// Requests for it.
    pub asked: u64,
    /// Whole good answers written.
    pub answered: u64,
}

/// What a request came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) fault: Option<Fault>,
    pub(crate) delay: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) answered: Vec<bool>,
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
    /// Requests read before the log was last cleared.
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

    /// The number of a connection that was just opened.
    pub(crate) fn connect(&self) -> u64 {
        lock(&self.state).counts.connections += 1;
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Notes a request, and fills in its number and its repeats.
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
        // The log may have been cleared while this request was under way.
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

    /// Starts afresh; requests under way are forgotten with the rest.
    pub(crate) fn clear(&self) {
        let mut state = lock(&self.state);
        let forgotten = state.forgotten + state.entries.len() as u64;
        *state = State {
            forgotten,
            ..State::default()
        };
    }
}

/// A request under way. Dropping it ends it, so that a request whose connection is torn down is
/// not under way for ever.
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
