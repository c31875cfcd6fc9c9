//! The units that a worker holds.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::message::Acker;
use sureness_engine::{Answer, ItemId};

use crate::message::{Outcome, Unit, UnitResult};

/// Finished units that are remembered: the broker may deliver them again.
const MAX_FINISHED: usize = 1024;
/// Most outcomes in one message.
const MAX_RESULT: usize = 512;

/// The units, their questions, and counts for heartbeats.
pub(super) struct Held {
    worker: String,
    units: HashMap<u64, HeldUnit>,
    by_item: HashMap<ItemId, (u64, [u8; 32])>,
    finished: VecDeque<u64>,
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) malformed: u64,
    rate: Rate,
}

struct HeldUnit {
    model: [u8; 32],
    acker: Arc<Acker>,
    /// Questions without an outcome.
    open: usize,
    /// Outcomes that are not published yet.
    unsent: Vec<([u8; 32], Outcome)>,
    /// Results that the broker has not confirmed yet.
    unconfirmed: usize,
    /// Whether each outcome is published at once: the unit may kill its worker.
    careful: bool,
    /// Whether its last result is on its way.
    closing: bool,
}

/// Whether a delivered unit is new to this worker.
pub(super) enum Arrival {
    New(Acker),
    /// Held already: the broker took it for lost.
    Known,
    /// Finished already.
    Finished(Acker),
}

impl Held {
    pub(super) fn new(worker: String) -> Self {
        Self {
            worker,
            units: HashMap::new(),
            by_item: HashMap::new(),
            finished: VecDeque::new(),
            answered: 0,
            failed: 0,
            malformed: 0,
            rate: Rate::default(),
        }
    }

    /// Notes the delivery of a unit. The latest delivery is the one to confirm.
    pub(super) fn arrival(&mut self, id: u64, acker: Acker) -> Arrival {
        if let Some(unit) = self.units.get_mut(&id) {
            unit.acker = Arc::new(acker);
            Arrival::Known
        } else if self.finished.contains(&id) {
            Arrival::Finished(acker)
        } else {
            Arrival::New(acker)
        }
    }

    /// Holds a new unit, of which so many questions are open.
    pub(super) fn take(&mut self, unit: &Unit, acker: Acker, open: usize, careful: bool) {
        let held = HeldUnit {
            model: unit.model,
            acker: Arc::new(acker),
            open,
            unsent: Vec::new(),
            unconfirmed: 0,
            careful,
            closing: false,
        };
        self.units.insert(unit.id, held);
    }

    /// Notes which question of a unit an item of the engine is.
    pub(super) fn assign(&mut self, item: ItemId, unit: u64, key: [u8; 32]) {
        self.by_item.insert(item, (unit, key));
    }

    /// Takes answers of the engine; `true` if some are to be published at once.
    pub(super) fn answers(&mut self, answers: &[Answer], now: Instant) -> bool {
        let mut urgent = false;
        for answer in answers {
            let Some((id, key)) = self.by_item.remove(&answer.item) else {
                continue;
            };
            if answer.outcome.is_ok() {
                self.answered += 1;
            } else {
                self.failed += 1;
            }
            self.rate.count(now);
            urgent |= self.outcome(id, key, answer.outcome.clone().into());
        }
        urgent
    }

    /// Takes one question's outcome; `true` if it is to be published at once.
    pub(super) fn outcome(&mut self, id: u64, key: [u8; 32], outcome: Outcome) -> bool {
        let Some(unit) = self.units.get_mut(&id) else {
            return false;
        };
        unit.unsent.push((key, outcome));
        unit.open = unit.open.saturating_sub(1);
        unit.open == 0 || unit.careful || unit.unsent.len() >= MAX_RESULT
    }

    /// The results to publish: of all units, or of those that cannot wait.
    pub(super) fn results(&mut self, all: bool) -> Vec<UnitResult> {
        let worker = &self.worker;
        let due = |unit: &HeldUnit| {
            unit.open == 0
                || (!unit.unsent.is_empty()
                    && (all || unit.careful || unit.unsent.len() >= MAX_RESULT))
        };
        let units = self.units.iter_mut();
        units
            .filter(|(_, unit)| !unit.closing && due(unit))
            .map(|(&id, unit)| {
                unit.closing = unit.open == 0;
                unit.unconfirmed += 1;
                UnitResult {
                    unit: id,
                    model: unit.model,
                    worker: worker.clone(),
                    last: unit.closing,
                    answers: std::mem::take(&mut unit.unsent),
                }
            })
            .collect()
    }

    /// The last results when the worker ends; they give the open questions back.
    pub(super) fn give_back(&mut self) -> Vec<UnitResult> {
        for unit in self.units.values_mut() {
            unit.open = 0;
        }
        self.by_item.clear();
        self.results(true)
    }

    /// Notes that the broker has one of the unit's results.
    pub(super) fn confirmed(&mut self, id: u64) {
        if let Some(unit) = self.units.get_mut(&id) {
            unit.unconfirmed = unit.unconfirmed.saturating_sub(1);
        }
    }

    /// Whether the broker has all outcomes of the unit so far.
    pub(super) fn is_delivered(&self, id: u64) -> bool {
        let unit = self.units.get(&id);
        unit.is_none_or(|unit| unit.unsent.is_empty() && unit.unconfirmed == 0)
    }

    /// Removes a unit whose last result the broker has; returns its acker.
    pub(super) fn finish(&mut self, id: u64) -> Option<Arc<Acker>> {
        let unit = self.units.remove(&id)?;
        self.finished.push_back(id);
        if self.finished.len() > MAX_FINISHED {
            self.finished.pop_front();
        }
        Some(unit.acker)
    }

    /// The ackers of all units, which confirm them or extend their time.
    pub(super) fn ackers(&self) -> Vec<Arc<Acker>> {
        let units = self.units.values();
        units.map(|unit| Arc::clone(&unit.acker)).collect()
    }

    /// Whether this question has no answer yet.
    pub(super) fn waits_for(&self, item: ItemId) -> bool {
        self.by_item.contains_key(&item)
    }

    /// Questions held, and the ids of the units.
    pub(super) fn holds(&self) -> (usize, Vec<u64>) {
        let questions = self.units.values().map(|unit| unit.open).sum();
        (questions, self.units.keys().copied().collect())
    }

    /// Answers per second lately.
    pub(super) fn rate(&mut self, now: Instant) -> f64 {
        self.rate.now(now)
    }
}

/// Answers per second over the last [`WINDOW`].
#[derive(Debug, Default)]
struct Rate {
    /// Answers in each second that had some, counted from the first.
    seconds: VecDeque<(u64, u32)>,
    began: Option<Instant>,
}

/// Seconds over which the rate is measured.
const WINDOW: u64 = 10;

impl Rate {
    fn count(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let second = now.saturating_duration_since(began).as_secs();
        match self.seconds.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.seconds.push_back((second, 1)),
        }
    }

    fn now(&mut self, now: Instant) -> f64 {
        let Some(began) = self.began else { return 0.0 };
        let elapsed = now.saturating_duration_since(began);
        let oldest = elapsed.as_secs().saturating_sub(WINDOW);
        while self.seconds.front().is_some_and(|(at, _)| *at < oldest) {
            self.seconds.pop_front();
        }
        let count: u32 = self.seconds.iter().map(|(_, count)| count).sum();
        let since = elapsed.min(Duration::from_secs(WINDOW)).as_secs_f64();
        f64::from(count) / since.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        let start = Instant::now();
        for n in 0..100 {
            rate.count(start + Duration::from_millis(100 * n));
        }
        let ten = rate.now(start + Duration::from_secs(10));
        assert!((9.0..11.0).contains(&ten), "{ten}");
        assert!(rate.now(start + Duration::from_secs(40)).abs() < 1e-9);
    }
}
