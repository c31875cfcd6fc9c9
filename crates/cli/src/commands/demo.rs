//! `sureness demo`: see it work on a fresh machine.

use std::process::ExitCode;

use clap::Args;
use sureness_questions::ClusterBy;

use super::ask::AskArgs;
use super::run::{ProgressArg, RunArgs};
use crate::error::CliError;
use crate::session;

/// Questions per task by default: enough for figures that mean something, few enough for a
/// small machine to be done within three minutes.
const SAMPLE: usize = 32;

/// Flags of the demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Another GGUF file, or a name that `sureness model list` knows
    #[arg(long, value_name = "PATH|NAME", default_value = "smollm2-135m")]
    gguf: String,
    /// Questions per task
    #[arg(long, value_name = "N", default_value_t = SAMPLE)]
    sample_size: usize,
    /// Which questions belong together: category, none (each on its own), or a column of the
    /// built-in questions, such as level [default: those with the same context]
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "auto",
        hide_default_value = true
    )]
    cluster: ClusterBy,
    /// Folder for the answers and the results
    #[arg(long, value_name = "DIR", default_value = "results/demo")]
    output_dir: std::path::PathBuf,
    /// How progress is shown
    #[arg(long, value_enum, default_value = "auto")]
    progress: ProgressArg,
    /// Serve Prometheus metrics on http://HOST:PORT/metrics while the demo goes
    #[arg(long, value_name = "HOST:PORT")]
    metrics_addr: Option<String>,
}

/// Measures a small model on the built-in questions of all five tasks.
pub(crate) fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let defaults = RunArgs::default();
    session::run(&RunArgs {
        ask: AskArgs {
            gguf: vec![args.gguf],
            ..defaults.ask
        },
        sample_size: Some(args.sample_size),
        cluster: args.cluster,
        output_dir: args.output_dir,
        progress: args.progress,
        metrics_addr: args.metrics_addr,
        // The other strategies would triple the time; `sureness run` asks all three.
        prompt_strategies: vec!["base".to_owned()],
        ..defaults
    })
}
