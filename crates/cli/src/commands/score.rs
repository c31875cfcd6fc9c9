use crate::error::CliError;
use clap::Args;
use std::process::ExitCode;
#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {}
pub(crate) fn run(_: ScoreArgs) -> Result<ExitCode, CliError> {
    Err(CliError::input("x"))
}
