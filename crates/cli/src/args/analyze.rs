//! The flags of `sureness analyze` and `sureness report`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::TypedValueParser;
use sureness_analysis::{Mode, Settings};
use sureness_bench::evidence::Grouping;
use sureness_conformal::{Covers, Estimand, Nonconformity, Protocol, Resampling};
use sureness_report::export;

use crate::show::output_format::OutputFormat;

use super::texts::TextArgs;
use super::values::{Ids, Letters, named, one_of, open_share, temperature};

/// The defaults of an analysis.
fn defaults() -> Settings {
    Settings::default()
}

/// Flags that select runs and set how they are analysed.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvidenceArgs {
    /// Output folders of runs (or their sureness.sqlite; `FOLDER#3` for run 3 of it, `NAME=FOLDER` to
    /// show it under that name), or files of saved logits with --questions
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,

    /// Questions in the paper's JSON layout, for files of saved logits
    #[arg(long, value_name = "FILE", help_heading = "What")]
    pub(crate) questions: Option<PathBuf>,
    /// Take --questions even where a file is named after another data set or has other answers
    #[arg(long, help_heading = "What")]
    pub(crate) any_questions: bool,
    #[command(flatten)]
    pub(crate) texts: TextArgs,
    /// Ids to drop from saved logits, such as the few-shot examples; `none` keeps all
    #[arg(long, value_name = "IDS", default_value_t = Ids::default(), help_heading = "What")]
    pub(crate) drop_ids: Ids,
    /// Letters of options to drop from saved logits before the softmax
    #[arg(long, value_name = "LETTERS", help_heading = "What")]
    pub(crate) drop_options: Option<Letters>,
    /// Only these models, by name or a part of it
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',', help_heading = "What")]
    pub(crate) models: Vec<String>,
    /// Only these tasks
    #[arg(long, value_name = "TASK", num_args = 1.., value_delimiter = ',', help_heading = "What")]
    pub(crate) tasks: Vec<String>,
    /// Only these prompt strategies
    #[arg(long, value_name = "STRATEGY", num_args = 1.., value_delimiter = ',', help_heading = "What")]
    pub(crate) prompt_strategies: Vec<String>,
    /// Only the N best models, by `UAcc`
    #[arg(long, value_name = "N", help_heading = "What")]
    pub(crate) top_k: Option<std::num::NonZeroUsize>,
    /// Compare runs even if their prompts differ
    #[arg(long, help_heading = "What")]
    pub(crate) mixed_prompts: bool,
    /// Rank and test models even if they were measured in different ways
    #[arg(long, help_heading = "What")]
    pub(crate) insist: bool,

    /// Name that the models of one family contain, for the trend over size
    #[arg(long, value_name = "NAME", help_heading = "Scaling and instruct")]
    pub(crate) model_family: Option<String>,
    /// Only these sizes of the family, such as 7B 13B or 135M
    #[arg(long, value_name = "SIZE", num_args = 1.., value_delimiter = ',', value_parser = size, help_heading = "Scaling and instruct")]
    pub(crate) model_sizes: Vec<f64>,
    /// Base model and its instruction-tuned version, where names do not show it
    #[arg(long, value_name = "BASE=TUNED", num_args = 1.., value_parser = pair, help_heading = "Scaling and instruct")]
    pub(crate) pair: Vec<(String, String)>,

    /// Evaluation protocol [default: as the runs were evaluated]
    #[arg(long, value_enum, help_heading = "Statistics")]
    pub(crate) protocol: Option<Protocol>,
    /// When a prediction set covers a question with several right answers: if it holds any or all
    /// [default: as the runs were evaluated]
    #[arg(long, value_enum, help_heading = "Statistics")]
    pub(crate) covers: Option<Covers>,
    /// For drawn answers: make probabilities of the shares by a softmax at this temperature [default: as
    /// the runs were evaluated]
    #[arg(long, value_name = "T", value_parser = temperature, help_heading = "Statistics")]
    pub(crate) tempered: Option<f64>,
    /// Allowed share of prediction sets without the right answer (alpha)
    #[arg(long, value_name = "SHARE", value_parser = open_share, help_heading = "Statistics")]
    pub(crate) error_rate: Option<f64>,
    /// Share of questions in the calibration set
    #[arg(long, value_name = "SHARE", value_parser = open_share, help_heading = "Statistics")]
    pub(crate) calibration_ratio: Option<f64>,
    /// Seed of the split, of ties and of resampling
    #[arg(long, value_name = "N", help_heading = "Statistics")]
    pub(crate) seed: Option<u64>,
    /// Questions to resample and split together
    #[arg(
        long,
        value_enum,
        value_name = "BY",
        default_value = "auto",
        help_heading = "Statistics"
    )]
    pub(crate) cluster: Grouping,
    /// Estimand of intervals and tests
    #[arg(long, value_enum, default_value_t = defaults().estimand, help_heading = "Statistics")]
    pub(crate) estimand: Estimand,
    /// Error rates of the curves
    #[arg(long, value_name = "SHARE", num_args = 1.., value_delimiter = ',', value_parser = open_share, help_heading = "Statistics")]
    pub(crate) alphas: Vec<f64>,
    /// Scores to compare: lac, aps, aps-randomized, raps, saps, margin, top-k
    #[arg(long, value_name = "SCORE", num_args = 1.., value_delimiter = ',', help_heading = "Statistics")]
    pub(crate) scores: Vec<Nonconformity>,
    /// Minimum calibration questions for a class or category to have its own threshold
    #[arg(long, value_name = "N", default_value_t = defaults().least, help_heading = "Statistics")]
    pub(crate) least: usize,
    /// Number of random splits, in addition to the single one
    #[arg(long, value_name = "N", default_value_t = defaults().splits as u16, value_parser = clap::value_parser!(u16).range(1..=10_000), help_heading = "Statistics")]
    pub(crate) splits: u16,
    /// Number of bootstrap replicates
    #[arg(long, value_name = "N", default_value_t = defaults().resampling.replicates as u32, value_parser = clap::value_parser!(u32).range(Resampling::LEAST as i64..=Resampling::MOST as i64), help_heading = "Statistics")]
    pub(crate) replicates: u32,
    /// Confidence level of intervals
    #[arg(long, value_name = "SHARE", default_value_t = defaults().resampling.level, value_parser = open_share, help_heading = "Statistics")]
    pub(crate) level: f64,
}

/// `sureness analyze`.
#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    #[command(flatten)]
    pub(crate) evidence: EvidenceArgs,
    /// Analyses to run [default: basic, plus comparative for several models]
    #[arg(long, alias = "mode", value_name = "MODE", num_args = 1.., value_delimiter = ',', value_parser = mode())]
    pub(crate) modes: Vec<ModeArg>,
    /// Output format on standard output: text for people, or every figure in one flat list
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "output_dir",
        help_heading = "Output"
    )]
    pub(crate) output: OutputFormat,
    /// Folder to write files to [default: print to the terminal]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) output_dir: Option<PathBuf>,
    /// File formats
    #[arg(long, value_name = "FORMAT", num_args = 1.., value_delimiter = ',', value_parser = format(),
        default_values = ["html", "json", "csv", "markdown", "svg"], requires = "output_dir", help_heading = "Output")]
    pub(crate) formats: Vec<FormatArg>,
}

/// `sureness report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) evidence: EvidenceArgs,
    /// File to write
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    pub(crate) output: PathBuf,
}

/// One mode, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModeArg {
    One(Mode),
    All,
}

fn mode() -> impl TypedValueParser<Value = ModeArg> {
    let modes = Mode::ALL.map(|mode| named(mode.name(), mode.about(), ModeArg::One(mode)));
    one_of(
        modes
            .into_iter()
            .chain([named("all", "All modes", ModeArg::All)]),
    )
}

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatArg {
    /// One self-contained page.
    Html,
    /// Tables and charts.
    Document(export::Format),
    /// Every question with its probabilities and prediction sets.
    Parquet,
}

fn format() -> impl TypedValueParser<Value = FormatArg> {
    let questions = "Every question with its probabilities and prediction sets";
    let formats = export::Format::ALL.map(|f| named(f.name(), f.about(), FormatArg::Document(f)));
    let page = named("html", "One self-contained page", FormatArg::Html);
    let formats = [page].into_iter().chain(formats);
    one_of(formats.chain([named("parquet", questions, FormatArg::Parquet)]))
}

/// A number of parameters, in billions: `7B`, `135M`, `7`.
fn size(text: &str) -> Result<f64, String> {
    let lower = text.trim().to_lowercase();
    let (number, scale) = match lower.strip_suffix('m') {
        Some(number) => (number, 1e-3),
        None => (lower.strip_suffix('b').unwrap_or(&lower), 1.0),
    };
    match f64::from_str(number) {
        Ok(size) if size > 0.0 && size.is_finite() => Ok(size * scale),
        _ => Err("must be a number of parameters, such as 7B or 135M".into()),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((base, tuned)) if !base.is_empty() && !tuned.is_empty() => {
            Ok((base.to_owned(), tuned.to_owned()))
        }
        _ => Err("must be two names, such as llama-7b=llama-7b-chat".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_pairs_are_read() {
        assert_eq!(
            (size("7B"), size("135m"), size("1.5")),
            (Ok(7.0), Ok(0.135), Ok(1.5))
        );
        for bad in ["", "0", "-1b", "large", "inf"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert_eq!(pair("a=b"), Ok(("a".into(), "b".into())));
        assert!(pair("a").is_err() && pair("=b").is_err());
    }
}
