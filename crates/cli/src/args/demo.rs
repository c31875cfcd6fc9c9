//! The flags of `sureness demo`.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::models::CATALOGUE;
use sureness_questions::ClusterBy;

use super::run::ProgressArg;

/// Default questions per task: enough to calibrate (nine, at 90 %), few enough for a minute on a
/// small machine.
const SAMPLE_SIZE: usize = 20;

/// Flags of the demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// GGUF file, or a name from `sureness model list`
    #[arg(long, value_name = "PATH|NAME", default_value = CATALOGUE[0].name)]
    pub(crate) gguf: String,
    /// Questions per task
    #[arg(long, value_name = "N", default_value_t = SAMPLE_SIZE)]
    pub(crate) sample_size: usize,
    /// Group questions into clusters by category, none, or a column of the built-in questions, such
    /// as level [default: by shared context]
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "auto",
        hide_default_value = true
    )]
    pub(crate) cluster: ClusterBy,
    /// Folder for answers and results
    #[arg(long, value_name = "DIR", default_value = "results/demo")]
    pub(crate) output_dir: PathBuf,
    /// Progress display
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) progress: ProgressArg,
    /// Serve Prometheus metrics on http://HOST:PORT/metrics during the demo
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics_addr: Option<String>,
}
