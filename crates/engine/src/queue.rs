//! Hands out batches so that a server's prefix cache is used.
//!
//! Of each group one question goes ahead alone: it makes the server compute the shared prefix
//! once. The rest of the group follows when that one is back. Meanwhile free workers start on the
//! next group, so groups overlap only as far as there is nothing else to do.

use std::sync::Mutex;

use tokio::sync::Notify;

use crate::ItemId;

/// Pending questions of one group.
#[derive(Debug)]
struct GroupQueue {
    pending: std::vec::IntoIter<u32>,
    warmth: Warmth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Warmth {
    Cold,
    Warming,
    Warm,
}

/// The questions still to be asked.
#[derive(Debug)]
pub(crate) struct Queue {
    groups: Mutex<Vec<GroupQueue>>,
    /// Wakes those who wait for a group to become warm.
    changed: Notify,
}

/// Some questions of one group. To be given back to [`Queue::done`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) items: Vec<ItemId>,
    warms: Option<usize>,
}

enum Next {
    Batch(Batch),
    Wait,
    Empty,
}

impl Queue {
    /// `pending[g]` are the open questions of group `g`, in order.
    pub(crate) fn new(pending: Vec<Vec<u32>>) -> Self {
        let groups = pending
            .into_iter()
            .map(|items| GroupQueue {
                pending: items.into_iter(),
                warmth: Warmth::Cold,
            })
            .collect();
        Self {
            groups: Mutex::new(groups),
            changed: Notify::new(),
        }
    }

    /// The next batch of up to `size` questions; `None` when all have been handed out.
    pub(crate) async fn take(&self, size: usize) -> Option<Batch> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that a change between looking and waiting counts.
            changed.as_mut().enable();
            match self.next(size) {
                Next::Batch(batch) => return Some(batch),
                Next::Empty => return None,
                Next::Wait => changed.await,
            }
        }
    }

    fn next(&self, size: usize) -> Next {
        let mut groups = lock(&self.groups);
        let mut waiting = false;
        for (index, group) in groups.iter_mut().enumerate() {
            if group.pending.len() == 0 {
                continue;
            }
            let count = match group.warmth {
                Warmth::Warming => {
                    waiting = true;
                    continue;
                }
                Warmth::Cold => 1,
                Warmth::Warm => size.max(1),
            };
            let warms = (group.warmth == Warmth::Cold).then_some(index);
            if warms.is_some() {
                group.warmth = Warmth::Warming;
            }
            let items = group
                .pending
                .by_ref()
                .take(count)
                .map(|question| ItemId {
                    group: index as u32,
                    question,
                })
                .collect();
            return Next::Batch(Batch { items, warms });
        }
        if waiting { Next::Wait } else { Next::Empty }
    }

    /// Tells that a batch has been dealt with, whatever came of it.
    pub(crate) fn done(&self, batch: &Batch) {
        if let Some(group) = batch.warms {
            lock(&self.groups)[group].warmth = Warmth::Warm;
            self.changed.notify_waiters();
        }
    }

    /// Drops everything that has not been handed out.
    pub(crate) fn clear(&self) {
        for group in lock(&self.groups).iter_mut() {
            group.pending = Vec::new().into_iter();
        }
        self.changed.notify_waiters();
    }
}

/// A panic elsewhere must not take the queue down with it: its data is valid at every step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn poll(queue: &Queue, size: usize) -> Next {
        queue.next(size)
    }

    #[test]
    fn one_goes_ahead_then_the_rest() {
        let queue = Queue::new(vec![vec![0, 1, 2, 3], vec![7, 8]]);
        let Next::Batch(first) = poll(&queue, 2) else {
            panic!()
        };
        assert_eq!(
            first.items,
            [ItemId {
                group: 0,
                question: 0
            }]
        );
        // The first group is warming: the second one's forerunner is next, then there is nothing.
        let Next::Batch(second) = poll(&queue, 2) else {
            panic!()
        };
        assert_eq!(
            second.items,
            [ItemId {
                group: 1,
                question: 7
            }]
        );
        assert!(matches!(poll(&queue, 2), Next::Wait));
        queue.done(&first);
        let Next::Batch(third) = poll(&queue, 2) else {
            panic!()
        };
        assert_eq!(
            third.items.iter().map(|i| i.question).collect::<Vec<_>>(),
            [1, 2]
        );
    }

    proptest! {
        #[test]
        fn everything_is_handed_out_once(
            sizes in prop::collection::vec(0_usize..30, 0..6), batch in 1_usize..9,
        ) {
            let queue = Queue::new(sizes.iter().map(|&n| (0..n as u32).collect()).collect());
            let mut seen = std::collections::HashSet::new();
            let mut open = Vec::new();
            loop {
                match poll(&queue, batch) {
                    Next::Batch(b) => {
                        for item in &b.items {
                            prop_assert!(seen.insert(*item));
                        }
                        open.push(b);
                    }
                    Next::Wait => queue.done(&open.remove(0)),
                    Next::Empty => break,
                }
            }
            prop_assert_eq!(seen.len(), sizes.iter().sum::<usize>());
        }
    }
}
