//! The flags of `sureness config`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Flags of `config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print the JSON Schema of settings files, for editors
    #[arg(long)]
    pub(crate) schema: bool,
    /// Also print settings that have their default
    #[arg(long)]
    pub(crate) all: bool,
    /// A command as it would be given, such as `run nightly --seed 3`: prints each setting in force and
    /// where it comes from; without one, prints what the settings file has
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) line: Vec<OsString>,
    /// The file that --config names.
    #[arg(skip)]
    pub(crate) file: Option<PathBuf>,
}
