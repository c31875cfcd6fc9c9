//! `sureness run`, `single` and `compare`: ask models and measure.

use std::process::ExitCode;

use sureness_bench::{Ended, Failure, Model, Outcome, Settings};

use crate::args::run::RunArgs;
use crate::error::EXIT_INTERRUPTED;
use crate::metrics::Metrics;
use crate::settings;
use crate::show::progress::Screen;
use crate::show::watcher::Watcher;
use crate::show::{log, results};

/// Which of the three commands was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// `run`: as many models as are named.
    Any,
    /// `single`: one.
    Single,
    /// `compare`: several.
    Compare,
}

/// Checks that the command fits the models named, and runs.
pub(super) fn run(args: &RunArgs, mode: Mode) -> Result<ExitCode, Failure> {
    let named = args.models.len() + args.ask.gguf.len();
    match mode {
        Mode::Compare if named < 2 => {
            return Err(Failure::new("compare needs at least two models")
                .hint("name them: --models A B with --api-base URL, or --gguf A.gguf B.gguf"));
        }
        Mode::Single if named > 1 => {
            return Err(
                Failure::new("single measures one model, but several are named")
                    .hint("use `sureness compare` for several"),
            );
        }
        _ => {}
    }
    log::start(args.log_file.as_deref(), args.verbose)?;
    let models = settings::models(args)?;
    let metrics = args.metrics_addr.as_deref().map(Metrics::listen);
    let watcher = Watcher {
        screen: Screen::new(args.progress, args.verbose),
        metrics: metrics.transpose()?,
        verbose: args.verbose,
    };
    let settings = settings::run(args)?;
    measure(&settings, &models, &watcher, args.allowed_failures)
}

/// Runs, and shows the figures.
pub(super) fn measure(
    settings: &Settings,
    models: &[Model],
    watcher: &Watcher,
    allowed_failures: f64,
) -> Result<ExitCode, Failure> {
    let outcome = sureness_bench::run(settings, models, watcher)?;
    if outcome.results.models.is_empty() && outcome.interrupted {
        return Ok(interrupted());
    }
    conclude(&outcome, allowed_failures, watcher.verbose)
}

/// Shows the figures, and whether everything was asked.
pub(super) fn conclude(
    outcome: &Outcome,
    allowed_failures: f64,
    verbose: bool,
) -> Result<ExitCode, Failure> {
    results::show(&outcome.results, verbose);
    eprintln!("Results: {}", outcome.folder.json.display());
    Ok(match outcome.ended(allowed_failures)? {
        Ended::Complete => ExitCode::SUCCESS,
        Ended::Interrupted => interrupted(),
    })
}

fn interrupted() -> ExitCode {
    eprintln!(
        "Interrupted. Everything answered so far is kept; the same command asks only the rest."
    );
    ExitCode::from(EXIT_INTERRUPTED)
}
