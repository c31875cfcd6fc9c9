//! The workers of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::message::{Beat, SUSPICIOUS};
use crate::status::WorkerStatus;

/// A worker that is silent for so long counts as gone.
const GONE_AFTER: Duration = Duration::from_secs(10);

/// The workers that take part, with their last heartbeats.
#[derive(Debug, Default)]
pub(super) struct Registry {
    workers: BTreeMap<String, Known>,
    /// The workers that have held each unit, by lane and id, as far as they reported it.
    holders: HashMap<(u16, u64), BTreeSet<String>>,
}

/// How long a worker's report that it holds a unit is trusted.
const CLAIM_HOLDS: Duration = Duration::from_secs(3);

/// A worker's query about a unit that it has received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) lane: u16,
    pub(super) unit: u64,
    pub(super) worker: &'a str,
    /// Whether the worker has no other.
    pub(super) alone: bool,
}

#[derive(Debug)]
struct Known {
    beat: Beat,
    heard: Instant,
    since: Instant,
}

/// The joint capacity of a lane's workers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Power {
    pub(super) workers: usize,
    /// Questions in flight at once.
    pub(super) capacity: usize,
    /// Answers per second.
    pub(super) rate: f64,
}

impl Registry {
    /// Notes a heartbeat; `true` if the worker is new.
    pub(super) fn note(&mut self, beat: Beat, now: Instant) -> bool {
        let since = self.workers.get(&beat.worker).map_or(now, |k| k.since);
        for &unit in &beat.units {
            let holders = self.holders.entry((beat.lane, unit)).or_default();
            if !holders.contains(&beat.worker) {
                holders.insert(beat.worker.clone());
            }
        }
        let known = Known {
            heard: now,
            since,
            beat,
        };
        self.workers
            .insert(known.beat.worker.clone(), known)
            .is_none()
    }

    /// Removes the workers that are leaving or silent; returns their names.
    pub(super) fn remove_gone(&mut self, now: Instant) -> Vec<String> {
        let gone = |known: &Known| {
            known.beat.leaving || now.saturating_duration_since(known.heard) > GONE_AFTER
        };
        let names = self.workers.iter().filter(|(_, known)| gone(known));
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        for name in &names {
            self.workers.remove(name);
        }
        names
    }

    /// Handles a claim: whether the unit is not for this worker now, and how many workers were lost
    /// with it.
    pub(super) fn claim(&mut self, claim: Claim<'_>, now: Instant) -> (bool, u32) {
        let Claim {
            lane, unit, worker, ..
        } = claim;
        let alive = |known: &&Known| now.saturating_duration_since(known.heard) < CLAIM_HOLDS;
        let holds = |(name, known): (&String, &Known)| {
            name != worker
                && known.beat.units.contains(&unit)
                && known.beat.lane == lane
                && alive(&known)
        };
        let held = self.workers.iter().any(holds);
        let holders = self.holders.entry((lane, unit)).or_default();
        let lost = |name: &&String| {
            *name != worker && self.workers.get(*name).is_none_or(|known| !alive(&known))
        };
        let losses = holders.iter().filter(lost).count() as u32;
        let taken = held || (losses >= SUSPICIOUS && !claim.alone);
        if !taken {
            holders.insert(worker.to_owned());
        }
        (taken, losses)
    }

    /// Whether a worker reports that it holds this unit.
    pub(super) fn is_held(&self, lane: u16, unit: u64) -> bool {
        let workers = self.workers.values();
        let mut of_lane = workers.filter(|known| known.beat.lane == lane);
        of_lane.any(|known| known.beat.units.contains(&unit))
    }

    /// Forgets the holders of finished units.
    pub(super) fn forget(&mut self, lane: u16, is_done: impl Fn(u64) -> bool) {
        self.holders
            .retain(|&(of, unit), _| of != lane || !is_done(unit));
    }

    /// The joint capacity of a lane's workers.
    pub(super) fn power(&self, lane: u16) -> Power {
        let of_lane = self.workers.values().filter(|k| k.beat.lane == lane);
        of_lane.fold(Power::default(), |power, known| Power {
            workers: power.workers + 1,
            capacity: power.capacity + known.beat.capacity,
            rate: power.rate + known.beat.rate,
        })
    }

    /// The workers' status.
    pub(super) fn workers(&self) -> Vec<WorkerStatus> {
        let workers = self.workers.values();
        workers
            .map(|known| WorkerStatus {
                beat: known.beat.clone(),
                heard_s: known.heard.elapsed().as_secs_f64(),
                seconds: known.since.elapsed().as_secs_f64(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(worker: &str, units: &[u64]) -> Beat {
        Beat {
            worker: worker.into(),
            lane: 0,
            model: "m".into(),
            capacity: 2,
            held: 3,
            units: units.to_vec(),
            answered: 0,
            failed: 0,
            malformed: 0,
            rate: 1.0,
            leaving: false,
        }
    }

    #[test]
    fn a_unit_is_taken_while_its_holder_is_heard() {
        let mut registry = Registry::default();
        let start = Instant::now();
        assert!(registry.note(beat("a", &[7]), start));
        assert!(!registry.note(beat("a", &[7]), start));
        let claim = |lane, unit, worker, alone| Claim {
            lane,
            unit,
            worker,
            alone,
        };
        let busy = |lane, unit, worker| claim(lane, unit, worker, false);
        assert_eq!(registry.claim(busy(0, 7, "b"), start), (true, 0));
        assert_eq!(registry.claim(busy(0, 8, "b"), start), (false, 0));
        assert_eq!(registry.claim(busy(1, 7, "b"), start), (false, 0));
        let later = start + Duration::from_secs(4);
        let after = |registry: &mut Registry, claim| registry.claim(claim, later);
        // a was lost with it, and then b.
        assert_eq!(after(&mut registry, busy(0, 7, "b")), (false, 1));
        // Now it is suspicious: only for a worker that holds no other.
        assert_eq!(after(&mut registry, busy(0, 7, "c")), (true, 2));
        assert_eq!(after(&mut registry, claim(0, 7, "c", true)), (false, 2));
        assert_eq!(after(&mut registry, claim(0, 7, "e", true)), (false, 3));
        assert_eq!(registry.remove_gone(start + Duration::from_secs(11)), ["a"]);
        registry.forget(0, |unit| unit == 7);
        assert_eq!(after(&mut registry, busy(0, 7, "d")), (false, 0));
    }

    #[test]
    fn power_is_that_of_the_lane() {
        let mut registry = Registry::default();
        let now = Instant::now();
        registry.note(beat("a", &[]), now);
        registry.note(beat("b", &[]), now);
        assert_eq!(registry.power(0).capacity, 4);
        assert_eq!(registry.power(1), Power::default());
    }
}
