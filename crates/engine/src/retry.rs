//! Back-off between retries.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Exponential back-off with full jitter: before retry `k` (from 0) a random time between zero and
/// `base · 2^k`, at most `cap`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub max_retries: u32,
    /// Upper end of the first wait.
    pub base: Duration,
    /// The longest back-off; a server's Retry-After may exceed it up to tenfold.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 5,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// How long to wait before retry `retry` (from 0). A server's Retry-After is a lower bound.
    pub fn wait(&self, retry: u32, retry_after: Option<Duration>) -> Duration {
        self.wait_with(retry, retry_after, random_unit())
    }

    fn wait_with(&self, retry: u32, retry_after: Option<Duration>, unit: f64) -> Duration {
        let own = self.ceiling(retry).mul_f64(unit);
        match retry_after {
            // The jitter is added, so that requests with the same Retry-After spread out.
            Some(asked) => asked.min(self.longest()) + own.min(self.base),
            None => own,
        }
    }

    /// The longest back-off before retry `retry` (from 0).
    pub(crate) fn ceiling(&self, retry: u32) -> Duration {
        self.base
            .checked_mul(1_u32.checked_shl(retry.min(31)).unwrap_or(u32::MAX))
            .map_or(self.cap, |d| d.min(self.cap))
    }

    /// The longest wait that a server may ask for.
    pub(crate) fn longest(&self) -> Duration {
        self.cap.saturating_mul(10)
    }
}

/// A number in 0..1, good enough to spread retries; the standard library seeds each hasher.
fn random_unit() -> f64 {
    (RandomState::new().hash_one(0_u8) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_stay_within_bounds(retry in 0_u32..60, unit in 0.0..1.0_f64, told in prop::option::of(0_u64..100_000)) {
            let policy = RetryPolicy::default();
            let told = told.map(Duration::from_secs);
            let wait = policy.wait_with(retry, told, unit);
            match told {
                None => {
                    prop_assert!(wait <= policy.cap);
                    prop_assert!(wait <= policy.base.mul_f64(f64::from(retry).exp2()));
                }
                Some(told) => {
                    let told = told.min(policy.cap * 10);
                    prop_assert!(wait >= told && wait <= told + policy.base);
                }
            }
        }
    }

    #[test]
    fn jitter_varies() {
        let policy = RetryPolicy::default();
        let waits: std::collections::HashSet<_> = (0..20).map(|_| policy.wait(3, None)).collect();
        assert!(waits.len() > 15);
    }
}
