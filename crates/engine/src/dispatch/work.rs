//! The questions that wait to be sent: fresh ones, those that came back unasked, and retries.

use std::collections::VecDeque;
use std::time::Duration;

use super::queue::Queue;
use super::retries::{Blame, Budget, Retries};
use super::{Job, Wake};
use crate::lookup::Pending;

/// Retries that may wait. Beyond that no fresh question is sent: memory must not grow.
const MAX_WAITING: usize = 4096;

#[derive(Debug)]
pub(super) struct Work {
    queue: Queue,
    /// Ready now, after an outage or a split.
    pub(super) returned: VecDeque<Job>,
    pub(super) retries: Retries,
    budget: Budget,
    /// Whether the next probe asks a fresh question.
    probe_fresh: bool,
    /// Since when the head of the queue could be sent, but for a free slot.
    head_since: Duration,
}

impl Work {
    /// See [`Queue::new`].
    pub(super) fn new(open: Vec<Vec<Pending>>, warms: impl Iterator<Item = bool>) -> Self {
        Self {
            queue: Queue::new(open, warms),
            returned: VecDeque::new(),
            retries: Retries::default(),
            budget: Budget::default(),
            probe_fresh: false,
            head_since: Duration::ZERO,
        }
    }

    /// See [`Dispatch::keep_draws_together`](super::Dispatch::keep_draws_together).
    pub(super) fn keep_draws_together(&mut self, draws: usize) {
        self.queue.keep_draws_together(draws);
    }

    /// Adds fresh questions to a group.
    pub(super) fn add(&mut self, group: u32, items: Vec<Pending>, now: Duration) {
        if self.queue.is_empty() {
            self.head_since = now;
        }
        self.queue.add(group, items);
    }

    /// How many questions wait.
    pub(super) fn len(&self) -> usize {
        let returned: usize = self.returned.iter().map(|job| job.items.len()).sum();
        self.queue.len() + returned + self.retries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.returned.is_empty() && self.retries.len() == 0
    }

    /// The next job of up to `size` questions for an endpoint. If there are `others`, it gets no
    /// job that it has just failed.
    pub(super) fn take(
        &mut self,
        endpoint: usize,
        size: usize,
        others: bool,
        now: Duration,
        wake: &mut Wake,
    ) -> Option<Job> {
        let shuns = |avoid| avoid == Some(endpoint) && others;
        if let Some(job) = self.returned.front()
            && !shuns(job.avoid)
        {
            return self.returned.pop_front();
        }
        if let Some((due, avoid)) = self.retries.first() {
            if due > now {
                wake.at(due);
            } else if !shuns(avoid) {
                let affordable = self.budget.ready_at(now);
                if affordable <= now {
                    self.budget.spend();
                    return self.retries.pop().map(|job| Job { retry: true, ..job });
                }
                wake.at(affordable);
            }
        }
        self.take_fresh(endpoint, size, now)
    }

    fn take_fresh(&mut self, endpoint: usize, size: usize, now: Duration) -> Option<Job> {
        if self.retries.len() >= MAX_WAITING {
            return None;
        }
        let mut job = self.queue.take(endpoint, size)?;
        self.budget.first_attempt();
        job.since = std::mem::replace(&mut self.head_since, now);
        Some(job)
    }

    /// One question for a probe: by turns one that has failed and a fresh one, since those that failed
    /// may be the cause. If all others are in flight, one that waits for its retry.
    pub(super) fn take_one(
        &mut self,
        endpoint: usize,
        size: usize,
        others: bool,
        now: Duration,
        wake: &mut Wake,
    ) -> Option<Job> {
        let fresh = self.probe_fresh;
        self.probe_fresh = !fresh;
        let job = fresh
            .then(|| self.take_fresh(endpoint, size, now))
            .flatten();
        let job = job.or_else(|| self.take(endpoint, size, others, now, wake));
        let mut job = job.or_else(|| self.retries.pop())?;
        if job.items.len() > 1 {
            let items = job.items.split_off(1);
            self.returned.push_front(Job {
                items,
                warms: false,
                ..job
            });
        }
        Some(job)
    }

    /// Notes that a job is back from an endpoint.
    pub(super) fn finished(&mut self, job: &Job, endpoint: usize, answered: bool) {
        self.queue
            .finished(job.group, endpoint, answered, job.warms);
        if job.retry && answered {
            self.budget.pay_back();
        }
    }

    /// Notes that an endpoint went down. Its first failures looked like any other and were charged
    /// as retries: they are given back.
    pub(super) fn went_down(&mut self, blame: Blame, now: Duration) {
        self.queue.went_down(blame.endpoint);
        for job in self.retries.take_blamed(blame) {
            self.returned.push_back(Job {
                attempt: job.attempt.saturating_sub(1),
                since: now,
                ..job
            });
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.returned.clear();
        self.retries.clear();
    }
}
