//! The flags of `sureness view`.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::Settings;

use super::price::PriceArgs;

/// The port of `view`, so that an address can be kept.
const PORT: u16 = 8484;

/// Flags of `view`.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    /// Output folders of runs, folders of such folders, or a sureness.sqlite
    #[arg(value_name = "FOLDER", default_values_os_t = [Settings::default().output_dir])]
    pub(crate) folders: Vec<PathBuf>,
    /// Port to serve the page on; 0 picks and prints a free one
    #[arg(long, value_name = "N", default_value_t = PORT)]
    pub(crate) port: u16,
    /// Host to serve the page on, such as 0.0.0.0 for every network of this machine; the address then
    /// has a random token [default: this machine alone]
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Open the page in the browser
    #[arg(long)]
    pub(crate) open: bool,
    /// Data set of a task, where it is no longer where the run found it
    #[arg(long, value_name = "TASK=PATH", num_args = 1..)]
    pub(crate) data: Vec<String>,
    #[command(flatten)]
    pub(crate) price: PriceArgs,
}
