//! The flags of `sureness show`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Output folder of a run, or its sureness.sqlite; FOLDER#3 for run 3, otherwise the newest
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// The question's id in the data set
    #[arg(value_name = "QUESTION")]
    pub(crate) question: String,
    /// Data set of a task, where it is no longer where the run found it
    #[arg(long, value_name = "TASK=PATH", num_args = 1..)]
    pub(crate) data: Vec<String>,
    /// Show every answer in words, not only the first of each kind
    #[arg(long)]
    pub(crate) all: bool,
}
