//! The units that a worker holds.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::message::Acker;
use sureness_engine::{Answer, ItemId};

use crate::message::{Outcome, Unit, UnitResult};

/// Units that were finished lately: the broker may deliver them again all the same.
const REMEMBERED: usize = 1024;
/// Results of so many questions go in one message.
const LARGEST_RESULT: usize = 512;

/// All of it.
#[derive(Debug)]
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

#[derive(Debug)]
struct HeldUnit {
    model: [u8; 32],
    acker: HeldAcker,
    /// Questions without an outcome.
    open: usize,
    /// Outcomes that nobody was told of yet.
    unsent: Vec<([u8; 32], Outcome)>,
    /// Results that the broker has not confirmed yet.
    under_way: usize,
    /// Whether each outcome is told at once: the unit may kill whoever works on it.
    careful: bool,
    /// Whether what it has is on its way and its end is waited for.
    closing: bool,
}

/// An acker has no `Debug`.
struct HeldAcker(Arc<Acker>);

impl std::fmt::Debug for HeldAcker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acker")
    }
}

/// Whether a unit that was delivered is new here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    New,
    /// It is being worked on already: the broker thought that it was lost.
    Known,
    /// It has been finished.
    Finished,
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

    /// What the unit with this id is to this worker. The latest delivery is the one to confirm.
    pub(super) fn arrival(&mut self, id: u64, acker: &mut Option<Acker>) -> Arrival {
        if let Some(unit) = self.units.get_mut(&id) {
            if let Some(acker) = acker.take() {
                unit.acker = HeldAcker(Arc::new(acker));
            }
            return Arrival::Known;
        }
        if self.finished.contains(&id) {
            return Arrival::Finished;
        }
        Arrival::New
    }

    /// Holds a unit, of which so many questions will be asked.
    pub(super) fn take(&mut self, unit: &Unit, acker: Acker, open: usize, careful: bool) {
        let held = HeldUnit {
            model: unit.model,
            acker: HeldAcker(Arc::new(acker)),
            open,
            unsent: Vec::new(),
            under_way: 0,
            careful,
            closing: false,
        };
        self.units.insert(unit.id, held);
    }

    /// This place of the engine is that question of the unit.
    pub(super) fn place(&mut self, item: ItemId, unit: u64, key: [u8; 32]) {
        self.by_item.insert(item, (unit, key));
    }

    /// Answers have come. Tells whether something is to be told at once.
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

    /// One question's outcome. Tells whether something is to be told at once.
    pub(super) fn outcome(&mut self, id: u64, key: [u8; 32], outcome: Outcome) -> bool {
        let Some(unit) = self.units.get_mut(&id) else {
            return false;
        };
        unit.unsent.push((key, outcome));
        unit.open = unit.open.saturating_sub(1);
        unit.open == 0 || unit.careful || unit.unsent.len() >= LARGEST_RESULT
    }

    /// What is to be published: of all units, or of those that cannot wait.
    pub(super) fn results(&mut self, all: bool) -> Vec<UnitResult> {
        let worker = &self.worker;
        let due = |unit: &HeldUnit| {
            unit.open == 0
                || (!unit.unsent.is_empty()
                    && (all || unit.careful || unit.unsent.len() >= LARGEST_RESULT))
        };
        let units = self.units.iter_mut();
        units
            .filter(|(_, unit)| !unit.closing && due(unit))
            .map(|(&id, unit)| {
                unit.closing = unit.open == 0;
                unit.under_way += 1;
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

    /// The worker ends: what it has is told, the rest of each unit given back.
    pub(super) fn give_back(&mut self) -> Vec<UnitResult> {
        for unit in self.units.values_mut() {
            unit.open = 0;
        }
        self.by_item.clear();
        self.results(true)
    }

    /// One of the unit's results is with the broker.
    pub(super) fn arrived(&mut self, id: u64) {
        if let Some(unit) = self.units.get_mut(&id) {
            unit.under_way = unit.under_way.saturating_sub(1);
        }
    }

    /// Whether the broker has all outcomes that there are of the unit.
    pub(super) fn is_told(&self, id: u64) -> bool {
        let unit = self.units.get(&id);
        unit.is_none_or(|unit| unit.unsent.is_empty() && unit.under_way == 0)
    }

    /// The unit's last result is with the broker: gives what confirms the unit.
    pub(super) fn finish(&mut self, id: u64) -> Option<Arc<Acker>> {
        let unit = self.units.remove(&id)?;
        self.finished.push_back(id);
        if self.finished.len() > REMEMBERED {
            self.finished.pop_front();
        }
        Some(unit.acker.0)
    }

    /// What confirms each unit, or extends its time.
    pub(super) fn ackers(&self) -> Vec<Arc<Acker>> {
        let units = self.units.values();
        units.map(|unit| Arc::clone(&unit.acker.0)).collect()
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

/// Answers per second over the last seconds.
#[derive(Debug, Default)]
struct Rate {
    /// Answers in each second that had some, counted from the first.
    seconds: VecDeque<(u64, u32)>,
    began: Option<Instant>,
}

/// Over so many seconds.
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
