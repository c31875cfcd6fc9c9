//! The simulated server.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::random::Random;
use super::scenario::{Full, Server as Behaviour, Size};

/// Virtual seconds since the run's start.
pub(super) type Time = f64;

/// A total order on times, for heaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct At(pub(super) f64);

impl Eq for At {}
impl PartialOrd for At {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for At {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What a request gets at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reception {
    /// It is being worked on, or waits for that.
    Taken,
    /// HTTP 429, with Retry-After.
    TooMany(f64),
    /// HTTP 500 or 503.
    Failed,
    /// No connection.
    NoConnection,
}

/// Work shared evenly among those in service: `attained` is the work that each of them has
/// received since the start, so a request is done when it reaches its arrival's value plus its
/// own work.
pub(super) struct Server {
    behaviour: Behaviour,
    size: Size,
    attained: f64,
    since: Time,
    serving: BinaryHeap<Reverse<(At, usize)>>,
    waiting: VecDeque<(usize, f64)>,
    /// Slots that have been used.
    warm: usize,
    /// When the current rate window began, and what was asked in it.
    window: (Time, usize),
    random: Random,
}

impl Server {
    pub(super) fn new(behaviour: &Behaviour, seed: u64) -> Self {
        Self {
            size: behaviour.size,
            behaviour: behaviour.clone(),
            attained: 0.0,
            since: 0.0,
            serving: BinaryHeap::new(),
            waiting: VecDeque::new(),
            warm: 1,
            window: (0.0, 0),
            random: Random::new(seed),
        }
    }

    /// Work of a prompt: its seconds when nothing else is being worked on.
    pub(super) fn work(&mut self, tokens: f64) -> f64 {
        let base = if self.behaviour.steps {
            0.0
        } else {
            self.behaviour.base_ms
        };
        let mean = (base + self.behaviour.token_ms * tokens) / 1000.0;
        mean * self.random.lognormal(self.behaviour.noise)
    }

    /// Whether a request that comes now is given a slot that none had before.
    pub(super) fn takes_new_slot(&mut self) -> bool {
        let taken = self.serving.len() + self.waiting.len() + 1;
        let new = self.behaviour.cold_slots && taken > self.warm && taken <= self.size.slots;
        self.warm = self.warm.max(taken.min(self.size.slots));
        new
    }

    pub(super) fn resize(&mut self, now: Time, size: Size) {
        self.advance(now);
        self.size = size;
        self.admit();
    }

    /// Everything that was taken is lost.
    pub(super) fn crash(&mut self, now: Time) -> Vec<usize> {
        self.advance(now);
        let serving = self.serving.drain().map(|Reverse((_, id))| id);
        let waiting = self.waiting.drain(..).map(|(id, _)| id);
        serving.chain(waiting).collect()
    }

    pub(super) fn receive(&mut self, now: Time, id: usize, work: f64) -> Reception {
        let outage = self
            .behaviour
            .outages
            .iter()
            .find(|o| (o.from_s..o.to_s).contains(&now));
        if let Some(outage) = outage {
            return if outage.refuses {
                Reception::NoConnection
            } else {
                Reception::Failed
            };
        }
        if let Some(wait) = self.over_rate(now) {
            return Reception::TooMany(wait);
        }
        if self.random.uniform() < self.behaviour.flaky {
            return Reception::Failed;
        }
        self.advance(now);
        let room = self.size.slots.saturating_add(self.behaviour.waiting_room);
        if self.serving.len() + self.waiting.len() >= room {
            match self.behaviour.full {
                Full::Wait => {}
                Full::Reject429 => return Reception::TooMany(self.behaviour.retry_after_s),
                Full::Reject503 => return Reception::Failed,
            }
        }
        self.waiting.push_back((id, work));
        self.admit();
        Reception::Taken
    }

    /// What is left of the rate window and when it ends, where the server tells.
    pub(super) fn quota(&self, now: Time) -> Option<(usize, Time)> {
        let rate = self.behaviour.rate.filter(|rate| rate.tells)?;
        let end = self.window.0 + rate.window_s;
        (now < end).then(|| (rate.requests - self.window.1.min(rate.requests), end))
    }

    /// When the next request is done if nothing else happens.
    pub(super) fn next_done(&self) -> Option<Time> {
        let Reverse((At(target), _)) = *self.serving.peek()?;
        Some(self.since + (target - self.attained).max(0.0) * self.slowness())
    }

    /// Takes out one request that is done by now.
    pub(super) fn take_done(&mut self, now: Time) -> Option<usize> {
        if self.next_done()? > now {
            return None;
        }
        self.advance(now);
        let Reverse((_, id)) = self.serving.pop()?;
        self.admit();
        Some(id)
    }

    /// The client has hung up; what is being worked on already is finished nevertheless.
    pub(super) fn forget(&mut self, id: usize) {
        self.waiting.retain(|&(other, _)| other != id);
    }

    fn over_rate(&mut self, now: Time) -> Option<f64> {
        let rate = self.behaviour.rate?;
        if now >= self.window.0 + rate.window_s {
            self.window = (now, 0);
        }
        if self.window.1 >= rate.requests {
            return Some((self.window.0 + rate.window_s - now).ceil());
        }
        self.window.1 += 1;
        None
    }

    fn slowness(&self) -> f64 {
        let n = self.serving.len() as f64;
        if let Some(&(_, alone)) = self.behaviour.measured.first() {
            return n.max(1.0) * alone / self.measured(n);
        }
        1.0 + self.size.contention * (n - 1.0) + self.size.coherence * n * (n - 1.0)
    }

    /// Answers a second with so many being worked on, where that was measured.
    fn measured(&self, n: f64) -> f64 {
        let points = &self.behaviour.measured;
        let above = points.partition_point(|&(at, _)| (at as f64) < n);
        match (above.checked_sub(1).map(|i| points[i]), points.get(above)) {
            (Some((from, low)), Some(&(to, high))) => {
                let part = (n - from as f64) / (to - from) as f64;
                low + part * (high - low)
            }
            (None, Some(&(_, rate))) | (Some((_, rate)), None) => rate,
            (None, None) => unreachable!("there are measured points"),
        }
    }

    fn advance(&mut self, now: Time) {
        if !self.serving.is_empty() {
            self.attained += (now - self.since) / self.slowness();
        }
        self.since = now;
    }

    fn admit(&mut self) {
        if self.behaviour.whole_batches || self.behaviour.steps {
            if self.serving.is_empty() && !self.waiting.is_empty() {
                let count = self.waiting.len().min(self.size.slots);
                let batch: Vec<_> = self.waiting.drain(..count).collect();
                let works = batch.iter().map(|&(_, work)| work);
                let took = if self.behaviour.steps {
                    self.behaviour.base_ms / 1000.0 + works.sum::<f64>()
                } else {
                    works.fold(0.0, f64::max)
                };
                for (id, _) in batch {
                    self.serving.push(Reverse((At(self.attained + took), id)));
                }
            }
            return;
        }
        while self.serving.len() < self.size.slots {
            let Some((id, work)) = self.waiting.pop_front() else {
                return;
            };
            self.serving.push(Reverse((At(self.attained + work), id)));
        }
    }
}
