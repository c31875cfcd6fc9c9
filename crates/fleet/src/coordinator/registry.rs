//! The workers that are there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::message::Beat;
use crate::status::WorkerStatus;

/// A worker of which nothing was heard for so long is gone, as far as anybody knows.
const SILENCE: Duration = Duration::from_secs(10);

/// Who takes part, and what each last said.
#[derive(Debug, Default)]
pub(super) struct Registry {
    workers: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    beat: Beat,
    heard: Instant,
    since: Instant,
}

/// What a lane's workers can do together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Power {
    pub(super) workers: usize,
    /// Questions in flight at once.
    pub(super) capacity: usize,
    /// Answers per second.
    pub(super) rate: f64,
}

impl Registry {
    /// Takes note of a beat; tells whether the worker is new.
    pub(super) fn hear(&mut self, beat: Beat, now: Instant) -> bool {
        let since = self.workers.get(&beat.worker).map_or(now, |k| k.since);
        let known = Known {
            heard: now,
            since,
            beat,
        };
        self.workers
            .insert(known.beat.worker.clone(), known)
            .is_none()
    }

    /// Removes who is leaving or has been silent; gives their names.
    pub(super) fn part(&mut self, now: Instant) -> Vec<String> {
        let gone = |known: &Known| {
            known.beat.leaving || now.saturating_duration_since(known.heard) > SILENCE
        };
        let names = self.workers.iter().filter(|(_, known)| gone(known));
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        for name in &names {
            self.workers.remove(name);
        }
        names
    }

    /// How many workers are there.
    pub(super) fn alive(&self) -> usize {
        self.workers.len()
    }

    /// What a lane's workers can do.
    pub(super) fn power(&self, lane: u16) -> Power {
        let of_lane = self.workers.values().filter(|k| k.beat.lane == lane);
        of_lane.fold(Power::default(), |power, known| Power {
            workers: power.workers + 1,
            capacity: power.capacity + known.beat.capacity,
            rate: power.rate + known.beat.rate,
        })
    }

    /// For people.
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
