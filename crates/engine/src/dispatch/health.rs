//! Whether an endpoint is there.

use std::time::Duration;

use sureness_scorers::ScoreError;

/// Failures of the kind that an outage makes, without an answer between them, after which an
/// endpoint counts as down. A single broken connection is no outage.
const DOWN_AFTER: u32 = 5;
/// The first wait before a probe; it doubles.
const FIRST_PROBE: Duration = Duration::from_millis(250);
/// The longest wait between probes.
const LAST_PROBE: Duration = Duration::from_secs(15);

/// Whether an endpoint is there.
#[derive(Debug, Clone)]
pub(super) enum Health {
    /// It is; so many of the last replies in a row looked like an outage.
    Up { streak: u32 },
    /// It is not, and is asked one question at growing intervals.
    Down { probe_at: Duration, wait: Duration },
    /// Every further request would fail in the same way.
    Lost,
}

/// What a reply changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    WentDown,
    CameUp,
}

impl Health {
    pub(super) fn new() -> Self {
        Self::Up { streak: 0 }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. })
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self, Self::Down { .. })
    }

    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }

    /// The server has answered something.
    pub(super) fn answered(&mut self) -> Change {
        let change = if self.is_down() {
            Change::CameUp
        } else {
            Change::None
        };
        if !self.is_lost() {
            *self = Self::new();
        }
        change
    }

    /// A request failed with an error that an outage makes. `sent` is when it was sent.
    pub(super) fn failed(
        &mut self,
        now: Duration,
        sent: Duration,
        retry_after: Option<Duration>,
    ) -> Change {
        match self {
            Self::Lost => Change::None,
            Self::Up { streak } if *streak + 1 < DOWN_AFTER => {
                *streak += 1;
                Change::None
            }
            Self::Up { .. } => {
                let wait = FIRST_PROBE;
                *self = Self::Down {
                    probe_at: now + wait.max(retry_after.unwrap_or_default().min(LAST_PROBE)),
                    wait,
                };
                Change::WentDown
            }
            Self::Down { probe_at, wait } => {
                // Of what was in flight when it went down, nothing new is to be learned.
                if sent >= *probe_at {
                    *wait = (*wait * 2).min(LAST_PROBE);
                    *probe_at = now + (*wait).max(retry_after.unwrap_or_default().min(LAST_PROBE));
                }
                Change::None
            }
        }
    }
}

/// Whether the error looks as if nobody worked there: no connection, or a server or gateway that
/// is up but has nothing behind it (loading a model, restarting).
pub(super) fn looks_like_outage(error: &ScoreError) -> bool {
    matches!(
        error,
        ScoreError::Unreachable { .. }
            | ScoreError::Server {
                status: 502..=504,
                ..
            }
    )
}

/// Whether the error looks as if nobody were there. Once an endpoint is `down`, silence does.
pub(super) fn is_absence(error: &ScoreError, down: bool) -> bool {
    looks_like_outage(error) || (down && matches!(error, ScoreError::TimedOut { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_few_failures_are_no_outage() {
        let mut health = Health::new();
        for _ in 0..10 {
            for _ in 1..DOWN_AFTER {
                assert_eq!(health.failed(SECOND, SECOND, None), Change::None);
            }
            assert_eq!(health.answered(), Change::None);
        }
        assert!(health.is_up());
    }

    #[test]
    fn probes_come_at_growing_intervals() {
        let mut health = Health::new();
        let changes: Vec<Change> = (0..DOWN_AFTER)
            .map(|_| health.failed(SECOND, SECOND, None))
            .collect();
        assert_eq!(changes.last(), Some(&Change::WentDown));
        let mut waits = Vec::new();
        for _ in 0..12 {
            let Health::Down { probe_at, .. } = health else {
                panic!()
            };
            // Stragglers of before do not move the probe.
            assert_eq!(health.failed(probe_at, SECOND, None), Change::None);
            health.failed(probe_at, probe_at, None);
            let Health::Down { probe_at: next, .. } = health else {
                panic!()
            };
            waits.push(next.saturating_sub(probe_at));
        }
        assert!(waits.windows(2).all(|w| w[1] >= w[0]));
        assert_eq!(waits[0], FIRST_PROBE * 2);
        assert_eq!(waits[11], LAST_PROBE);
        assert_eq!(health.answered(), Change::CameUp);
    }
}
