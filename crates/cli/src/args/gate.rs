//! The flags of `sureness gate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sureness_conformal::{Covers, Protocol};

use super::until::Margin;
use super::values::{Ids, open_share};

/// Flags of `gate`.
#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// The model to compare with: an output folder, `FOLDER#3` for run 3 of it, an import, or files of
    /// saved logits, separated by commas
    #[arg(value_name = "BASE")]
    pub(crate) base: String,
    /// The model that must not be worse, likewise
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidate: String,
    /// How much worse the candidate may be: acc, uacc, coverage and ece in percentage points, size in
    /// options
    #[arg(long, value_name = "METRIC=DIFFERENCE", num_args = 1.., value_delimiter = ',', default_values = ["acc=1pp"])]
    pub(crate) margin: Vec<Margin>,
    /// Probability that all intervals hold
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = open_share)]
    pub(crate) confidence: f64,
    /// Check each task on its own, rather than the mean over tasks
    #[arg(long)]
    pub(crate) per_task: bool,
    /// Exit code where the questions do not suffice: 4, or that of a pass or of a failure
    #[arg(long, value_enum, value_name = "CODE", default_value = "report")]
    pub(crate) undecided: UndecidedArg,
    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: GateOutput,
    /// Questions in the paper's JSON layout, for files of saved logits
    #[arg(long, value_name = "FILE")]
    pub(crate) questions: Option<PathBuf>,
    /// Take --questions even where a file is named after another data set or has other answers
    #[arg(long)]
    pub(crate) any_questions: bool,
    /// Ids to drop from saved logits, such as the few-shot examples; `none` keeps all
    #[arg(long, value_name = "IDS", default_value_t = Ids::default())]
    pub(crate) drop_ids: Ids,
    /// Only these tasks
    #[arg(long, value_name = "TASK", num_args = 1.., value_delimiter = ',')]
    pub(crate) tasks: Vec<String>,
    /// Only these prompt strategies
    #[arg(long, value_name = "STRATEGY", num_args = 1.., value_delimiter = ',')]
    pub(crate) prompt_strategies: Vec<String>,
    /// Compare runs even if their prompts differ
    #[arg(long)]
    pub(crate) mixed_prompts: bool,
    /// Evaluation protocol [default: as the runs were evaluated]
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<Protocol>,
    /// When a prediction set covers a question with several right answers: if it holds any or all
    /// [default: as the runs were evaluated]
    #[arg(long, value_enum)]
    pub(crate) covers: Option<Covers>,
    /// Allowed share of prediction sets without the right answer (alpha)
    #[arg(long, value_name = "SHARE", value_parser = open_share)]
    pub(crate) error_rate: Option<f64>,
    /// Seed of the split
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// What an undecided gate counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UndecidedArg {
    /// Exit code 4
    Report,
    /// Exit code 0
    Pass,
    /// Exit code 3
    Fail,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GateOutput {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// `JUnit` XML, which CI systems show as tests
    Junit,
    /// A Markdown table for a job summary
    Markdown,
}
