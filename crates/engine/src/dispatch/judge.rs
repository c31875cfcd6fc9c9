//! Whether endpoints are there, judged by what comes back from them.

use std::time::Duration;

use sureness_scorers::ScoreError;

use super::health::{Change, is_absence};
use super::{Dispatch, Events, Job, Ticket};
use crate::lookup::Open;
use crate::{Event, Stop};

impl Dispatch {
    /// Whether the endpoint is still there, or there again.
    pub(super) fn judge_endpoint(
        &mut self,
        ticket: &Ticket,
        job: &Job,
        answered: bool,
        failures: &[(Open, ScoreError)],
        now: Duration,
        events: &mut Events,
    ) {
        let (index, sent) = (ticket.endpoint, ticket.sent);
        if self.endpoints[index].relays {
            // What failed is another's failure, who has judged it already.
            return;
        }
        let useless = (!answered)
            .then(|| self.useless(index, job, failures, sent, now))
            .flatten();
        if let Some(error) = useless {
            self.lose(index, error, now, events);
            return;
        }
        let endpoint = &mut self.endpoints[index];
        let blame = endpoint.blame(index);
        let down = endpoint.health.is_down();
        let outage = failures
            .iter()
            .map(|(_, error)| error)
            .find(|error| is_absence(error, down))
            .filter(|_| !answered);
        let change = match outage {
            Some(error) => {
                let questions = failures.iter().map(|(open, _)| (job.group, open.question));
                let questions: Vec<_> = questions.collect();
                endpoint.health.failed(now, sent, &questions, error)
            }
            // Any other reply shows that somebody is there, even if it is an error; silence
            // shows nothing.
            None if !answered && failures.iter().all(|(_, e)| is_absence(e, true)) => Change::None,
            None => endpoint.health.answered(),
        };
        match (change, outage) {
            (Change::WentDown, Some(error)) => {
                endpoint.tally.outages += 1;
                self.queue.chill(index);
                // The first failures looked like any other and were charged as retries.
                for mut job in self.retries.take_blamed(blame) {
                    job.attempt = job.attempt.saturating_sub(1);
                    job.since = now;
                    self.returned.push_back(job);
                }
                events.push(Event::EndpointDown {
                    endpoint: index,
                    error: error.clone(),
                    for_good: false,
                });
                self.note_outage(error, now, events);
            }
            (Change::CameUp, _) => {
                events.push(Event::EndpointUp { endpoint: index });
                if let Some((since, _)) = self.outage.take() {
                    let after = now.saturating_sub(since);
                    events.push(Event::Resumed { after });
                }
            }
            _ => {}
        }
    }

    /// Why nothing good is to be expected of the endpoint any more, if so: it refuses everything,
    /// or nobody understands what it says.
    fn useless(
        &mut self,
        index: usize,
        job: &Job,
        failures: &[(Open, ScoreError)],
        sent: Duration,
        now: Duration,
    ) -> Option<ScoreError> {
        // What the file holds from an earlier run was answered, too.
        let kept = self.groups.iter().any(|group| group.summary.cached > 0);
        let endpoint = &mut self.endpoints[index];
        let mut errors = failures.iter().map(|(_, error)| error);
        if let Some(refusal) = errors.clone().find(|error| error.is_fatal()) {
            return endpoint
                .refused(refusal, sent, now)
                .then(|| refusal.clone());
        }
        let ScoreError::Malformed { message } = errors.next()? else {
            return None;
        };
        if !errors.all(|error| matches!(error, ScoreError::Malformed { .. })) {
            return None;
        }
        let row = endpoint.babbled(kept, job.attempt == 0, now)?;
        Some(ScoreError::Malformed {
            message: format!("{row} in a row and no good one between them, the last: {message}"),
        })
    }

    /// Sends nothing to the endpoint any more, and ends the run if it was the last one.
    fn lose(&mut self, index: usize, error: ScoreError, now: Duration, events: &mut Events) {
        let endpoint = &mut self.endpoints[index];
        if endpoint.health.is_lost() {
            return;
        }
        endpoint.lose(&error);
        events.push(Event::EndpointDown {
            endpoint: index,
            error: error.clone(),
            for_good: true,
        });
        if self.endpoints.iter().all(|e| e.health.is_lost()) {
            self.stop(Stop::Fatal(error));
        } else {
            self.note_outage(&error, now, events);
        }
    }

    /// Begins an outage if no endpoint is left but some may come back.
    fn note_outage(&mut self, error: &ScoreError, now: Duration, events: &mut Events) {
        let up = self.endpoints.iter().any(|e| e.health.is_up());
        if !up && self.outage.is_none() && self.stop.is_none() {
            self.outage = Some((now, error.clone()));
            events.push(Event::Outage {
                error: error.clone(),
                give_up_after: self.settings.give_up_after,
            });
        }
    }
}
