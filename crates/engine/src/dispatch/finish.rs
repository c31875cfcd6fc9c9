//! What becomes of a reply.

use std::time::Duration;

use sureness_scorers::{OptionScores, Quota, Reply, ScoreError, Timing};

use super::health::{Change, looks_like_outage};
use super::{Dispatch, Events, Job, Ticket};
use crate::event::Attempt;
use crate::limit::{Outcome, Sample};
use crate::lookup::Open;
use crate::{Answer, Event, ItemId, Stop};

/// A reply, sorted.
struct Sorted {
    answers: Vec<(Open, OptionScores)>,
    failures: Vec<(Open, ScoreError)>,
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
        let (endpoint, sent) = (ticket.endpoint, ticket.sent);
        let mut job = std::mem::take(&mut ticket.job);
        let items = std::mem::take(&mut job.items);
        let mut sorted = Sorted {
            answers: Vec::with_capacity(items.len()),
            failures: Vec::new(),
        };
        let count = items.len();
        for (open, result) in items.into_iter().zip(reply.scores) {
            match result {
                Ok(scores) => sorted.answers.push((open, scores)),
                Err(error) => sorted.failures.push((open, error)),
            }
        }
        let took = now.saturating_sub(sent);
        self.in_flight -= 1;
        self.endpoints[endpoint].in_flight -= 1;
        self.learn(&ticket, &job, &sorted, &reply.quota, now);
        events.push(Event::Attempt(Attempt {
            group: job.group as usize,
            count,
            answered: sorted.answers.len(),
            endpoint,
            attempt: job.attempt + 1,
            waited: ticket.waited,
            took,
            timing: reply.timing,
            error: sorted.failures.first().map(|(_, error)| error.clone()),
            load: self.load(),
        }));
        let answered = !sorted.answers.is_empty();
        self.judge_endpoint(endpoint, answered, &sorted.failures, sent, now, events);
        self.queue.back(job.group, endpoint, answered, job.warms);
        if job.retry && answered {
            self.budget.pay_back();
        }
        job.warms = false;
        job.retry = false;

        let group = &mut self.groups[job.group as usize];
        group.span = group.span.map(|(first, last)| (first, last.max(now)));
        self.record(&sorted, &reply.timing, ticket.waited, took);
        for (open, scores) in sorted.answers {
            self.settle(job.group, open, Ok(scores), now, events);
        }
        if !sorted.failures.is_empty() {
            self.deal_with(endpoint, job, sorted.failures, count, now, events);
        }
    }

    /// Tells whoever adapts to the server.
    fn learn(&mut self, ticket: &Ticket, job: &Job, sorted: &Sorted, quota: &Quota, now: Duration) {
        let endpoint = &mut self.endpoints[ticket.endpoint];
        let limit = endpoint.controller.limit();
        let (mut prompt, mut cached) = (0_u64, 0_u64);
        let mut told = !sorted.answers.is_empty();
        for (_, scores) in &sorted.answers {
            told &= scores.usage.prompt_tokens.is_some();
            prompt += u64::from(scores.usage.prompt_tokens.unwrap_or(0));
            cached += u64::from(scores.usage.cached_tokens.unwrap_or(0));
        }
        self.prompt_tokens += prompt;
        self.cached_tokens += cached;
        let outcome = outcome(sorted);
        endpoint.controller.finished(&Sample {
            started: ticket.sent,
            ended: now,
            // Exact enough: the number changes little while one request runs.
            in_flight: ticket.in_flight.max(endpoint.in_flight + 1),
            tokens: told.then(|| u32::try_from(prompt.saturating_sub(cached)).unwrap_or(u32::MAX)),
            prompt_bytes: ticket.bytes,
            outcome,
        });
        endpoint.allowance(now, quota, ticket.tokens, &self.settings.retry);
        let count = sorted.answers.len() + sorted.failures.len();
        if sorted.answers.is_empty() {
            endpoint.failed(now, outcome, &self.settings.retry);
            if !sorted.failures.iter().any(|(_, e)| looks_like_outage(e)) {
                endpoint.sizer.failed(count);
            }
        } else {
            endpoint.answered(sorted.answers.len() as u64);
            let took = now.saturating_sub(ticket.sent);
            // The one that goes ahead finds a cold cache.
            if !job.warms {
                endpoint.sizer.answered(count, took, limit);
            }
        }
        if told && sorted.failures.is_empty() {
            self.rates.counted(ticket.bytes, ticket.tokens, prompt);
        }
        for (_, error) in &sorted.failures {
            if let ScoreError::RateLimited { retry_after } = error {
                endpoint.throttled(now, ticket.sent, *retry_after, &self.settings.retry);
                break;
            }
        }
    }

    /// Whether the endpoint is still there, or there again.
    fn judge_endpoint(
        &mut self,
        index: usize,
        answered: bool,
        failures: &[(Open, ScoreError)],
        sent: Duration,
        now: Duration,
        events: &mut Events,
    ) {
        let endpoint = &mut self.endpoints[index];
        if let Some((_, error)) = failures.iter().find(|(_, error)| error.is_fatal()) {
            if endpoint.health.is_lost() {
                return;
            }
            endpoint.lose(error);
            events.push(Event::EndpointDown {
                endpoint: index,
                error: error.clone(),
                for_good: true,
            });
            if self.endpoints.iter().all(|e| e.health.is_lost()) {
                self.stop(Stop::Fatal(error.clone()));
            } else {
                self.note_outage(error, now, events);
            }
            return;
        }
        let blame = endpoint.blame(index);
        let down = endpoint.health.is_down();
        let outage = failures
            .iter()
            .map(|(_, error)| error)
            .find(|error| is_absence(error, down))
            .filter(|_| !answered);
        let change = match outage {
            Some(error) => endpoint.health.failed(now, sent, error.retry_after()),
            // Any other reply shows that somebody is there, even if it is an error; silence
            // shows nothing.
            None if !answered && failures.iter().all(|(_, e)| is_absence(e, true)) => Change::None,
            None => endpoint.health.answered(),
        };
        match (change, outage) {
            (Change::WentDown, Some(error)) => {
                endpoint.tally.outages += 1;
                self.queue.chill(index);
                // The first failures looked like any other and were charged as retries.
                for mut job in self.retries.take_blamed(blame) {
                    job.attempt = job.attempt.saturating_sub(1);
                    job.since = now;
                    self.returned.push_back(job);
                }
                events.push(Event::EndpointDown {
                    endpoint: index,
                    error: error.clone(),
                    for_good: false,
                });
                self.note_outage(error, now, events);
            }
            (Change::CameUp, _) => {
                events.push(Event::EndpointUp { endpoint: index });
                if let Some((since, _)) = self.outage.take() {
                    let after = now.saturating_sub(since);
                    events.push(Event::Resumed { after });
                }
            }
            _ => {}
        }
    }

    /// Begins an outage if no endpoint is left but some may come back.
    fn note_outage(&mut self, error: &ScoreError, now: Duration, events: &mut Events) {
        let up = self.endpoints.iter().any(|e| e.health.is_up());
        if !up && self.outage.is_none() && self.stop.is_none() {
            self.outage = Some((now, error.clone()));
            events.push(Event::Outage {
                error: error.clone(),
                give_up_after: self.settings.give_up_after,
            });
        }
    }

    /// Asks again, gives back or gives up, question by question.
    fn deal_with(
        &mut self,
        endpoint: usize,
        job: Job,
        failures: Vec<(Open, ScoreError)>,
        count: usize,
        now: Duration,
        events: &mut Events,
    ) {
        let stopped = self.stop.is_some();
        let gone = !self.endpoints[endpoint].health.is_up();
        let retries_left = job.attempt < self.settings.retry.max_retries;
        if !stopped && failures.len() == count && self.may_hide_a_culprit(&job, &failures) {
            self.split(endpoint, &job, failures, now, events);
            return;
        }
        let mut back = Vec::new();
        let mut again: (Vec<Open>, Option<ScoreError>) = (Vec::new(), None);
        for (open, error) in failures {
            let not_its_fault = gone && (is_absence(&error, true) || error.is_fatal());
            if not_its_fault && !stopped {
                back.push(open);
            } else if error.is_retryable() && stopped {
                // Left open: the next run asks it.
            } else if error.is_retryable() && retries_left {
                again.0.push(open);
                let longest = again.1.as_ref().and_then(ScoreError::retry_after);
                if again.1.is_none() || error.retry_after() > longest {
                    again.1 = Some(error);
                }
            } else {
                self.settle(job.group, open, Err(error), now, events);
            }
        }
        if !back.is_empty() {
            self.returned.push_back(Job {
                items: back,
                since: now,
                ..job
            });
        }
        if let (items, Some(error)) = again {
            self.retry(
                endpoint,
                Job {
                    items,
                    attempt: job.attempt + 1,
                    ..Job {
                        group: job.group,
                        ..Job::default()
                    }
                },
                error,
                now,
                events,
            );
        }
    }

    /// Whether one question may have made the whole batch fail.
    fn may_hide_a_culprit(&self, job: &Job, failures: &[(Open, ScoreError)]) -> bool {
        let [(_, first), rest @ ..] = failures else {
            return false;
        };
        if rest.is_empty() || rest.iter().any(|(_, error)| error.kind() != first.kind()) {
            return false;
        }
        match first {
            ScoreError::Rejected { .. }
            | ScoreError::ContextTooLong { .. }
            | ScoreError::Malformed { .. }
            | ScoreError::Backend { .. } => true,
            // These may pass: the batch gets a second chance as it is.
            ScoreError::Server { .. } | ScoreError::TimedOut { .. } => {
                !looks_like_outage(first)
                    && (job.attempt > 0 || self.settings.retry.max_retries == 0)
            }
            _ => false,
        }
    }

    /// Halves a batch until the culprit is alone. Splitting uses up no retries, or those who are
    /// with the culprit would fail with it.
    fn split(
        &mut self,
        endpoint: usize,
        job: &Job,
        failures: Vec<(Open, ScoreError)>,
        now: Duration,
        events: &mut Events,
    ) {
        let half = failures.len().div_ceil(2);
        let (mut items, mut errors): (Vec<Open>, Vec<ScoreError>) = failures.into_iter().unzip();
        let second = items.split_off(half);
        let Some(error) = errors.pop() else { return };
        for items in [items, second] {
            let half = Job {
                group: job.group,
                items,
                attempt: job.attempt,
                since: now,
                ..Job::default()
            };
            if error.is_retryable() {
                self.retry(endpoint, half, error.clone(), now, events);
            } else {
                self.returned.push_back(half);
            }
        }
    }

    fn retry(
        &mut self,
        endpoint: usize,
        job: Job,
        error: ScoreError,
        now: Duration,
        events: &mut Events,
    ) {
        let policy = &self.settings.retry;
        let wait = policy.wait(job.attempt.saturating_sub(1), error.retry_after());
        events.push(Event::Retrying {
            group: job.group as usize,
            count: job.items.len(),
            wait,
            error: error.clone(),
        });
        let blamed = looks_like_outage(&error).then(|| self.endpoints[endpoint].blame(endpoint));
        let job = Job {
            avoid: Some(endpoint),
            ..job
        };
        self.retries.push(now + wait, job, blamed);
    }

    /// A question's final outcome of this run.
    fn settle(
        &mut self,
        group: u32,
        open: Open,
        outcome: Result<OptionScores, ScoreError>,
        now: Duration,
        events: &mut Events,
    ) {
        let summary = &mut self.groups[group as usize].summary;
        match &outcome {
            Ok(_) => {
                summary.answered += 1;
                events.push(Event::Answered {
                    group: group as usize,
                });
            }
            Err(error) => {
                summary.failed += 1;
                events.push(Event::Failed {
                    group: group as usize,
                    error: error.clone(),
                });
            }
        }
        self.outbox.0.push(Answer {
            item: ItemId {
                group,
                question: open.question,
            },
            key: open.key,
            outcome,
        });
        self.outbox.1.push(now);
    }

    fn record(&mut self, sorted: &Sorted, timing: &Timing, waited: Duration, took: Duration) {
        let answers = sorted.answers.len() as u64;
        // A backend that tells nothing has spent all of it on the server.
        let server = if *timing == Timing::default() {
            took
        } else {
            timing.server
        };
        self.recorded.waiting.record(waited, answers);
        self.recorded.connecting.record(timing.connect, answers);
        self.recorded.server.record(server, answers);
        self.recorded.parsing.record(timing.parse, answers);
    }
}

/// Whether the error looks as if nobody were there. Once an endpoint is `down`, silence does.
fn is_absence(error: &ScoreError, down: bool) -> bool {
    looks_like_outage(error) || (down && matches!(error, ScoreError::TimedOut { .. }))
}

/// What a reply says about load: the worst of its parts.
fn outcome(sorted: &Sorted) -> Outcome {
    let severity = |outcome: &Outcome| match outcome {
        Outcome::Throttled => 5,
        Outcome::TimedOut => 4,
        Outcome::Unreachable => 3,
        Outcome::ServerFailed => 2,
        Outcome::Answered => 1,
        Outcome::Refused => 0,
    };
    let failures = sorted.failures.iter().map(|(_, error)| match error {
        ScoreError::RateLimited { .. } => Outcome::Throttled,
        ScoreError::TimedOut { .. } => Outcome::TimedOut,
        ScoreError::Unreachable { .. } => Outcome::Unreachable,
        ScoreError::Server { .. } | ScoreError::Malformed { .. } | ScoreError::Backend { .. } => {
            Outcome::ServerFailed
        }
        // The model did all its work; only the letters were not in the answer.
        ScoreError::NoOptionSeen { .. } | ScoreError::NoLogprobs => Outcome::Answered,
        ScoreError::Unauthorized { .. }
        | ScoreError::NotFound { .. }
        | ScoreError::Rejected { .. }
        | ScoreError::ContextTooLong { .. } => Outcome::Refused,
    });
    let answered = (!sorted.answers.is_empty()).then_some(Outcome::Answered);
    failures
        .chain(answered)
        .max_by_key(severity)
        .unwrap_or(Outcome::Refused)
}
