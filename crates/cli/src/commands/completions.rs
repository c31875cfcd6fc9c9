//! `sureness completions` and `man`: what packages install beside the program.

use std::process::ExitCode;

use clap::CommandFactory;
use sureness_bench::Failure;

use crate::args::Cli;
use crate::args::completions::{CompletionsArgs, ManArgs};
use crate::show::terminal::print;

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sureness", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a man page for the program and one for each of its commands.
pub(super) fn man(args: &ManArgs) -> Result<ExitCode, Failure> {
    let folder = &args.folder;
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        Failure::new(format!(
            "cannot write man pages to {}: {error}",
            folder.display()
        ))
        .hint("name a folder that you may write to")
    })?;
    Ok(ExitCode::SUCCESS)
}
