//! Decides what is sent when. It has no threads, tasks or clock: callers pass in the time and the
//! replies, and get what may be sent now. Two drivers share it, and its tests need no server and
//! no waiting.

mod endpoint;
mod failures;
mod finish;
mod health;
mod judge;
mod retries;
mod silence;
#[cfg(test)]
mod tests;
mod work;

use std::time::Duration;

use sureness_scorers::{Hints, ScoreError};

use self::endpoint::{Admission, Endpoint};
use self::finish::{GroupProgress, Outbox, Totals};
use self::work::Work;
use crate::lookup::{Open, Pending};
use crate::rate::Rates;
use crate::{EndpointSummary, Event, GroupSummary, Load, Settings, Stop};

/// Questions of one request.
#[derive(Debug, Default)]
pub(crate) struct Job {
    pub(crate) group: u32,
    pub(crate) items: Vec<Open>,
    /// Attempts so far, without those of an outage.
    attempt: u32,
    /// Since when it could be sent, but for a free slot.
    since: Duration,
    /// The endpoint that failed it last: another one is better.
    avoid: Option<usize>,
    /// Whether the rest of the group waits for it.
    warms: bool,
    /// Whether the retry budget paid for it.
    retry: bool,
}

impl Job {
    /// Some of its questions, to be sent again.
    fn part(&self, items: Vec<Open>, since: Duration) -> Self {
        Self {
            group: self.group,
            items,
            attempt: self.attempt,
            since,
            ..Self::default()
        }
    }
}

/// Permission to send a job. It comes back with [`Dispatch::finished`] or [`Dispatch::dropped`].
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) endpoint: usize,
    pub(crate) job: Job,
    pub(crate) load: Load,
    sent: Duration,
    /// Of the endpoint's requests, from 1.
    number: u64,
    waited: Duration,
    /// Requests in flight at the endpoint when this one was sent.
    in_flight: usize,
    bytes: usize,
    /// Requests and tokens charged for it.
    requests: f64,
    tokens: f64,
}

/// The driver's next step.
#[derive(Debug)]
pub(crate) enum Next {
    /// Send this, then ask again.
    Send(Box<Ticket>),
    /// Nothing now. Ask again after the next reply, and at this time.
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

/// The state of a run.
#[derive(Debug)]
pub(crate) struct Dispatch {
    settings: Settings,
    work: Work,
    rates: Rates,
    endpoints: Vec<Endpoint>,
    /// Endpoint indices; sorted by load before use.
    order: Vec<usize>,
    /// Since when no endpoint is up, and the last error.
    outage: Option<(Duration, ScoreError)>,
    stop: Option<Stop>,
    groups: Vec<GroupProgress>,
    pub(crate) totals: Totals,
    pub(crate) outbox: Outbox,
    /// The time and the events of the reply that is being handled.
    now: Duration,
    events: Events,
    /// Whether more questions may come, so that the run goes on without any.
    open_ended: bool,
}

impl Dispatch {
    /// `open[g]` are the questions of group `g` that are to be asked; `groups` has the summary of
    /// each so far. There is one endpoint for each entry of `hints`.
    pub(crate) fn new(
        settings: Settings,
        hints: &[Hints],
        open: Vec<Vec<Pending>>,
        groups: Vec<GroupSummary>,
    ) -> Self {
        let endpoint = |&hints: &Hints| Endpoint::new(&settings, hints);
        let group = |summary| GroupProgress {
            summary,
            span: None,
        };
        Self {
            work: Work::new(open, hints.iter().map(|hints| !hints.relays)),
            rates: Rates::new(&settings),
            endpoints: hints.iter().map(endpoint).collect(),
            order: (0..hints.len()).collect(),
            outage: None,
            stop: None,
            groups: groups.into_iter().map(group).collect(),
            totals: Totals::default(),
            outbox: Outbox::default(),
            now: Duration::ZERO,
            events: Events::new(),
            open_ended: false,
            settings,
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

    /// Adds questions to a group; `false` if the run has been stopped.
    pub(crate) fn add(&mut self, group: u32, items: Vec<Pending>, now: Duration) -> bool {
        if self.stop.is_some() {
            return false;
        }
        while self.groups.len() <= group as usize {
            self.groups.push(GroupProgress::default());
        }
        self.groups[group as usize].summary.planned += items.len();
        self.work.add(group, items, now);
        true
    }

    /// Lets no batch hold answers to two questions, of which each takes so many.
    pub(crate) fn keep_draws_together(&mut self, draws: usize) {
        self.work.keep_draws_together(draws);
    }

    /// No more questions will be added.
    pub(crate) fn close(&mut self) {
        self.open_ended = false;
    }

    fn up(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|e| e.health.is_up())
    }

    /// How many requests are still to be sent to each endpoint, if it goes on as now. Unknown
    /// where more questions may come.
    fn left_for_each(&self) -> Option<usize> {
        let together: usize = self.up().map(|e| e.sizer.size()).sum();
        (!self.open_ended).then(|| self.backlog().div_ceil(together.max(1)))
    }

    /// How many questions may be in flight now, over all endpoints that are up.
    pub(crate) fn capacity(&self) -> usize {
        let capacity = |e: &Endpoint| e.controller.limit() * e.sizer.size();
        self.up().map(capacity).sum()
    }

    /// How many questions wait to be sent.
    pub(crate) fn backlog(&self) -> usize {
        self.work.len()
    }

    /// The next request, if one may be sent now.
    pub(crate) fn next(&mut self, now: Duration) -> Next {
        if let Some((since, error)) = &self.outage
            && self.stop.is_none()
            && *since + self.settings.give_up_after <= now
        {
            let (after, error) = (now.saturating_sub(*since), error.clone());
            self.stop(Stop::GaveUp { after, error });
        }
        if self.stop.is_some() || self.work.is_empty() {
            return match self.load().in_flight {
                _ if self.open_ended && self.stop.is_none() => Next::Wait(None),
                0 => Next::Over,
                _ => Next::Wait(None),
            };
        }
        if self.outbox.blocks() {
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
        let up = self.up().count();
        for i in 0..self.order.len() {
            let index = self.order[i];
            let endpoint = &self.endpoints[index];
            let others = up > usize::from(endpoint.health.is_up());
            let size = endpoint.sizer.size();
            let job = match endpoint.admission(now, others, &mut wake) {
                Admission::Closed => None,
                Admission::Open => self.work.take(index, size, others, now, &mut wake),
                Admission::Probe => self.work.take_one(index, size, others, now, &mut wake),
            };
            if let Some(job) = job {
                return Next::Send(Box::new(self.send(index, job, now)));
            }
        }
        Next::Wait(wake.0)
    }

    fn send(&mut self, index: usize, job: Job, now: Duration) -> Ticket {
        let bytes: usize = job.items.iter().map(|open| open.bytes as usize).sum();
        let tokens = self.rates.estimate(bytes);
        let requests = self.rates.requests(job.items.len());
        self.rates.sent(now, requests, tokens);
        let endpoint = &mut self.endpoints[index];
        endpoint.sent();
        self.groups[job.group as usize].sent(&job, now);
        Ticket {
            endpoint: index,
            sent: now,
            number: endpoint.tally.requests,
            waited: now.saturating_sub(job.since),
            in_flight: endpoint.in_flight,
            load: self.load(),
            job,
            bytes,
            requests,
            tokens,
        }
    }

    /// Takes back a request that was given up without a reply.
    pub(crate) fn dropped(&mut self, ticket: &Ticket) {
        let endpoint = &mut self.endpoints[ticket.endpoint];
        endpoint.in_flight -= 1;
        endpoint.heard(ticket.number, 0, 0);
    }

    /// Ends the run for this reason: nothing new is sent. The first reason stands.
    pub(crate) fn stop(&mut self, reason: Stop) {
        // An interrupt after the last answer changes nothing.
        let complete = !self.open_ended && self.groups.iter().all(GroupProgress::is_complete);
        if self.stop.is_some() || (reason == Stop::Interrupted && complete) {
            return;
        }
        self.stop = Some(reason);
        self.work.clear();
    }

    /// How busy the endpoints are.
    pub(crate) fn load(&self) -> Load {
        Load {
            limit: self.up().map(|e| e.controller.limit()).sum(),
            in_flight: self.endpoints.iter().map(|e| e.in_flight).sum(),
        }
    }

    pub(crate) fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    pub(crate) fn group_summaries(&self) -> Vec<GroupSummary> {
        self.groups.iter().map(GroupProgress::summary).collect()
    }

    pub(crate) fn endpoint_summaries(&self) -> Vec<EndpointSummary> {
        self.endpoints.iter().map(Endpoint::summary).collect()
    }
}

/// Events for the observer, which is notified once the lock on the state is released.
pub(crate) type Events = Vec<Event>;
