//! The flags of `sureness worker`.

use std::path::PathBuf;

use clap::Args;

use super::ask::AskArgs;
use super::nats::NatsArgs;

/// Flags of a worker.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) nats: NatsArgs,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    /// Wait for the next run of this name after one ends
    #[arg(long, help_heading = "Machines")]
    pub(crate) stay: bool,
    /// Serve Prometheus metrics on http://HOST:PORT/metrics; port 0 picks and prints a free port
    #[arg(long, value_name = "HOST:PORT", help_heading = "Output")]
    pub(crate) metrics_addr: Option<String>,
    /// Write a log, one JSON object per line
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) log_file: Option<PathBuf>,
    /// Print more detail to stderr
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,
}
