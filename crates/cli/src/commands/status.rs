//! `sureness status`: prints the status of a run on many machines.

use std::process::ExitCode;

use sureness_analysis::number::counted;
use sureness_bench::{Failure, runtime};
use sureness_fleet::{LaneStatus, Link, Status, status};

use crate::args::status::StatusArgs;
use crate::show::progress::duration;
use crate::show::terminal;

/// Asks the run's coordinator for its status and prints it.
pub(super) fn run(args: &StatusArgs) -> Result<ExitCode, Failure> {
    args.nats.required()?;
    let status = runtime()?.block_on(async {
        let run = args.nats.run_name.clone();
        let link = Link::connect(&args.nats.access(), run, "sureness status", |_| {}).await?;
        Ok::<_, Failure>(status(&link).await?)
    })?;
    args.output.print(&status, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(status: &Status) -> String {
    let mut text = format!(
        "Run {}, running for {}: {}\n",
        status.run,
        duration(status.seconds),
        counted(status.workers.len(), "worker")
    );
    for lane in &status.lanes {
        text.push_str(&lane_text(lane));
    }
    if status.workers.is_empty() {
        text.push_str("No worker is connected.\n");
        return text;
    }
    let header = [
        "worker", "model", "per s", "answered", "failed", "capacity", "holds", "seen",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for worker in &status.workers {
        let beat = &worker.beat;
        rows.push(vec![
            beat.worker.clone(),
            beat.model.clone(),
            format!("{:.1}", beat.rate),
            beat.answered.to_string(),
            beat.failed.to_string(),
            beat.capacity.to_string(),
            format!("{} in {}", beat.held, counted(beat.units.len(), "unit")),
            format!("{:.0} s ago", worker.heard_s),
        ]);
    }
    text.push('\n');
    text.push_str(&terminal::columns(rows, &[2, 3, 4, 5, 6, 7]));
    text
}

fn lane_text(lane: &LaneStatus) -> String {
    let model = lane.model.as_deref().unwrap_or("(no worker yet)");
    let mut text = format!(
        "{model}: {} answered; {} assigned, in {}; {} queued\n",
        lane.answered,
        lane.outstanding,
        counted(lane.units, "unit"),
        lane.queued
    );
    let odd = [
        (lane.asked_twice, "questions answered twice"),
        (lane.malformed, "messages refused"),
        (lane.lost_units, "units lost by the broker and reassigned"),
    ];
    for (count, what) in odd.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!("  {count} {what}\n"));
    }
    text
}
