//! `sureness merge`: merges the shards of a run.

use std::process::ExitCode;

use sureness_bench::evidence::TextSources;
use sureness_bench::{Failure, MergeSettings, merge};

use super::run::{Shown, print_outcome};
use crate::args::command_line;
use crate::args::merge::MergeArgs;
use crate::settings;
use crate::show::watcher::Watcher;

/// Merges and prints the figures of the whole run.
pub(super) fn run(args: MergeArgs) -> Result<ExitCode, Failure> {
    let merge_settings = MergeSettings {
        out: args.out,
        inputs: args.inputs,
        allow_missing: args.allow_missing,
        texts: TextSources {
            data: settings::data_of(&args.texts),
            questions: None,
        },
        command: command_line(),
    };
    match merge(&merge_settings, &Watcher::plain())? {
        Some(outcome) => {
            let shown = Shown {
                verbose: args.verbose,
                ..Shown::default()
            };
            print_outcome(&outcome, args.allowed_failures, shown)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}
