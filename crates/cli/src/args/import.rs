//! The flags of `sureness import`.

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use sureness_bench::Settings;
use sureness_importers::{Format, Normalise};

use super::values::{named, one_of};

/// Flags of the import.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files and folders: samples of lm-evaluation-harness, .eval or .json logs of Inspect, files of
    /// lighteval, OLMES, HELM, OpenCompass, evalscope and BIG-bench, requests and results of batches,
    /// outputs of vLLM, results of promptfoo, and .pkl, .csv, .jsonl
    /// or .parquet with logits or log-probabilities
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Format of the files
    #[arg(long, value_name = "FORMAT", value_parser = format(), default_value = "auto")]
    pub(crate) format: FormatArg,
    /// Questions with their right answers: in the paper's JSON layout for files of logits, in any
    /// layout, or as ids and answers alone, for batches, vLLM and promptfoo
    #[arg(long, value_name = "FILE")]
    pub(crate) questions: Option<PathBuf>,
    /// Take --questions even where a file is named after another data set or has other answers
    #[arg(long)]
    pub(crate) any_questions: bool,
    /// Model name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Task name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<String>,
    /// Strategy name, instead of the one in the file
    #[arg(long, value_name = "NAME")]
    pub(crate) strategy: Option<String>,
    /// Tasks or groups of tasks to import, such as mmlu or 'arc_*' [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) tasks: Vec<String>,
    /// Tasks or groups of tasks to leave out
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Ids of questions to drop, such as 4 or anatomy/4; `none` keeps all [default: the few-shot
    /// examples in the paper's pickles]
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) drop_ids: Option<Vec<String>>,
    /// What to divide the log-likelihood of each option by, as length-normalised accuracies do
    #[arg(long, value_name = "BY", value_enum, default_value_t = Normalise::None)]
    pub(crate) normalise: Normalise,
    /// Folder with the store (sureness.sqlite) to import into
    #[arg(long, value_name = "DIR", default_value_os_t = Settings::default().output_dir)]
    pub(crate) output_dir: PathBuf,
}

/// `--format`, `None` for `auto`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormatArg(pub(crate) Option<Format>);

fn format() -> impl TypedValueParser<Value = FormatArg> {
    let of = |format: &Format| Some((format.to_possible_value()?, FormatArg(Some(*format))));
    let formats = Format::value_variants().iter().filter_map(of);
    let auto = named("auto", "Detected from the content", FormatArg(None));
    one_of([auto].into_iter().chain(formats))
}
