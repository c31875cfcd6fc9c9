//! The flags of `sureness merge`.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::ALLOWED_FAILURES;

use super::values::share;

/// Flags of the merge.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Folder for the whole run; shards that it holds already stay
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// The shards' output folders, or folders that hold them
    #[arg(value_name = "IN", required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Merge what is there, even if some of the shards are missing or have not ended
    #[arg(long)]
    pub(crate) allow_missing: bool,
    /// Share of failed questions up to which a run counts as done
    #[arg(long, value_name = "SHARE", default_value_t = ALLOWED_FAILURES, value_parser = share)]
    pub(crate) allowed_failures: f64,
    /// Show every strategy in the table
    #[arg(long, short)]
    pub(crate) verbose: bool,
}
