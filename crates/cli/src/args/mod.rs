//! The command line.
//!
//! The flags of a run work before and after the subcommand, as in the Python tool. clap's global
//! arguments cannot do that, since some commands give the same flag another meaning. So leading
//! flags are moved behind the subcommand before clap parses them.

pub(crate) mod analyze;
pub(crate) mod ask;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod doctor;
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
pub(crate) mod target;
mod values;
#[cfg(feature = "nats")]
pub(crate) mod worker;

use std::ffi::OsString;

use clap::{Args as _, CommandFactory, Parser, Subcommand};

/// Measure how sure a language model is, and whether it should be
#[derive(Debug, Parser)]
#[command(
    name = "sureness",
    version,
    about,
    max_term_width = 100,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
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
    Compare(run::RunArgs),
    /// Check a server: log-probabilities, scoring method, reproducibility
    Doctor(doctor::DoctorArgs),
    /// Score saved logits without asking a model
    Score(score::ScoreArgs),
    /// Analyse runs: comparisons, calibration, subjects and more, as tables, charts and files
    Analyze(analyze::AnalyzeArgs),
    /// Write one self-contained HTML page about one or more runs
    Report(analyze::ReportArgs),
    /// Import evaluations from other tools: lm-evaluation-harness, Inspect, logits
    Import(import::ImportArgs),
    /// Merge the shards of a run (--shard) into the whole run
    Merge(merge::MergeArgs),
    /// List, fetch and locate models
    Model(model::ModelArgs),
    /// List, check and import questions
    Data(data::DataArgs),
    /// Ask a model on behalf of a run that another machine coordinates (run --nats)
    #[cfg(feature = "nats")]
    Worker(worker::WorkerArgs),
    /// Show the status of a run on many machines
    #[cfg(feature = "nats")]
    Status(status::StatusArgs),
}

/// Parses the command line. Prints help, version or a usage error and exits where asked to.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Command {
    match Cli::try_parse_from(flags_behind_command(args.collect())) {
        Ok(cli) => cli.command,
        // clap chooses the text, the stream and the exit code (0 for help, 2 for errors).
        Err(error) => error.exit(),
    }
}

/// Moves arguments from before the subcommand to behind it.
fn flags_behind_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let flags = run::RunArgs::augment_args(clap::Command::new("flags"));
    let root = Cli::command();
    let is_command = |arg: &OsString| {
        arg.to_str()
            .is_some_and(|name| name == "help" || root.find_subcommand(name).is_some())
    };
    let mut i = 1;
    while i < args.len() {
        if is_command(&args[i]) {
            if args[i] != "help" {
                let command = args.remove(i);
                args.insert(1, command);
            }
            return args;
        }
        let text = args[i].to_string_lossy().into_owned();
        i += 1;
        let Some(name) = text.strip_prefix("--") else {
            continue;
        };
        let Some(flag) = flags.get_arguments().find(|a| a.get_long() == Some(name)) else {
            continue;
        };
        if !flag.get_action().takes_values() {
            continue;
        }
        let many = flag.get_num_args().is_some_and(|n| n.max_values() > 1);
        if many {
            while i < args.len()
                && !args[i].to_string_lossy().starts_with('-')
                && !is_command(&args[i])
            {
                i += 1;
            }
        } else {
            i += 1;
        }
    }
    args
}

#[cfg(test)]
mod deploy;

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(line: &str) -> String {
        let args = line.split(' ').map(OsString::from).collect();
        flags_behind_command(args)
            .join(&OsString::from(" "))
            .into_string()
            .unwrap()
    }

    #[test]
    fn clap_finds_no_fault_with_the_definitions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_in_front_are_moved() {
        assert_eq!(
            moved("sureness --api-base http://x/v1 --use-threads single --model m"),
            "sureness single --api-base http://x/v1 --use-threads --model m"
        );
        assert_eq!(
            moved("sureness --tasks qa rc compare --models a b"),
            "sureness compare --tasks qa rc --models a b"
        );
        // A value that looks like a command is still a value.
        assert_eq!(
            moved("sureness --model run single"),
            "sureness single --model run"
        );
        assert_eq!(
            moved("sureness single --model demo"),
            "sureness single --model demo"
        );
        assert_eq!(moved("sureness --version"), "sureness --version");
        assert_eq!(moved("sureness help run"), "sureness help run");
    }

    #[test]
    fn the_guides_command_lines_parse() {
        for line in [
            "sureness --api-base http://yourserver.example.com/v1 --batch-size 50 --max-workers 16 single --model your-model-name",
            "sureness --api-base http://yourserver.example.com/v1 --batch-size 10 --max-workers 4 --use-threads single --model your-model-name",
            "sureness compare --api-base http://h/v1 --models a b --tasks qa,rc --prompt-strategies base task_specific",
        ] {
            let args = line.split(' ').map(OsString::from).collect();
            Cli::try_parse_from(flags_behind_command(args)).unwrap();
        }
    }
}
