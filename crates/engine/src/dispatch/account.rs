//! What a run has done so far: the progress of each group, the time per answer, and the answers on
//! their way to the store.

use std::time::Duration;

use sureness_scorers::Timing;

use super::Job;
use crate::histogram::Histogram;
use crate::{Answer, GroupSummary};

/// Answers that may wait for the store. Beyond that nothing is sent: a slow disk slows the
/// requests down instead of memory growing.
pub(super) const MAX_UNSAVED: usize = 4096;

/// The progress of one group.
#[derive(Debug, Default)]
pub(super) struct GroupProgress {
    pub(super) summary: GroupSummary,
    /// First request and last reply.
    pub(super) span: Option<(Duration, Duration)>,
}

impl GroupProgress {
    /// Whether every planned question has its answer or its reason.
    pub(super) fn is_complete(&self) -> bool {
        let done = self.summary.cached + self.summary.answered + self.summary.failed;
        done == self.summary.planned
    }

    pub(super) fn sent(&mut self, job: &Job, now: Duration) {
        let (first, last) = self.span.unwrap_or((now, now));
        self.span = Some((first.min(now), last));
        if job.retry {
            self.summary.retried += job.items.len();
        }
    }

    pub(super) fn replied(&mut self, now: Duration) {
        self.span = self.span.map(|(first, last)| (first, last.max(now)));
    }

    pub(super) fn summary(&self) -> GroupSummary {
        let elapsed = self.span.map(|(first, last)| last.saturating_sub(first));
        GroupSummary {
            elapsed: elapsed.unwrap_or_default(),
            ..self.summary.clone()
        }
    }
}

/// Time per answer, by phase, and tokens.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) waiting: Histogram,
    pub(crate) connecting: Histogram,
    pub(crate) server: Histogram,
    pub(crate) parsing: Histogram,
    pub(crate) prompt_tokens: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) answer_tokens: u64,
}

impl Totals {
    /// Adds the time of so many answers that came with one reply.
    pub(super) fn add(&mut self, answers: u64, timing: &Timing, waited: Duration, took: Duration) {
        // A backend that reports nothing has spent all of it on the server.
        let server = if *timing == Timing::default() {
            took
        } else {
            timing.server
        };
        self.waiting.record(waited, answers);
        self.connecting.record(timing.connect, answers);
        self.server.record(server, answers);
        self.parsing.record(timing.parse, answers);
    }
}

/// Answers on their way to the store.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    answers: Vec<Answer>,
    /// When each of them came.
    times: Vec<Duration>,
    /// How many the store has taken out but not saved yet.
    being_saved: usize,
    /// Whether the last refusal to send was for the store's sake.
    blocks: bool,
}

impl Outbox {
    pub(super) fn push(&mut self, answer: Answer, now: Duration) {
        self.answers.push(answer);
        self.times.push(now);
    }

    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }

    /// Exchanges the answers and their times for two empty lists.
    pub(crate) fn take(&mut self, answers: &mut Vec<Answer>, times: &mut Vec<Duration>) {
        std::mem::swap(&mut self.answers, answers);
        std::mem::swap(&mut self.times, times);
        self.being_saved += answers.len();
    }

    /// Notes that so many answers are saved; `true` if sending waited for that.
    pub(crate) fn saved(&mut self, count: usize) -> bool {
        self.being_saved -= count;
        self.blocks && !self.is_full()
    }

    /// Whether nothing may be sent until the store has caught up.
    pub(super) fn blocks(&mut self) -> bool {
        self.blocks = self.is_full();
        self.blocks
    }

    fn is_full(&self) -> bool {
        self.answers.len() + self.being_saved >= MAX_UNSAVED
    }
}
