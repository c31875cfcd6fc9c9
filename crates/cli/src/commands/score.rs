//! `sureness score`: figures from saved logits, without asking a model.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rayon::prelude::*;
use sureness_analysis::number::{count, counted};
use sureness_analysis::scored::Scores;
use sureness_bench::Failure;
use sureness_bench::evidence::{Drop, Scored, Scoring, guessing_warning, score_table};
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
        options: args.drop_options.map_or_else(Vec::new, |letters| letters.0),
        ..args.drop_ids.0
    };
    let mut problems = Vec::new();
    problems.extend(check_seed(&config));
    let questions = args.questions.as_deref();
    let scoring = questions.and_then(|questions| {
        Scoring::new(questions, drop.clone(), config)
            .map(|scoring| scoring.for_any_file(args.any_questions))
            .map_err(|error| problems.push(error))
            .ok()
    });
    let outcomes: Vec<Result<Vec<Scored>, Failure>> = args
        .logits
        .par_iter()
        .map(|path| match (questions, &scoring) {
            (None, _) => score_table(path, None, &drop, &config),
            (Some(_), Some(scoring)) => scoring.score(path),
            // The files are still read, so that one run tells all that is wrong.
            (Some(_), None) => Ok(replay::read(path).map(|_| Vec::new())?),
        })
        .collect();
    let (mut files, mut guessing, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    let mut warnings = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(parts) => {
                for part in parts {
                    let improbable = part.file.improbable();
                    let doubts = part.warnings.into_iter().chain(improbable);
                    warnings.extend(doubts.map(|doubt| format!("{}: {doubt}", part.file.file)));
                    guessing.push((part.file.file.clone(), part.guessing));
                    files.push(part.file);
                    dropped.push(part.dropped);
                }
            }
            Err(error) => problems.push(error),
        }
    }
    if let Some(failure) = Failure::all(problems) {
        return Err(failure);
    }
    let scores =
        Scores::new(files, config).ok_or_else(|| Failure::new("no file of logits is given"))?;
    warnings.extend(guessing_warning(questions, &guessing));
    let left_out = scoring.as_ref();
    let left_out = left_out.and_then(|scoring| scoring.note_default_drops(&dropped));
    warnings.extend(scoring.and_then(|scoring| scoring.note_unknown_drops(&dropped)));
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    if let Some(note) = left_out {
        eprintln!("note: {note}");
    }
    note_repeated(&args.logits);
    note_infinite_thresholds(&scores, config.alpha);
    let files = scores.files.iter();
    print_notes(files.filter_map(|file| {
        let note = file.evaluation.aps_note(config.protocol)?;
        Some((file.file.as_str(), note.to_string()))
    }));
    print(&scores, args.output)
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
            others => format!(" and {}", counted(others, "other")),
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
    let files = scores.files.iter();
    let infinite = files.filter(|file| {
        let e = &file.evaluation;
        e.lac.qhat.is_none() || e.aps.qhat.is_none()
    });
    print_notes(infinite.map(|file| {
        let found = file.evaluation.n_calibration;
        let needed = Scheme::least_for_finite(alpha).max(found + 1);
        let note = format!(
            "the calibration set has {}, too few for a threshold at alpha {alpha}, which takes {}: \
             every prediction set is full",
            counted(found, "question"),
            count(needed),
        );
        (file.file.as_str(), note)
    }));
}

/// Prints each note once, with the first of the files that it is about.
fn print_notes<'a>(notes: impl Iterator<Item = (&'a str, String)>) {
    let mut different: Vec<(&str, String, usize)> = Vec::new();
    for (file, note) in notes {
        match different.iter_mut().find(|(_, known, _)| *known == note) {
            Some((.., others)) => *others += 1,
            None => different.push((file, note, 0)),
        }
    }
    for (file, note, others) in different {
        let others = match others {
            0 => String::new(),
            others => format!(" and {}", counted(others, "other")),
        };
        eprintln!("note: {file}{others}: {note}");
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
