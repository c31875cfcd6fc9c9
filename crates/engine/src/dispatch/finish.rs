//! Handling a reply: its effect on the endpoint, on the queue and on its questions; and what a run has
//! done so far: the progress of each group, the time per answer, the answers on their way to the store.

use std::time::Duration;

use sureness_scorers::{OptionScores, Quota, Reply, ScoreError, Timing};

use super::health::is_unreachable;
use super::{Dispatch, Events, Job, Ticket};
use crate::event::Attempt;
use crate::histogram::Histogram;
use crate::limit::{Outcome, Sample};
use crate::lookup::Open;
use crate::{Answer, Event, GroupSummary, ItemId};

/// A reply, by outcome.
struct Sorted {
    answers: Vec<(Open, OptionScores)>,
    failures: Vec<(Open, ScoreError)>,
    quota: Quota,
}

impl Dispatch {
    /// A request is over. `reply` has one entry per question of the ticket.
    pub(crate) fn finished(
        &mut self,
        mut ticket: Ticket,
        reply: Reply,
        now: Duration,
        events: &mut Events,
    ) {
        self.now = now;
        let (endpoint, sent) = (ticket.endpoint, ticket.sent);
        let mut job = std::mem::take(&mut ticket.job);
        let items = std::mem::take(&mut job.items);
        let mut sorted = Sorted {
            answers: Vec::with_capacity(items.len()),
            failures: Vec::new(),
            quota: reply.quota,
        };
        let count = items.len();
        let questions = items.iter().map(|open| open.question).collect();
        for (open, result) in items.into_iter().zip(reply.scores) {
            match result {
                Ok(scores) => sorted.answers.push((open, scores)),
                Err(error) => sorted.failures.push((open, error)),
            }
        }
        let took = now.saturating_sub(sent);
        self.endpoints[endpoint].in_flight -= 1;
        let requests = reply.requests.max(1);
        self.rates
            .adjust_requests(now, count, ticket.requests, requests);
        let (prompt_tokens, cached_tokens) = self.learn(&ticket, &job, &sorted);
        let answer_tokens = sorted.answers.iter();
        let answer_tokens = answer_tokens
            .map(|(_, scores)| u64::from(scores.usage.answer_tokens.unwrap_or(0)))
            .sum();
        self.totals.answer_tokens += answer_tokens;
        self.events.push(Event::Attempt(Attempt {
            group: job.group as usize,
            questions,
            answered: sorted.answers.len(),
            endpoint,
            attempt: job.attempt + 1,
            waited: ticket.waited,
            took,
            timing: reply.timing,
            prompt_tokens,
            cached_tokens,
            answer_tokens,
            prompt_bytes: ticket.bytes,
            counted: match sorted.answers.as_slice() {
                [(_, scores)] if count == 1 => scores.usage.prompt_tokens,
                _ => None,
            },
            mass: sorted.answers.iter().map(|(_, scores)| scores.mass).sum(),
            error: sorted.failures.first().map(|(_, error)| error.clone()),
            load: self.load(),
        }));
        let answered = !sorted.answers.is_empty();
        self.judge_endpoint(&ticket, &job, answered, &sorted.failures);
        self.work.finished(&job, endpoint, answered);
        self.groups[job.group as usize].replied(now);
        let answers = sorted.answers.len() as u64;
        self.totals.add(answers, &reply.timing, ticket.waited, took);
        for (open, scores) in sorted.answers {
            self.complete(job.group, open, Ok(scores));
        }
        if !sorted.failures.is_empty() {
            self.handle_failures(endpoint, &job, sorted.failures, count);
        }
        events.append(&mut self.events);
    }

    /// Feeds the limits, the batch size and the quotas, which adapt to the server. Returns the prompt
    /// tokens of the answers, and how many of them were cached.
    fn learn(&mut self, ticket: &Ticket, job: &Job, sorted: &Sorted) -> (u64, u64) {
        let left = self.left_for_each();
        let endpoint = &mut self.endpoints[ticket.endpoint];
        let limit = endpoint.controller.limit();
        let (mut prompt, mut cached) = (0_u64, 0_u64);
        let mut reported = !sorted.answers.is_empty();
        for (_, scores) in &sorted.answers {
            reported &= scores.usage.prompt_tokens.is_some();
            prompt += u64::from(scores.usage.prompt_tokens.unwrap_or(0));
            cached += u64::from(scores.usage.cached_tokens.unwrap_or(0));
        }
        self.totals.prompt_tokens += prompt;
        self.totals.cached_tokens += cached;
        let is_silent = |(_, error): &&(Open, ScoreError)| *error == ScoreError::NoLogprobs;
        let silent = sorted.failures.iter().filter(is_silent).count();
        endpoint.heard(ticket.number, sorted.answers.len(), silent);
        if endpoint.relays {
            // The workers behind it adapt to their own servers.
            endpoint.answered(sorted.answers.len() as u64);
            return (prompt, cached);
        }
        let outcome = outcome(sorted);
        // A cold-cache request is slow regardless of load.
        let cold = job.warms || (reported && endpoint.is_cold(cached, sorted.answers.len() as u64));
        let sample = Sample {
            started: ticket.sent,
            ended: self.now,
            // Exact enough: the number changes little while one request runs.
            in_flight: ticket.in_flight.max(endpoint.in_flight + 1),
            tokens: reported
                .then(|| u32::try_from(prompt.saturating_sub(cached)).unwrap_or(u32::MAX)),
            prompt_bytes: ticket.bytes,
            outcome,
            left,
        };
        if cold && outcome == Outcome::Answered {
            endpoint.controller.finished_cold(&sample);
        } else {
            endpoint.controller.finished(&sample);
        }
        let takes = [ticket.requests, ticket.tokens];
        let empty = endpoint.note_quota(self.now, &sorted.quota, takes, &self.settings.retry);
        let count = sorted.answers.len() + sorted.failures.len();
        if sorted.answers.is_empty() {
            endpoint.failed(self.now, outcome, &self.settings.retry);
            if !sorted.failures.iter().any(|(_, e)| is_unreachable(e)) {
                endpoint.sizer.failed(count);
            }
        } else {
            endpoint.answered(sorted.answers.len() as u64);
            let took = self.now.saturating_sub(ticket.sent);
            if !job.warms {
                endpoint.sizer.answered(count, took, limit);
            }
        }
        if reported && sorted.failures.is_empty() {
            self.rates
                .adjust_tokens(ticket.bytes, ticket.tokens, prompt);
        }
        let mut failures = sorted.failures.iter().map(|(_, error)| error);
        let throttled = failures.find(|error| matches!(error, ScoreError::RateLimited { .. }));
        let pause = throttled.and_then(|error| {
            let asked = error.retry_after();
            endpoint.throttled(self.now, ticket.sent, asked, &self.settings.retry)
        });
        if let Some((wait, error)) = pause.zip(throttled)
            && !self.waits_too_long(error)
        {
            self.announce_wait(ticket.endpoint, wait, &error.to_string());
        } else if let Some(wait) = empty {
            self.announce_wait(ticket.endpoint, wait, "the server's quota is used up");
        }
        (prompt, cached)
    }

    /// Records a question's final outcome of this run.
    pub(super) fn complete(
        &mut self,
        group: u32,
        open: Open,
        outcome: Result<OptionScores, ScoreError>,
    ) {
        let summary = &mut self.groups[group as usize].summary;
        match &outcome {
            Ok(_) => {
                summary.answered += 1;
                self.events.push(Event::Answered {
                    group: group as usize,
                    question: open.question,
                });
            }
            Err(error) => {
                summary.failed += 1;
                self.events.push(Event::Failed {
                    group: group as usize,
                    question: open.question,
                    error: error.clone(),
                });
            }
        }
        let item = ItemId {
            group,
            question: open.question,
        };
        let key = open.key;
        self.outbox.push(Answer { item, key, outcome }, self.now);
    }
}

/// The outcome of a reply as far as load is concerned: the worst of its parts.
fn outcome(sorted: &Sorted) -> Outcome {
    let failures = sorted.failures.iter().map(|(_, error)| match error {
        ScoreError::RateLimited { .. } => Outcome::Throttled,
        ScoreError::TimedOut { .. } => Outcome::TimedOut,
        ScoreError::Unreachable { .. } => Outcome::Unreachable,
        ScoreError::Server { .. } | ScoreError::Malformed { .. } | ScoreError::Backend { .. } => {
            Outcome::ServerFailed
        }
        // The model did all its work; only the option tokens were not in the answer.
        ScoreError::NoOptionSeen { .. }
        | ScoreError::NoneChosen { .. }
        | ScoreError::PromptCut
        | ScoreError::NoLogprobs => Outcome::Answered,
        ScoreError::Unauthorized { .. }
        | ScoreError::NotFound { .. }
        | ScoreError::Rejected { .. }
        | ScoreError::Filtered { .. }
        | ScoreError::ContextTooLong { .. } => Outcome::Refused,
    });
    let answered = (!sorted.answers.is_empty()).then_some(Outcome::Answered);
    failures.chain(answered).max().unwrap_or(Outcome::Refused)
}

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
