//! Units and results of an earlier coordinator of the run.

use std::collections::{HashMap, HashSet};

use sureness_scorers::RequestKey;

use crate::message::Outcome;

#[derive(Debug)]
pub(super) struct Inherited<R> {
    /// The units of questions that our engine has not asked yet.
    pub(super) units: HashMap<RequestKey, u64>,
    /// Results whose question has not been asked yet.
    pub(super) results: HashMap<RequestKey, (Outcome, R)>,
    /// Whether results from before the start may still come.
    pub(super) arriving: bool,
}

impl<R> Inherited<R> {
    /// Adds questions of a unit; returns those without a result.
    pub(super) fn adopt(
        &mut self,
        unit: u64,
        keys: impl Iterator<Item = RequestKey>,
    ) -> HashSet<RequestKey> {
        let open = keys.filter(|key| !self.results.contains_key(key));
        let adopt = |key| {
            self.units.insert(key, unit);
            key
        };
        open.map(adopt).collect()
    }

    /// Keeps a result that our engine has not asked for; `true` if it is a second answer.
    pub(super) fn keep(&mut self, key: RequestKey, outcome: Outcome, receipt: R) -> bool {
        if self.units.remove(&key).is_some() || self.arriving {
            self.results.insert(key, (outcome, receipt)).is_some()
        } else {
            matches!(outcome, Outcome::Scores(..))
        }
    }

    /// Whether this question may still get a result that was not asked for.
    pub(super) fn awaits(&self, key: &RequestKey) -> bool {
        self.units.contains_key(key) || (self.arriving && !self.results.contains_key(key))
    }
}
