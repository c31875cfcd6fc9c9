//! `sureness analyze` and `sureness report`: what the figures of runs say.

mod args;
mod browser;
mod compatible;
mod headline;
mod load;
mod output;
mod texts;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use sureness_analysis::{Document, Evidence, Figures, Mode, Settings, document};
use sureness_conformal::Config;

use crate::error::CliError;
pub(crate) use args::{AnalyzeArgs, ReportArgs};
use args::{EvidenceArgs, FormatArg};
pub(crate) use load::group as rows_of;

/// Program and version, as written into documents.
const PROGRAM: &str = concat!("sureness ", env!("CARGO_PKG_VERSION"));

/// Loaded, checked, and ready to be analysed.
struct Prepared {
    evidence: Evidence,
    settings: Settings,
    texts: texts::Texts,
    notes: Vec<String>,
}

/// Reads the runs and checks that they can be compared.
fn prepare(args: &EvidenceArgs) -> Result<Prepared, CliError> {
    let texts = texts::Texts::of(args)?;
    let load::Loaded {
        mut evidence,
        config,
        mut notes,
    } = load::load(args)?;
    notes.extend(compatible::check(&evidence, args.mixed_prompts)?);
    let settings = args.settings(config.unwrap_or_else(Config::default));
    notes.extend(compatible::split_rule(&evidence, &settings.config));
    if let Some(most) = settings.top_k.filter(|&most| most < evidence.models.len()) {
        notes.push(format!(
            "the {most} models with the highest UAcc of {} are shown",
            evidence.models.len()
        ));
        keep_best(&mut evidence, &settings, most);
    }
    for note in &notes {
        eprintln!("note: {note}");
    }
    Ok(Prepared {
        evidence,
        settings,
        texts,
        notes,
    })
}

/// What these runs hold and how they were evaluated, as `analyze` reads them without further flags.
pub(crate) fn evidence_of(runs: &[PathBuf]) -> Result<(Evidence, Settings), CliError> {
    #[derive(clap::Parser)]
    struct Runs {
        #[command(flatten)]
        evidence: EvidenceArgs,
    }
    let words = ["analyze", "--"].map(OsString::from);
    let paths = runs.iter().map(|path| path.clone().into_os_string());
    let runs = Runs::try_parse_from(words.into_iter().chain(paths)).map_err(CliError::input)?;
    let prepared = prepare(&runs.evidence)?;
    Ok((prepared.evidence, prepared.settings))
}

/// Keeps the models with the highest mean `UAcc`, in the order in which they were named.
fn keep_best(evidence: &mut Evidence, settings: &Settings, most: usize) {
    let value = |model: &sureness_analysis::ModelEvidence| {
        let evaluations: Vec<_> = model
            .groups
            .iter()
            .filter_map(|group| group.table.evaluate(&settings.config).ok())
            .collect();
        sureness_conformal::mean(&evaluations).map_or(f64::NEG_INFINITY, |mean| mean.uacc)
    };
    let mut ranked: Vec<(f64, String)> = evidence
        .models
        .iter()
        .map(|m| (value(m), m.name.clone()))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.truncate(most);
    evidence
        .models
        .retain(|model| ranked.iter().any(|(_, name)| *name == model.name));
}

/// Shows the analysis, or writes it as files.
pub(crate) fn run(args: &AnalyzeArgs) -> Result<ExitCode, CliError> {
    let Prepared {
        evidence,
        settings,
        mut texts,
        notes,
    } = prepare(&args.evidence)?;
    if let Some(folder) = &args.output_dir {
        output::check_folder(folder)?;
    }
    let modes = args.modes(evidence.models.len());
    let figures = Figures::of(&evidence, &settings, &modes);
    check_any(&figures)?;
    let document = told(&figures, &modes, &args.evidence, notes);
    match &args.output_dir {
        None => output::show(&document)?,
        Some(folder) => output::write(&figures, &document, &mut texts, folder, &args.formats)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the page that holds everything.
pub(crate) fn report(args: &ReportArgs) -> Result<ExitCode, CliError> {
    let folder = args
        .output
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    output::check_folder(folder.unwrap_or_else(|| Path::new(".")))?;
    let Prepared {
        evidence,
        settings,
        mut texts,
        notes,
    } = prepare(&args.evidence)?;
    let figures = Figures::of(&evidence, &settings, &Mode::ALL);
    check_any(&figures)?;
    // What takes several models, strategies or sizes is left out where there is one alone.
    let mut modes = Mode::ALL.to_vec();
    modes.retain(|mode| match mode {
        Mode::Prompt => figures.strategies().len() > 1,
        Mode::Scaling => args.evidence.model_family.is_some(),
        Mode::Instruct => !args.evidence.pair.is_empty(),
        Mode::Correlations => figures.models.iter().map(|m| m.groups.len()).sum::<usize>() >= 4,
        Mode::Subjects => evidence
            .models
            .iter()
            .any(|model| model.groups.iter().any(|group| group.categories.len() > 1)),
        _ => true,
    });
    // The leaderboard comes first on a page.
    modes.sort_by_key(|mode| *mode != Mode::Comparative);
    let document = told(&figures, &modes, &args.evidence, notes);
    output::write_page(&figures, &document, &mut texts, &args.output)?;
    Ok(ExitCode::SUCCESS)
}

/// The document, with what was noted while loading.
fn told(
    figures: &Figures<'_>,
    modes: &[Mode],
    args: &EvidenceArgs,
    notes: Vec<String>,
) -> Document {
    let mut document = document(figures, modes, &args.asked(), PROGRAM);
    if let Some(first) = document.sections.first_mut() {
        first.notes.splice(0..0, notes);
    }
    document
}

/// Refuses evidence of which nothing could be evaluated.
fn check_any(figures: &Figures<'_>) -> Result<(), CliError> {
    if figures.models.iter().any(|model| !model.groups.is_empty()) {
        return Ok(());
    }
    let reason = figures
        .models
        .iter()
        .flat_map(|model| &model.skipped)
        .map(|(id, error)| format!("{}/{}: {error}", id.task, id.strategy))
        .next();
    let reason = reason.unwrap_or_else(|| "no question was answered".into());
    Err(
        CliError::input(format!("nothing can be evaluated; {reason}"))
            .hint("analyse runs with more answers, or change --calibration-ratio"),
    )
}
