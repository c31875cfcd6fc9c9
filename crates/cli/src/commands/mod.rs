//! One module per subcommand.

mod analyze;
mod compare;
mod completions;
mod config;
mod data;
mod demo;
mod doctor;
mod forecast;
mod gate;
mod import;
mod merge;
mod model;
mod plan;
mod run;
mod runs;
mod score;
mod show;
#[cfg(feature = "nats")]
mod status;
mod view;
#[cfg(feature = "nats")]
mod worker;

use std::process::ExitCode;

use sureness_bench::Failure;

use crate::args::Command;
use crate::args::gate::GateOutput;

/// Runs a command.
pub(crate) fn execute(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => run::run(&args, run::RunCommand::Run, GateOutput::Text),
        Command::Single(args) => run::run(&args, run::RunCommand::Single, GateOutput::Text),
        Command::Compare(args) => compare::run(&args),
        Command::Gate(args) => gate::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Score(args) => score::run(args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Report(args) => analyze::report(&args),
        Command::Runs(args) => runs::run(&args),
        Command::Show(args) => show::run(&args),
        Command::View(args) => view::run(&args),
        Command::Import(args) => import::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Model(args) => model::run(args),
        Command::Config(args) => config::run(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => completions::man(&args),
        Command::Data(args) => data::run(args),
        #[cfg(feature = "nats")]
        Command::Worker(args) => worker::run(&args),
        #[cfg(feature = "nats")]
        Command::Status(args) => status::run(&args),
    }
}
