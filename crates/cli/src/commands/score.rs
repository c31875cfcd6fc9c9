//! `sureness score`: figures from saved logits, without asking a model.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rayon::prelude::*;
use sureness_analysis::scored::{ScoredFile, Scores};
use sureness_bench::Failure;
use sureness_bench::evidence::{Drop, Scoring, score_table};
use sureness_conformal::{Config, Protocol, Scheme};
use sureness_report::export;
use sureness_scorers::replay;

use crate::args::score::{Output, ScoreArgs};
use crate::settings;
use crate::show::terminal;

/// Scores all files, or reports everything that is wrong with the input and shows no figure.
pub(super) fn run(args: ScoreArgs) -> Result<ExitCode, Failure> {
    let config = settings::score(&args);
    let drop = Drop {
        ids: args.drop_ids.0,
        options: args.drop_options.map_or_else(Vec::new, |letters| letters.0),
    };
    let mut problems = Vec::new();
    problems.extend(check_seed(&config));
    let questions = args.questions.as_deref();
    let scoring = questions.map(|questions| Scoring::new(questions, drop.clone(), config));
    // Without the answer key the files are still read, so that one run tells all that is wrong.
    let scoring = match scoring.transpose() {
        Ok(scoring) => scoring,
        Err(error) => {
            problems.push(error);
            None
        }
    };
    let outcomes: Vec<Result<Vec<ScoredFile>, Failure>> = args
        .logits
        .par_iter()
        .map(|path| match (questions, &scoring) {
            (None, _) => score_table(path, None, &drop, &config),
            (Some(questions), scoring) => match replay::read(path) {
                Ok(logits) => match scoring {
                    Some(scoring) => Ok(vec![scoring.score(path, &logits)?]),
                    None => Ok(Vec::new()),
                },
                Err(error) if scoring.is_some() && is_of_many(&error) => {
                    score_table(path, Some(questions), &drop, &config)
                }
                Err(error) => Err(error.into()),
            },
        })
        .collect();
    let mut files = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match outcome {
            Ok(scored) => files.extend(scored),
            Err(error) => problems.push(error),
        }
    }
    if let Some(failure) = Failure::all(problems) {
        return Err(failure);
    }
    let scores =
        Scores::new(files, config).ok_or_else(|| Failure::new("no file of logits is given"))?;
    note_repeated(&args.logits);
    note_infinite_thresholds(&scores, config.alpha);
    for file in &scores.files {
        if let Some(note) = file.evaluation.aps_note(config.protocol) {
            eprintln!("note: {}: {note}", file.file);
        }
    }
    print(&scores, args.output)
}

/// Whether a file may be a table of several models, which repeats its ids and may have both kinds of
/// scores.
fn is_of_many(error: &replay::ReplayError) -> bool {
    use replay::Problem::{AmbiguousColumns, DuplicateId};
    matches!(error.problem, DuplicateId { .. } | AmbiguousColumns { .. })
}

/// The generator behind the paper's split is seeded with 32 bits.
fn check_seed(config: &Config) -> Option<Failure> {
    let too_large = config.protocol == Protocol::Paper && u32::try_from(config.seed).is_err();
    too_large.then(|| {
        Failure::new(format_args!(
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
            let needed = Scheme::least_for_finite(alpha);
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

fn print(scores: &Scores, output: Output) -> Result<ExitCode, Failure> {
    let encode = |e: &dyn std::fmt::Display| Failure::new(format!("cannot encode the result: {e}"));
    let text = match output {
        Output::Json => serde_json::to_string_pretty(scores).map_err(|e| encode(&e))? + "\n",
        Output::Csv => {
            let mut csv = Vec::new();
            sureness_report::write_scores(scores, &mut csv).map_err(|e| encode(&e))?;
            String::from_utf8(csv).map_err(|e| encode(&e))?
        }
        Output::Section(format) => {
            export::section(&scores.section(), format, terminal::width()).unwrap_or_default()
        }
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
