//! The flags of `sureness doctor`.

use clap::Args;
use sureness_scorers::http::HttpOptions;

use crate::show::form::Form;

/// Flags of the doctor; those that a run has mean the same.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Address of an OpenAI-compatible server, such as <http://localhost:8000/v1>
    #[arg(long, value_name = "URL")]
    pub(crate) api_base: String,
    /// API key; better given in the environment, where other users cannot see it
    #[arg(
        long,
        value_name = "KEY",
        env = "SURENESS_API_KEY",
        hide_env_values = true
    )]
    pub(crate) api_key: Option<String>,
    /// Model name as the server lists it; the only one there if left out
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Ask through chat completions (instruct models)
    #[arg(long)]
    pub(crate) chat: bool,
    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = HttpOptions::new("").timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// Form of the findings
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output: Form,
}
