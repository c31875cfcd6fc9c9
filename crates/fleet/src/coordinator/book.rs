//! The questions of one lane: asked, with the workers, answered. No I/O, so that it can be tested
//! by itself.

mod inherited;
mod queue;
#[cfg(test)]
mod tests;
mod units;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use sureness_scorers::{OptionScores, RequestKey, ScoreError, ScoreRequest};
use tokio::sync::oneshot;

use self::inherited::Inherited;
use self::queue::{Line, Queue};
use self::units::Units;
use crate::message::{Item, Outcome, Unit, UnitResult, key};

/// Attempts after which a question's failure is final, each with another worker where there is
/// one. Every worker has retried it by itself before.
const MAX_ATTEMPTS: u8 = 2;
/// Bytes of a unit for each question beside its text.
const BYTES_PER_ITEM: usize = 64;

/// An answer on its way to the engine.
pub(super) type Reply = Result<OptionScores, ScoreError>;

/// Everything about one lane. A receipt `R` confirms results once their answers are saved.
#[derive(Debug)]
pub(super) struct Book<R> {
    model: [u8; 32],
    /// Asked by the engine, without an outcome yet.
    waiting: HashMap<RequestKey, Waiting>,
    queue: Queue,
    pub(super) units: Units,
    next_id: u64,
    inherited: Inherited<R>,
    /// Receipts of answers that are not saved yet.
    receipts: HashMap<RequestKey, R>,
    pub(super) counts: Counts,
}

/// Counts for the status and the final report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Questions that were answered more than once.
    pub(super) asked_twice: u64,
    /// Messages that could not be read or were for another model.
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
    /// Workers that failed it.
    avoid: Vec<String>,
    /// The unit that it travels in.
    unit: Option<u64>,
}

/// A unit to be published.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) unit: Unit,
    /// The prefix of its group, if workers cannot look it up yet.
    pub(super) describe: Option<Arc<str>>,
}

impl<R: Clone> Book<R> {
    /// An empty book for the model with this digest. Units are numbered from `first_id`.
    pub(super) fn new(model: [u8; 32], first_id: u64) -> Self {
        Self {
            model,
            waiting: HashMap::new(),
            queue: Queue::default(),
            units: Units::default(),
            next_id: first_id,
            inherited: Inherited {
                units: HashMap::new(),
                results: HashMap::new(),
                arriving: true,
            },
            receipts: HashMap::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn set_model(&mut self, model: [u8; 32]) {
        self.model = model;
    }

    /// Adds a unit that is in the stream already.
    pub(super) fn adopt(&mut self, unit: &Unit, sequence: u64, now: Instant) {
        let keys = unit.items.iter().map(|item| key(item.key));
        let open = self.inherited.adopt(unit.id, keys);
        self.units.add(unit.id, open, Some(sequence), now);
    }

    /// Notes that all results from before the start are here: one that was not asked for is a
    /// second answer from now on.
    pub(super) fn started(&mut self) {
        self.inherited.arriving = false;
    }

    /// Queues a question of the engine, or answers it at once from an inherited result.
    pub(super) fn ask(&mut self, request: &ScoreRequest) -> oneshot::Receiver<Reply> {
        let (reply, receiver) = oneshot::channel();
        if let Some((outcome, receipt)) = self.inherited.results.remove(&request.key) {
            self.receipts.insert(request.key, receipt);
            let outcome = outcome.into_scores(request.labels.len());
            self.counts.answered += u64::from(outcome.is_ok());
            let _ = reply.send(outcome);
            return receiver;
        }
        let group = self.queue.group(&request.prompt.prefix);
        let unit = self.inherited.units.remove(&request.key);
        if unit.is_none() {
            self.queue.line(Line::Group(group)).push_back(request.key);
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

    /// The next unit, of at most so many questions and about so many bytes.
    pub(super) fn next_unit(
        &mut self,
        most: usize,
        max_bytes: usize,
        now: Instant,
    ) -> Option<Outgoing> {
        let (line, group, avoid) = self.first()?;
        let mut unit = Unit {
            id: self.next_id,
            model: self.model,
            group: self.queue.groups[group].name.clone(),
            labels: Vec::new(),
            items: Vec::new(),
            avoid,
        };
        let mut bytes = 0;
        let mut open = HashSet::new();
        while unit.items.len() < most.max(1) {
            let queue = self.queue.line(line);
            let Some(&next) = queue.front() else { break };
            let Some(waiting) = self.waiting.get_mut(&next) else {
                // Answered while it waited to be asked again.
                queue.pop_front();
                continue;
            };
            let size = waiting.request.prompt.suffix.len() + BYTES_PER_ITEM;
            if (waiting.group, &waiting.avoid) != (group, &unit.avoid)
                || (!unit.items.is_empty() && bytes + size > max_bytes)
            {
                break;
            }
            queue.pop_front();
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
        self.units.add(self.next_id, open, None, now);
        self.next_id += 1;
        let describe = self.queue.describe(group);
        Some(Outgoing { unit, describe })
    }

    /// The first line of the queue, with its group and the workers to avoid.
    fn first(&mut self) -> Option<(Line, usize, Vec<String>)> {
        while let Some((line, key)) = self.queue.first() {
            match (line, self.waiting.get(&key)) {
                (Line::Group(group), _) => return Some((line, group, Vec::new())),
                (Line::Failed, Some(waiting)) => {
                    return Some((line, waiting.group, waiting.avoid.clone()));
                }
                (Line::Failed, None) => self.queue.line(line).pop_front(),
            };
        }
        None
    }

    /// Takes a result. `again` is whether the broker has delivered it before.
    pub(super) fn result(&mut self, result: UnitResult, receipt: &R, again: bool) {
        if result.model != self.model {
            self.counts.malformed += 1;
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
            && let Some(open) = self.units.remove(result.unit)
        {
            self.counts.units += 1;
            self.give_back(result.unit, open);
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
        self.units.close(unit, key);
        let Some(mut waiting) = self.waiting.remove(&key) else {
            let twice = self.inherited.keep(key, outcome, receipt.clone());
            self.counts.asked_twice += u64::from(twice && !again);
            return;
        };
        if let Some(other) = waiting.unit.take().filter(|&other| other != unit) {
            self.units.close(other, key);
        }
        let reply = outcome.into_scores(waiting.request.labels.len());
        waiting.attempts += 1;
        if let Err(error) = &reply
            && error.is_retryable()
            && waiting.attempts < MAX_ATTEMPTS
        {
            waiting.avoid.push(worker.to_owned());
            self.waiting.insert(key, waiting);
            self.queue.line(Line::Failed).push_back(key);
            return;
        }
        self.counts.answered += u64::from(reply.is_ok());
        self.receipts.insert(key, receipt.clone());
        // The receiver is gone if the run has been stopped.
        let _ = waiting.reply.send(reply);
    }

    /// Moves questions that left with a unit to the front of their queues.
    fn give_back(&mut self, id: u64, open: HashSet<RequestKey>) {
        for key in open {
            if self.inherited.units.get(&key) == Some(&id) {
                self.inherited.units.remove(&key);
            } else if let Some(waiting) = self.waiting.get_mut(&key)
                && waiting.unit == Some(id)
            {
                waiting.unit = None;
                self.queue.line(Line::Group(waiting.group)).push_front(key);
            }
        }
    }

    /// Gives a unit up that is not in the stream any more and has no last result.
    pub(super) fn lost(&mut self, id: u64) {
        if let Some(open) = self.units.remove(id) {
            self.counts.lost += u64::from(!open.is_empty());
            self.give_back(id, open);
        }
    }

    /// Whether this question has no answer yet.
    pub(super) fn is_open(&self, key: &RequestKey) -> bool {
        self.waiting.contains_key(key) || self.inherited.awaits(key)
    }

    /// Returns the receipts of answers that are saved.
    pub(super) fn saved(&mut self, keys: impl Iterator<Item = RequestKey>) -> Vec<R> {
        let mut saved: Vec<R> = keys.filter_map(|key| self.receipts.remove(&key)).collect();
        if self.waiting.is_empty() && self.inherited.units.is_empty() {
            // Everything is answered. An earlier coordinator has saved the results that were never
            // asked for; questions from now on must go to the model.
            let results = self.inherited.results.drain();
            saved.extend(results.map(|(_, (_, receipt))| receipt));
        }
        saved
    }

    /// Questions that wait to be published.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }
}

/// The index of these labels in a unit's lists, to which they are added if they are new.
fn labels_in(lists: &mut Vec<Vec<String>>, labels: &[String]) -> u16 {
    let found = lists.iter().position(|list| list == labels);
    let index = found.unwrap_or_else(|| {
        lists.push(labels.to_vec());
        lists.len() - 1
    });
    index as u16
}
