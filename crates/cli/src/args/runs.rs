//! The flags of `sureness runs`.

use std::path::PathBuf;

use clap::Args;

use crate::show::output_format::OutputFormat;

/// Flags of `runs`.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// Output folders of runs, or their sureness.sqlite
    #[arg(value_name = "DIR", required = true)]
    pub(crate) folders: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output: OutputFormat,
}
