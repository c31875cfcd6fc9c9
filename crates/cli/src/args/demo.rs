//! The flags of `sureness demo`.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::models::CATALOGUE;
use sureness_questions::ClusterBy;

use super::run::ProgressArg;

/// Questions per task by default: enough for figures that mean something, few enough for a
/// small machine to be done within three minutes.
const SAMPLE: usize = 32;

/// Flags of the demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Another GGUF file, or a name that `sureness model list` knows
    #[arg(long, value_name = "PATH|NAME", default_value = CATALOGUE[0].name)]
    pub(crate) gguf: String,
    /// Questions per task
    #[arg(long, value_name = "N", default_value_t = SAMPLE)]
    pub(crate) sample_size: usize,
    /// Which questions belong together: category, none (each on its own), or a column of the
    /// built-in questions, such as level [default: those with the same context]
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "auto",
        hide_default_value = true
    )]
    pub(crate) cluster: ClusterBy,
    /// Folder for the answers and the results
    #[arg(long, value_name = "DIR", default_value = "results/demo")]
    pub(crate) output_dir: PathBuf,
    /// How progress is shown
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) progress: ProgressArg,
    /// Serve Prometheus metrics on http://HOST:PORT/metrics while the demo goes
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics_addr: Option<String>,
}
