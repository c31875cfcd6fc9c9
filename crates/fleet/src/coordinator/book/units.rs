//! The units that workers may have.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use sureness_scorers::RequestKey;

#[derive(Debug, Default)]
pub(crate) struct Units {
    pub(crate) published: HashMap<u64, Published>,
    /// Questions in them without an outcome.
    pub(crate) outstanding: usize,
}

#[derive(Debug)]
pub(crate) struct Published {
    /// Its questions without an outcome.
    open: HashSet<RequestKey>,
    /// Its position in the stream.
    sequence: Option<u64>,
    at: Instant,
}

impl Units {
    pub(super) fn add(
        &mut self,
        id: u64,
        open: HashSet<RequestKey>,
        sequence: Option<u64>,
        at: Instant,
    ) {
        self.outstanding += open.len();
        let unit = Published { open, sequence, at };
        self.published.insert(id, unit);
    }

    /// Notes that the unit is in the stream, at this position.
    pub(crate) fn seen(&mut self, id: u64, sequence: u64, now: Instant) {
        if let Some(unit) = self.published.get_mut(&id) {
            unit.sequence = Some(sequence);
            unit.at = now;
        }
    }

    /// Notes that a question of a unit has its outcome.
    pub(super) fn close(&mut self, id: u64, key: RequestKey) {
        if let Some(unit) = self.published.get_mut(&id)
            && unit.open.remove(&key)
        {
            self.outstanding -= 1;
        }
    }

    /// Removes a unit; returns its questions without an outcome.
    pub(super) fn remove(&mut self, id: u64) -> Option<HashSet<RequestKey>> {
        let unit = self.published.remove(&id)?;
        self.outstanding -= unit.open.len();
        Some(unit.open)
    }

    /// Id and position of the units that were last seen in the stream more than `age` ago: the
    /// broker may have lost them.
    pub(crate) fn stale(&self, age: Duration, now: Instant) -> Vec<(u64, u64)> {
        let units = self.published.iter();
        units
            .filter(|(_, unit)| now.saturating_duration_since(unit.at) > age)
            .filter_map(|(&id, unit)| Some((id, unit.sequence?)))
            .collect()
    }
}
