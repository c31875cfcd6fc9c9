//! Flags that say which model is asked, and how fast.

use clap::Args;
use sureness_bench::Asking;
use sureness_engine::{BatchSize, Settings, Workers};
use sureness_scorers::http::HttpOptions;

use super::values::{per_minute, positive_seconds, seconds};

/// Where the defaults are.
fn http() -> HttpOptions {
    Asking::default().http
}

fn engine() -> Settings {
    Asking::default().engine
}

/// Flags of everything that asks a model: runs and workers.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct AskArgs {
    /// Address of an OpenAI-compatible server, such as <http://localhost:8000/v1>; several with
    /// the same model share the work
    #[arg(long, value_name = "URL", num_args = 1.., value_delimiter = ',', help_heading = "Model")]
    pub(crate) api_base: Vec<String>,
    /// API key; better given in the environment, where other users cannot see it
    #[arg(
        long,
        value_name = "KEY",
        env = "SURENESS_API_KEY",
        hide_env_values = true,
        help_heading = "Model"
    )]
    pub(crate) api_key: Option<String>,
    /// Model name as the server lists it; the only one there if left out
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) model: Option<String>,
    /// GGUF files to run inside this program, or names that `sureness model list` knows
    #[arg(long, value_name = "PATH|NAME", num_args = 1.., value_delimiter = ',', help_heading = "Model")]
    pub(crate) gguf: Vec<String>,
    /// Put the prompt into a user message of the model's chat template (instruct models)
    #[arg(long, help_heading = "Model")]
    pub(crate) chat: bool,
    /// How many of the most probable tokens to ask the server for [default: the most it gives]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) top_logprobs: Option<u32>,
    /// Send each batch as one list of prompts, where the server takes lists
    #[arg(long, help_heading = "Model")]
    pub(crate) list_prompts: bool,
    /// Threads of an embedded model [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) threads: Option<std::num::NonZeroU32>,
    /// Layers of an embedded model to keep on the GPU (builds with cuda, vulkan or metal)
    #[arg(long, value_name = "N", default_value_t = Asking::default().gpu_layers, help_heading = "Model")]
    pub(crate) gpu_layers: u32,
    /// Samples per batch, a number or auto: one request where the server takes batched prompts
    /// (--list-prompts), else one request each, by one worker
    #[arg(long, value_name = "N", default_value_t = engine().batch, help_heading = "Speed")]
    pub(crate) batch_size: BatchSize,
    /// Batches in flight at once per server, a number or auto: as many as it answers fastest
    #[arg(long, value_name = "N", default_value_t = engine().workers, help_heading = "Speed")]
    pub(crate) max_workers: Workers,
    /// Operating-system threads with blocking calls instead of async tasks
    #[arg(long, help_heading = "Speed")]
    pub(crate) use_threads: bool,
    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = http().timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..), help_heading = "Speed")]
    pub(crate) timeout: u64,
    /// Seconds that opening a connection may take
    #[arg(long, value_name = "SECONDS", default_value_t = http().connect_timeout.as_secs_f64(), value_parser = positive_seconds, help_heading = "Speed")]
    pub(crate) connect_timeout: f64,
    /// Seconds until an answer's first byte [default: as --timeout]
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds, help_heading = "Speed")]
    pub(crate) first_byte_timeout: Option<f64>,
    /// All requests on one HTTP/2 connection, instead of a pool of HTTP/1.1 ones
    #[arg(long, help_heading = "Speed")]
    pub(crate) http2: bool,
    /// Retries of a question after the first attempt
    #[arg(long, value_name = "N", default_value_t = engine().retry.max_retries, help_heading = "Speed")]
    pub(crate) max_retries: u32,
    /// Seconds of the first wait before a retry; doubles each time, with jitter
    #[arg(long, value_name = "SECONDS", default_value_t = engine().retry.base.as_secs_f64(), value_parser = seconds, help_heading = "Speed")]
    pub(crate) retry_delay: f64,
    /// Requests per minute that the server allows
    #[arg(long, value_name = "N", value_parser = per_minute, help_heading = "Speed")]
    pub(crate) requests_per_minute: Option<f64>,
    /// Prompt tokens per minute that the server allows
    #[arg(long, value_name = "N", value_parser = per_minute, help_heading = "Speed")]
    pub(crate) tokens_per_minute: Option<f64>,
    /// Minimum delay between requests, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = engine().delay.as_secs_f64(), value_parser = seconds, help_heading = "Speed")]
    pub(crate) delay: f64,
    /// Seconds to wait for a server that has gone away before giving up
    #[arg(long, value_name = "SECONDS", default_value_t = engine().give_up_after.as_secs_f64(), value_parser = seconds, help_heading = "Speed")]
    pub(crate) give_up_after: f64,
}
