//! `sureness worker`: asks a model on behalf of a run that another machine coordinates.

use std::process::ExitCode;
use std::sync::Arc;

use sureness_bench::{Failure, Kind, describe_link, engine_settings, open, runtime};
use sureness_engine::{Event, Stop};
use sureness_fleet::{Link, WorkerEnd, WorkerNotice, WorkerSettings, work};
use sureness_hint::Hint;
use sureness_record::Answers;

use crate::args::worker::WorkerArgs;
use crate::error::EXIT_INTERRUPTED;
use crate::metrics::Metrics;
use crate::settings;
use crate::show::watcher::Watcher;
use crate::show::{interrupts, log};

/// Works until the run ends.
pub(super) fn run(args: &WorkerArgs) -> Result<ExitCode, Failure> {
    log::start(args.log_file.as_deref(), args.verbose)?;
    args.nats.required()?;
    let model = settings::worker_model(&args.ask)?;
    let asking = settings::asking(&args.ask)?;
    if asking.answers != Answers::Letters {
        return Err(Failure::new(format!(
            "a worker does not ask with --answers {}: it scores letters",
            asking.answers.name()
        ))
        .hint("leave out --answers"));
    }
    let metrics = args.metrics_addr.as_deref().map(Metrics::listen);
    let metrics = metrics.transpose()?;
    let runtime = runtime()?;
    let code = runtime.block_on(async {
        let interrupts = interrupts(false);
        let watcher = Watcher::plain();
        let opened = interrupts.race(open(&model, &asking, &watcher));
        let Some(endpoints) = opened.await.transpose()? else {
            return Ok(ExitCode::from(EXIT_INTERRUPTED));
        };
        let metrics = metrics
            .as_ref()
            .zip(endpoints.first())
            .map(|(metrics, first)| {
                metrics.serve();
                metrics.for_worker(&first.identity().name, endpoints.len())
            });
        let name = name();
        let link = Link::connect(
            &args.nats.access(),
            args.nats.run_name.clone(),
            &format!("sureness worker {name}"),
            |up| eprintln!("{}", describe_link(up)),
        )
        .await?;
        let settings = WorkerSettings {
            name: name.clone(),
            engine: engine_settings(&asking, &model, &endpoints),
            stay: args.stay,
            give_up_after: asking.engine.give_up_after,
        };
        let run = args.nats.run_name.clone();
        let end = work(
            link,
            endpoints,
            settings,
            interrupts.cancel(),
            Arc::new(move |event: &Event| {
                // A worker knows prompts, not their questions.
                log::event(event, &log::Questions::default());
                if let Some(metrics) = &metrics {
                    metrics.count(event);
                }
                print_event(event);
            }),
            Arc::new(move |notice| print_notice(&name, run.as_str(), &notice)),
        );
        exit_code(end.await?)
    });
    runtime.shutdown_background();
    code
}

fn exit_code(end: WorkerEnd) -> Result<ExitCode, Failure> {
    match end {
        WorkerEnd::Done => Ok(ExitCode::SUCCESS),
        WorkerEnd::Interrupted => {
            eprintln!("Stopped. Unfinished questions went back to other workers.");
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
        WorkerEnd::Stopped(stop) => {
            let hint = match &stop {
                Stop::Fatal(error) | Stop::GaveUp { error, .. } => error.hint(),
                _ => "".into(),
            };
            Err(Failure::new(format!(
                "stopped: {stop}. Unfinished questions went back to other workers"
            ))
            .hint(hint)
            .kind(Kind::Unfinished))
        }
    }
}

/// A name for this worker: host, process id and a few random digits.
fn name() -> String {
    let host = std::env::var("HOSTNAME")
        .ok()
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .unwrap_or_default();
    let fits = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let host: String = host.trim().chars().filter(fits).take(32).collect();
    let host = if host.is_empty() { "worker" } else { &host };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.subsec_nanos());
    format!("{host}-{}-{:04x}", std::process::id(), now & 0xffff)
}

fn print_notice(name: &str, run: &str, notice: &WorkerNotice) {
    match notice {
        WorkerNotice::Waiting => {
            eprintln!("{name}: run {run} has no coordinator yet; waiting");
        }
        WorkerNotice::Joined { .. } => eprintln!("{name}: joined run {run}"),
        WorkerNotice::Done { answered, failed } => {
            eprintln!("{name}: run {run} has ended: {answered} answered here, {failed} failed");
        }
    }
}

/// Prints outages of the worker's own servers.
fn print_event(event: &Event) {
    match event {
        Event::Outage { error, .. } => {
            eprintln!("The model's server is unreachable: {error}. Waiting.");
        }
        Event::Throttled { wait, reason, .. } => {
            let seconds = wait.as_secs();
            eprintln!("The model's server asks to wait {seconds} s: {reason}");
        }
        Event::Resumed { after } => {
            eprintln!("The model's server is back after {} s.", after.as_secs());
        }
        _ => {}
    }
}
