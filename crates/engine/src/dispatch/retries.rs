//! Questions that wait for a retry. A waiting retry holds no worker and no slot.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Job;

/// Retries in the order in which they become due.
#[derive(Debug, Default)]
pub(super) struct Retries {
    /// By due time; the number keeps the order of those due at the same time.
    waiting: BTreeMap<(Duration, u64), Waiting>,
    count: u64,
}

type Waiting = (Job, Option<Blame>);

/// The outage that may have been the cause of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blame {
    pub(super) endpoint: usize,
    /// How many streaks of failures it had before this one: an answer ends a streak.
    pub(super) streak: u64,
}

impl Retries {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, due: Duration, mut job: Job, blamed: Option<Blame>) {
        job.since = due;
        self.count += 1;
        self.waiting.insert((due, self.count), (job, blamed));
    }

    /// When the next one is due, and the endpoint that it should avoid.
    pub(super) fn first(&self) -> Option<(Duration, Option<usize>)> {
        let ((due, _), (job, _)) = self.waiting.first_key_value()?;
        Some((*due, job.avoid))
    }

    /// The next one, due or not.
    pub(super) fn pop(&mut self) -> Option<Job> {
        self.waiting.pop_first().map(|(_, (job, _))| job)
    }

    /// Takes out the jobs that failed because an endpoint was going down.
    pub(super) fn take_blamed(&mut self, blame: Blame) -> impl Iterator<Item = Job> + use<> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (blamed, others): (BTreeMap<_, Waiting>, _) =
            waiting.partition(|(_, (_, blamed))| *blamed == Some(blame));
        self.waiting = others;
        blamed.into_values().map(|(job, _)| job)
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// Each first attempt adds this: retries are at most this share of the requests.
const RETRY_SHARE: f64 = 0.2;
/// The balance without any first attempt.
const RESERVE: f64 = 10.0;
/// How fast the reserve refills, so that the last retries of a run are asked, too.
const REFILL_PER_SECOND: f64 = 2.0;
/// A long good time does not pay for a long bad one: older requests than the last few hundred do
/// not count.
const MAX_BALANCE: f64 = 100.0;

/// Keeps retries from overloading a failing server. When the budget is used up, retries wait; they
/// do not fail. A retry that brings an answer pays its price back: where retries help, they are
/// not the problem.
#[derive(Debug)]
pub(super) struct Budget {
    balance: f64,
    at: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            balance: RESERVE,
            at: Duration::ZERO,
        }
    }
}

impl Budget {
    /// Credits a first attempt.
    pub(super) fn first_attempt(&mut self) {
        self.balance = (self.balance + RETRY_SHARE).min(MAX_BALANCE);
    }

    /// When a retry may be sent: `now`, or later.
    pub(super) fn ready_at(&mut self, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        if self.balance < RESERVE {
            self.balance = (self.balance + passed * REFILL_PER_SECOND).min(RESERVE);
        }
        if self.balance >= 1.0 {
            return now;
        }
        // A little later than exact, or rounding could wake the caller too early.
        now + Duration::from_secs_f64((1.0 - self.balance) / REFILL_PER_SECOND)
            + Duration::from_micros(1)
    }

    /// Charges a retry.
    pub(super) fn spend(&mut self) {
        self.balance -= 1.0;
    }

    /// Credits a retry that brought an answer.
    pub(super) fn pay_back(&mut self) {
        self.balance = (self.balance + 1.0).min(MAX_BALANCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job(n: u32) -> Job {
        Job {
            group: n,
            ..Job::default()
        }
    }

    proptest! {
        #[test]
        fn they_come_when_due(dues in prop::collection::vec(0_u64..50, 0..60)) {
            let mut retries = Retries::default();
            for (n, &due) in dues.iter().enumerate() {
                retries.push(Duration::from_secs(due), job(n as u32), None);
            }
            let mut expected: Vec<(u64, u32)> =
                dues.iter().enumerate().map(|(n, &due)| (due, n as u32)).collect();
            expected.sort_unstable();
            for (due, n) in expected {
                prop_assert_eq!(retries.first(), Some((Duration::from_secs(due), None)));
                prop_assert_eq!(retries.pop().map(|job| job.group), Some(n));
            }
            prop_assert!(retries.pop().is_none());
        }
    }

    #[test]
    fn those_of_an_outage_are_taken_out() {
        let mut retries = Retries::default();
        let blame = |endpoint, streak| Some(Blame { endpoint, streak });
        for (n, blamed) in [
            (0, blame(0, 1)),
            (1, None),
            (2, blame(1, 1)),
            (3, blame(0, 1)),
            (4, blame(0, 0)),
        ] {
            retries.push(Duration::from_secs(1), job(n), blamed);
        }
        let blamed = retries.take_blamed(Blame {
            endpoint: 0,
            streak: 1,
        });
        assert_eq!(blamed.map(|job| job.group).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(retries.len(), 3);
    }

    /// Retries sent in `seconds` against a server of which a share `works`, with so many first
    /// attempts per second, when a retry is always wanted.
    fn retries_sent(seconds: u64, first_per_second: u64, works: f64) -> f64 {
        let mut budget = Budget::default();
        let mut sent = 0.0;
        for second in 0..seconds {
            let now = Duration::from_secs(second);
            for _ in 0..first_per_second {
                budget.first_attempt();
            }
            let mut owed: f64 = 0.0;
            // No more than there is need of: each request fails so often.
            while budget.ready_at(now) == now && owed < first_per_second as f64 * 4.0 {
                budget.spend();
                sent += 1.0;
                owed += 1.0;
                if sent % 10.0 < works * 10.0 {
                    budget.pay_back();
                }
            }
        }
        sent
    }

    #[test]
    fn a_dead_server_sees_few_retries() {
        let sent = retries_sent(100, 100, 0.0);
        assert!(
            (1500.0..=2300.0).contains(&sent),
            "{sent} retries to 10,000 requests"
        );
        let trickle = retries_sent(100, 0, 0.0);
        assert!(
            (0.0..=RESERVE + 100.0 * REFILL_PER_SECOND).contains(&trickle),
            "{trickle}"
        );
    }

    #[test]
    fn a_server_that_answers_most_is_asked_as_needed() {
        assert!(retries_sent(100, 100, 0.9) >= 100.0 * 100.0);
    }

    #[test]
    fn an_empty_budget_says_when_it_is_back() {
        let mut budget = Budget::default();
        let mut now = Duration::from_secs(5);
        while budget.ready_at(now) == now {
            budget.spend();
        }
        now = budget.ready_at(now);
        assert!(now > Duration::from_secs(5) && now <= Duration::from_secs(6));
        assert_eq!(budget.ready_at(now), now);
    }
}
