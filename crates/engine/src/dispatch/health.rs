//! Whether an endpoint is there.

use std::time::Duration;

use sureness_scorers::ScoreError;

/// Failures of the kind that an outage makes, without an answer between them, after which an
/// endpoint counts as down. A single broken connection is no outage.
const DOWN_AFTER: usize = 5;
/// The first wait before a probe; it doubles.
const FIRST_PROBE: Duration = Duration::from_millis(250);
/// The longest wait between probes.
const LAST_PROBE: Duration = Duration::from_secs(15);

/// Whether an endpoint is there.
#[derive(Debug, Clone)]
pub(super) enum Health {
    /// It is, but for the failures since the last answer that looked like an outage.
    Up { row: Row },
    /// It is not, and is asked one question at growing intervals.
    Down { probe_at: Duration, wait: Duration },
    /// Every further request would fail in the same way.
    Lost,
}

/// Failures that look like an outage, without an answer between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    count: usize,
    /// Whether one of them left no doubt that nobody was at work.
    sure: bool,
    /// What may have made them fail, if it was the questions: one of each list.
    suspects: Vec<Vec<Asked>>,
}

/// A question, by its group and its number there.
pub(super) type Asked = (u32, u32);

impl Row {
    /// These questions failed together.
    fn add(&mut self, questions: &[Asked], error: &ScoreError) {
        self.count += 1;
        self.sure |= leaves_no_doubt(error);
        // A batch that fails again, or a part of it, is no new suspect but a smaller circle.
        let failed = |question: &Asked| questions.contains(question);
        let mut known = self.suspects.iter_mut();
        if let Some(circle) = known.find(|circle| circle.iter().any(failed)) {
            circle.retain(failed);
        } else if self.suspects.len() < DOWN_AFTER {
            self.suspects.push(questions.to_vec());
        }
    }

    /// A question that makes the server drop the connection does so whenever it is asked, and at
    /// the end of a run nothing else is: that alone says nothing of the server.
    fn is_outage(&self) -> bool {
        self.count >= DOWN_AFTER && (self.sure || self.suspects.len() >= DOWN_AFTER)
    }
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
        Self::Up {
            row: Row::default(),
        }
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

    /// A request for `questions`, sent at `sent`, failed with an error that an outage makes.
    pub(super) fn failed(
        &mut self,
        now: Duration,
        sent: Duration,
        questions: &[Asked],
        error: &ScoreError,
    ) -> Change {
        let retry_after = error.retry_after();
        match self {
            Self::Lost => Change::None,
            Self::Up { row } => {
                row.add(questions, error);
                if !row.is_outage() {
                    return Change::None;
                }
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

/// Whether nobody can be at work: nobody took the connection, or the server says so itself. A
/// connection that breaks, and a gateway that got no answer, may owe to the question.
fn leaves_no_doubt(error: &ScoreError) -> bool {
    matches!(
        error,
        ScoreError::Unreachable {
            connected: false,
            ..
        } | ScoreError::Server { status: 503, .. }
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

    fn unreachable(connected: bool) -> ScoreError {
        ScoreError::Unreachable {
            message: "no".to_owned(),
            connected,
        }
    }

    #[test]
    fn a_few_failures_are_no_outage() {
        let mut health = Health::new();
        for _ in 0..10 {
            for _ in 1..DOWN_AFTER {
                assert_eq!(
                    health.failed(SECOND, SECOND, &[(0, 0)], &unreachable(false)),
                    Change::None
                );
            }
            assert_eq!(health.answered(), Change::None);
        }
        assert!(health.is_up());
    }

    #[test]
    fn a_few_questions_that_break_the_connection_are_no_outage() {
        let mut health = Health::new();
        let mut fail = |question, connected| {
            health.failed(SECOND, SECOND, &[(0, question)], &unreachable(connected))
        };
        for n in 0..100 {
            assert_eq!(fail(n % 4, true), Change::None);
        }
        // Another one is too many, and where nobody takes the connection there is no doubt.
        assert_eq!(fail(4, true), Change::WentDown);
        let mut health = Health::new();
        for connected in [true, true, true, true] {
            health.failed(SECOND, SECOND, &[(0, 0)], &unreachable(connected));
        }
        let change = health.failed(SECOND, SECOND, &[(0, 0)], &unreachable(false));
        assert_eq!(change, Change::WentDown);
    }

    #[test]
    fn halves_of_a_batch_are_no_new_suspects() {
        let mut row = Row::default();
        let part = |range: std::ops::Range<u32>| range.map(|n| (0, n)).collect::<Vec<_>>();
        for failed in [0..8, 0..8, 4..8, 6..8, 6..7, 6..7] {
            row.add(&part(failed), &unreachable(true));
        }
        assert_eq!(row.suspects, [part(6..7)]);
        row.add(&part(7..8), &unreachable(true));
        assert_eq!(row.suspects.len(), 2);
        assert!(!row.is_outage());
    }

    #[test]
    fn probes_come_at_growing_intervals() {
        let mut health = Health::new();
        let changes: Vec<Change> = (0..DOWN_AFTER)
            .map(|_| health.failed(SECOND, SECOND, &[(0, 0)], &unreachable(false)))
            .collect();
        assert_eq!(changes.last(), Some(&Change::WentDown));
        let mut waits = Vec::new();
        for _ in 0..12 {
            let Health::Down { probe_at, .. } = health else {
                panic!()
            };
            // Stragglers of before do not move the probe.
            assert_eq!(
                health.failed(probe_at, SECOND, &[(0, 0)], &unreachable(false)),
                Change::None
            );
            health.failed(probe_at, probe_at, &[(0, 0)], &unreachable(false));
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
