//! `sureness score`: figures from saved logits, without asking a model.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde::Serialize;
use sureness_conformal::{Config, EvaluateError, Evaluation, Mean, Protocol, Row, evaluate, mean};
use sureness_questions::answers::{self, AnswerKey};
use sureness_scorers::replay::{self, FileName, RecordedLogits};

use super::run::ProtocolArg;
use crate::error::CliError;

/// Options that six-option files are taken to have at E and F where the questions do not say.
const PAPER_WIDTH: usize = 6;

/// How the figures are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// One JSON object; fractions, not percent
    Json,
    /// A table for people
    Table,
    /// One row per file; fractions
    Csv,
    /// A table for a pull request
    Markdown,
}

/// Flags of `sureness score`.
#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// Ids and answers, in the paper's JSON layout
    #[arg(long, value_name = "FILE")]
    questions: PathBuf,
    /// Saved logits: pickles of the paper, JSONL, CSV or Parquet
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    logits: Vec<PathBuf>,
    /// How the figures come about
    #[arg(long, value_enum, default_value = "standard")]
    protocol: ProtocolArg,
    /// Allowed share of prediction sets without the right answer
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    alpha: f64,
    /// Share of the questions that calibrate
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    calibration_ratio: f64,
    /// Seed of the split
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Questions to leave out, the worked examples of the prompts; `none` keeps all
    #[arg(long, value_name = "IDS", default_value = "1,3,5,7,9")]
    drop_ids: String,
    /// Options to leave out of the softmax, such as E,F
    #[arg(long, value_name = "LETTERS", value_delimiter = ',')]
    drop_options: Vec<char>,
    /// How the figures are printed
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

/// One file's figures, in the layout of the JSON output.
#[derive(Debug, Serialize)]
struct FileScores {
    file: String,
    model: String,
    dataset: Option<String>,
    strategy: Option<&'static str>,
    #[serde(flatten)]
    evaluation: Evaluation,
}

#[derive(Debug, Serialize)]
struct ModelMean {
    model: String,
    dataset: Option<String>,
    #[serde(flatten)]
    mean: Mean,
}

#[derive(Debug, Serialize)]
struct Scores {
    files: Vec<FileScores>,
    models: Vec<ModelMean>,
    mean: Option<Mean>,
}

/// Scores every file; prints only when all of them are fine.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every command takes its arguments"
)]
pub(crate) fn run(args: ScoreArgs) -> Result<ExitCode, CliError> {
    let drop_ids = parse_ids(&args.drop_ids)?;
    let drop_options = parse_letters(&args.drop_options)?;
    let config = Config {
        protocol: Protocol::from(args.protocol),
        alpha: args.alpha,
        calibration_ratio: args.calibration_ratio,
        seed: args.seed,
    };
    let key = answers::read(&args.questions)
        .map_err(|e| CliError::input(&e).hint(e.hint().unwrap_or_default()))?;
    let key: HashMap<i64, AnswerKey> = key
        .into_iter()
        .filter(|k| !drop_ids.contains(&k.id))
        .map(|k| (k.id, k))
        .collect();
    let files: Vec<FileScores> = args
        .logits
        .par_iter()
        .map(|path| {
            score_file(
                path,
                &args.questions,
                &key,
                &drop_ids,
                &drop_options,
                &config,
            )
        })
        .collect::<Result<_, _>>()?;
    for file in files.iter().filter(|f| f.evaluation.lac.qhat.is_none()) {
        eprintln!(
            "note: {}: {} calibration questions are too few for an error rate of {}: every set is full",
            file.file, file.evaluation.n_calibration, config.alpha
        );
    }
    let scores = Scores {
        models: model_means(&files),
        mean: mean(files.iter().map(|f| &f.evaluation)),
        files,
    };
    print(&scores, args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn parse_ids(text: &str) -> Result<Vec<i64>, CliError> {
    if text.trim().is_empty() || text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|id| {
            id.trim().parse().map_err(|_| {
                CliError::input(format!("--drop-ids: {id:?} is not a whole number"))
                    .hint("write for example --drop-ids 1,3,5,7,9 or --drop-ids none")
            })
        })
        .collect()
}

fn parse_letters(letters: &[char]) -> Result<Vec<usize>, CliError> {
    letters
        .iter()
        .map(|letter| match letter.to_ascii_uppercase() {
            upper @ 'A'..='Z' => Ok(upper as usize - 'A' as usize),
            _ => Err(
                CliError::input(format!("--drop-options: {letter:?} is not a letter"))
                    .hint("write for example --drop-options E,F"),
            ),
        })
        .collect()
}

fn score_file(
    path: &Path,
    questions: &Path,
    key: &HashMap<i64, AnswerKey>,
    drop_ids: &[i64],
    drop_options: &[usize],
    config: &Config,
) -> Result<FileScores, CliError> {
    let name = path.display();
    let logits = replay::read(path).map_err(|e| CliError::input(&e).hint(e.hint()))?;
    let kept: Vec<usize> = (0..logits.width)
        .filter(|i| !drop_options.contains(i))
        .collect();
    if let Some(&absent) = drop_options.iter().find(|&&i| i >= logits.width) {
        return Err(CliError::input(format!(
            "{name}: --drop-options names {}, but there are {} options",
            letter(absent),
            logits.width
        )));
    }
    let values = kept_values(&logits, &kept, config.protocol);
    let mut rows = Vec::with_capacity(logits.ids.len());
    let ids: Vec<[u8; 8]> = logits.ids.iter().map(|id| id.to_le_bytes()).collect();
    for (row, (&id, values)) in logits
        .ids
        .iter()
        .zip(values.chunks(kept.len().max(1)))
        .enumerate()
    {
        if drop_ids.contains(&id) {
            continue;
        }
        let Some(answer) = key.get(&id) else {
            return Err(CliError::input(format!(
                "{name}: question {id} is not in {}",
                questions.display()
            ))
            .hint("give the questions that these logits belong to"));
        };
        let place = |option: usize| kept.iter().position(|&i| i == option);
        if let Some(options) = answer.options.filter(|&n| n != logits.width) {
            return Err(CliError::input(format!(
                "{name}: question {id} has {options} options, but {} logits",
                logits.width
            ))
            .hint("give the questions that these logits belong to"));
        }
        let right = place(answer.answer).ok_or_else(|| {
            CliError::input(format!(
                "{name}: the answer {} of question {id} is not among the options that are scored",
                letter(answer.answer)
            ))
            .hint("an option that is right somewhere cannot be dropped")
        })?;
        let named = answer.options.is_some() || logits.width != PAPER_WIDTH;
        let abstention = |known: Option<usize>, usual| if named { known } else { Some(usual) };
        rows.push(Row {
            key: &ids[row],
            logits: values,
            answer: right,
            dont_know: abstention(answer.dont_know, 4).and_then(place),
            none_of_the_above: abstention(answer.none_of_the_above, 5).and_then(place),
        });
    }
    if rows.len() != key.len() {
        return Err(CliError::input(format!(
            "{name} has logits for {} of the {} questions in {}",
            rows.len(),
            key.len(),
            questions.display()
        ))
        .hint("give the questions that these logits belong to, and complete logits"));
    }
    let evaluation = evaluate(&rows, config).map_err(|e| match e {
        EvaluateError::Alpha(_) | EvaluateError::Ratio(_) => CliError::input(e),
        _ => CliError::input(format!("{name}: {e}")),
    })?;
    let parts = FileName::parse(path);
    Ok(FileScores {
        file: name.to_string(),
        model: parts.model,
        dataset: parts.dataset,
        strategy: parts.strategy.map(|s| match s {
            sureness_prompts::Strategy::Base => "base",
            sureness_prompts::Strategy::SharedInstruction => "shared",
            sureness_prompts::Strategy::TaskSpecific => "task",
        }),
        evaluation,
    })
}

/// The logits of the kept options, row by row. The paper's protocol sees float32 values.
fn kept_values(logits: &RecordedLogits, kept: &[usize], protocol: Protocol) -> Vec<f64> {
    let mut values = Vec::with_capacity(logits.ids.len() * kept.len());
    match &logits.values64 {
        Some(doubles) if protocol == Protocol::Standard => {
            for row in doubles.chunks(logits.width) {
                values.extend(kept.iter().map(|&i| row[i]));
            }
        }
        _ => {
            for row in logits.values.chunks(logits.width) {
                values.extend(kept.iter().map(|&i| f64::from(row[i])));
            }
        }
    }
    values
}

fn letter(index: usize) -> char {
    sureness_questions::label(index)
}

/// Means over the files of each (model, data set), in order of first appearance.
fn model_means(files: &[FileScores]) -> Vec<ModelMean> {
    let mut means: Vec<ModelMean> = Vec::new();
    for file in files {
        if means
            .iter()
            .any(|m| m.model == file.model && m.dataset == file.dataset)
        {
            continue;
        }
        let same = files
            .iter()
            .filter(|f| f.model == file.model && f.dataset == file.dataset);
        if let Some(mean) = mean(same.map(|f| &f.evaluation)) {
            means.push(ModelMean {
                model: file.model.clone(),
                dataset: file.dataset.clone(),
                mean,
            });
        }
    }
    means
}

fn print(scores: &Scores, output: Output) -> Result<(), CliError> {
    use std::io::Write;
    let fail =
        |e: &dyn std::fmt::Display| CliError::input(format!("cannot encode the figures: {e}"));
    let text = match output {
        Output::Json => serde_json::to_string(scores).map_err(|e| fail(&e))? + "\n",
        Output::Csv => csv_text(scores).map_err(|e| fail(&e))?,
        Output::Table => format!(
            "{}\n",
            table(scores, comfy_table::presets::UTF8_HORIZONTAL_ONLY)
        ),
        Output::Markdown => format!("{}\n", table(scores, comfy_table::presets::ASCII_MARKDOWN)),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::input(format!("cannot write the figures: {e}")))
        }
        _ => Ok(()),
    }
}

fn csv_text(scores: &Scores) -> Result<String, Box<dyn std::error::Error>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "file",
        "model",
        "dataset",
        "strategy",
        "n_calibration",
        "n_test",
        "acc",
        "e_rate",
        "f_rate",
        "lac_qhat",
        "lac_set_size",
        "lac_coverage",
        "lac_uacc",
        "aps_qhat",
        "aps_set_size",
        "aps_coverage",
        "aps_uacc",
    ])?;
    for f in &scores.files {
        let e = &f.evaluation;
        let mut row = vec![
            f.file.clone(),
            f.model.clone(),
            f.dataset.clone().unwrap_or_default(),
            f.strategy.unwrap_or_default().to_owned(),
            e.n_calibration.to_string(),
            e.n_test.to_string(),
        ];
        row.extend([e.acc, e.e_rate, e.f_rate].map(|x| x.to_string()));
        for s in [&e.lac, &e.aps] {
            row.push(s.qhat.map(|q| q.to_string()).unwrap_or_default());
            row.extend([s.set_size, s.coverage, s.uacc].map(|x| x.to_string()));
        }
        writer.write_record(&row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn table(scores: &Scores, style: comfy_table::TableStyle) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(style).set_header([
        "Model", "Data set", "Prompt", "n", "Acc %", "SS LAC", "SS APS", "Cov LAC", "Cov APS",
        "UAcc %",
    ]);
    let percent = |x: f64| format!("{:.2}", 100.0 * x);
    let dataset = |d: &Option<String>| d.clone().unwrap_or_default();
    for f in &scores.files {
        let e = &f.evaluation;
        add(
            &mut table,
            vec![
                f.model.clone(),
                dataset(&f.dataset),
                f.strategy.unwrap_or_default().to_owned(),
                e.n_test.to_string(),
                percent(e.acc),
                format!("{:.2}", e.lac.set_size),
                format!("{:.2}", e.aps.set_size),
                percent(e.lac.coverage),
                percent(e.aps.coverage),
                percent(f64::midpoint(e.lac.uacc, e.aps.uacc)),
            ],
        );
    }
    for m in &scores.models {
        let both = format!("{:.2}", m.mean.set_size);
        add(
            &mut table,
            vec![
                m.model.clone(),
                dataset(&m.dataset),
                "mean".to_owned(),
                String::new(),
                percent(m.mean.acc),
                both,
                String::new(),
                percent(m.mean.coverage),
                String::new(),
                percent(m.mean.uacc),
            ],
        );
    }
    table
}

fn add(table: &mut comfy_table::Table, cells: Vec<String>) {
    use comfy_table::{Cell, CellAlignment};
    table.add_row(cells.into_iter().enumerate().map(|(i, text)| {
        let alignment = if i < 3 {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        };
        Cell::new(text).set_alignment(alignment)
    }));
}
