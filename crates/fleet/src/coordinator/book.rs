//! What was asked, what is with the workers, and what came back. No I/O, so that it can be tested
//! by itself.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sureness_scorers::{OptionScores, RequestKey, ScoreError, ScoreRequest};
use tokio::sync::oneshot;

use crate::message::{Item, Outcome, Unit, UnitResult, key};
use crate::names::group_name;

/// After so many failures, each with another worker where there is one, a question's failure is
/// final. Every worker has retried it by itself before.
const ATTEMPTS: u8 = 2;

/// An answer on its way to the engine.
pub(super) type Reply = Result<OptionScores, ScoreError>;

/// Everything of one lane.
#[derive(Debug)]
pub(super) struct Book<R> {
    model: [u8; 32],
    /// Asked by the engine, without an outcome yet.
    waiting: HashMap<RequestKey, Waiting>,
    /// Groups in the order in which they were first asked about.
    groups: Vec<Group>,
    by_name: HashMap<String, usize>,
    /// Questions that failed and should go to another worker.
    again: VecDeque<RequestKey>,
    queued: usize,
    units: HashMap<u64, Published>,
    /// Questions of units that an earlier coordinator published, and which ours has not asked yet.
    adopted: HashMap<RequestKey, u64>,
    /// Results that came before their question was asked.
    early: HashMap<RequestKey, (Outcome, R)>,
    /// Whether results from before the start may still come.
    starting: bool,
    /// What is to be confirmed once the answer is kept.
    receipts: HashMap<RequestKey, R>,
    outstanding: usize,
    next_id: u64,
    pub(super) tally: Tally,
}

/// What is told at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Questions that were answered more than once.
    pub(super) asked_twice: u64,
    /// Messages that could not be understood or were of another model.
    pub(super) malformed: u64,
    /// Units that the broker lost.
    pub(super) lost: u64,
    /// Units that workers have finished.
    pub(super) units: u64,
    /// Questions answered.
    pub(super) answered: u64,
}

#[derive(Debug)]
struct Waiting {
    request: ScoreRequest,
    group: usize,
    reply: oneshot::Sender<Reply>,
    attempts: u8,
    avoid: Vec<String>,
    /// The unit that it travels in.
    unit: Option<u64>,
}

#[derive(Debug)]
struct Group {
    name: String,
    prefix: Arc<str>,
    /// Whether workers can look up the prefix.
    described: bool,
    queue: VecDeque<RequestKey>,
}

/// A unit that workers may have.
#[derive(Debug)]
struct Published {
    /// Its questions without an outcome.
    open: HashSet<RequestKey>,
    /// Its place in the stream.
    sequence: Option<u64>,
    at: Instant,
}

/// A unit to be published.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) unit: Unit,
    /// The prefix, if nobody has told the workers yet.
    pub(super) describe: Option<Arc<str>>,
}

impl<R: Clone> Book<R> {
    /// An empty book for the model with this digest. Units are numbered from `first_id`.
    pub(super) fn new(model: [u8; 32], first_id: u64) -> Self {
        Self {
            model,
            waiting: HashMap::new(),
            groups: Vec::new(),
            by_name: HashMap::new(),
            again: VecDeque::new(),
            queued: 0,
            units: HashMap::new(),
            adopted: HashMap::new(),
            early: HashMap::new(),
            starting: true,
            receipts: HashMap::new(),
            outstanding: 0,
            next_id: first_id,
            tally: Tally::default(),
        }
    }

    /// The model is known now.
    pub(super) fn is_of(&mut self, model: [u8; 32]) {
        self.model = model;
    }

    /// A unit that is in the stream already.
    pub(super) fn adopt(&mut self, unit: &Unit, sequence: u64, now: Instant) {
        let keys = unit.items.iter().map(|item| key(item.key));
        // Some may have come back before.
        let open: HashSet<_> = keys.filter(|key| !self.early.contains_key(key)).collect();
        for key in &open {
            self.adopted.insert(*key, unit.id);
        }
        self.outstanding += open.len();
        let published = Published {
            open,
            sequence: Some(sequence),
            at: now,
        };
        self.units.insert(unit.id, published);
    }

    /// Everything from before the start is known: what comes unasked from now on is a double.
    pub(super) fn started(&mut self) {
        self.starting = false;
    }

    /// The engine asks. What is known already is answered at once.
    pub(super) fn ask(&mut self, request: &ScoreRequest) -> oneshot::Receiver<Reply> {
        let (reply, receiver) = oneshot::channel();
        let options = request.labels.len();
        if let Some((outcome, receipt)) = self.early.remove(&request.key) {
            self.receipts.insert(request.key, receipt);
            let outcome = outcome.into_scores(options);
            self.tally.answered += u64::from(outcome.is_ok());
            let _ = reply.send(outcome);
            return receiver;
        }
        let group = self.group(&request.prompt.prefix);
        let unit = self.adopted.remove(&request.key);
        if unit.is_none() {
            self.groups[group].queue.push_back(request.key);
            self.queued += 1;
        }
        let waiting = Waiting {
            request: request.clone(),
            group,
            reply,
            attempts: 0,
            avoid: Vec::new(),
            unit,
        };
        self.waiting.insert(request.key, waiting);
        receiver
    }

    fn group(&mut self, prefix: &Arc<str>) -> usize {
        // The same text is the same allocation, nearly always.
        let same = |group: &Group| Arc::ptr_eq(&group.prefix, prefix);
        if let Some(index) = self.groups.iter().rposition(same) {
            return index;
        }
        let name = group_name(prefix);
        if let Some(&index) = self.by_name.get(&name) {
            return index;
        }
        self.by_name.insert(name.clone(), self.groups.len());
        self.groups.push(Group {
            name,
            prefix: Arc::clone(prefix),
            described: false,
            queue: VecDeque::new(),
        });
        self.groups.len() - 1
    }

    /// The next unit, of at most so many questions and about so many bytes.
    pub(super) fn next_unit(
        &mut self,
        most: usize,
        max_bytes: usize,
        now: Instant,
    ) -> Option<Outgoing> {
        let (group, avoid, from_again) = self.head()?;
        let mut unit = Unit {
            id: self.next_id,
            model: self.model,
            group: self.groups[group].name.clone(),
            labels: Vec::new(),
            items: Vec::new(),
            avoid,
        };
        let mut bytes = 0;
        let mut open = HashSet::new();
        while unit.items.len() < most.max(1) {
            let queue = if from_again {
                &mut self.again
            } else {
                &mut self.groups[group].queue
            };
            let Some(&next) = queue.front() else { break };
            let Some(waiting) = self.waiting.get_mut(&next) else {
                // Answered while it waited to be asked again.
                queue.pop_front();
                self.queued -= 1;
                continue;
            };
            let size = waiting.request.prompt.suffix.len() + 64;
            if (waiting.group, &waiting.avoid) != (group, &unit.avoid)
                || (!unit.items.is_empty() && bytes + size > max_bytes)
            {
                break;
            }
            queue.pop_front();
            self.queued -= 1;
            bytes += size;
            waiting.unit = Some(unit.id);
            let labels = labels_in(&mut unit.labels, &waiting.request.labels);
            unit.items.push(Item {
                key: next.0,
                suffix: waiting.request.prompt.suffix.clone(),
                labels,
            });
            open.insert(next);
        }
        if unit.items.is_empty() {
            return None;
        }
        self.next_id += 1;
        self.outstanding += open.len();
        let published = Published {
            open,
            sequence: None,
            at: now,
        };
        self.units.insert(unit.id, published);
        let group = &mut self.groups[group];
        let describe =
            (!std::mem::replace(&mut group.described, true)).then(|| Arc::clone(&group.prefix));
        Some(Outgoing { unit, describe })
    }

    /// Group and workers to avoid of the question that is next.
    fn head(&mut self) -> Option<(usize, Vec<String>, bool)> {
        while let Some(next) = self.again.front() {
            if let Some(waiting) = self.waiting.get(next) {
                return Some((waiting.group, waiting.avoid.clone(), true));
            }
            self.again.pop_front();
            self.queued -= 1;
        }
        let group = self.groups.iter().position(|g| !g.queue.is_empty())?;
        Some((group, Vec::new(), false))
    }

    /// The unit is in the stream.
    pub(super) fn published(&mut self, id: u64, sequence: u64, now: Instant) {
        if let Some(unit) = self.units.get_mut(&id) {
            unit.sequence = Some(sequence);
            unit.at = now;
        }
    }

    /// A result has come. `again` tells that the broker has delivered it before.
    pub(super) fn result(&mut self, result: UnitResult, receipt: &R, again: bool) {
        if result.model != self.model {
            self.tally.malformed += 1;
            return;
        }
        for (bytes, outcome) in result.answers {
            self.outcome(
                key(bytes),
                outcome,
                &result.worker,
                result.unit,
                receipt,
                again,
            );
        }
        if result.last
            && let Some(unit) = self.units.remove(&result.unit)
        {
            self.tally.units += 1;
            self.give_back(result.unit, unit.open);
        }
    }

    fn outcome(
        &mut self,
        key: RequestKey,
        outcome: Outcome,
        worker: &str,
        unit: u64,
        receipt: &R,
        again: bool,
    ) {
        self.close(unit, key);
        let Some(mut waiting) = self.waiting.remove(&key) else {
            if self.adopted.remove(&key).is_some() || self.starting {
                if self.early.insert(key, (outcome, receipt.clone())).is_some() {
                    self.tally.asked_twice += u64::from(!again);
                }
            } else if matches!(outcome, Outcome::Scores(..)) {
                self.tally.asked_twice += u64::from(!again);
            }
            return;
        };
        if let Some(other) = waiting.unit.take().filter(|&other| other != unit) {
            self.close(other, key);
        }
        let reply = outcome.into_scores(waiting.request.labels.len());
        waiting.attempts += 1;
        if let Err(error) = &reply
            && error.is_retryable()
            && waiting.attempts < ATTEMPTS
        {
            waiting.avoid.push(worker.to_owned());
            self.waiting.insert(key, waiting);
            self.again.push_back(key);
            self.queued += 1;
            return;
        }
        self.tally.answered += u64::from(reply.is_ok());
        self.receipts.insert(key, receipt.clone());
        // Who asked may be gone: then the run has been stopped.
        let _ = waiting.reply.send(reply);
    }

    /// This question of this unit needs no more waiting for.
    fn close(&mut self, unit: u64, key: RequestKey) {
        if let Some(published) = self.units.get_mut(&unit)
            && published.open.remove(&key)
        {
            self.outstanding -= 1;
        }
    }

    /// Questions that left with this unit come to the front of their queues.
    fn give_back(&mut self, id: u64, open: HashSet<RequestKey>) {
        self.outstanding -= open.len();
        for key in open {
            if self.adopted.get(&key) == Some(&id) {
                self.adopted.remove(&key);
            } else if let Some(waiting) = self.waiting.get_mut(&key)
                && waiting.unit == Some(id)
            {
                waiting.unit = None;
                self.groups[waiting.group].queue.push_front(key);
                self.queued += 1;
            }
        }
    }

    /// Units that were published so long ago that it is worth a look whether they still exist.
    pub(super) fn stale(&self, age: Duration, now: Instant) -> Vec<(u64, u64)> {
        let units = self.units.iter();
        units
            .filter(|(_, unit)| now.saturating_duration_since(unit.at) > age)
            .filter_map(|(&id, unit)| Some((id, unit.sequence?)))
            .collect()
    }

    /// The unit is still in the stream.
    pub(super) fn seen(&mut self, id: u64, now: Instant) {
        if let Some(unit) = self.units.get_mut(&id) {
            unit.at = now;
        }
    }

    /// The unit is not in the stream any more, and no result tells what became of it.
    pub(super) fn lost(&mut self, id: u64) {
        if let Some(unit) = self.units.remove(&id) {
            self.tally.lost += u64::from(!unit.open.is_empty());
            self.give_back(id, unit.open);
        }
    }

    /// Whether this question has no answer yet.
    pub(super) fn is_open(&self, key: &RequestKey) -> bool {
        let known = self.waiting.contains_key(key) || self.adopted.contains_key(key);
        known || (self.starting && !self.early.contains_key(key))
    }

    /// The answers to these are kept; gives what is to be confirmed for it.
    pub(super) fn kept(&mut self, keys: impl Iterator<Item = RequestKey>) -> Vec<R> {
        let mut kept: Vec<R> = keys.filter_map(|key| self.receipts.remove(&key)).collect();
        if self.waiting.is_empty() && self.adopted.is_empty() {
            // Everything is answered. What came early and was never asked for had been kept by an
            // earlier coordinator; whoever asks from now on wants to hear it from the model.
            kept.extend(self.early.drain().map(|(_, (_, receipt))| receipt));
        }
        kept
    }

    /// Questions that wait to be published.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Questions that are with the workers, or in the stream.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Whether this unit is in the stream or with a worker.
    pub(super) fn has(&self, unit: u64) -> bool {
        self.units.contains_key(&unit)
    }

    /// Units in the stream or with the workers.
    pub(super) fn units(&self) -> usize {
        self.units.len()
    }
}

/// The place of these labels in a unit's lists, in which they are put if they are new.
fn labels_in(lists: &mut Vec<Vec<String>>, labels: &[String]) -> u16 {
    let found = lists.iter().position(|list| list == labels);
    let index = found.unwrap_or_else(|| {
        lists.push(labels.to_vec());
        lists.len() - 1
    });
    index as u16
}

#[cfg(test)]
mod tests;
