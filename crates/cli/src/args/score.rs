//! The flags of `sureness score`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::TypedValueParser;
use sureness_analysis::Section;
use sureness_conformal::{Config, Covers, Protocol};
use sureness_report::export;

use super::values::{Ids, Letters, named, one_of, open_share};

/// Flags of `score`.
#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// Evaluation protocol
    #[arg(long, value_enum, default_value_t = Config::default().protocol)]
    pub(crate) protocol: Protocol,

    /// When a prediction set covers a question with several right answers: if it holds any or all
    #[arg(long, value_enum, default_value_t = Config::default().covers)]
    pub(crate) covers: Covers,

    /// Questions in the paper's JSON layout; `id` and `answer` are enough. Tables with a column
    /// `answer` need none
    #[arg(long, value_name = "FILE")]
    pub(crate) questions: Option<PathBuf>,

    /// Take --questions even where a file is named after another data set or has other answers
    #[arg(long)]
    pub(crate) any_questions: bool,

    /// Saved logits: .pkl, .jsonl, .csv or .parquet, named
    /// {model}_{dataset}_{base|shared|task}_icl{0|1}
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) logits: Vec<PathBuf>,

    /// Allowed share of prediction sets without the right answer (alpha)
    #[arg(long, alias = "alpha", value_name = "SHARE", default_value_t = Config::default().alpha,
        value_parser = open_share)]
    pub(crate) error_rate: f64,

    /// Share of questions in the calibration set
    #[arg(long, value_name = "SHARE", default_value_t = Config::default().calibration_ratio,
        value_parser = open_share)]
    pub(crate) calibration_ratio: f64,

    /// Seed of the split
    #[arg(long, default_value_t = Config::default().seed)]
    pub(crate) seed: u64,

    /// Ids of questions to drop, such as the few-shot examples; `none` keeps all. Tables with their
    /// own answers keep all by default
    #[arg(long, value_name = "IDS", default_value_t = Ids::default())]
    pub(crate) drop_ids: Ids,

    /// Letters of options to drop before the softmax, such as E,F
    #[arg(long, value_name = "LETTERS")]
    pub(crate) drop_options: Option<Letters>,

    /// Output format
    #[arg(long, value_name = "FORMAT", value_parser = output(), default_value = "table")]
    pub(crate) output: Output,
}

/// The output format.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output {
    /// The figures as data, in fractions.
    Json,
    /// One row per file, in fractions.
    Csv,
    /// A table, in percent.
    Section(export::Format),
}

fn output() -> impl TypedValueParser<Value = Output> {
    let table = Output::Section(export::Format::Text);
    let data = [
        named("json", "Files and means as data; fractions", Output::Json),
        named("table", "Text table; percent", table),
        named("csv", "One row per file; fractions", Output::Csv),
    ];
    // Every other format of text, under its own name.
    let others = export::Format::ALL.into_iter().filter(|&format| {
        let empty = Section::default();
        format != export::Format::Text && export::section(&empty, format, 80).is_some()
    });
    let others = others.map(|f| named(f.name(), f.about(), Output::Section(f)));
    one_of(data.into_iter().chain(others))
}
