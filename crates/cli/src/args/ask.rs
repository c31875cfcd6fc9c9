//! Flags that select a model and set how it is asked.

use clap::{Args, ValueEnum};
use sureness_bench::Asking;
use sureness_bench::ways::Offered;
use sureness_engine::{BatchSize, Settings, Workers};
use sureness_record::{Reasoned, Sampled};
use sureness_scorers::http::{Api, HttpOptions};

use super::values::{Samples, per_minute, positive_seconds, seconds};

/// How answers become probabilities of the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswersArg {
    /// The log-probabilities of the option letters
    Letters,
    /// How often each option is chosen in several answers
    Sampled,
    /// The log-probabilities of the option letters after the model has thought
    Reasoned,
    /// The one of these that the model allows, as a few trial requests find out
    Auto,
}

/// Settings of the single ways of asking.
#[derive(Debug, Clone, Args)]
pub(crate) struct WayArgs {
    /// With --answers sampled: answers to each question, a number or auto: as many as it takes to know the share
    /// of the most frequent answer (--samples-within), up to --samples-most
    #[arg(long, value_name = "N", default_value_t = Samples::Fixed(Sampled::default().samples), help_heading = "Model")]
    pub(crate) samples: Samples,
    /// With --samples auto: half-width of the 95 % interval of that share at which it is known
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = super::values::within, help_heading = "Model")]
    pub(crate) samples_within: f64,
    /// With --samples auto: maximum answers to a question
    #[arg(long, value_name = "N", default_value_t = const { std::num::NonZeroU32::new(100).unwrap() }, help_heading = "Model")]
    pub(crate) samples_most: std::num::NonZeroU32,
    /// With --answers sampled or reasoned: sampling temperature
    #[arg(long, value_name = "T", default_value_t = Sampled::default().temperature, help_heading = "Model")]
    pub(crate) temperature: f64,
    /// With --answers sampled: maximum tokens of an answer, thoughts included
    #[arg(long, value_name = "N", default_value_t = Sampled::default().max_tokens, help_heading = "Model")]
    pub(crate) answer_tokens: std::num::NonZeroU32,
    /// With --answers reasoned: thoughts for each question, over which probabilities are averaged
    #[arg(long, value_name = "K", default_value_t = Reasoned::default().thoughts, help_heading = "Model")]
    pub(crate) thoughts: std::num::NonZeroU32,
    /// With --answers reasoned: maximum tokens of a thought, 0 for none
    #[arg(long, value_name = "N", default_value_t = Reasoned::default().think_tokens, help_heading = "Model")]
    pub(crate) think_tokens: u32,
    /// With --answers sampled: protocol, one of completions, chat, responses, messages (Anthropic's)
    /// [default: chat with --chat, else completions]
    #[arg(long, value_name = "API", help_heading = "Model")]
    pub(crate) api: Option<Api>,
}

impl WayArgs {
    /// The settings of answers in words and of thoughts.
    pub(crate) fn offered(&self) -> Offered {
        Offered {
            sampled: Sampled {
                samples: match self.samples {
                    Samples::Fixed(samples) => samples,
                    Samples::Auto => self.samples_most,
                },
                within: (self.samples == Samples::Auto).then_some(self.samples_within),
                temperature: self.temperature,
                max_tokens: self.answer_tokens,
            },
            reasoned: Reasoned {
                thoughts: self.thoughts,
                temperature: self.temperature,
                think_tokens: self.think_tokens,
            },
        }
    }
}

/// The defaults of requests.
fn http() -> HttpOptions {
    Asking::default().http
}

/// The defaults of the engine.
fn engine() -> Settings {
    Asking::default().engine
}

/// Flags of commands that ask a model: runs and workers.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct AskArgs {
    /// Address of an OpenAI-compatible server, such as `http://localhost:8000/v1`; several
    /// with the same model share the work
    #[arg(long, value_name = "URL", num_args = 1.., value_delimiter = ',', help_heading = "Model")]
    pub(crate) api_base: Vec<String>,
    /// API key; prefer the environment variable, which other users cannot see
    #[arg(
        long,
        value_name = "KEY",
        env = "SURENESS_API_KEY",
        hide_env_values = true,
        help_heading = "Model"
    )]
    pub(crate) api_key: Option<String>,
    /// Environment variable that holds the API key [default: `OPENAI_API_KEY` for api.openai.com]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) api_key_env: Option<String>,
    /// Header to send with every request; can be repeated
    #[arg(long, value_name = "NAME:VALUE", help_heading = "Model")]
    pub(crate) header: Vec<String>,
    /// Model name as the server lists it [default: its only model]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) model: Option<String>,
    /// Ask for --model even if the server lists only other models
    #[arg(long, help_heading = "Model")]
    pub(crate) any_model: bool,
    /// GGUF files to run in this process, or names from `sureness model list`
    #[arg(long, value_name = "PATH|NAME", num_args = 1.., value_delimiter = ',', help_heading = "Model")]
    pub(crate) gguf: Vec<String>,
    /// Put prompts into a user message of the model's chat template (for instruct models)
    #[arg(long, help_heading = "Model")]
    pub(crate) chat: bool,
    /// How answers become probabilities: by the log-probabilities of the option letters, at once or after
    /// a thought, or by how often each option is chosen in several answers, for models that report no
    /// log-probabilities; auto takes the first of these that the model allows
    #[arg(long, value_enum, default_value = "letters", help_heading = "Model")]
    pub(crate) answers: AnswersArg,
    #[command(flatten)]
    pub(crate) way: WayArgs,
    /// Number of top log-probabilities to request [default: the server's maximum]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) top_logprobs: Option<u32>,
    /// Send each batch as one request with a list of prompts, where the server supports it
    #[arg(long, help_heading = "Model")]
    pub(crate) list_prompts: bool,
    /// JSON object with further fields of every request, such as
    /// `{"chat_template_kwargs": {"enable_thinking": false}}`
    #[arg(long, value_name = "JSON", help_heading = "Model")]
    pub(crate) extra_body: Option<String>,
    /// Threads of an embedded model [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) threads: Option<std::num::NonZeroU32>,
    /// Layers of an embedded model to keep on the GPU (builds with cuda, vulkan or metal)
    #[arg(long, value_name = "N", default_value_t = Asking::default().gpu_layers, help_heading = "Model")]
    pub(crate) gpu_layers: u32,
    /// Questions per batch, a number or auto; a batch is one request with --list-prompts, else one
    /// request per question
    #[arg(long, value_name = "N", default_value_t = engine().batch, help_heading = "Speed")]
    pub(crate) batch_size: BatchSize,
    /// Maximum batches in flight per server, a number or auto (adapts to the server)
    #[arg(long, value_name = "N", default_value_t = engine().workers, help_heading = "Speed")]
    pub(crate) max_workers: Workers,
    /// Use operating-system threads with blocking calls instead of async tasks
    #[arg(long, help_heading = "Speed")]
    pub(crate) use_threads: bool,
    /// Timeout for each request, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = http().timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..), help_heading = "Speed")]
    pub(crate) timeout: u64,
    /// Timeout for opening a connection, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = http().connect_timeout.as_secs_f64(), value_parser = positive_seconds, help_heading = "Speed")]
    pub(crate) connect_timeout: f64,
    /// Timeout for the first byte of a response, in seconds [default: same as --timeout]
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds, help_heading = "Speed")]
    pub(crate) first_byte_timeout: Option<f64>,
    /// Send all requests over one HTTP/2 connection, instead of a pool of HTTP/1.1 connections
    #[arg(long, help_heading = "Speed")]
    pub(crate) http2: bool,
    /// Maximum retries per question
    #[arg(long, value_name = "N", default_value_t = engine().retry.max_retries, help_heading = "Speed")]
    pub(crate) max_retries: u32,
    /// Back-off before the first retry, in seconds; doubles with each retry, with jitter
    #[arg(long, value_name = "SECONDS", default_value_t = engine().retry.base.as_secs_f64(), value_parser = seconds, help_heading = "Speed")]
    pub(crate) retry_delay: f64,
    /// Maximum requests per minute
    #[arg(long, value_name = "N", value_parser = per_minute, help_heading = "Speed")]
    pub(crate) requests_per_minute: Option<f64>,
    /// Maximum prompt tokens per minute
    #[arg(long, value_name = "N", value_parser = per_minute, help_heading = "Speed")]
    pub(crate) tokens_per_minute: Option<f64>,
    /// Minimum delay between requests, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = engine().delay.as_secs_f64(), value_parser = seconds, help_heading = "Speed")]
    pub(crate) delay: f64,
    /// Longest wait for a server that is unreachable, or that asks to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = engine().give_up_after.as_secs_f64(), value_parser = seconds, help_heading = "Speed")]
    pub(crate) give_up_after: f64,
}
