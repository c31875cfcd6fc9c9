//! Decides what is sent when. It knows no threads, no tasks and no clock: it is told the time and
//! what came back, and answers what may be sent now. Two drivers share it, and tests need no
//! server and no waiting.

mod again;
mod endpoint;
mod finish;
mod health;
mod judge;
mod queue;
mod retries;
#[cfg(test)]
mod tests;

use std::time::Duration;

use sureness_scorers::{Hints, ScoreError};

use self::endpoint::{Admission, Endpoint};
use self::queue::Queue;
use self::retries::{Budget, Retries};
use crate::histogram::Histogram;
use crate::lookup::{Open, Pending};
use crate::rate::Rates;
use crate::{Answer, EndpointSummary, Event, GroupSummary, Load, Settings, Stop};

/// Answers that may wait for the store. Beyond that nothing is sent: a slow disk slows the
/// requests down instead of memory growing.
const UNSAVED: usize = 4096;
/// Retries that may wait. Beyond that nothing new is begun, for the same reason.
const WAITING: usize = 4096;

/// Questions that travel together.
#[derive(Debug, Default)]
pub(crate) struct Job {
    pub(crate) group: u32,
    pub(crate) items: Vec<Open>,
    /// Attempts that count, so far.
    attempt: u32,
    /// Since when it could be sent, but for a free slot.
    since: Duration,
    /// The endpoint that failed last: another one is better.
    avoid: Option<usize>,
    /// Whether the rest of the group waits for it.
    warms: bool,
    /// Whether it was paid for by the retry budget.
    retry: bool,
}

/// Leave to send a job. Comes back with [`Dispatch::finished`] or [`Dispatch::dropped`].
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) endpoint: usize,
    pub(crate) job: Job,
    pub(crate) load: Load,
    sent: Duration,
    waited: Duration,
    /// Requests in flight at the endpoint when this one was sent.
    in_flight: usize,
    bytes: usize,
    /// Requests and tokens that were charged for it.
    requests: f64,
    tokens: f64,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Send this, then ask again.
    Send(Box<Ticket>),
    /// Nothing now. Ask again when something came back, and at this time.
    Wait(Option<Duration>),
    /// Everything is done, and nothing is in flight.
    Over,
}

/// The earliest of several times.
#[derive(Debug, Default)]
struct Wake(Option<Duration>);

impl Wake {
    fn at(&mut self, time: Duration) {
        self.0 = Some(self.0.map_or(time, |t| t.min(time)));
    }
}

/// How a group goes.
#[derive(Debug, Default)]
struct GroupTally {
    summary: GroupSummary,
    /// First request and last reply.
    span: Option<(Duration, Duration)>,
}

/// Time per answer, by phase.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) waiting: Histogram,
    pub(crate) connecting: Histogram,
    pub(crate) server: Histogram,
    pub(crate) parsing: Histogram,
}

/// The state of a run.
#[derive(Debug)]
pub(crate) struct Dispatch {
    settings: Settings,
    queue: Queue,
    /// Ready now: what an outage or a split gave back.
    returned: std::collections::VecDeque<Job>,
    retries: Retries,
    budget: Budget,
    rates: Rates,
    endpoints: Vec<Endpoint>,
    /// Endpoint indices; sorted by load before use.
    order: Vec<usize>,
    in_flight: usize,
    /// Since when the head of the queue could be sent, but for a free slot.
    head_since: Duration,
    /// Since when no endpoint is there, and what the last one said.
    outage: Option<(Duration, ScoreError)>,
    stop: Option<Stop>,
    groups: Vec<GroupTally>,
    pub(crate) recorded: Recorded,
    pub(crate) prompt_tokens: u64,
    pub(crate) cached_tokens: u64,
    /// Answers on their way to the store, with the time at which each came.
    outbox: (Vec<Answer>, Vec<Duration>),
    /// How many the store has taken out but not kept yet.
    being_saved: usize,
    /// Whether the last refusal to send was for the store's sake.
    waits_for_store: bool,
    /// Whether more questions may come, so that to have none left is not the end.
    open_ended: bool,
}

impl Dispatch {
    /// `open[g]` are the questions of group `g` that are to be asked; `groups` tells what is known
    /// of each already. There is one endpoint for each entry of `hints`.
    pub(crate) fn new(
        settings: Settings,
        hints: &[Hints],
        open: Vec<Vec<Pending>>,
        groups: Vec<GroupSummary>,
    ) -> Self {
        Self {
            settings,
            queue: Queue::new(open, hints.iter().map(|hints| !hints.relays)),
            returned: std::collections::VecDeque::new(),
            retries: Retries::default(),
            budget: Budget::default(),
            rates: Rates::new(&settings),
            endpoints: hints
                .iter()
                .map(|&hints| Endpoint::new(&settings, hints))
                .collect(),
            order: (0..hints.len()).collect(),
            in_flight: 0,
            head_since: Duration::ZERO,
            outage: None,
            stop: None,
            groups: groups
                .into_iter()
                .map(|summary| GroupTally {
                    summary,
                    span: None,
                })
                .collect(),
            recorded: Recorded::default(),
            prompt_tokens: 0,
            cached_tokens: 0,
            outbox: (Vec::new(), Vec::new()),
            being_saved: 0,
            waits_for_store: false,
            open_ended: false,
        }
    }

    /// A run to which questions are [added](Self::add) while it goes, until it is
    /// [closed](Self::close).
    pub(crate) fn open_ended(settings: Settings, hints: &[Hints]) -> Self {
        Self {
            open_ended: true,
            ..Self::new(settings, hints, Vec::new(), Vec::new())
        }
    }

    /// More questions of a group. `false` if the run has been stopped: they are not taken.
    pub(crate) fn add(&mut self, group: u32, items: Vec<Pending>, now: Duration) -> bool {
        if self.stop.is_some() {
            return false;
        }
        if self.queue.is_empty() {
            self.head_since = now;
        }
        while self.groups.len() <= group as usize {
            self.groups.push(GroupTally::default());
        }
        self.groups[group as usize].summary.planned += items.len();
        self.queue.add(group, items);
        true
    }

    /// No more questions will be added.
    pub(crate) fn close(&mut self) {
        self.open_ended = false;
    }

    /// How many requests are still to be sent to each endpoint, if it goes on as now. Not known
    /// where more questions may come.
    fn left_for_each(&self) -> Option<usize> {
        let there = self.endpoints.iter().filter(|e| e.health.is_up());
        let together: usize = there.map(|e| e.sizer.size()).sum();
        (!self.open_ended).then(|| self.backlog().div_ceil(together.max(1)))
    }

    /// How many questions may be in flight now, over all endpoints that are there.
    pub(crate) fn capacity(&self) -> usize {
        let there = self.endpoints.iter().filter(|e| e.health.is_up());
        there.map(|e| e.controller.limit() * e.sizer.size()).sum()
    }

    /// Questions that wait to be sent: fresh ones, those that came back unasked and retries.
    pub(crate) fn backlog(&self) -> usize {
        let returned: usize = self.returned.iter().map(|job| job.items.len()).sum();
        self.queue.len() + returned + self.retries.len()
    }

    /// What may be sent now.
    pub(crate) fn next(&mut self, now: Duration) -> Next {
        if let Some((since, error)) = &self.outage
            && self.stop.is_none()
            && *since + self.settings.give_up_after <= now
        {
            let (after, error) = (now.saturating_sub(*since), error.clone());
            self.stop(Stop::GaveUp { after, error });
        }
        if self.stop.is_some() || self.nothing_left() {
            return match self.in_flight {
                _ if self.open_ended && self.stop.is_none() => Next::Wait(None),
                0 => Next::Over,
                _ => Next::Wait(None),
            };
        }
        self.waits_for_store = self.unsaved() >= UNSAVED;
        if self.waits_for_store {
            return Next::Wait(None);
        }
        let mut wake = Wake::default();
        if let Some((since, _)) = self.outage {
            wake.at(since + self.settings.give_up_after);
        }
        let allowed = self.rates.ready_at();
        if allowed > now {
            wake.at(allowed);
            return Next::Wait(wake.0);
        }
        if self.order.len() > 1 {
            let endpoints = &self.endpoints;
            self.order.sort_by_key(|&e| endpoints[e].load());
        }
        let up = self.endpoints.iter().filter(|e| e.health.is_up()).count();
        for i in 0..self.order.len() {
            let endpoint = self.order[i];
            let others = up > usize::from(self.endpoints[endpoint].health.is_up());
            let job = match self.endpoints[endpoint].admission(now, others, &mut wake) {
                Admission::Closed => None,
                Admission::Open => self.take(endpoint, others, now, &mut wake),
                Admission::Probe => self.take_one(endpoint, others, now, &mut wake),
            };
            if let Some(job) = job {
                return Next::Send(Box::new(self.send(endpoint, job, now)));
            }
        }
        Next::Wait(wake.0)
    }

    fn nothing_left(&self) -> bool {
        self.queue.is_empty() && self.returned.is_empty() && self.retries.len() == 0
    }

    /// Whether every question of the plan has its answer or its reason.
    fn is_complete(&self) -> bool {
        self.groups.iter().all(|GroupTally { summary, .. }| {
            summary.cached + summary.answered + summary.failed == summary.planned
        })
    }

    /// The next job for this endpoint; `others` tells whether another one is there.
    fn take(
        &mut self,
        endpoint: usize,
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
        if self.retries.len() >= WAITING {
            return None;
        }
        let size = self.endpoints[endpoint].sizer.size();
        let taken = self.queue.take(endpoint, size)?;
        self.budget.first_attempt();
        let since = std::mem::replace(&mut self.head_since, now);
        Some(Job {
            group: taken.group,
            items: taken.items,
            since,
            warms: taken.warms,
            ..Job::default()
        })
    }

    /// One question for a probe. If nothing else is there, one that waits for its retry.
    fn take_one(
        &mut self,
        endpoint: usize,
        others: bool,
        now: Duration,
        wake: &mut Wake,
    ) -> Option<Job> {
        let job = self.take(endpoint, others, now, wake);
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

    fn send(&mut self, index: usize, job: Job, now: Duration) -> Ticket {
        let bytes: usize = job.items.iter().map(|open| open.bytes as usize).sum();
        let tokens = self.rates.estimate(bytes);
        let requests = self.rates.requests(job.items.len());
        self.rates.sent(now, requests, tokens);
        self.in_flight += 1;
        let endpoint = &mut self.endpoints[index];
        endpoint.sent();
        let group = &mut self.groups[job.group as usize];
        let (first, last) = group.span.unwrap_or((now, now));
        group.span = Some((first.min(now), last));
        if job.retry {
            group.summary.retried += job.items.len();
        }
        Ticket {
            endpoint: index,
            sent: now,
            waited: now.saturating_sub(job.since),
            in_flight: endpoint.in_flight,
            load: self.load(),
            job,
            bytes,
            requests,
            tokens,
        }
    }

    /// The request was given up without a reply.
    pub(crate) fn dropped(&mut self, ticket: &Ticket) {
        self.in_flight -= 1;
        self.endpoints[ticket.endpoint].in_flight -= 1;
    }

    /// Ends the run for this reason: nothing new is sent. The first reason stands.
    pub(crate) fn stop(&mut self, reason: Stop) {
        // To interrupt what is complete changes nothing.
        let complete = !self.open_ended && self.is_complete();
        if self.stop.is_some() || (reason == Stop::Interrupted && complete) {
            return;
        }
        self.stop = Some(reason);
        self.queue.clear();
        self.returned.clear();
        self.retries.clear();
    }

    /// The answers that came since the last call, with their times, in exchange for two empty
    /// lists.
    pub(crate) fn take_answers(&mut self, answers: &mut Vec<Answer>, times: &mut Vec<Duration>) {
        std::mem::swap(&mut self.outbox.0, answers);
        std::mem::swap(&mut self.outbox.1, times);
        self.being_saved += answers.len();
    }

    /// So many of those are safe now. Whether this is what sending waited for.
    pub(crate) fn saved(&mut self, count: usize) -> bool {
        self.being_saved -= count;
        self.waits_for_store && self.unsaved() < UNSAVED
    }

    /// Answers that nobody has taken yet.
    pub(crate) fn answers(&self) -> usize {
        self.outbox.0.len()
    }

    fn unsaved(&self) -> usize {
        self.outbox.0.len() + self.being_saved
    }

    /// How busy the endpoints are.
    pub(crate) fn load(&self) -> Load {
        let there = self.endpoints.iter().filter(|e| e.health.is_up());
        Load {
            limit: there.map(|e| e.controller.limit()).sum(),
            in_flight: self.in_flight,
        }
    }

    pub(crate) fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    pub(crate) fn group_summaries(&self) -> Vec<GroupSummary> {
        self.groups
            .iter()
            .map(|group| GroupSummary {
                elapsed: group
                    .span
                    .map_or(Duration::ZERO, |(first, last)| last.saturating_sub(first)),
                ..group.summary.clone()
            })
            .collect()
    }

    pub(crate) fn endpoint_summaries(&self) -> Vec<EndpointSummary> {
        self.endpoints.iter().map(Endpoint::summary).collect()
    }
}

/// What happened, to be told once the lock on the state is released.
pub(crate) type Events = Vec<Event>;
