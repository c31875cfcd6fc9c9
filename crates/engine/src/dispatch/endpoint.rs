//! One endpoint: how much it has to do and whether it may be given more.

use std::time::Duration;

use sureness_scorers::{Hints, Quota, ScoreError};

use super::Wake;
use super::health::Health;
use super::retries::Blame;
use crate::batch::Sizer;
use crate::limit::{Controller, Outcome};
use crate::{EndpointSummary, RetryPolicy, Settings};

/// Failed requests in a row after which an endpoint rests.
const SICK: u32 = 8;

/// So many times fewer tokens from the cache than usual are a cold cache.
const COLD: u64 = 4;

/// What the dispatcher knows of one endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) controller: Controller,
    pub(super) sizer: Sizer,
    pub(super) health: Health,
    /// Requests in flight.
    pub(super) in_flight: usize,
    pub(super) tally: EndpointSummary,
    /// Whether it hands questions on to others; see [`Hints::relays`].
    pub(super) relays: bool,
    /// Requests in a row that it failed.
    failures: u32,
    /// It fails and fails: as long as others are there it rests until then, or, failing fast, it
    /// would draw all the work.
    rests_until: Duration,
    /// Rows of failures that an answer ended.
    rows: u64,
    /// What the server said is left of its allowances, of requests and of tokens.
    left: [Option<Left>; 2],
    throttle: Throttle,
    refusals: Refusals,
    babble: Babble,
    /// Prompt tokens from its cache, and the answers that told of them.
    cached: (u64, u64),
}

/// Refusals that would end everything (a wrong key, no such model), as long as no answer has come
/// between them. A proxy may say such a thing once.
#[derive(Debug, Default)]
struct Refusals {
    count: u32,
    /// The last one that counted came back then.
    at: Duration,
}

/// Refusals in a row that are believed of an endpoint that has answered before.
const BELIEVED: u32 = 3;

/// Answers that could not be understood, as long as no good one has come between them.
#[derive(Debug, Default)]
struct Babble {
    count: u32,
    since: Duration,
}

/// How many of those in a row, and over what time, are enough of an endpoint that has never given
/// a good answer, and of one that has. The time is there because a fast gateway can answer
/// hundreds of requests with an error page while the server behind it restarts.
const ENOUGH: [(u32, Duration); 2] = [(10, Duration::from_secs(5)), (50, Duration::from_secs(30))];

/// What is left of an allowance.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// Requests that may still be sent.
    requests: u64,
    /// When the allowance is back.
    until: Duration,
}

/// While a server throttles, more requests would be throttled, too.
#[derive(Debug, Default)]
struct Throttle {
    until: Duration,
    /// Requests sent before this belong to the episode that is known already.
    since: Duration,
    /// Episodes without an answer between them.
    episodes: u32,
}

/// Whether an endpoint may be given work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Closed,
    Open,
    /// One question, to see whether it is back.
    Probe,
}

impl Endpoint {
    pub(super) fn new(settings: &Settings, hints: Hints) -> Self {
        Self {
            controller: Controller::knowing(settings.workers, hints),
            sizer: Sizer::new(settings.batch),
            health: Health::new(),
            in_flight: 0,
            tally: EndpointSummary::default(),
            relays: hints.relays,
            failures: 0,
            rests_until: Duration::ZERO,
            rows: 0,
            left: [None; 2],
            throttle: Throttle::default(),
            refusals: Refusals::default(),
            babble: Babble::default(),
            cached: (0, 0),
        }
    }

    /// Whether answers with so many cached prompt tokens met a cold cache: far fewer than usual
    /// here. A server with slots has one for each, so it happens in the middle of a group, too.
    pub(super) fn is_cold(&mut self, cached: u64, answers: u64) -> bool {
        let (tokens, told) = &mut self.cached;
        let cold = cached * COLD * *told < *tokens * answers;
        *tokens += cached;
        *told += answers;
        cold
    }

    /// Orders endpoints: the one with the least to do comes first.
    pub(super) fn load(&self) -> (usize, u64) {
        (self.in_flight + self.failures as usize, self.tally.requests)
    }

    /// Whether it may be given work; `others` tells whether another one is there.
    pub(super) fn admission(&self, now: Duration, others: bool, wake: &mut Wake) -> Admission {
        let spent = self.left.iter().flatten().filter(|left| left.requests == 0);
        let mut closed_until = spent
            .map(|left| left.until)
            .fold(self.throttle.until, Duration::max);
        if others {
            closed_until = closed_until.max(self.rests_until);
        }
        let (free, opens, admission) = match self.health {
            Health::Lost => return Admission::Closed,
            Health::Up { .. } => (
                self.in_flight < self.controller.limit(),
                closed_until,
                Admission::Open,
            ),
            Health::Down { probe_at, .. } => (
                self.in_flight == 0,
                probe_at.max(closed_until),
                Admission::Probe,
            ),
        };
        if !free {
            return Admission::Closed;
        }
        if opens > now {
            wake.at(opens);
            return Admission::Closed;
        }
        admission
    }

    pub(super) fn sent(&mut self) {
        self.in_flight += 1;
        for left in self.left.iter_mut().flatten() {
            left.requests = left.requests.saturating_sub(1);
        }
        self.tally.requests += 1;
        self.tally.peak = self.tally.peak.max(self.in_flight);
    }

    /// A reply without any answer.
    pub(super) fn failed(&mut self, now: Duration, outcome: Outcome, policy: &RetryPolicy) {
        self.tally.failed += 1;
        let its_fault = matches!(
            outcome,
            Outcome::ServerFailed | Outcome::TimedOut | Outcome::Unreachable
        );
        if its_fault {
            self.failures = self.failures.saturating_add(1);
            if let Some(many) = self.failures.checked_sub(SICK) {
                self.rests_until = now + policy.ceiling(many);
            }
        }
    }

    /// A reply with answers.
    pub(super) fn answered(&mut self, count: u64) {
        self.tally.answered += count;
        if self.failures > 0 {
            self.failures = 0;
            self.rests_until = Duration::ZERO;
            self.rows += 1;
        }
        self.throttle.until = Duration::ZERO;
        self.throttle.episodes = 0;
        self.refusals = Refusals::default();
        self.babble = Babble::default();
    }

    /// A refusal that would end everything came back at `now`, to a request sent at `sent`;
    /// whether it is to be believed. Requests that were under way together count once.
    pub(super) fn refused(&mut self, error: &ScoreError, sent: Duration, now: Duration) -> bool {
        let refusals = &mut self.refusals;
        if refusals.count == 0 || sent >= refusals.at {
            refusals.count += 1;
            refusals.at = now;
        }
        // Whoever has never answered is not likely to begin. Only an answer may lack its
        // log-probabilities once, being the first or not.
        let may_be_a_slip = self.tally.answered > 0 || *error == ScoreError::NoLogprobs;
        refusals.count >= BELIEVED || !may_be_a_slip
    }

    /// An answer that cannot be understood came at `now`; how many in a row there are, if they are
    /// enough. `kept` tells whether an earlier run has good answers. Of an endpoint that can
    /// answer, only questions asked for the first time (`fresh`) count: some questions get no
    /// good answer however often they are asked, and may be the only ones left.
    pub(super) fn babbled(&mut self, kept: bool, fresh: bool, now: Duration) -> Option<u32> {
        let proven = kept || self.tally.answered > 0;
        let (most, span) = ENOUGH[usize::from(proven)];
        let babble = &mut self.babble;
        if babble.count == 0 {
            babble.since = now;
        }
        babble.count += u32::from(fresh || !proven);
        let enough = babble.count >= most && now.saturating_sub(babble.since) >= span;
        enough.then_some(babble.count)
    }

    /// The outage that this may be the beginning of.
    pub(super) fn blame(&self, index: usize) -> Blame {
        Blame {
            endpoint: index,
            row: self.rows,
        }
    }

    /// A request sent at `sent` was throttled. Until the server's Retry-After is over, or else a
    /// wait of ours, nothing is sent; an answer ends this early, since then it was only too much
    /// at once. The controller is told all the same and cuts its limit once.
    pub(super) fn throttled(
        &mut self,
        now: Duration,
        sent: Duration,
        retry_after: Option<Duration>,
        policy: &RetryPolicy,
    ) {
        self.tally.throttled += 1;
        let throttle = &mut self.throttle;
        if throttle.episodes > 0 && sent < throttle.since {
            return;
        }
        let wait = retry_after.map_or_else(
            || policy.ceiling(throttle.episodes),
            |told| told.min(policy.longest()),
        );
        throttle.episodes += 1;
        throttle.since = now;
        throttle.until = throttle.until.max(now + wait);
    }

    /// What the server says is left. `takes` is what a batch takes of requests and of tokens.
    pub(super) fn allowance(
        &mut self,
        now: Duration,
        quota: &Quota,
        takes: [f64; 2],
        policy: &RetryPolicy,
    ) {
        for (slot, (told, each)) in self
            .left
            .iter_mut()
            .zip([quota.requests, quota.tokens].into_iter().zip(takes))
        {
            if let Some(told) = told {
                // Those in flight may not be counted yet. If they are, the next reply says so.
                let requests = (told.remaining as f64 / each.max(1.0)) as u64;
                *slot = Some(Left {
                    requests: requests.saturating_sub(self.in_flight as u64),
                    until: now + told.resets_in.min(policy.longest()),
                });
            }
        }
    }

    pub(super) fn lose(&mut self, error: &ScoreError) {
        self.health = Health::Lost;
        self.tally.lost = Some(error.clone());
    }

    pub(super) fn summary(&self) -> EndpointSummary {
        EndpointSummary {
            limit: self.controller.limit(),
            ..self.tally.clone()
        }
    }
}
