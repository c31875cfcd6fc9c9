//! One module per subcommand.

pub(crate) mod analyze;
pub(crate) mod ask;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod doctor;
mod form;
pub(crate) mod import;
pub(crate) mod merge;
pub(crate) mod model;
#[cfg(feature = "nats")]
pub(crate) mod nats;
pub(crate) mod plan;
pub(crate) mod run;
pub(crate) mod score;
#[cfg(feature = "nats")]
pub(crate) mod status;
pub(crate) mod values;
#[cfg(feature = "nats")]
pub(crate) mod worker;

use std::process::ExitCode;

use crate::args::Command;
use crate::error::CliError;

/// Carries out a command.
pub(crate) fn execute(command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => run::run(args, run::Mode::Any),
        Command::Single(args) => run::run(args, run::Mode::Single),
        Command::Compare(args) => run::run(args, run::Mode::Compare),
        Command::Doctor(args) => doctor::run(args),
        Command::Score(args) => score::run(args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Report(args) => analyze::report(&args),
        Command::Import(args) => import::run(args),
        Command::Merge(args) => merge::run(&args),
        Command::Model(args) => model::run(args),
        Command::Data(args) => data::run(args),
        #[cfg(feature = "nats")]
        Command::Worker(args) => worker::run(&args),
        #[cfg(feature = "nats")]
        Command::Status(args) => status::run(&args),
    }
}
