//! The command line.
//!
//! clap defines the flags; [`order`] puts arguments into an order that it understands.

pub(crate) mod analyze;
pub(crate) mod ask;
mod command_line;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod gate;
pub(crate) mod import;
pub(crate) mod judge;
pub(crate) mod merge;
pub(crate) mod model;
#[cfg(feature = "nats")]
pub(crate) mod nats;
mod order;
pub(crate) mod plan;
pub(crate) mod price;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod score;
pub(crate) mod show;
#[cfg(feature = "nats")]
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod texts;
pub(crate) mod until;
pub(crate) mod values;
pub(crate) mod view;
#[cfg(feature = "nats")]
pub(crate) mod worker;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use sureness_bench::Failure;

pub(crate) use command_line::{command_line, is_secret_flag, line_of};
pub(crate) use order::arranged;

use crate::config as settings_file;

/// Measure how sure a language model is, and whether it should be
#[derive(Debug, Parser)]
#[command(
    name = "sureness",
    version,
    about,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings file [default: sureness.toml in this folder]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "no_config",
        help_heading = "Settings file"
    )]
    config: Option<PathBuf>,
    /// Ignore the settings file
    #[arg(long, global = true, help_heading = "Settings file")]
    no_config: bool,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: measure a small model on the built-in questions in under three minutes
    Demo(demo::DemoArgs),
    /// Compute the sample size for comparing two models, and its cost
    Plan(plan::PlanArgs),
    /// Measure one or more models, from GGUF files (--gguf) or servers (--api-base)
    Run(run::RunArgs),
    /// Measure one model (--model) behind an OpenAI-compatible endpoint
    Single(run::RunArgs),
    /// Measure several models (--models) and compare them
    Compare(compare::CompareArgs),
    /// Check that a model is no worse than another, with an exit code for pipelines
    Gate(gate::GateArgs),
    /// Check a server: log-probabilities, scoring method, reproducibility
    Doctor(doctor::DoctorArgs),
    /// Score saved logits without asking a model
    Score(score::ScoreArgs),
    /// Analyse runs: comparisons, calibration, subjects and more, as tables, charts and files
    Analyze(analyze::AnalyzeArgs),
    /// Write one self-contained HTML page about one or more runs
    Report(analyze::ReportArgs),
    /// List the runs in output folders, with their dates and headline figures
    Runs(runs::RunsArgs),
    /// Show one question of a run: its prompts, the answers, how they were read, the sets
    Show(show::ShowArgs),
    /// Serve a live page about runs: figures, trends, comparisons, and a run while it goes on
    View(view::ViewArgs),
    /// Import evaluations from other tools: lm-evaluation-harness, Inspect, logits
    Import(import::ImportArgs),
    /// Merge the shards of a run (--shard) into the whole run
    Merge(merge::MergeArgs),
    /// List, fetch and locate models
    Model(model::ModelArgs),
    /// List, check and import questions
    Data(data::DataArgs),
    /// Print the settings in force, from sureness.toml, flags and the environment
    Config(config::ConfigArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Write man pages
    Man(completions::ManArgs),
    /// Ask a model on behalf of a run that another machine coordinates (run --nats)
    #[cfg(feature = "nats")]
    Worker(worker::WorkerArgs),
    /// Show the status of a run on many machines
    #[cfg(feature = "nats")]
    Status(status::StatusArgs),
}

/// Parses the command line with the settings file. Prints help, version or a usage error and exits where
/// asked to.
///
/// # Errors
///
/// If the settings file has a fault.
pub(crate) fn parse(args: Vec<OsString>) -> Result<Command, Failure> {
    let applied = settings_file::applied(arranged(args))?;
    let cli = Cli::try_parse_from(&applied.args).unwrap_or_else(|error| exit(&error, &applied));
    if let Some(origin) = applied.origin("api-base") {
        // The file may be a stranger's, and a key goes where it says.
        eprintln!("note: the server is that of {origin}");
    }
    command_line::keep(applied.args);
    Ok(match cli.command {
        Command::Config(args) => Command::Config(config::ConfigArgs {
            file: cli.config,
            ..args
        }),
        command => command,
    })
}

/// Prints a usage error and exits. clap chooses the text, the stream and the exit code (0 for help, 2 for
/// errors); where the settings file is at fault, its line follows.
fn exit(error: &clap::Error, applied: &settings_file::Applied) -> ! {
    let Some(origin) = applied.origin_of(error) else {
        error.exit();
    };
    // A closed stream changes nothing.
    let _ = error.print();
    eprintln!("hint: the value comes from {origin}");
    std::process::exit(error.exit_code());
}

/// Parses a command line that a program made: without a settings file, and without leaving the process.
pub(crate) fn try_parse(args: Vec<OsString>) -> Result<Command, clap::Error> {
    Ok(Cli::try_parse_from(arranged(args))?.command)
}

#[cfg(test)]
mod deploy;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_fault_with_the_definitions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_guides_command_lines_parse() {
        for line in [
            "sureness --api-base http://yourserver.example.com/v1 --batch-size 50 --max-workers 16 single --model your-model-name",
            "sureness --api-base http://yourserver.example.com/v1 --batch-size 10 --max-workers 4 --use-threads single --model your-model-name",
            "sureness compare --api-base http://h/v1 --models a b --tasks qa,rc --prompt-strategies base task_specific",
        ] {
            let args = line.split(' ').map(OsString::from).collect();
            Cli::try_parse_from(order::arranged(args)).unwrap();
        }
    }
}
