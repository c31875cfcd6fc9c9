//! The flags of `sureness import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sureness_bench::Settings;
use sureness_import::Format;

/// Flags of the import.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files and folders: samples of lm-evaluation-harness, .eval or .json logs of Inspect, and
    /// .pkl, .csv, .jsonl or .parquet with logits or log-probabilities
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Format of the files
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) format: FormatName,
    /// Questions in the paper's JSON layout, for files of logits without answers
    #[arg(long, value_name = "FILE")]
    pub(crate) questions: Option<PathBuf>,
    /// Model name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Task name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<String>,
    /// Strategy name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    pub(crate) strategy: Option<String>,
    /// Ids of questions to drop, none to keep all [default: the few-shot examples 1,3,5,7,9 in
    /// the paper's pickles]
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) drop_ids: Option<Vec<String>>,
    /// Folder with the store (sureness.sqlite) to import into
    #[arg(long, value_name = "DIR", default_value_os_t = Settings::default().output_dir)]
    pub(crate) output_dir: PathBuf,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// Detect the format
    Auto,
    /// Samples of lm-evaluation-harness (`--log_samples`)
    LmEval,
    /// Logs of Inspect with log-probabilities
    Inspect,
    /// Pickles of logits, as the paper published them
    Paper,
    /// CSV, JSON lines or Parquet with logits or log-probabilities
    Table,
}

impl FormatName {
    pub(crate) fn format(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::LmEval => Some(Format::LmEval),
            Self::Inspect => Some(Format::Inspect),
            Self::Paper => Some(Format::Paper),
            Self::Table => Some(Format::Table),
        }
    }
}
