//! `sureness compare`: measure several models, or settle which of saved answers are better.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sureness_analysis::settled::{Incomparable, Settled, play};
use sureness_analysis::{Evidence, ModelEvidence, SourceRecord};
use sureness_anytime::Goal;
use sureness_bench::Failure;
use sureness_bench::evidence::{Loaded, Texts, load};
use sureness_conformal::Config;
use sureness_report::export;

use super::{gate, run};
use crate::args::compare::{CompareArgs, SettledOutput};
use crate::args::gate::GateOutput;
use crate::settings;
use crate::show::{settled, terminal};

/// Asks the models, or plays saved answers.
pub(super) fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let stopping = settings::stopping(&args.run.until)?;
    let goal = stopping.as_ref().map(|stopping| stopping.goal);
    if args.output == SettledOutput::Junit && goal != Some(Goal::Gate) {
        return Err(Failure::new(
            "--output junit is for --until gate: other verdicts are no tests",
        )
        .hint("write --output json"));
    }
    let Some(stopping) = stopping.filter(|_| !args.logits.is_empty()) else {
        return run::run(&args.run, run::RunCommand::Compare, of_gate(args.output));
    };
    let Loaded {
        mut evidence,
        config,
        warnings,
        notes,
        ..
    } = load(&settings::played(args), &Texts::default())?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    for note in notes {
        eprintln!("note: {note}");
    }
    let config = Config {
        protocol: args.run.protocol,
        alpha: args.run.error_rate,
        seed: args.run.seed,
        covers: args.run.covers,
        ..config.unwrap_or_default()
    };
    evidence.temper(config.tempered);
    if stopping.goal == Goal::Gate {
        base_first(&mut evidence, &args.logits);
    }
    let found = play(&evidence, &config, &stopping).map_err(refused)?;
    if let Some(outcome) = found.gate() {
        let undecided = args.run.until.undecided;
        gate::print(&outcome, of_gate(args.output), undecided)?;
        return Ok(gate::exit_code(outcome.verdict, undecided));
    }
    show(&found, args.output)?;
    Ok(ExitCode::SUCCESS)
}

/// Output folders are loaded before files: moves the model of the first path to the front.
fn base_first(evidence: &mut Evidence, paths: &[PathBuf]) {
    let is_of = |model: &ModelEvidence, path: &Path| match &model.source.record {
        SourceRecord::Files { files } => files.iter().any(|file| Path::new(file) == path),
        SourceRecord::Run { .. } => {
            let source = Path::new(&model.source.path);
            source == path || source.parent() == Some(path)
        }
    };
    let Some(base) = paths.first() else { return };
    let place = evidence.models.iter().position(|model| is_of(model, base));
    evidence.models[..=place.unwrap_or(0)].rotate_right(1);
}

/// The format of a gate.
fn of_gate(output: SettledOutput) -> GateOutput {
    match output {
        SettledOutput::Table => GateOutput::Text,
        SettledOutput::Json => GateOutput::Json,
        SettledOutput::Markdown => GateOutput::Markdown,
        SettledOutput::Junit => GateOutput::Junit,
    }
}

fn show(found: &Settled, output: SettledOutput) -> Result<(), Failure> {
    match output {
        SettledOutput::Table => settled::print(found),
        SettledOutput::Markdown => terminal::print(&export::section_markdown(&found.section())),
        SettledOutput::Json | SettledOutput::Junit => {
            let json = serde_json::to_string_pretty(found)
                .map_err(|e| Failure::new(format!("cannot encode the verdicts: {e}")))?;
            terminal::print(&format!("{json}\n"))
        }
    }
}

fn refused(Incomparable(reason): Incomparable) -> Failure {
    Failure::new(format!("these models cannot be compared: {reason}")).hint(
        "compare at least two models that were asked the same questions in the same way, with --tasks and \
         --prompt-strategies for parts; for one model, --until width acc=2pp",
    )
}
