//! `sureness run`, `single` and `compare`: measure models.

use std::path::Path;
use std::process::ExitCode;

use sureness_analysis::settled::Settled;
use sureness_bench::{Ended, Failure, Model, Outcome, Settings};

use super::view::Beside;
use super::{forecast, gate};
use crate::args::gate::{GateOutput, UndecidedArg};
use crate::args::run::RunArgs;
use crate::error::EXIT_INTERRUPTED;
use crate::settings;
use crate::show::watcher::Watcher;
use crate::show::{log, results, settled, terminal};

/// The three commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunCommand {
    /// `run`: one or more models.
    Run,
    /// `single`: one model.
    Single,
    /// `compare`: several models.
    Compare,
}

/// How the outcome is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// Whether every strategy has a row.
    pub(super) verbose: bool,
    /// The format of a gate.
    pub(super) gate: GateOutput,
    /// The exit code of a gate that is undecided.
    pub(super) undecided: UndecidedArg,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            verbose: false,
            gate: GateOutput::Text,
            undecided: UndecidedArg::Report,
        }
    }
}

/// Checks that the command fits the named models, then runs it; a gate is printed in the format
/// `gate`.
pub(super) fn run(
    args: &RunArgs,
    command: RunCommand,
    gate: GateOutput,
) -> Result<ExitCode, Failure> {
    let named = args.models.len() + args.ask.gguf.len();
    match command {
        RunCommand::Compare if named < 2 => {
            return Err(Failure::new("compare needs at least two models")
                .hint("name them: --models A B with --api-base URL, or --gguf A.gguf B.gguf"));
        }
        RunCommand::Single if named > 1 => {
            return Err(
                Failure::new("single measures one model, but several are named")
                    .hint("use `sureness compare` for several"),
            );
        }
        _ => {}
    }
    let args = &settings::with_setup(args);
    log::start(args.log_file.as_deref(), args.verbose)?;
    let models = settings::models(args)?;
    if args.dry_run {
        return forecast::run(&settings::run(args)?, &models);
    }
    let watcher = Watcher::new(args.progress, args.metrics_addr.as_deref(), args.verbose)?;
    let settings = settings::run(args)?;
    let page = args.view.then(|| Beside::start(&settings)).transpose()?;
    let shown = Shown {
        verbose: watcher.verbose,
        gate,
        undecided: args.until.undecided,
    };
    let measured = measure(&settings, &models, &watcher, args.allowed_failures, shown);
    if let Some(page) = page {
        page.finish();
    }
    measured
}

/// Measures the models and prints the figures.
pub(super) fn measure(
    settings: &Settings,
    models: &[Model],
    watcher: &Watcher,
    allowed_failures: f64,
    shown: Shown,
) -> Result<ExitCode, Failure> {
    let outcome = sureness_bench::run(settings, models, watcher)?;
    if outcome.results.models.is_empty() && outcome.interrupted {
        return Ok(interrupted());
    }
    print_outcome(&outcome, allowed_failures, shown)
}

/// Prints the figures; returns the exit code.
pub(super) fn print_outcome(
    outcome: &Outcome,
    allowed_failures: f64,
    shown: Shown,
) -> Result<ExitCode, Failure> {
    let settled = outcome.results.settled.as_ref();
    let gate = settled.and_then(Settled::gate);
    match &gate {
        // A machine reads the output of these formats.
        Some(gate) if shown.gate != GateOutput::Text => {
            gate::print(gate, shown.gate, shown.undecided)?;
        }
        _ => {
            results::show(&outcome.results, shown.verbose);
            if let Some(found) = settled {
                settled::print(found)?;
            }
            if let Some(gate) = &gate {
                gate::print(gate, shown.gate, shown.undecided)?;
            }
        }
    }
    eprintln!("Results: {}", outcome.folder.json.display());
    Ok(match outcome.ended(allowed_failures)? {
        Ended::Complete => {
            // A shard's figures are those of a part: its next step is the merge.
            if outcome.results.settings.shard.is_none() {
                let folder = outcome.folder.store.parent().unwrap_or(Path::new("."));
                eprintln!("Next: sureness report {}", terminal::quoted(folder));
            }
            gate.map_or(ExitCode::SUCCESS, |gate| {
                gate::exit_code(gate.verdict, shown.undecided)
            })
        }
        Ended::Interrupted => interrupted(),
    })
}

fn interrupted() -> ExitCode {
    eprintln!("Interrupted. All answers so far are saved; the same command asks only the rest.");
    ExitCode::from(EXIT_INTERRUPTED)
}
