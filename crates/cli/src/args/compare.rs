//! The flags of `sureness compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::run::RunArgs;
use super::values::Ids;

/// Flags of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Compare what is there already, as if it were asked now: saved logits, imports and output folders
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "until", conflicts_with_all = ["api_base", "gguf"], help_heading = "Saved answers")]
    pub(crate) logits: Vec<PathBuf>,
    /// Questions in the paper's JSON layout, for files of saved logits
    #[arg(
        long,
        value_name = "FILE",
        requires = "logits",
        help_heading = "Saved answers"
    )]
    pub(crate) questions: Option<PathBuf>,
    /// Take --questions even where a file is named after another data set or has other answers
    #[arg(long, requires = "logits", help_heading = "Saved answers")]
    pub(crate) any_questions: bool,
    /// Ids to drop from saved logits, such as the few-shot examples; `none` keeps all
    #[arg(long, value_name = "IDS", default_value_t = Ids::default(), help_heading = "Saved answers")]
    pub(crate) drop_ids: Ids,
    /// Output format of --logits, and of --until gate
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Saved answers"
    )]
    pub(crate) output: SettledOutput,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SettledOutput {
    /// A table
    Table,
    /// One JSON object
    Json,
    /// For a pull request or a job summary
    Markdown,
    /// With --until gate: XML for CI systems
    Junit,
}
