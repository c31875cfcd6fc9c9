//! The flags of `sureness run`, `single` and `compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
#[cfg(feature = "nats")]
use sureness_bench::FleetSettings;
use sureness_bench::{ALLOWED_FAILURES, CacheSettings, OnChange, Settings};
use sureness_conformal::{Config, Covers, Protocol};
#[cfg(feature = "nats")]
use sureness_fleet::CoordinatorSettings;
use sureness_questions::{ClusterBy, Shard};

use super::ask::AskArgs;
use super::judge::JudgeArgs;
use super::price::PriceArgs;
use super::until::UntilArgs;
use super::values::{OrdersArg, open_share, price, recheck, share, temperature};

/// The progress display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArg {
    /// Bars on a terminal, else lines
    Auto,
    /// Bars
    Bars,
    /// A line every 10 seconds
    Plain,
    /// One JSON object per second, on stderr
    Json,
    /// Nothing
    None,
}

/// A way of the paper's to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SetupArg {
    /// GPT-4 (Table 4): fifty answers to each question at temperature 1, a softmax over their shares, the
    /// paper's protocol
    #[value(name = "table-4")]
    Table4,
}

/// Flags of a run.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct RunArgs {
    /// Settings under this name in sureness.toml; put it right behind the command
    #[arg(value_name = "SETTINGS")]
    pub(crate) settings: Option<String>,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    /// Model names to compare
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',', conflicts_with = "model", help_heading = "Model")]
    pub(crate) models: Vec<String>,
    /// Tasks: qa, rc, ci, drs, ds, or any named by --data
    #[arg(long, value_name = "TASK", num_args = 1.., value_delimiter = ',', help_heading = "Questions")]
    pub(crate) tasks: Vec<String>,
    /// Data set of a task: a file, a folder or a pattern of files, or a data set of the hub, such as
    /// qa=mmlu/, 'qa=data/test-*.parquet' or qa=hf:cais/mmlu:all [default: imported or built-in questions]
    #[arg(long, value_name = "TASK=PATH", num_args = 1.., help_heading = "Questions")]
    pub(crate) data: Vec<String>,
    /// Layout of a task's data set [default: detected]
    #[arg(long, value_name = "TASK=FORMAT", num_args = 1.., help_heading = "Questions")]
    pub(crate) data_format: Vec<String>,
    /// Columns of a task's data set by their meaning, in place of a layout, such as
    /// question=prompt,options=a+b+c,answer=key; TASK= may be left out with one --data
    #[arg(long, value_name = "[TASK=]KEY=COLUMN,…", num_args = 1.., help_heading = "Questions")]
    pub(crate) columns: Vec<String>,
    /// File with a task's few-shot examples
    #[arg(long, value_name = "TASK=PATH", num_args = 1.., help_heading = "Questions")]
    pub(crate) examples: Vec<String>,
    /// Questions per task, sampled at random, the same for every model [default: all]
    #[arg(long, value_name = "N", help_heading = "Questions")]
    pub(crate) sample_size: Option<usize>,
    /// Ask only shard i of n, such as 3/16, or 2+1/16 where a scheduler counts from 0; `sureness
    /// merge` combines the shards
    #[arg(long, value_name = "I/N", help_heading = "Questions")]
    pub(crate) shard: Option<Shard>,
    /// Do not add the options "I don't know" and "None of the above"
    #[arg(long, help_heading = "Questions")]
    pub(crate) no_abstention: bool,
    /// Group questions into clusters by category, none, or a column of the data files [default: by
    /// shared context]
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Questions"
    )]
    pub(crate) cluster: ClusterBy,
    /// Prompt strategies: `base`, `shared_instruction`, `task_specific` [default: all three]
    #[arg(long, value_name = "STRATEGY", num_args = 1.., value_delimiter = ',', help_heading = "Questions")]
    pub(crate) prompt_strategies: Vec<String>,
    /// Few-shot examples per prompt, 0 for zero-shot [default: 5 for qa, rc, ci; 3 for drs; 1 for ds]
    #[arg(long, value_name = "N", help_heading = "Questions")]
    pub(crate) shots: Option<usize>,
    /// Ask every question in N orders of its own options, and average their probabilities; or auto: a part of the
    /// questions in every order, whose prior of the letters is taken out of all
    #[arg(long, value_name = "N", help_heading = "Questions")]
    pub(crate) orders: Option<OrdersArg>,
    /// With --orders auto: share of the questions that is asked in every order [default: 0.1]
    #[arg(
        long,
        value_name = "SHARE",
        value_parser = open_share,
        requires = "orders",
        help_heading = "Questions"
    )]
    pub(crate) prior_share: Option<f64>,
    /// TOML file with the text of the prompts
    #[arg(long, value_name = "FILE", help_heading = "Questions")]
    pub(crate) prompts: Option<PathBuf>,
    /// Say what the run would ask, what of it is answered already, its tokens and its cost, and send
    /// nothing
    #[arg(long, help_heading = "Cost")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) price: PriceArgs,
    /// Cost at which the run stops, with all answers kept; requests under way are still paid for
    #[arg(long, value_name = "COST", value_parser = price, help_heading = "Cost")]
    pub(crate) max_cost: Option<f64>,
    /// Prompt and answer tokens at which the run stops, with all answers kept
    #[arg(long, value_name = "N", help_heading = "Cost")]
    pub(crate) max_tokens_total: Option<u64>,
    /// Ignore answers of earlier runs
    #[arg(long, help_heading = "Cache")]
    pub(crate) no_cache: bool,
    /// Also use answers from other output folders (or their sureness.sqlite)
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "no_cache", help_heading = "Cache")]
    pub(crate) cache_from: Vec<PathBuf>,
    /// Cached questions to ask again before using cached answers, to detect a changed model: 0 for
    /// none, else at least 5
    #[arg(long, value_name = "N", default_value_t = CacheSettings::default().recheck, value_parser = recheck, help_heading = "Cache")]
    pub(crate) recheck: usize,
    /// Action if the model has changed since it gave the cached answers
    #[arg(long, value_enum, default_value_t = CacheSettings::default().on_change, help_heading = "Cache")]
    pub(crate) on_change: OnChange,
    /// With --answers sampled or reasoned: keep the texts of answers and thoughts, compressed, for `show`
    /// and the page. The default is true; open questions are read from their texts and always keep them
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Cache")]
    pub(crate) keep_text: Option<bool>,
    /// Evaluation protocol
    #[arg(long, value_enum, default_value_t = Config::default().protocol, help_heading = "Statistics")]
    pub(crate) protocol: Protocol,
    /// Measure as the paper did, in place of the flags that this stands for
    #[arg(long, value_enum, value_name = "SETUP", conflicts_with_all = ["answers", "samples", "temperature", "protocol"], help_heading = "Statistics")]
    pub(crate) setup: Option<SetupArg>,
    /// With --answers sampled: make probabilities of the shares by a softmax at this temperature
    #[arg(long, value_name = "T", value_parser = temperature, help_heading = "Statistics")]
    pub(crate) tempered: Option<f64>,
    /// When a prediction set covers a question with several right answers: if it holds any or all
    #[arg(long, value_enum, default_value_t = Config::default().covers, help_heading = "Statistics")]
    pub(crate) covers: Covers,
    /// Allowed share of prediction sets without the right answer (alpha)
    #[arg(long, value_name = "SHARE", default_value_t = Config::default().alpha, value_parser = open_share, help_heading = "Statistics")]
    pub(crate) error_rate: f64,
    /// Share of questions in the calibration set
    #[arg(long, value_name = "SHARE", default_value_t = Config::default().calibration_ratio, value_parser = open_share, help_heading = "Statistics")]
    pub(crate) calibration_ratio: f64,
    /// Seed of the split and of sampling
    #[arg(long, value_name = "N", default_value_t = Config::default().seed, help_heading = "Statistics")]
    pub(crate) seed: u64,
    /// Maximum share of failed questions in a successful run
    #[arg(long, value_name = "SHARE", default_value_t = ALLOWED_FAILURES, value_parser = share, help_heading = "Statistics")]
    pub(crate) allowed_failures: f64,
    /// Mean probability of the option letters below which the run stops, 0 for never; below 10 %
    /// figures are marked
    #[arg(long, value_name = "SHARE", default_value_t = Settings::default().least_mass, value_parser = share, help_heading = "Statistics")]
    pub(crate) min_letter_mass: f64,
    #[cfg(feature = "nats")]
    #[command(flatten)]
    pub(crate) nats: super::nats::NatsArgs,
    /// With --nats: questions to queue for workers; raise it for a thousand workers
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "N", default_value_t = FleetSettings::LOOK_AHEAD, help_heading = "Machines")]
    pub(crate) look_ahead: std::num::NonZeroUsize,
    /// With --nats: time until the questions of a silent worker are reassigned, in seconds
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "SECONDS", default_value_t = CoordinatorSettings::default().unit_timeout.as_secs_f64(), value_parser = super::values::positive_seconds, help_heading = "Machines")]
    pub(crate) unit_timeout: f64,

    /// Folder for answers and results; a rerun asks only missing questions
    #[arg(long, value_name = "DIR", default_value_os_t = Settings::default().output_dir, help_heading = "Output")]
    pub(crate) output_dir: PathBuf,
    /// Progress display
    #[arg(long, value_enum, default_value = "auto", help_heading = "Output")]
    pub(crate) progress: ProgressArg,
    /// Write a log, one JSON object per line
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) log_file: Option<PathBuf>,
    /// Serve Prometheus metrics on http://HOST:PORT/metrics during the run; port 0 picks and prints
    /// a free port
    #[arg(long, value_name = "HOST:PORT", help_heading = "Output")]
    pub(crate) metrics_addr: Option<String>,
    /// Serve a live page about the run on this machine, at an address that is printed
    #[arg(long, help_heading = "Output")]
    pub(crate) view: bool,
    /// Print more detail to stderr, and show every strategy in the table
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,
}
