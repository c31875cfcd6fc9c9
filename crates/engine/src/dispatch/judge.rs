//! Judging from its replies whether an endpoint is up.

use std::time::Duration;

use sureness_scorers::ScoreError;

use super::health::{Change, fits_outage};
use super::{Dispatch, Job, Ticket};
use crate::lookup::Open;
use crate::{Event, Stop};

/// Shorter waits are told to nobody: limits per minute make many.
const NOTABLE_WAIT: Duration = Duration::from_secs(60);
/// Waits that end within so much of each other are one.
const SAME_WAIT: Duration = Duration::from_secs(5);

impl Dispatch {
    /// Updates the endpoint's health from a reply, and notes an outage that begins or ends.
    pub(super) fn judge_endpoint(
        &mut self,
        ticket: &Ticket,
        job: &Job,
        answered: bool,
        failures: &[(Open, ScoreError)],
    ) {
        let (index, sent) = (ticket.endpoint, ticket.sent);
        if self.endpoints[index].relays {
            // The worker behind it has judged its own servers already.
            return;
        }
        if !answered && let Some(error) = self.fatal_error(index, job, failures, sent) {
            self.lose(index, error);
            return;
        }
        let endpoint = &mut self.endpoints[index];
        let blame = endpoint.blame(index);
        let down = endpoint.health.is_down();
        let outage = failures
            .iter()
            .map(|(_, error)| error)
            .find(|error| fits_outage(error, down))
            .filter(|_| !answered);
        let change = match outage {
            Some(error) => {
                let questions = failures.iter().map(|(open, _)| (job.group, open.question));
                let suspects = endpoint.culprits.suspects(questions, error);
                endpoint.health.failed(self.now, sent, &suspects, error)
            }
            // Any other reply shows that the server is up, even if it is an error; a timeout shows
            // nothing.
            None if !answered && failures.iter().all(|(_, e)| fits_outage(e, true)) => Change::None,
            None => {
                endpoint.culprits.answered();
                endpoint.health.answered()
            }
        };
        match (change, outage) {
            (Change::WentDown, Some(error)) => {
                endpoint.tally.outages += 1;
                self.work.went_down(blame, self.now);
                self.events.push(Event::EndpointDown {
                    endpoint: index,
                    error: error.clone(),
                    for_good: false,
                });
                self.note_outage(error);
            }
            (Change::CameUp, _) => {
                self.events.push(Event::EndpointUp { endpoint: index });
                if let Some((since, _)) = self.outage.take() {
                    let after = self.now.saturating_sub(since);
                    self.events.push(Event::Resumed { after });
                }
            }
            _ => {}
        }
    }

    /// The reason to give the endpoint up, if there is one: it asks to wait longer than the run may, it
    /// refuses everything, or its answers cannot be understood.
    fn fatal_error(
        &mut self,
        index: usize,
        job: &Job,
        failures: &[(Open, ScoreError)],
        sent: Duration,
    ) -> Option<ScoreError> {
        // Cached answers count as answered.
        let kept = self.groups.iter().any(|group| group.summary.cached > 0);
        let mut errors = failures.iter().map(|(_, error)| error);
        if let Some(error) = errors.clone().find(|error| self.waits_too_long(error)) {
            return Some(error.clone());
        }
        let endpoint = &mut self.endpoints[index];
        if let Some(refusal) = errors.clone().find(|error| error.is_fatal()) {
            return endpoint
                .fatal(refusal, sent, self.now)
                .then(|| refusal.clone());
        }
        let ScoreError::Malformed { message } = errors.next()? else {
            return None;
        };
        if !errors.all(|error| matches!(error, ScoreError::Malformed { .. })) {
            return None;
        }
        let count = endpoint.malformed(kept, job.attempt == 0, self.now)?;
        Some(ScoreError::Malformed {
            message: format!("{count} in a row without a good one, the last: {message}"),
        })
    }

    /// Whether the server asks to wait longer than the run may.
    pub(super) fn waits_too_long(&self, error: &ScoreError) -> bool {
        let asked = error.retry_after();
        asked.is_some_and(|asked| asked > self.settings.give_up_after)
    }

    /// Announces a wait that a server asks for, unless it is short or known.
    pub(super) fn announce_wait(&mut self, endpoint: usize, wait: Duration, reason: &str) {
        let until = self.now + wait;
        let announced = &mut self.endpoints[endpoint].wait_announced;
        if wait < NOTABLE_WAIT || until <= *announced + SAME_WAIT {
            return;
        }
        *announced = until;
        self.events.push(Event::Throttled {
            endpoint,
            wait,
            reason: reason.to_owned(),
        });
    }

    /// Sends nothing to the endpoint any more, and ends the run if it was the last one.
    fn lose(&mut self, index: usize, error: ScoreError) {
        let endpoint = &mut self.endpoints[index];
        if endpoint.health.is_lost() {
            return;
        }
        endpoint.lose(&error);
        self.events.push(Event::EndpointDown {
            endpoint: index,
            error: error.clone(),
            for_good: true,
        });
        if self.endpoints.iter().all(|e| e.health.is_lost()) {
            self.stop(Stop::Fatal(error));
        } else {
            self.note_outage(&error);
        }
    }

    /// Begins an outage if no endpoint is up but some may come back.
    fn note_outage(&mut self, error: &ScoreError) {
        let up = self.endpoints.iter().any(|e| e.health.is_up());
        if !up && self.outage.is_none() && self.stop.is_none() {
            self.outage = Some((self.now, error.clone()));
            self.events.push(Event::Outage {
                error: error.clone(),
                give_up_after: self.settings.give_up_after,
            });
        }
    }
}
