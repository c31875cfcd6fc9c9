use crate::error::CliError;
use clap::Args;
use std::process::ExitCode;
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {}
pub(crate) fn run(_: ModelArgs) -> Result<ExitCode, CliError> {
    Err(CliError::input("x"))
}
