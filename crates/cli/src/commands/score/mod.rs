//! `sureness score`: figures from saved logits, without asking a model.

mod args;
mod file;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rayon::prelude::*;
use sureness_analysis::scored::{ScoredFile, Scores};
use sureness_conformal::{Config, Protocol};
use sureness_questions::answers;
use sureness_report::export;
use sureness_scorers::replay;

use crate::error::CliError;
use crate::terminal;
use args::Output;
pub(crate) use args::{Ids, Letters, ScoreArgs};
pub(crate) use file::Scoring;

/// Scores all files, or reports everything that is wrong with the input and shows no figure.
pub(crate) fn run(args: ScoreArgs) -> Result<ExitCode, CliError> {
    let config = args.config();
    let ScoreArgs {
        questions,
        logits,
        drop_ids,
        drop_options,
        output,
        ..
    } = args;
    let mut problems = Vec::new();
    problems.extend(check_seed(&config));
    let read = read_questions(&questions);
    let scoring = match read {
        Ok((key, names)) => {
            let drop_options = drop_options.unwrap_or_default();
            Some(Scoring::new(
                &questions,
                key,
                names,
                drop_ids,
                drop_options,
                config,
            ))
        }
        Err(error) => {
            problems.push(error);
            None
        }
    };

    // Without an answer key the files are still read, so that one run tells all that is wrong.
    let outcomes: Vec<Result<Option<ScoredFile>, Vec<CliError>>> = logits
        .par_iter()
        .map(|path| {
            let logits = replay::read(path).map_err(|error| {
                let hint = error.hint();
                vec![CliError::input(error).hint(hint)]
            })?;
            scoring
                .as_ref()
                .map(|scoring| scoring.score(path, &logits))
                .transpose()
        })
        .collect();
    let mut files = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match outcome {
            Ok(file) => files.extend(file),
            Err(errors) => problems.extend(errors),
        }
    }
    if let Some(last) = problems.pop() {
        for problem in problems {
            problem.report();
        }
        return Err(last);
    }
    let scores =
        Scores::new(files, config).ok_or_else(|| CliError::input("no file of logits is given"))?;
    note_repeated(&logits);
    note_infinite_thresholds(&scores, config.alpha);
    for file in &scores.files {
        if let Some(note) = file.evaluation.aps_note(config.protocol) {
            eprintln!("note: {}: {note}", file.file);
        }
    }
    print(&scores, output)
}

/// The generator behind the paper's split is seeded with 32 bits.
fn check_seed(config: &Config) -> Option<CliError> {
    let too_large = config.protocol == Protocol::Paper && u32::try_from(config.seed).is_err();
    too_large.then(|| {
        CliError::input(format_args!(
            "--seed {}: the paper's protocol takes seeds up to {}",
            config.seed,
            u32::MAX
        ))
        .hint("choose a smaller seed; the published figures come from seed 42")
    })
}

/// Says which files are given more than once; they are scored, and count, as often.
fn note_repeated(paths: &[PathBuf]) {
    let mut seen = HashSet::new();
    let mut repeated = paths.iter().filter(|path| !seen.insert(identity(path)));
    if let Some(first) = repeated.next() {
        let others = match repeated.count() {
            0 => String::new(),
            1 => " and 1 other".to_owned(),
            n => format!(" and {n} others"),
        };
        eprintln!(
            "note: {}{others}: given before, and counted again in the means",
            first.display()
        );
    }
}

/// The same for every way to write the path of one file.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Full sets are not a finding about the model: says where they come from.
fn note_infinite_thresholds(scores: &Scores, alpha: f64) {
    for file in &scores.files {
        let e = &file.evaluation;
        if e.lac.qhat.is_none() || e.aps.qhat.is_none() {
            // 1/α is not exact in binary: without the slack 1/α = 10 could count as 11.
            let needed = ((1.0 / alpha - 1e-9).ceil() as usize).saturating_sub(1);
            eprintln!(
                "note: {}: {} calibration rows are too few for a threshold at alpha {alpha}, which \
                 takes {}: every prediction set is full",
                file.file,
                e.n_calibration,
                needed.max(e.n_calibration + 1),
            );
        }
    }
}

fn print(scores: &Scores, output: Output) -> Result<ExitCode, CliError> {
    let encode =
        |e: &dyn std::fmt::Display| CliError::input(format!("cannot encode the result: {e}"));
    let text = match output {
        Output::Json => serde_json::to_string_pretty(scores).map_err(|e| encode(&e))? + "\n",
        Output::Table => export::section_text(&scores.section(), terminal::width()),
        Output::Csv => {
            let mut csv = Vec::new();
            sureness_report::write_scores(scores, &mut csv).map_err(|e| encode(&e))?;
            String::from_utf8(csv).map_err(|e| encode(&e))?
        }
        Output::Markdown => export::section_markdown(&scores.section()),
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The right answers, and by what the questions are known.
pub(crate) fn read_questions(
    path: &std::path::Path,
) -> Result<(Vec<answers::AnswerKey>, sureness_import::QuestionNames), CliError> {
    let key = answers::read(path).map_err(|error| {
        let hint = error.hint().unwrap_or_default();
        CliError::input(error).hint(hint)
    })?;
    let names = sureness_import::QuestionNames::read(path).map_err(|error| {
        let hint = error.hint();
        CliError::input(error).hint(hint)
    })?;
    Ok((key, names))
}
