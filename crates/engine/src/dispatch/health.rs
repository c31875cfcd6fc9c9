//! Whether an endpoint is up.

use std::collections::HashSet;
use std::time::Duration;

use sureness_scorers::ScoreError;

/// Failures of the kind that an outage makes, without an answer between them, after which an
/// endpoint counts as down. A single broken connection is no outage.
const DOWN_AFTER: usize = 5;
/// The first wait before a probe; it doubles.
const FIRST_PROBE: Duration = Duration::from_millis(250);
/// The longest wait between probes, and where questions may be the cause: then the next one may bring
/// an answer.
const LAST_PROBE: Duration = Duration::from_secs(15);
const LAST_DOUBTFUL_PROBE: Duration = Duration::from_secs(4);

/// Whether an endpoint is up.
#[derive(Debug, Clone)]
pub(super) enum Health {
    /// With the failures since the last answer that looked like an outage.
    Up { streak: Streak },
    /// Probed with one question at growing intervals.
    Down { probe_at: Duration, wait: Duration },
    /// Every further request would fail in the same way.
    Lost,
}

/// Failures that look like an outage, without an answer between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Streak {
    count: usize,
    /// Whether one of them proves an outage.
    sure: bool,
    /// The questions that may have caused the failures: one of each list.
    suspects: Vec<Vec<Asked>>,
}

/// A question, by its group and its number there.
pub(super) type Asked = (u32, u32);

impl Streak {
    /// Adds questions that failed together.
    fn add(&mut self, questions: &[Asked], error: &ScoreError) {
        self.count += 1;
        self.sure |= proves_outage(error);
        // A batch that fails again, or a part of it, narrows the circle and adds no suspect.
        let failed = |question: &Asked| questions.contains(question);
        let mut known = self.suspects.iter_mut();
        if let Some(circle) = known.find(|circle| circle.iter().any(failed)) {
            circle.retain(failed);
        } else if self.suspects.len() < DOWN_AFTER && !questions.is_empty() {
            self.suspects.push(questions.to_vec());
        }
    }

    /// A question that makes the server drop the connection does so whenever it is asked, and may
    /// be the only one left at the end of a run: that alone does not prove an outage.
    fn is_outage(&self) -> bool {
        self.count >= DOWN_AFTER && (self.sure || self.suspects.len() >= DOWN_AFTER)
    }
}

/// Questions that failed as in an outage before the server answered another one: the fault may be
/// theirs, and when they fail again that proves nothing.
#[derive(Debug, Default)]
pub(super) struct Culprits {
    /// Since the last answer.
    lately: HashSet<Asked>,
    known: HashSet<Asked>,
}

/// Questions to remember: memory must not grow.
const MAX_CULPRITS: usize = 4096;

impl Culprits {
    /// Those of `questions` whose failure is news. All of them where the error proves an outage.
    pub(super) fn suspects(
        &mut self,
        questions: impl Iterator<Item = Asked>,
        error: &ScoreError,
    ) -> Vec<Asked> {
        let mut questions: Vec<_> = questions.collect();
        if !proves_outage(error) {
            questions.retain(|question| !self.known.contains(question));
            if self.lately.len() < MAX_CULPRITS {
                self.lately.extend(&questions);
            }
        }
        questions
    }

    /// Notes that the server has answered something.
    pub(super) fn answered(&mut self) {
        if self.lately.is_empty() {
            return;
        }
        if self.known.len() + self.lately.len() > MAX_CULPRITS {
            self.known.clear();
        }
        self.known.extend(self.lately.drain());
    }
}

/// The effect of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    WentDown,
    CameUp,
}

impl Health {
    pub(super) fn new() -> Self {
        Self::Up {
            streak: Streak::default(),
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

    /// Notes that the server has answered something.
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

    /// Notes that a request for `questions`, sent at `sent`, failed as in an outage.
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
            Self::Up { streak } => {
                streak.add(questions, error);
                if !streak.is_outage() {
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
                // Requests that were in flight when it went down add nothing new.
                if sent >= *probe_at {
                    let longest = if proves_outage(error) {
                        LAST_PROBE
                    } else {
                        LAST_DOUBTFUL_PROBE
                    };
                    *wait = (*wait * 2).min(longest);
                    *probe_at = now + (*wait).max(retry_after.unwrap_or_default().min(LAST_PROBE));
                }
                Change::None
            }
        }
    }
}

/// Whether the error says that nobody is there: no connection, or a gateway that is up but has
/// nothing behind it (loading a model, restarting).
pub(super) fn is_unreachable(error: &ScoreError) -> bool {
    matches!(
        error,
        ScoreError::Unreachable { .. }
            | ScoreError::Server {
                status: 502..=504,
                ..
            }
    )
}

/// Whether the error looks like an outage: a proxy reports one with any status from 500 on.
pub(super) fn looks_like_outage(error: &ScoreError) -> bool {
    is_unreachable(error) || matches!(error, ScoreError::Server { status: 500.., .. })
}

/// Words of proxies that have reached nobody.
const NOBODY: [&str; 4] = [
    "connection refused",
    "failed to connect",
    "cannot connect",
    "no healthy upstream",
];

/// Whether the error proves an outage: the connection was refused, or the server says so itself. The
/// question may be the cause of a connection that breaks, of a gateway that got no answer and of
/// any other failure.
fn proves_outage(error: &ScoreError) -> bool {
    match error {
        ScoreError::Unreachable { connected, .. } => !connected,
        ScoreError::Server { status: 503, .. } => true,
        ScoreError::Server {
            status: 500..,
            message,
            ..
        } => {
            let said = message.to_lowercase();
            NOBODY.iter().any(|words| said.contains(words))
        }
        _ => false,
    }
}

/// Whether the error looks like an outage. Once an endpoint is `down`, a timeout does, too.
pub(super) fn fits_outage(error: &ScoreError, down: bool) -> bool {
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
    fn a_few_failures_do_not_make_an_outage() {
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
    fn a_few_questions_that_break_the_connection_do_not_make_an_outage() {
        let mut health = Health::new();
        let mut fail = |question, connected| {
            health.failed(SECOND, SECOND, &[(0, question)], &unreachable(connected))
        };
        for n in 0..100 {
            assert_eq!(fail(n % 4, true), Change::None);
        }
        // A fifth question is too many, and a refused connection proves the outage.
        assert_eq!(fail(4, true), Change::WentDown);
        let mut health = Health::new();
        for connected in [true, true, true, true] {
            health.failed(SECOND, SECOND, &[(0, 0)], &unreachable(connected));
        }
        let change = health.failed(SECOND, SECOND, &[(0, 0)], &unreachable(false));
        assert_eq!(change, Change::WentDown);
    }

    #[test]
    fn halves_of_a_batch_add_no_suspects() {
        let mut streak = Streak::default();
        let part = |range: std::ops::Range<u32>| range.map(|n| (0, n)).collect::<Vec<_>>();
        for failed in [0..8, 0..8, 4..8, 6..8, 6..7, 6..7] {
            streak.add(&part(failed), &unreachable(true));
        }
        assert_eq!(streak.suspects, [part(6..7)]);
        streak.add(&part(7..8), &unreachable(true));
        assert_eq!(streak.suspects.len(), 2);
        assert!(!streak.is_outage());
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
            // Requests from before do not move the probe.
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
