//! The questions that wait to be sent: fresh ones, those that came back unasked, and retries.

use std::collections::VecDeque;
use std::time::Duration;

use super::retries::{Blame, Budget, Retries};
use super::{Job, Wake};
use crate::lookup::{Open, Pending};

/// Retries that may wait. Beyond that no fresh question is sent: memory must not grow.
const MAX_WAITING: usize = 4096;

#[derive(Debug)]
pub(super) struct Work {
    queue: Queue,
    /// Ready now, after an outage or a split.
    pub(super) returned: VecDeque<Job>,
    pub(super) retries: Retries,
    budget: Budget,
    /// Whether the next probe asks a fresh question.
    probe_fresh: bool,
    /// Since when the head of the queue could be sent, but for a free slot.
    head_since: Duration,
}

impl Work {
    /// See [`Queue::new`].
    pub(super) fn new(open: Vec<Vec<Pending>>, warms: impl Iterator<Item = bool>) -> Self {
        Self {
            queue: Queue::new(open, warms),
            returned: VecDeque::new(),
            retries: Retries::default(),
            budget: Budget::default(),
            probe_fresh: false,
            head_since: Duration::ZERO,
        }
    }

    /// See [`Dispatch::keep_draws_together`](super::Dispatch::keep_draws_together).
    pub(super) fn keep_draws_together(&mut self, draws: usize) {
        self.queue.keep_draws_together(draws);
    }

    /// Adds fresh questions to a group.
    pub(super) fn add(&mut self, group: u32, items: Vec<Pending>, now: Duration) {
        if self.queue.is_empty() {
            self.head_since = now;
        }
        self.queue.add(group, items);
    }

    /// How many questions wait.
    pub(super) fn len(&self) -> usize {
        let returned: usize = self.returned.iter().map(|job| job.items.len()).sum();
        self.queue.len() + returned + self.retries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.returned.is_empty() && self.retries.len() == 0
    }

    /// The next job of up to `size` questions for an endpoint. If there are `others`, it gets no
    /// job that it has just failed.
    pub(super) fn take(
        &mut self,
        endpoint: usize,
        size: usize,
        others: bool,
        now: Duration,
        wake: &mut Wake,
    ) -> Option<Job> {
        let shuns = |avoid| avoid == Some(endpoint) && others;
        if let Some(job) = self.returned.front()
            && !shuns(job.avoid)
        {
            return self.returned.pop_front();
        }
        if let Some((due, avoid)) = self.retries.first() {
            if due > now {
                wake.at(due);
            } else if !shuns(avoid) {
                let affordable = self.budget.ready_at(now);
                if affordable <= now {
                    self.budget.spend();
                    return self.retries.pop().map(|job| Job { retry: true, ..job });
                }
                wake.at(affordable);
            }
        }
        self.take_fresh(endpoint, size, now)
    }

    fn take_fresh(&mut self, endpoint: usize, size: usize, now: Duration) -> Option<Job> {
        if self.retries.len() >= MAX_WAITING {
            return None;
        }
        let mut job = self.queue.take(endpoint, size)?;
        self.budget.first_attempt();
        job.since = std::mem::replace(&mut self.head_since, now);
        Some(job)
    }

    /// One question for a probe: by turns one that has failed and a fresh one, since those that failed
    /// may be the cause. If all others are in flight, one that waits for its retry.
    pub(super) fn take_one(
        &mut self,
        endpoint: usize,
        size: usize,
        others: bool,
        now: Duration,
        wake: &mut Wake,
    ) -> Option<Job> {
        let fresh = self.probe_fresh;
        self.probe_fresh = !fresh;
        let job = fresh
            .then(|| self.take_fresh(endpoint, size, now))
            .flatten();
        let job = job.or_else(|| self.take(endpoint, size, others, now, wake));
        let mut job = job.or_else(|| self.retries.pop())?;
        if job.items.len() > 1 {
            let items = job.items.split_off(1);
            self.returned.push_front(Job {
                items,
                warms: false,
                ..job
            });
        }
        Some(job)
    }

    /// Notes that a job is back from an endpoint.
    pub(super) fn finished(&mut self, job: &Job, endpoint: usize, answered: bool) {
        self.queue
            .finished(job.group, endpoint, answered, job.warms);
        if job.retry && answered {
            self.budget.pay_back();
        }
    }

    /// Notes that an endpoint went down. Its first failures looked like any other and were charged
    /// as retries: they are given back.
    pub(super) fn went_down(&mut self, blame: Blame, now: Duration) {
        self.queue.went_down(blame.endpoint);
        for job in self.retries.take_blamed(blame) {
            self.returned.push_back(Job {
                attempt: job.attempt.saturating_sub(1),
                since: now,
                ..job
            });
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.returned.clear();
        self.retries.clear();
    }
}

/// After so many failures in a row the rest follows unwarmed: the failures may have nothing to do
/// with the prefix, and one question at a time would take for ever.
const MAX_WARMING_FAILURES: u8 = 3;

/// The questions that were never sent, handed out so that a server's prefix cache is used.
///
/// One question of each group goes ahead alone, so that the server computes the shared prefix
/// once. The rest of the group follows its answer. Meanwhile free slots start on the next group,
/// so groups overlap only when there is nothing else to do. Every endpoint has a cache of its
/// own and is warmed for itself.
#[derive(Debug)]
pub(super) struct Queue {
    groups: Vec<GroupQueue>,
    /// No group before this one has questions left.
    first: usize,
    left: usize,
    /// How a group begins, by endpoint.
    begins: Vec<Warmth>,
    /// Answers that are drawn for each question; 1 where there is one answer.
    draws: usize,
}

#[derive(Debug)]
struct GroupQueue {
    pending: VecDeque<Pending>,
    /// By endpoint.
    warmth: Vec<Warmth>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Warmth {
    Cold { failures: u8 },
    Warming { failures: u8 },
    Warm,
}

impl Queue {
    /// `open[g]` are the open questions of group `g`, in order; `warms` is whether each endpoint
    /// has a prefix cache to be warmed.
    pub(super) fn new(open: Vec<Vec<Pending>>, warms: impl Iterator<Item = bool>) -> Self {
        let begin = |warms| {
            if warms {
                Warmth::Cold { failures: 0 }
            } else {
                Warmth::Warm
            }
        };
        let mut queue = Self {
            left: 0,
            groups: Vec::with_capacity(open.len()),
            first: 0,
            begins: warms.map(begin).collect(),
            draws: 1,
        };
        for (group, items) in (0..).zip(open) {
            queue.add(group, items);
        }
        queue
    }

    /// Lets no batch hold answers to two questions, of which each takes so many.
    pub(super) fn keep_draws_together(&mut self, draws: usize) {
        self.draws = draws.max(1);
    }

    /// Adds questions behind those that `group` has already.
    pub(super) fn add(&mut self, group: u32, items: Vec<Pending>) {
        let group = group as usize;
        while self.groups.len() <= group {
            self.groups.push(GroupQueue {
                pending: VecDeque::new(),
                warmth: self.begins.clone(),
            });
        }
        self.left += items.len();
        let pending = &mut self.groups[group].pending;
        if pending.is_empty() {
            // Takes the list as it is: there may be a million.
            *pending = items.into();
        } else {
            pending.extend(items);
        }
        self.first = self.first.min(group);
    }

    /// How many questions were never sent.
    pub(super) fn len(&self) -> usize {
        self.left
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The next batch of up to `size` questions for this endpoint; `None` if none are left, or none
    /// may be sent before a prefix is warm.
    pub(super) fn take(&mut self, endpoint: usize, size: usize) -> Option<Job> {
        while self.groups.get(self.first)?.pending.is_empty() {
            // Frees the group's list.
            self.groups[self.first].pending = VecDeque::new();
            self.first += 1;
        }
        for (index, group) in self.groups.iter_mut().enumerate().skip(self.first) {
            if group.pending.is_empty() {
                continue;
            }
            let (count, warms) = match group.warmth[endpoint] {
                Warmth::Warming { .. } => continue,
                Warmth::Cold { failures } => {
                    group.warmth[endpoint] = Warmth::Warming { failures };
                    (1, true)
                }
                Warmth::Warm => (size.max(1), false),
            };
            let question = |pending: &Pending| pending.question as usize / self.draws;
            let count = match group.pending.front().map(question) {
                Some(first) if self.draws > 1 => {
                    let mut same = group.pending.iter().take(count);
                    same.position(|pending| question(pending) != first)
                        .unwrap_or(count)
                }
                _ => count,
            };
            let count = count.min(group.pending.len());
            let items: Vec<Open> = group.pending.drain(..count).map(Open::from).collect();
            self.left -= items.len();
            return Some(Job {
                group: index as u32,
                items,
                warms,
                ..Job::default()
            });
        }
        None
    }

    /// Notes that questions of `group` are back from the endpoint.
    pub(super) fn finished(&mut self, group: u32, endpoint: usize, answered: bool, warmed: bool) {
        let warmth = &mut self.groups[group as usize].warmth[endpoint];
        if answered {
            *warmth = Warmth::Warm;
        } else if warmed && let Warmth::Warming { failures } = *warmth {
            *warmth = if failures + 1 >= MAX_WARMING_FAILURES {
                Warmth::Warm
            } else {
                Warmth::Cold {
                    failures: failures + 1,
                }
            };
        }
    }

    /// Notes that the endpoint is down: when it comes back, its cache may be empty.
    pub(super) fn went_down(&mut self, endpoint: usize) {
        for group in &mut self.groups {
            group.warmth[endpoint] = self.begins[endpoint];
        }
    }

    /// Drops everything that was not handed out.
    pub(super) fn clear(&mut self) {
        self.first = self.groups.len();
        self.left = 0;
        for group in &mut self.groups {
            group.pending = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open(sizes: &[usize]) -> Vec<Vec<Pending>> {
        let question = |n: usize| Pending {
            question: n as u32,
            bytes: 1,
        };
        sizes
            .iter()
            .map(|&n| (0..n).map(question).collect())
            .collect()
    }

    /// Group and question numbers of the next batch.
    fn next(queue: &mut Queue, endpoint: usize, size: usize) -> Option<(u32, Vec<u32>)> {
        queue.take(endpoint, size).map(|taken| {
            (
                taken.group,
                taken.items.iter().map(|open| open.question).collect(),
            )
        })
    }

    #[test]
    fn one_goes_ahead_then_the_rest() {
        let mut queue = Queue::new(open(&[4, 2]), [true].into_iter());
        assert_eq!(next(&mut queue, 0, 2), Some((0, vec![0])));
        // The first group is warming: the second one's forerunner is next, then there is nothing.
        assert_eq!(next(&mut queue, 0, 2), Some((1, vec![0])));
        assert_eq!(next(&mut queue, 0, 2), None);
        queue.finished(0, 0, true, true);
        assert_eq!(next(&mut queue, 0, 2), Some((0, vec![1, 2])));
        assert_eq!(next(&mut queue, 0, 2), Some((0, vec![3])));
        assert!(!queue.is_empty());
        queue.finished(1, 0, true, true);
        assert_eq!(next(&mut queue, 0, 2), Some((1, vec![1])));
        assert!(queue.is_empty());
    }

    #[test]
    fn each_endpoint_is_warmed_for_itself() {
        let mut queue = Queue::new(open(&[9]), [true; 2].into_iter());
        assert_eq!(next(&mut queue, 0, 4), Some((0, vec![0])));
        assert_eq!(next(&mut queue, 1, 4), Some((0, vec![1])));
        queue.finished(0, 1, true, true);
        assert_eq!(next(&mut queue, 1, 4), Some((0, vec![2, 3, 4, 5])));
        assert_eq!(next(&mut queue, 0, 4), None);
        queue.went_down(1);
        assert_eq!(next(&mut queue, 1, 4), Some((0, vec![6])));
    }

    #[test]
    fn failures_do_not_hold_the_group_up() {
        let mut queue = Queue::new(open(&[9]), [true].into_iter());
        for n in 0..u32::from(MAX_WARMING_FAILURES) {
            assert_eq!(next(&mut queue, 0, 4), Some((0, vec![n])));
            assert_eq!(next(&mut queue, 0, 4), None);
            queue.finished(0, 0, false, true);
        }
        assert_eq!(next(&mut queue, 0, 4), Some((0, vec![3, 4, 5, 6])));
    }

    #[test]
    fn questions_may_come_later() {
        let mut queue = Queue::new(Vec::new(), [false].into_iter());
        assert_eq!(next(&mut queue, 0, 4), None);
        queue.add(1, open(&[3]).remove(0));
        // No cache to warm: nobody goes ahead.
        assert_eq!(next(&mut queue, 0, 2), Some((1, vec![0, 1])));
        queue.add(0, open(&[1]).remove(0));
        assert_eq!(queue.len(), 2);
        assert_eq!(next(&mut queue, 0, 2), Some((0, vec![0])));
        assert_eq!(next(&mut queue, 0, 2), Some((1, vec![2])));
        assert!(queue.is_empty());
    }

    proptest! {
        #[test]
        fn everything_is_handed_out_once(
            sizes in prop::collection::vec(0_usize..30, 0..6), batch in 1_usize..9,
            endpoints in 1_usize..3, fails in prop::collection::vec(any::<bool>(), 1..20),
        ) {
            let mut queue = Queue::new(open(&sizes), (0..endpoints).map(|_| true));
            let (mut seen, mut out) = (std::collections::HashSet::new(), Vec::new());
            for step in 0.. {
                let endpoint = step % endpoints;
                if let Some(taken) = queue.take(endpoint, batch) {
                    for item in &taken.items {
                        prop_assert!(seen.insert((taken.group, item.question)));
                    }
                    out.push((endpoint, taken));
                } else if out.is_empty() {
                    break;
                } else {
                    let (endpoint, taken) = out.remove(0);
                    queue.finished(taken.group, endpoint, fails[step % fails.len()], taken.warms);
                }
            }
            prop_assert!(queue.is_empty());
            prop_assert_eq!(seen.len(), sizes.iter().sum::<usize>());
        }
    }
}
