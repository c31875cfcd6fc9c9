//! One JSON object per second, for programs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::View;
use super::state::{Counts, State};

pub(super) struct Json;

impl View for Json {
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn draw(&mut self, state: &State, now: Instant) {
        eprintln!("{}", line(state, now, "progress"));
    }

    fn finish(&mut self, state: &State) {
        eprintln!("{}", line(state, Instant::now(), "finished"));
    }
}

fn line(state: &State, now: Instant, event: &str) -> Value {
    let (per_second, seconds_left) = state.pace(now);
    let groups = state.groups.iter().map(|group| {
        let mut object = counts(&group.counts);
        object["task"] = json!(group.task);
        object["strategy"] = json!(group.strategy);
        object
    });
    let mut object = counts(&state.totals());
    object["event"] = json!(event);
    object["model"] = json!(state.model);
    object["paused"] = json!(state.paused);
    object["limit"] = json!(state.limit());
    object["per_second"] = json!(per_second);
    object["seconds_left"] = json!(seconds_left);
    if state.may_stop_early {
        object["at_most"] = json!(true);
        let standing = state.standing;
        object["settled"] = json!(standing.map(|it| it.settled));
        object["to_settle"] = json!(standing.map(|it| it.of));
    }
    object["groups"] = groups.collect();
    object
}

fn counts(counts: &Counts) -> Value {
    json!({
        "planned": counts.planned, "done": counts.done(), "cached": counts.cached,
        "answered": counts.answered, "failed": counts.failed, "retries": counts.retries,
        "in_flight": counts.in_flight,
    })
}
