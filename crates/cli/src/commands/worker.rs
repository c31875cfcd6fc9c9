//! `sureness worker`: ask a model for a run that somebody else coordinates.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sureness_engine::{Event, Stop};
use sureness_fleet::{Link, WorkerEnd, WorkerNotice, WorkerSettings, work};

use super::ask::AskArgs;
use super::nats::NatsArgs;
use crate::error::{CliError, EXIT_FAILED_QUESTIONS, EXIT_INTERRUPTED};
use crate::metrics::Metrics;
use crate::session::{Interrupts, log, models, speed};

/// Flags of a worker.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    ask: AskArgs,
    /// Wait for the next run of this name when one is over
    #[arg(long, help_heading = "Machines")]
    stay: bool,
    /// Serve Prometheus metrics on http://HOST:PORT/metrics; port 0 takes a free one and tells it
    #[arg(long, value_name = "HOST:PORT", help_heading = "Output")]
    metrics_addr: Option<String>,
    /// Write a log, one JSON object per line
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    log_file: Option<PathBuf>,
    /// Print more detail to stderr
    #[arg(long, short, help_heading = "Output")]
    verbose: bool,
}

/// Works until the run is over.
pub(crate) fn run(args: &WorkerArgs) -> Result<ExitCode, CliError> {
    log::start(args.log_file.as_deref(), args.verbose)?;
    args.nats.required()?;
    let model = models::Model::of_worker(&args.ask)?;
    let metrics = args.metrics_addr.as_deref().map(Metrics::listen);
    let metrics = metrics.transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::input(format!("cannot start the async runtime: {e}")))?;
    let code = runtime.block_on(async {
        let interrupts = Interrupts::listen();
        let opened = interrupts.unless(models::open(&model, &args.ask, true));
        let Some(endpoints) = opened.await.transpose()? else {
            return Ok(ExitCode::from(EXIT_INTERRUPTED));
        };
        let counted = metrics
            .as_ref()
            .zip(endpoints.first())
            .map(|(metrics, first)| {
                metrics.serve();
                metrics.of_worker(&first.identity().name, endpoints.len())
            });
        let name = name();
        let link = Link::connect(
            &args.nats.access(),
            args.nats.run_name.clone(),
            &format!("sureness worker {name}"),
            |up| eprintln!("{}", broker(up)),
        )
        .await?;
        let settings = WorkerSettings {
            name: name.clone(),
            engine: speed::settings(&args.ask, model.is_embedded()),
            stay: args.stay,
            give_up_after: Duration::from_secs_f64(args.ask.give_up_after),
        };
        let run = args.nats.run_name.clone();
        let end = work(
            link,
            endpoints,
            settings,
            interrupts.cancel(),
            Arc::new(move |event: &Event| {
                log::event(event);
                if let Some(counted) = &counted {
                    counted.on(event);
                }
                tell_event(event);
            }),
            Arc::new(move |notice| tell(&name, run.as_str(), &notice)),
        );
        conclude(end.await?)
    });
    runtime.shutdown_background();
    code
}

fn conclude(end: WorkerEnd) -> Result<ExitCode, CliError> {
    match end {
        WorkerEnd::Done => Ok(ExitCode::SUCCESS),
        WorkerEnd::Interrupted => {
            eprintln!("Stopped. What was not finished went back, for other workers.");
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
        WorkerEnd::Stopped(stop) => {
            let hint = match &stop {
                Stop::Fatal(error) | Stop::GaveUp { error, .. } => error.hint(),
                _ => "",
            };
            Err(CliError::input(format!(
                "stopped: {stop}. What was not finished went back, for other workers"
            ))
            .hint(hint)
            .code(EXIT_FAILED_QUESTIONS))
        }
    }
}

/// Tells this process from all others.
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

/// What is said of the connection.
pub(crate) fn broker(up: bool) -> &'static str {
    if up {
        "The NATS server is back."
    } else {
        "The NATS server is unreachable; waiting for it. Nothing is lost."
    }
}

fn tell(name: &str, run: &str, notice: &WorkerNotice) {
    match notice {
        WorkerNotice::Waiting => {
            eprintln!("{name}: nobody coordinates the run {run} yet; waiting");
        }
        WorkerNotice::Joined { .. } => eprintln!("{name}: takes part in the run {run}"),
        WorkerNotice::Done { answered, failed } => {
            eprintln!("{name}: the run {run} is over: {answered} answered here, {failed} failed");
        }
    }
}

/// What must not be missed of a worker's own servers.
fn tell_event(event: &Event) {
    match event {
        Event::Outage { error, .. } => {
            eprintln!("The model's server is unreachable: {error}. Waiting.");
        }
        Event::Resumed { after } => {
            eprintln!("The model's server is back after {} s.", after.as_secs());
        }
        _ => {}
    }
}
