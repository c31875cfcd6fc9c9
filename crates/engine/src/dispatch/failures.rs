//! Failed questions: retried, given back, split or given up.

use sureness_scorers::ScoreError;

use super::health::{fits_outage, looks_like_outage};
use super::{Dispatch, Job};
use crate::Event;
use crate::lookup::Open;

/// Whether the same question may succeed next time. A fatal error may have been a slip, as long as
/// the endpoint has not been given up for it.
fn may_pass(error: &ScoreError) -> bool {
    error.is_retryable() || error.is_fatal()
}

impl Dispatch {
    /// Retries, gives back or gives up, question by question. `count` questions were asked.
    pub(super) fn handle_failures(
        &mut self,
        endpoint: usize,
        job: &Job,
        failures: Vec<(Open, ScoreError)>,
        count: usize,
    ) {
        let stopped = self.stop.is_some();
        let health = &self.endpoints[endpoint].health;
        let (gone, lost) = (!health.is_up(), health.is_lost());
        let retries_left = job.attempt < self.settings.retry.max_retries;
        let alike = failures.len() == count;
        if !stopped && !gone && alike && self.may_hide_a_culprit(job, &failures) {
            self.split(endpoint, job, failures);
            return;
        }
        let mut back = Vec::new();
        let mut again: (Vec<Open>, Option<ScoreError>) = (Vec::new(), None);
        for (open, error) in failures {
            let malformed = lost && matches!(error, ScoreError::Malformed { .. });
            let barred = lost && self.waits_too_long(&error);
            let not_its_fault =
                gone && (fits_outage(&error, true) || error.is_fatal() || malformed || barred);
            if not_its_fault && !stopped {
                back.push(open);
            } else if may_pass(&error) && stopped {
                // Left open: the next run asks it.
            } else if may_pass(&error) && retries_left {
                again.0.push(open);
                let longest = again.1.as_ref().and_then(ScoreError::retry_after);
                if again.1.is_none() || error.retry_after() > longest {
                    again.1 = Some(error);
                }
            } else {
                self.complete(job.group, open, Err(error));
            }
        }
        if !back.is_empty() {
            self.work.returned.push_back(Job {
                avoid: job.avoid,
                ..job.part(back, self.now)
            });
        }
        if let (items, Some(error)) = again {
            let attempt = job.attempt + 1;
            let job = job.part(items, self.now);
            self.retry(endpoint, Job { attempt, ..job }, &error);
        }
    }

    /// Whether one question may have made the whole batch fail.
    fn may_hide_a_culprit(&self, job: &Job, failures: &[(Open, ScoreError)]) -> bool {
        let [(_, first), rest @ ..] = failures else {
            return false;
        };
        if rest.is_empty() || rest.iter().any(|(_, error)| error.kind() != first.kind()) {
            return false;
        }
        match first {
            ScoreError::Rejected { .. }
            | ScoreError::Filtered { .. }
            | ScoreError::ContextTooLong { .. }
            | ScoreError::Malformed { .. }
            | ScoreError::Backend { .. } => true,
            // These may pass: the batch gets a second chance as it is. A question that makes the
            // server drop the connection looks like an outage, but for the server being there.
            ScoreError::Server { .. }
            | ScoreError::TimedOut { .. }
            | ScoreError::Unreachable { .. } => {
                job.attempt > 0 || self.settings.retry.max_retries == 0
            }
            _ => false,
        }
    }

    /// Halves a batch until the culprit is alone. Splitting uses up no retries, or the other
    /// questions would fail with the culprit.
    fn split(&mut self, endpoint: usize, job: &Job, failures: Vec<(Open, ScoreError)>) {
        let half = failures.len().div_ceil(2);
        let (mut items, mut errors): (Vec<Open>, Vec<ScoreError>) = failures.into_iter().unzip();
        let second = items.split_off(half);
        let Some(error) = errors.pop() else { return };
        for items in [items, second] {
            let half = job.part(items, self.now);
            if error.is_retryable() {
                self.retry(endpoint, half, &error);
            } else {
                self.work.returned.push_back(half);
            }
        }
    }

    fn retry(&mut self, endpoint: usize, job: Job, error: &ScoreError) {
        let policy = &self.settings.retry;
        let wait = policy.wait(job.attempt.saturating_sub(1), error.retry_after());
        if error.retry_after().is_some() {
            self.announce_wait(endpoint, wait, &error.to_string());
        }
        self.events.push(Event::Retrying {
            group: job.group as usize,
            questions: job.items.iter().map(|open| open.question).collect(),
            wait,
            error: error.clone(),
        });
        let blamed = looks_like_outage(error).then(|| self.endpoints[endpoint].blame(endpoint));
        let job = Job {
            avoid: Some(endpoint),
            ..job
        };
        self.work.retries.push(self.now + wait, job, blamed);
    }
}
