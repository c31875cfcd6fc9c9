//! Virtual time: a client with a limit asks a simulated server until all is answered.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use sureness_engine::limit::{Controller, Hints, Outcome, Sample, Workers};

use super::random::Random;
use super::scenario::Scenario;
use super::server::{At, Reception, Server, Time};

/// How a run went.
#[derive(Debug, Clone)]
pub(super) struct Played {
    /// When the last question was answered.
    pub(super) took: Time,
    /// When each answer came.
    pub(super) answered: Vec<Time>,
    pub(super) questions: usize,
    pub(super) attempts: usize,
    /// Attempts that the server turned away for being too many.
    pub(super) rejected: usize,
    /// The limit after each change of it.
    pub(super) limits: Vec<(Time, usize)>,
    /// Whether it was broken off because too many were rejected.
    pub(super) abandoned: bool,
}

impl Played {
    pub(super) fn throughput(&self) -> f64 {
        self.answered.len() as f64 / self.took
    }

    /// Answers per second between two times.
    pub(super) fn between(&self, from: Time, to: Time) -> f64 {
        let count = self
            .answered
            .iter()
            .filter(|&&t| (from..to).contains(&t))
            .count();
        count as f64 / (to - from)
    }

    pub(super) fn rejected_share(&self) -> f64 {
        self.rejected as f64 / self.attempts as f64
    }

    pub(super) fn mean_limit(&self) -> f64 {
        let ends = self.limits.iter().skip(1).map(|&(at, _)| at);
        let area: f64 = self
            .limits
            .iter()
            .zip(ends.chain([self.took]))
            .map(|(&(from, limit), to)| limit as f64 * (to - from))
            .sum();
        area / self.took
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A request reaches the server.
    Arrives(usize),
    /// A reply reaches the client.
    Returns(usize, Reply),
    TimesOut(usize),
    /// The server may have finished something.
    ServerDone,
    ServerChanges(usize),
    OutageBegins(usize),
    /// The client may send again.
    Wakes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reply {
    Answer,
    /// With milliseconds of Retry-After.
    TooMany(u64),
    Failed,
    NoConnection,
}

struct Attempt {
    question: usize,
    started: Time,
    over: bool,
    /// Whether it met a cold cache: the dispatcher keeps that from the controller.
    cold: bool,
}

/// After so many failures in a row and so long without an answer, one request at a time is sent, with growing pauses: this is
/// the dispatcher's handling of outages and exhausted quotas, not the controller's.
const FAILURES_IN_A_ROW: u32 = 3;
const SILENCE_S: f64 = 0.5;

/// A Retry-After of so many seconds means a quota that is used up, which is no matter of how many
/// are in flight: nothing more is sent until then. Also the dispatcher's.
const QUOTA_WAIT_S: f64 = 5.0;

struct World<'a> {
    scenario: &'a Scenario,
    now: Time,
    events: BinaryHeap<Reverse<(At, u64, Event)>>,
    sequence: u64,
    server: Server,
    server_event: Time,
    controller: Controller,
    random: Random,
    /// Tokens and attempts of each question.
    questions: Vec<(f64, u32)>,
    next: usize,
    retries: BinaryHeap<Reverse<(At, usize)>>,
    attempts: Vec<Attempt>,
    in_flight: usize,
    /// Attempts and the number in flight when they were sent, falling: the first entry at or
    /// behind an attempt is the highest number in flight while it ran.
    peaks: VecDeque<(usize, usize)>,
    failures: u32,
    held_until: Time,
    timeouts: usize,
    gives_up_at: Option<usize>,
    played: Played,
}

/// Plays the scenario to its end.
///
/// A fixed limit that gets many more requests rejected than is allowed is not played to its end:
/// it is no setting to compare with.
pub(super) fn play(scenario: &Scenario, workers: Workers, seed: u64) -> Played {
    let mut random = Random::new(seed);
    let groups = &scenario.load.groups;
    let questions = groups
        .iter()
        .flat_map(|group| std::iter::repeat_n(group, group.questions))
        .map(|group| ((group.tokens * random.lognormal(group.spread)).round(), 0))
        .collect();
    let mut questions: Vec<(f64, u32)> = questions;
    questions[0].0 += scenario.load.prefix_tokens;
    let total: usize = groups.iter().map(|group| group.questions).sum();
    let most = (total as f64 * scenario.expect.rejected * 1.5) as usize;
    let mut world = World {
        scenario,
        now: 0.0,
        events: BinaryHeap::new(),
        sequence: 0,
        server: Server::new(&scenario.server, seed.wrapping_mul(31) + 7),
        server_event: f64::INFINITY,
        controller: Controller::knowing(
            workers,
            Hints {
                serving: scenario.server.serving.into(),
                timeout: Some(Duration::from_secs_f64(scenario.load.timeout_s)),
                relays: false,
                answers_at_once: 0,
            },
        ),
        random,
        questions,
        next: 0,
        retries: BinaryHeap::new(),
        attempts: Vec::new(),
        in_flight: 0,
        peaks: VecDeque::new(),
        failures: 0,
        held_until: 0.0,
        timeouts: 0,
        gives_up_at: matches!(workers, Workers::Fixed(_)).then_some(most),
        played: Played {
            took: 0.0,
            answered: Vec::new(),
            questions: total,
            attempts: 0,
            rejected: 0,
            limits: Vec::new(),
            abandoned: false,
        },
    };
    world.run();
    world.played
}

impl World<'_> {
    fn run(&mut self) {
        for (index, change) in self.scenario.server.changes.iter().enumerate() {
            self.schedule(change.at_s, Event::ServerChanges(index));
        }
        for (index, outage) in self.scenario.server.outages.iter().enumerate() {
            self.schedule(outage.from_s, Event::OutageBegins(index));
        }
        self.send();
        while self.played.answered.len() < self.questions.len() {
            let Some(Reverse((At(time), _, event))) = self.events.pop() else {
                panic!("the simulation stands still at {} s", self.now);
            };
            self.now = time;
            self.handle(event);
            if self
                .gives_up_at
                .is_some_and(|most| self.played.rejected + self.timeouts > most)
            {
                self.played.abandoned = true;
                break;
            }
            self.note_limit();
            self.send();
        }
        self.played.took = self.now;
    }

    fn schedule(&mut self, time: Time, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((At(time), self.sequence, event)));
    }

    fn handle(&mut self, event: Event) {
        let half_way = self.scenario.server.round_trip_ms / 2000.0;
        match event {
            Event::Wakes => {}
            Event::ServerChanges(index) => {
                let size = self.scenario.server.changes[index].size;
                self.server.resize(self.now, size);
            }
            Event::OutageBegins(index) => {
                let refuses = self.scenario.server.outages[index].refuses;
                let reply = if refuses {
                    Reply::NoConnection
                } else {
                    Reply::Failed
                };
                for id in self.server.crash(self.now) {
                    self.schedule(self.now + half_way, Event::Returns(id, reply));
                }
            }
            // Planned before something else moved the next completion forward.
            Event::ServerDone if self.now < self.server_event => {}
            Event::ServerDone => {
                while let Some(id) = self.server.take_done(self.now) {
                    self.schedule(self.now + half_way, Event::Returns(id, Reply::Answer));
                }
                self.server_event = f64::INFINITY;
            }
            Event::Arrives(id) => {
                if self.server.takes_new_slot() {
                    let question = self.attempts[id].question;
                    self.attempts[id].cold = true;
                    self.questions[question].0 += self.scenario.load.prefix_tokens;
                }
                let tokens = self.questions[self.attempts[id].question].0;
                let work = self.server.work(tokens);
                let reply = match self.server.receive(self.now, id, work) {
                    Reception::Taken => None,
                    Reception::TooMany(wait) => Some(Reply::TooMany((wait * 1000.0) as u64)),
                    Reception::Failed => Some(Reply::Failed),
                    Reception::NoConnection => Some(Reply::NoConnection),
                };
                if let Some(reply) = reply {
                    self.schedule(self.now + half_way, Event::Returns(id, reply));
                }
            }
            Event::Returns(id, _) | Event::TimesOut(id) if self.attempts[id].over => {}
            Event::Returns(id, reply) => self.returned(id, reply),
            Event::TimesOut(id) => {
                self.server.forget(id);
                self.timeouts += 1;
                self.over(id, Outcome::TimedOut);
                self.retry(id, 0.0);
            }
        }
        if let Some(done) = self.server.next_done()
            && done < self.server_event
        {
            self.server_event = done.max(self.now);
            self.schedule(self.server_event, Event::ServerDone);
        }
    }

    fn returned(&mut self, id: usize, reply: Reply) {
        match reply {
            Reply::Answer => {
                self.over(id, Outcome::Answered);
                self.failures = 0;
                self.played.answered.push(self.now);
                if let Some((0, end)) = self.server.quota(self.now) {
                    self.hold(end);
                }
            }
            Reply::TooMany(wait) => {
                self.over(id, Outcome::Throttled);
                self.played.rejected += 1;
                let wait = wait as f64 / 1000.0;
                self.retry(id, wait);
                if wait >= QUOTA_WAIT_S {
                    self.hold(self.now + wait);
                }
            }
            Reply::Failed => {
                self.over(id, Outcome::ServerFailed);
                if self.scenario.server.flaky == 0.0 && self.scenario.server.outages.is_empty() {
                    self.played.rejected += 1;
                }
                self.retry(id, 0.0);
            }
            Reply::NoConnection => {
                self.over(id, Outcome::Unreachable);
                self.retry(id, 0.0);
            }
        }
    }

    /// Tells the controller.
    fn over(&mut self, id: usize, outcome: Outcome) {
        self.attempts[id].over = true;
        self.in_flight -= 1;
        let attempt = &self.attempts[id];
        let first = self.peaks.partition_point(|&(sent, _)| sent < id);
        let (tokens, _) = self.questions[attempt.question];
        let sample = Sample {
            started: Duration::from_secs_f64(attempt.started),
            ended: Duration::from_secs_f64(self.now),
            in_flight: self.peaks[first].1,
            tokens: self.scenario.load.tokens_known.then_some(tokens as u32),
            prompt_bytes: ((tokens + self.scenario.load.prefix_tokens) * 4.0) as usize,
            outcome,
            left: Some(self.questions.len() - self.next + self.retries.len()),
        };
        if self.is_ahead(attempt.question) || attempt.cold {
            self.controller.finished_cold(&sample);
        } else {
            self.controller.finished(&sample);
        }
    }

    /// Asks again later: full jitter, and no earlier than the server wishes.
    fn retry(&mut self, id: usize, at_least: f64) {
        let question = self.attempts[id].question;
        let tries = &mut self.questions[question].1;
        let most = (0.5 * 2f64.powf(f64::from(*tries))).min(30.0);
        *tries += 1;
        let wait = at_least.max(self.random.uniform() * most);
        self.retries.push(Reverse((At(self.now + wait), question)));
        self.schedule(self.now + wait, Event::Wakes);
        self.failures += 1;
        if self.is_silent() {
            let pause = 0.25 * 2f64.powf(f64::from((self.failures - FAILURES_IN_A_ROW).min(3)));
            self.hold(self.now + at_least.max(pause));
        }
    }

    /// Whether this question is asked alone, before all others, to warm the prefix.
    fn is_ahead(&self, question: usize) -> bool {
        question == 0 && self.scenario.load.prefix_tokens > 0.0
    }

    fn is_silent(&self) -> bool {
        let last = self.played.answered.last().copied().unwrap_or(0.0);
        self.failures >= FAILURES_IN_A_ROW && self.now - last > SILENCE_S
    }

    fn hold(&mut self, until: Time) {
        self.held_until = self.held_until.max(until);
        self.schedule(self.held_until, Event::Wakes);
    }

    fn send(&mut self) {
        loop {
            let limit = self.controller.limit();
            let alone = self.is_silent();
            if self.in_flight >= limit
                || self.now < self.held_until
                || (alone && self.in_flight > 0)
            {
                return;
            }
            let due = self
                .retries
                .peek()
                .is_some_and(|Reverse((At(due), _))| *due <= self.now);
            let warming = self.in_flight > 0 && self.next == 1 && self.is_ahead(0);
            if warming && self.played.answered.is_empty() {
                return;
            }
            let question = if due {
                self.retries.pop().map(|Reverse((_, question))| question)
            } else {
                (self.next < self.questions.len()).then_some(self.next)
            };
            let Some(question) = question else {
                return;
            };
            if !due {
                self.next += 1;
            }
            let id = self.attempts.len();
            self.attempts.push(Attempt {
                question,
                started: self.now,
                over: false,
                cold: false,
            });
            self.in_flight += 1;
            self.played.attempts += 1;
            while self
                .peaks
                .back()
                .is_some_and(|&(_, peak)| peak <= self.in_flight)
            {
                self.peaks.pop_back();
            }
            self.peaks.push_back((id, self.in_flight));
            let half_way = self.scenario.server.round_trip_ms / 2000.0;
            self.schedule(self.now + half_way, Event::Arrives(id));
            self.schedule(self.now + self.scenario.load.timeout_s, Event::TimesOut(id));
        }
    }

    fn note_limit(&mut self) {
        let limit = self.controller.limit();
        if self
            .played
            .limits
            .last()
            .is_none_or(|&(_, last)| last != limit)
        {
            self.played.limits.push((self.now, limit));
        }
    }
}
