//! The flags of `sureness doctor`.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use sureness_scorers::http::{Depth, HttpOptions};

use super::ask::WayArgs;
use super::price::PriceArgs;
use crate::show::output_format::OutputFormat;

/// Flags of the doctor; flags of a run keep their meaning.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct DoctorArgs {
    /// Address of an OpenAI-compatible server, such as `http://localhost:8000/v1`
    #[arg(long, value_name = "URL")]
    pub(crate) api_base: String,
    /// API key; prefer the environment variable, which other users cannot see
    #[arg(
        long,
        value_name = "KEY",
        env = "SURENESS_API_KEY",
        hide_env_values = true
    )]
    pub(crate) api_key: Option<String>,
    /// Environment variable that holds the API key [default: `OPENAI_API_KEY` for api.openai.com]
    #[arg(long, value_name = "NAME")]
    pub(crate) api_key_env: Option<String>,
    /// Header to send with every request; can be repeated
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) header: Vec<String>,
    /// Model name as the server lists it [default: its only model]
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Ask for --model even if the server lists only other models
    #[arg(long)]
    pub(crate) any_model: bool,
    /// Use chat completions (for instruct models)
    #[arg(long)]
    pub(crate) chat: bool,
    /// Timeout for each request, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = HttpOptions::new("").timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// JSON object with further fields of every request, such as
    /// `{"chat_template_kwargs": {"enable_thinking": false}}`
    #[arg(long, value_name = "JSON")]
    pub(crate) extra_body: Option<String>,
    #[command(flatten)]
    pub(crate) way: WayArgs,
    #[command(flatten)]
    pub(crate) price: PriceArgs,
    /// Leave out what takes longest: the noise floor, the prefix cache, a long prompt, the limits, the ways
    /// of asking and their costs
    #[arg(long)]
    pub(crate) quick: bool,
    /// Questions for the noise floor, each asked three or four times; fewer for a slow server
    #[arg(long, value_name = "N", default_value_t = Depth::NOISE_QUESTIONS, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100), conflicts_with = "quick")]
    pub(crate) noise_questions: usize,
    /// With --quick: try the ways of asking all the same
    #[arg(long)]
    pub(crate) ways: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output: OutputFormat,
}
