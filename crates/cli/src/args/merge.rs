//! The flags of `sureness merge`.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::ALLOWED_FAILURES;

use super::texts::TextArgs;
use super::values::share;

/// Flags of the merge.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Folder for the whole run; shards from earlier merges are kept
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// The shards' output folders, or folders that hold them
    #[arg(value_name = "IN", required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) texts: TextArgs,
    /// Merge even if shards are missing or unfinished
    #[arg(long)]
    pub(crate) allow_missing: bool,
    /// Maximum share of failed questions in a successful run
    #[arg(long, value_name = "SHARE", default_value_t = ALLOWED_FAILURES, value_parser = share)]
    pub(crate) allowed_failures: f64,
    /// Show every strategy in the table
    #[arg(long, short)]
    pub(crate) verbose: bool,
}
