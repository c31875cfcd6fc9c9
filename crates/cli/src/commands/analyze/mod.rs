//! `sureness analyze` and `sureness report`: analyse runs.

mod browser;
mod headline;
mod output;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sureness_analysis::settled::Settled;
use sureness_analysis::{Asked, Document, Evidence, Figures, Mode, Section, Settings, document};
use sureness_bench::evidence::{
    Loaded, Selection, TextSources, Texts, keep_best, load, split_rule,
};
use sureness_bench::{Failure, PROGRAM, TaskData};
use sureness_conformal::{Config, SplitRule};
use sureness_report::export;

use crate::args::analyze::{AnalyzeArgs, EvidenceArgs, ModeArg, ReportArgs};
use crate::settings;

/// Runs that were loaded and checked, with the settings of their analysis.
struct Prepared {
    evidence: Evidence,
    settings: Settings,
    texts: Texts,
    /// Data sets of tasks, as they were named.
    data: Vec<TaskData>,
    /// For the first lines of the document.
    warnings: Vec<String>,
    notes: Vec<String>,
    /// What runs that stopped early have shown.
    settled: Vec<Settled>,
}

/// Loads the runs and checks that they can be compared.
fn prepare(args: &EvidenceArgs) -> Result<Prepared, Failure> {
    settings::check_replicates(args)?;
    let sources = settings::texts(args);
    let data = sources.data.clone();
    let texts = Texts::of(sources)?;
    let Loaded {
        mut evidence,
        config,
        warnings,
        mut notes,
        settled,
    } = load(&settings::selection(args), &texts)?;
    let settings = settings::analysis(args, config.unwrap_or_default());
    evidence.temper(settings.config.tempered);
    notes.extend(split_rule(&evidence, &settings.config));
    if let Some(count) = settings.top_k.filter(|&k| k < evidence.models.len()) {
        notes.push(format!(
            "showing the {count} models with the highest UAcc of {}",
            evidence.models.len()
        ));
        keep_best(&mut evidence, &settings, count);
    }
    print_notes(&warnings, &notes);
    Ok(Prepared {
        evidence,
        settings,
        texts,
        data,
        warnings,
        notes,
        settled,
    })
}

/// The evidence and settings of these runs, as for `analyze` without flags.
pub(super) fn evidence_of(runs: &[PathBuf]) -> Result<(Evidence, Settings), Failure> {
    let texts = Texts::of(TextSources::default())?;
    let loaded = load(&Selection::of(runs.to_vec()), &texts)?;
    let settings = settings_of(loaded.config);
    let mut notes = loaded.notes;
    notes.extend(split_rule(&loaded.evidence, &settings.config));
    print_notes(&loaded.warnings, &notes);
    Ok((loaded.evidence, settings))
}

/// Settings of an analysis without flags.
fn settings_of(config: Option<Config>) -> Settings {
    Settings {
        config: Config {
            // As in `settings::analysis`.
            split: SplitRule::Ordered,
            ..config.unwrap_or_default()
        },
        ..Settings::default()
    }
}

fn print_notes(warnings: &[String], notes: &[String]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    for note in notes {
        eprintln!("note: {note}");
    }
}

/// Runs `analyze`: prints the analysis, or writes it to files.
pub(in crate::commands) fn run(args: &AnalyzeArgs) -> Result<ExitCode, Failure> {
    output::check_formats(&args.formats)?;
    let Prepared {
        evidence,
        settings,
        mut texts,
        data,
        warnings,
        notes,
        settled,
    } = prepare(&args.evidence)?;
    if let Some(folder) = &args.output_dir {
        output::check_folder(folder)?;
    }
    let modes = modes(args, &evidence);
    let figures = Figures::of(&evidence, &settings, &modes);
    check_any(&figures)?;
    let asked = settings::asked(&args.evidence);
    let document = document_with_notes(&figures, &modes, &asked, (warnings, notes), &settled);
    match &args.output_dir {
        None => args
            .output
            .print(&export::figures(&document), |_| output::shown(&document))?,
        Some(folder) => output::write(
            &figures,
            &document,
            (&mut texts, &data),
            folder,
            &args.formats,
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `report`: writes one self-contained page.
pub(in crate::commands) fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let folder = args
        .output
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    output::check_folder(folder.unwrap_or_else(|| Path::new(".")))?;
    let asked = settings::asked(&args.evidence);
    page(prepare(&args.evidence)?, &asked, &args.output)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page about the runs in a folder, as `report` does without flags.
pub(super) fn page_about(folder: &Path, file: &Path) -> Result<(), Failure> {
    let texts = Texts::of(TextSources::default())?;
    let loaded = load(&Selection::of(vec![folder.to_owned()]), &texts)?;
    let prepared = Prepared {
        settings: settings_of(loaded.config),
        evidence: loaded.evidence,
        texts,
        data: Vec::new(),
        warnings: loaded.warnings,
        notes: loaded.notes,
        settled: loaded.settled,
    };
    page(prepared, &Asked::default(), file)
}

fn page(prepared: Prepared, asked: &Asked, file: &Path) -> Result<(), Failure> {
    let Prepared {
        evidence,
        settings,
        mut texts,
        data,
        warnings,
        notes,
        settled,
    } = prepared;
    let figures = Figures::of(&evidence, &settings, &Mode::ALL);
    check_any(&figures)?;
    // Drop modes that this evidence or these flags cannot fill.
    let mut modes = Mode::ALL.to_vec();
    modes.retain(|mode| match mode {
        Mode::Open => !evidence.open.is_empty(),
        _ if evidence.models.is_empty() => false,
        Mode::Prompt => figures.strategies().len() > 1,
        Mode::Order => has_orders(&evidence),
        Mode::Scaling => asked.family.is_some(),
        Mode::Instruct => !asked.pairs.is_empty(),
        Mode::Correlations => figures.models.iter().map(|m| m.groups.len()).sum::<usize>() >= 4,
        Mode::Subjects => evidence
            .models
            .iter()
            .any(|model| model.groups.iter().any(|group| group.categories.len() > 1)),
        _ => true,
    });
    // The leaderboard goes first.
    modes.sort_by_key(|mode| *mode != Mode::Comparative);
    let document = document_with_notes(&figures, &modes, asked, (warnings, notes), &settled);
    output::write_page(&figures, &document, (&mut texts, &data), file)
}

/// The document, with the warnings from loading before its findings, the notes in its first section, and
/// before it what runs that stopped early have shown.
fn document_with_notes(
    figures: &Figures<'_>,
    modes: &[Mode],
    asked: &Asked,
    (warnings, notes): (Vec<String>, Vec<String>),
    settled: &[Settled],
) -> Document {
    let mut document = document(figures, modes, asked, PROGRAM);
    let warnings = warnings.into_iter().map(|text| format!("Warning: {text}."));
    document.summary.splice(0..0, warnings);
    if let Some(first) = document.sections.first_mut() {
        first.notes.splice(0..0, notes);
    }
    // What such a run was made for goes first.
    let sections = settled.iter().map(Settled::section).enumerate();
    let sections: Vec<Section> = sections
        .map(|(number, section)| Section {
            id: match number {
                0 => section.id,
                _ => format!("{}-{}", section.id, number + 1),
            },
            ..section
        })
        .collect();
    document.sections.splice(0..0, sections);
    document
}

/// The requested modes, in the order of a report. Without a request those that the evidence fills.
fn modes(args: &AnalyzeArgs, evidence: &Evidence) -> Vec<Mode> {
    let has_mode = |mode: &Mode| match mode {
        Mode::Open => !evidence.open.is_empty(),
        _ => !evidence.models.is_empty(),
    };
    if args.modes.contains(&ModeArg::All) {
        return Mode::ALL.into_iter().filter(has_mode).collect();
    }
    if args.modes.is_empty() {
        let of_models: &[Mode] = match evidence.models.len() {
            1 => &[Mode::Basic],
            _ => &[Mode::Comparative, Mode::Basic],
        };
        let orders = has_orders(evidence).then_some(&Mode::Order);
        let all = of_models.iter().chain(orders).chain([&Mode::Open]).copied();
        return all.filter(has_mode).collect();
    }
    let named = |mode: &Mode| args.modes.contains(&ModeArg::One(*mode));
    Mode::ALL.into_iter().filter(named).collect()
}

/// Whether questions were asked in several orders of their options.
fn has_orders(evidence: &Evidence) -> bool {
    evidence.models.iter().any(|model| !model.orders.is_empty())
}

/// Fails if no group could be evaluated.
fn check_any(figures: &Figures<'_>) -> Result<(), Failure> {
    let with_options = figures.models.iter().any(|model| !model.groups.is_empty());
    if with_options || figures.open.iter().any(|model| !model.groups.is_empty()) {
        return Ok(());
    }
    let open = figures.open.iter().flat_map(|model| &model.skipped);
    let reason = figures
        .models
        .iter()
        .flat_map(|model| &model.skipped)
        .chain(open)
        .map(|(id, error)| format!("{}/{}: {error}", id.task, id.strategy))
        .next();
    let reason = reason.unwrap_or_else(|| "no question was answered".into());
    Err(Failure::new(format!("nothing can be evaluated; {reason}"))
        .hint("analyse runs with more answers, or change --calibration-ratio"))
}
