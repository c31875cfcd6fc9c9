//! One endpoint: its load, and whether it may be given more.

use std::time::Duration;

use sureness_scorers::{Hints, Quota, ScoreError};

use super::Wake;
use super::health::{Culprits, Health};
use super::retries::Blame;
use super::silence::Silence;
use crate::batch::Sizer;
use crate::limit::{Controller, Outcome};
use crate::{EndpointSummary, RetryPolicy, Settings};

/// Failed requests in a row after which an endpoint rests.
const REST_AFTER: u32 = 8;

/// A cache is cold when it gives so many times fewer tokens than usual.
const COLD_RATIO: u64 = 4;

/// The dispatcher's view of one endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) controller: Controller,
    pub(super) sizer: Sizer,
    pub(super) health: Health,
    pub(super) culprits: Culprits,
    /// Requests in flight.
    pub(super) in_flight: usize,
    pub(super) tally: EndpointSummary,
    /// Whether it forwards questions to other servers; see [`Hints::relays`].
    pub(super) relays: bool,
    /// Requests in a row that it failed.
    failures: u32,
    /// After many failures it rests until then, as long as others are up: an endpoint that fails
    /// fast would draw all the work.
    rests_until: Duration,
    /// Streaks of failures that an answer ended.
    streaks: u64,
    /// The server's quotas of requests and of tokens, as it last reported them.
    quotas: [Option<Remaining>; 2],
    throttle: Throttle,
    /// The end of the longest wait that observers know of.
    pub(super) wait_announced: Duration,
    fatal: FatalErrors,
    malformed: MalformedAnswers,
    silence: Silence,
    /// Prompt tokens from its cache, and the answers that reported them.
    cached: (u64, u64),
}

/// Fatal errors (a wrong key, no such model) in a row. A proxy may send one by mistake.
#[derive(Debug, Default)]
struct FatalErrors {
    count: u32,
    /// When the last one that counted came back.
    at: Duration,
}

/// Fatal errors in a row that end an endpoint which has answered before.
const FATAL_AFTER: u32 = 3;

/// Answers in a row that could not be understood.
#[derive(Debug, Default)]
struct MalformedAnswers {
    count: u32,
    since: Duration,
}

/// Malformed answers in a row, and the seconds that they must span, after which an endpoint is given
/// up: one that has never given a good answer, and one that has. The time is there because a fast
/// gateway can answer hundreds of requests with an error page while the server behind it restarts.
const MALFORMED_AFTER: [(u32, u64); 2] = [(10, 5), (50, 30)];

/// The rest of a quota.
#[derive(Debug, Clone, Copy)]
struct Remaining {
    /// Requests that may still be sent.
    requests: u64,
    /// When the quota is full again.
    until: Duration,
}

/// The pause that a server asks for by throttling (HTTP 429).
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
            culprits: Culprits::default(),
            in_flight: 0,
            tally: EndpointSummary::default(),
            relays: hints.relays,
            failures: 0,
            rests_until: Duration::ZERO,
            streaks: 0,
            quotas: [None; 2],
            throttle: Throttle::default(),
            wait_announced: Duration::ZERO,
            fatal: FatalErrors::default(),
            malformed: MalformedAnswers::default(),
            silence: Silence::default(),
            cached: (0, 0),
        }
    }

    /// Whether answers with so many cached prompt tokens met a cold cache: far fewer than usual.
    /// A server with slots has a cache for each, so this happens in the middle of a group, too.
    pub(super) fn is_cold(&mut self, cached: u64, answers: u64) -> bool {
        let (tokens, reports) = &mut self.cached;
        let cold = cached * COLD_RATIO * *reports < *tokens * answers;
        *tokens += cached;
        *reports += answers;
        cold
    }

    /// A key that sorts the least busy endpoint first.
    pub(super) fn load(&self) -> (usize, u64) {
        (self.in_flight + self.failures as usize, self.tally.requests)
    }

    /// Whether it may be given work; `others` is whether another one is up.
    pub(super) fn admission(&self, now: Duration, others: bool, wake: &mut Wake) -> Admission {
        let quotas = self.quotas.iter().flatten();
        let spent = quotas.filter(|quota| quota.requests == 0);
        let mut closed_until = spent
            .map(|quota| quota.until)
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
        for quota in self.quotas.iter_mut().flatten() {
            quota.requests = quota.requests.saturating_sub(1);
        }
        self.tally.requests += 1;
        self.tally.peak = self.tally.peak.max(self.in_flight);
    }

    /// Counts a reply without any answer.
    pub(super) fn failed(&mut self, now: Duration, outcome: Outcome, policy: &RetryPolicy) {
        self.tally.failed += 1;
        let its_fault = matches!(
            outcome,
            Outcome::ServerFailed | Outcome::TimedOut | Outcome::Unreachable
        );
        if its_fault {
            self.failures = self.failures.saturating_add(1);
            if let Some(many) = self.failures.checked_sub(REST_AFTER) {
                self.rests_until = now + policy.ceiling(many);
            }
        }
    }

    /// Counts a reply with answers.
    pub(super) fn answered(&mut self, count: u64) {
        self.tally.answered += count;
        if self.failures > 0 {
            self.failures = 0;
            self.rests_until = Duration::ZERO;
            self.streaks += 1;
        }
        self.throttle.until = Duration::ZERO;
        self.throttle.episodes = 0;
        self.fatal = FatalErrors::default();
        self.malformed = MalformedAnswers::default();
    }

    /// Counts the answers in the reply to its request `number`, with log-probabilities and without.
    pub(super) fn heard(&mut self, number: u64, with: usize, without: usize) {
        self.tally.without_logprobs += without as u64;
        self.silence.replied(number, with, without);
    }

    /// Counts a fatal error that came back at `now`, to a request sent at `sent`; `true` if the
    /// endpoint is to be given up. Requests that were in flight together count once.
    pub(super) fn fatal(&mut self, error: &ScoreError, sent: Duration, now: Duration) -> bool {
        if *error == ScoreError::NoLogprobs {
            return self
                .silence
                .is_hopeless(self.tally.requests, self.in_flight);
        }
        let fatal = &mut self.fatal;
        if fatal.count == 0 || sent >= fatal.at {
            fatal.count += 1;
            fatal.at = now;
        }
        // A server that has never answered is unlikely to begin.
        fatal.count >= FATAL_AFTER || self.tally.answered == 0
    }

    /// Counts a malformed answer; how many there are in a row, if the endpoint is to be given up.
    /// `kept` is whether the store has good answers. If the endpoint can answer, only questions
    /// asked for the first time (`fresh`) count: some questions get no good answer however often
    /// they are asked, and may be the only ones left.
    pub(super) fn malformed(&mut self, kept: bool, fresh: bool, now: Duration) -> Option<u32> {
        let proven = kept || self.tally.answered > 0;
        let (most, span) = MALFORMED_AFTER[usize::from(proven)];
        let malformed = &mut self.malformed;
        if malformed.count == 0 {
            malformed.since = now;
        }
        malformed.count += u32::from(fresh || !proven);
        let enough =
            malformed.count >= most && now.saturating_sub(malformed.since).as_secs() >= span;
        enough.then_some(malformed.count)
    }

    /// The outage that a failure now may belong to.
    pub(super) fn blame(&self, index: usize) -> Blame {
        Blame {
            endpoint: index,
            streak: self.streaks,
        }
    }

    /// Pauses after a request sent at `sent` was throttled, for the server's Retry-After or else a
    /// back-off of our own. An answer ends the pause early: then there was only too much at once.
    /// The controller gets the sample all the same and cuts its limit once. Returns the pause if the
    /// server asked for it.
    pub(super) fn throttled(
        &mut self,
        now: Duration,
        sent: Duration,
        retry_after: Option<Duration>,
        policy: &RetryPolicy,
    ) -> Option<Duration> {
        self.tally.throttled += 1;
        let throttle = &mut self.throttle;
        if throttle.episodes > 0 && sent < throttle.since {
            return None;
        }
        let wait = retry_after.map_or_else(
            || policy.ceiling(throttle.episodes),
            |asked| asked.min(policy.longest()),
        );
        throttle.episodes += 1;
        throttle.since = now;
        throttle.until = throttle.until.max(now + wait);
        retry_after.and(Some(wait))
    }

    /// Notes the quotas that the server reports. `takes` is what a batch takes of requests and of
    /// tokens. Returns how long the endpoint waits for a quota that is used up.
    pub(super) fn note_quota(
        &mut self,
        now: Duration,
        quota: &Quota,
        takes: [f64; 2],
        policy: &RetryPolicy,
    ) -> Option<Duration> {
        let mut waits = None;
        let reports = [quota.requests, quota.tokens].into_iter().zip(takes);
        for (slot, (report, each)) in self.quotas.iter_mut().zip(reports) {
            if let Some(report) = report {
                // The report may not count the requests in flight. If it does, the next one shows.
                let requests = (report.remaining as f64 / each.max(1.0)) as u64;
                let requests = requests.saturating_sub(self.in_flight as u64);
                let resets_in = report.resets_in.min(policy.longest());
                *slot = Some(Remaining {
                    requests,
                    until: now + resets_in,
                });
                if requests == 0 {
                    waits = waits.max(Some(resets_in));
                }
            }
        }
        waits
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
