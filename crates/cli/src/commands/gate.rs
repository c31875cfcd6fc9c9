//! `sureness gate`: whether a candidate is no worse than a base, with an exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use sureness_analysis::Evidence;
use sureness_analysis::gate::{Gate, GateSettings, GateVerdict, gate};
use sureness_analysis::settled::Incomparable;
use sureness_bench::Failure;
use sureness_bench::evidence::{Loaded, Selection, Texts, load};
use sureness_conformal::Config;

use crate::args::gate::{GateArgs, GateOutput, UndecidedArg};
use crate::settings;
use crate::show;

/// Exit code of a candidate that is shown to be worse.
const EXIT_WORSE: u8 = 3;
/// Exit code where the questions do not suffice.
const EXIT_UNDECIDED: u8 = 4;

/// Compares the two, prints the outcome and exits with its code.
pub(super) fn run(args: &GateArgs) -> Result<ExitCode, Failure> {
    let settings = gate_settings(args)?;
    let (mut evidence, recorded) = evidence(args)?;
    let config = Config {
        protocol: args.protocol.unwrap_or(recorded.protocol),
        covers: args.covers.unwrap_or(recorded.covers),
        alpha: args.error_rate.unwrap_or(recorded.alpha),
        seed: args.seed.unwrap_or(recorded.seed),
        ..recorded
    };
    evidence.temper(config.tempered);
    let outcome = gate(&evidence, &config, &settings).map_err(refused)?;
    print(&outcome, args.output, args.undecided)?;
    Ok(exit_code(outcome.verdict, args.undecided))
}

/// The base and the candidate, one model each, loaded together so that what makes runs incomparable is
/// found.
fn evidence(args: &GateArgs) -> Result<(Evidence, Config), Failure> {
    let paths = |text: &str| -> Vec<PathBuf> { text.split(',').map(PathBuf::from).collect() };
    let [base, candidate] = [paths(&args.base), paths(&args.candidate)];
    let mut found = Vec::new();
    for runs in [base.clone(), candidate.clone()] {
        found.push(loaded(&settings::gated(args, runs))?);
    }
    // Together, for the checks of prompts, examples and rules.
    let both: Vec<PathBuf> = base.into_iter().chain(candidate).collect();
    let together = load(&settings::gated(args, both), &Texts::default())?;
    for warning in &together.warnings {
        eprintln!("warning: {warning}");
    }
    let config = together.config.unwrap_or_default();
    let mut models = Vec::new();
    for (loaded, which) in found.into_iter().zip([&args.base, &args.candidate]) {
        let count = loaded.evidence.models.len();
        if count == 0 && !loaded.evidence.open.is_empty() {
            return Err(Failure::new(format!(
                "{which} has open questions alone, which a gate does not compare"
            ))
            .hint(
                "give runs of questions with options; `sureness analyze` compares open questions",
            ));
        }
        if count != 1 {
            return Err(Failure::new(format!(
                "{which} has {count} models, and a gate compares one with one"
            ))
            .hint("name a run by its number, such as results#3; `sureness runs` lists them"));
        }
        models.extend(loaded.evidence.models);
    }
    if models[0].name == models[1].name {
        for (model, role) in models.iter_mut().zip(["base", "candidate"]) {
            model.name = format!("{} ({role})", model.name);
        }
    }
    let evidence = Evidence {
        models,
        ..Evidence::default()
    };
    Ok((evidence, config))
}

fn loaded(selection: &Selection) -> Result<Loaded, Failure> {
    let loaded = load(selection, &Texts::default())?;
    for note in &loaded.notes {
        eprintln!("note: {note}");
    }
    Ok(loaded)
}

fn refused(Incomparable(reason): Incomparable) -> Failure {
    Failure::new(format!("these runs cannot be compared: {reason}"))
        .hint("compare runs of the same questions, asked in the same way; --tasks and --prompt-strategies select parts")
}

fn gate_settings(args: &GateArgs) -> Result<GateSettings, Failure> {
    let mut margins = Vec::with_capacity(args.margin.len());
    for margin in &args.margin {
        if margins.iter().any(|(metric, _)| *metric == margin.metric) {
            return Err(
                Failure::new(format!("--margin names {} twice", margin.metric))
                    .hint("give one difference for each metric"),
            );
        }
        margins.push((margin.metric, margin.difference));
    }
    Ok(GateSettings {
        confidence: args.confidence,
        margins,
        per_task: args.per_task,
        bins: sureness_analysis::Settings::default().bins,
    })
}

/// Prints the outcome in a format.
pub(super) fn print(
    outcome: &Gate,
    output: GateOutput,
    undecided: UndecidedArg,
) -> Result<(), Failure> {
    let text = match output {
        GateOutput::Text => show::gate::text(outcome),
        GateOutput::Markdown => show::gate::markdown(outcome),
        GateOutput::Junit => show::gate::junit(outcome, undecided != UndecidedArg::Pass),
        GateOutput::Json => {
            let json = serde_json::to_string_pretty(outcome)
                .map_err(|e| Failure::new(format!("cannot encode the outcome: {e}")))?;
            format!("{json}\n")
        }
    };
    show::terminal::print(&text)
}

/// The exit code of a verdict.
pub(super) fn exit_code(verdict: GateVerdict, undecided: UndecidedArg) -> ExitCode {
    match (verdict, undecided) {
        (GateVerdict::Pass, _) | (GateVerdict::Undecided, UndecidedArg::Pass) => ExitCode::SUCCESS,
        (GateVerdict::Worse, _) | (GateVerdict::Undecided, UndecidedArg::Fail) => {
            ExitCode::from(EXIT_WORSE)
        }
        (GateVerdict::Undecided, UndecidedArg::Report) => ExitCode::from(EXIT_UNDECIDED),
    }
}
