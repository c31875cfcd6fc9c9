//! Plain lines, for logs and CI.

use std::time::{Duration, Instant};

use sureness_engine::Event;

use super::state::{Counts, State};
use super::{View, duration};

pub(super) struct Lines;

impl View for Lines {
    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn draw(&mut self, state: &State, now: Instant) {
        let totals = state.totals();
        let most = if state.may_stop_early { "at most " } else { "" };
        eprintln!(
            "{}: {}/{most}{} {}",
            state.model,
            totals.done(),
            totals.planned,
            status(state, &totals, now)
        );
    }

    fn show_event(&mut self, state: &State, event: &Event) {
        let (Event::Answered { group, .. } | Event::Failed { group, .. }) = *event else {
            return;
        };
        let Some(group) = state.groups.get(group) else {
            return;
        };
        let counts = group.counts;
        if counts.done() < counts.planned {
            return;
        }
        eprintln!(
            "{}: {}/{} done: {} answered, {} failed, {} from cache, {:.1} s",
            state.model,
            group.task,
            group.strategy,
            counts.answered,
            counts.failed,
            counts.cached,
            group.started.map_or(0.0, |s| s.elapsed().as_secs_f64())
        );
    }
}

/// Rate, time left or what is settled, load, failures and retries, in one line.
pub(super) fn status(state: &State, totals: &Counts, now: Instant) -> String {
    if state.paused {
        return "waiting for the server".to_owned();
    }
    let (rate, left) = state.pace(now);
    let mut text = format!("{rate:.1}/s");
    if let Some(left) = left {
        text.push_str(&format!(", {} left", duration(left)));
    }
    if let Some(standing) = state.standing {
        text.push_str(&format!(
            ", {} of {} settled",
            standing.settled, standing.of
        ));
    }
    if let Some(describe) = &state.workers {
        text.push_str(&format!(", {}", describe()));
    } else if state.limit() > 1 {
        let in_flight = totals.in_flight;
        text.push_str(&format!(", {in_flight} of {} in flight", state.limit()));
    }
    if totals.failed > 0 {
        text.push_str(&format!(", {} failed", totals.failed));
    }
    if totals.retries > 0 {
        text.push_str(&format!(", {} retries", totals.retries));
    }
    text
}
