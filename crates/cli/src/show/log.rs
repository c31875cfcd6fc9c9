//! Logs: warnings on stderr, everything in `--log-file`.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;

use sureness_bench::Failure;
use sureness_engine::Event;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Starts logging. The file is opened now, so that a bad path fails before any work.
pub(crate) fn start(path: Option<&Path>, verbose: bool) -> Result<(), Failure> {
    let file = match path {
        None => None,
        Some(path) => {
            let file = File::options()
                .create(true)
                .append(true)
                .open(path)
                .map_err(|e| {
                    Failure::new(format!("cannot write the log file {}: {e}", path.display()))
                        .hint("give a file in a folder that exists and can be written to")
                })?;
            // Our own crates only: the HTTP library's logs are long and could hold headers.
            let filter = EnvFilter::new(
                "off,sureness=debug,sureness_engine=debug,sureness_scorers=debug,sureness_store=debug,sureness_fleet=debug",
            );
            Some(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(Mutex::new(LogFile::new(file)))
                    .with_filter(filter),
            )
        }
    };
    let level = if verbose {
        LevelFilter::INFO
    } else {
        LevelFilter::WARN
    };
    let stderr = tracing_subscriber::fmt::layer()
        .without_time()
        .with_ansi(colours())
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_filter(level);
    // A second start in one process (tests) changes nothing.
    let _ = tracing_subscriber::registry()
        .with(file)
        .with(stderr)
        .try_init();
    Ok(())
}

/// Whether stderr is looked at by somebody who likes colours.
fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stderr().is_terminal()
}

/// The file behind `--log-file`. A failed write (a full disk) is reported once, and is no
/// reason to end the run.
struct LogFile {
    file: File,
    told: bool,
}

impl LogFile {
    fn new(file: File) -> Self {
        Self { file, told: false }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes).or_else(|error| {
            if !self.told {
                self.told = true;
                eprintln!("warning: cannot write to the log file: {error}");
            }
            Ok(bytes.len())
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Notes an event in the log.
pub(crate) fn event(event: &Event) {
    match event {
        Event::Attempt(attempt) => {
            let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
            tracing::debug!(
                endpoint = attempt.endpoint,
                group = attempt.group,
                count = attempt.count,
                answered = attempt.answered,
                attempt = attempt.attempt,
                outcome = attempt.outcome(),
                status = attempt.status(),
                waited_ms = ms(attempt.waited),
                ms = ms(attempt.took),
                connect_ms = ms(attempt.timing.connect),
                server_ms = ms(attempt.timing.server),
                parse_ms = ms(attempt.timing.parse),
                in_flight = attempt.load.in_flight,
                limit = attempt.load.limit,
                "attempt"
            );
        }
        Event::Retrying {
            group,
            count,
            wait,
            error,
        } => {
            tracing::info!(group, count, wait_s = wait.as_secs_f64(), kind = error.kind(), %error, "retrying");
        }
        Event::Failed { group, error } => {
            tracing::info!(group, kind = error.kind(), %error, "failed");
        }
        Event::Cached { group, count } => tracing::debug!(group, count, "cached"),
        Event::EndpointDown {
            endpoint,
            error,
            for_good,
        } => {
            tracing::info!(endpoint, for_good, kind = error.kind(), %error, "endpoint down");
        }
        Event::EndpointUp { endpoint } => tracing::info!(endpoint, "endpoint up"),
        Event::Outage {
            error,
            give_up_after,
        } => {
            tracing::warn!(
                "no answer from the server: {error}. Waiting for it, for up to {} s",
                give_up_after.as_secs()
            );
        }
        Event::Resumed { after } => {
            tracing::warn!("the server is back after {:.1} s", after.as_secs_f64());
        }
        Event::Sent { .. } | Event::Answered { .. } => {}
    }
}
