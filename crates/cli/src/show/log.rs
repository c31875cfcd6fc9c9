//! Logs: warnings on stderr, all events in `--log-file`.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use sureness_bench::Failure;
use sureness_engine::{Event, Plan};
use sureness_questions::Bank;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging. Opens the file at once, so that a bad path fails before any work.
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
                        .hint("give a file in an existing, writable folder")
                })?;
            // Only our own crates, which share the prefix: the HTTP library's logs are long and may
            // contain headers.
            let filter = Targets::new().with_target("sureness", LevelFilter::DEBUG);
            let file = LogFile {
                file,
                failure_reported: false,
            };
            Some(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(Mutex::new(file))
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
    // Fails on a second call in one process, as in tests; the first call's settings stay.
    let _ = tracing_subscriber::registry()
        .with(file)
        .with(stderr)
        .try_init();
    Ok(())
}

/// Whether stderr is a terminal without `NO_COLOR`.
fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stderr().is_terminal()
}

/// The file of `--log-file`. A failed write, as on a full disk, is reported once and does not end
/// the run.
struct LogFile {
    file: File,
    failure_reported: bool,
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes).or_else(|error| {
            if !self.failure_reported {
                self.failure_reported = true;
                eprintln!("warning: cannot write to the log file: {error}");
            }
            Ok(bytes.len())
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// The questions of a run, which the log names by their ids.
#[derive(Default)]
pub(crate) struct Questions(Vec<Arc<Bank>>);

impl Questions {
    pub(crate) fn of(plan: &Plan) -> Self {
        let groups = plan.groups.iter();
        Self(groups.map(|group| Arc::clone(&group.questions)).collect())
    }

    /// The ids of these questions, separated by commas. Reads them back, which costs more than the
    /// rest of an event, so that it is for lines that are written.
    fn ids(&self, group: usize, questions: &[u32]) -> String {
        let Some(bank) = self.0.get(group) else {
            return String::new();
        };
        let id = |&index: &u32| bank.get(index as usize).ok().map(|question| question.id);
        let ids: Vec<String> = questions.iter().filter_map(id).collect();
        ids.join(", ")
    }
}

/// Logs an event.
pub(crate) fn event(event: &Event, asked: &Questions) {
    match event {
        Event::Attempt(attempt) if tracing::enabled!(Level::DEBUG) => {
            let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
            tracing::debug!(
                endpoint = attempt.endpoint,
                group = attempt.group,
                questions = asked.ids(attempt.group, &attempt.questions),
                count = attempt.questions.len(),
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
            questions,
            wait,
            error,
        } if tracing::enabled!(Level::INFO) => {
            let (ids, count) = (asked.ids(*group, questions), questions.len());
            tracing::info!(group, questions = ids, count, wait_s = wait.as_secs_f64(), kind = error.kind(), %error, "retrying");
        }
        Event::Failed {
            group,
            question,
            error,
        } if tracing::enabled!(Level::INFO) => {
            let ids = asked.ids(*group, &[*question]);
            tracing::info!(group, questions = ids, kind = error.kind(), %error, "failed");
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
        Event::Throttled { wait, reason, .. } => {
            tracing::warn!("waiting {} s, as the server asks: {reason}", wait.as_secs());
        }
        Event::Outage {
            error,
            give_up_after,
        } => {
            tracing::warn!(
                "no answer from the server: {error}. Waiting for up to {} s",
                give_up_after.as_secs()
            );
        }
        Event::Resumed { after } => {
            tracing::warn!("the server is back after {:.1} s", after.as_secs_f64());
        }
        Event::Sent { .. }
        | Event::Answered { .. }
        | Event::Attempt(_)
        | Event::Retrying { .. }
        | Event::Failed { .. } => {}
    }
}
