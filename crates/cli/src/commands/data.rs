use crate::error::CliError;
use clap::Args;
use std::path::Path;
use std::process::ExitCode;
#[derive(Debug, Args)]
pub(crate) struct DataArgs {}
pub(crate) fn run(_: DataArgs) -> Result<ExitCode, CliError> {
    Err(CliError::input("x"))
}
pub(crate) fn dataset_for(
    task: &str,
    explicit: Option<&Path>,
    format: Option<sureness_questions::Format>,
    examples: Option<&Path>,
    abstention: bool,
) -> Result<sureness_questions::Dataset, CliError> {
    let t = sureness_questions::Task::by_name(task)
        .unwrap_or_else(|| sureness_questions::Task::custom(task));
    match explicit {
        Some(p) => sureness_questions::load(
            p,
            &sureness_questions::LoadOptions {
                format,
                examples: examples.map(Into::into),
                abstention,
                ..sureness_questions::LoadOptions::new(t)
            },
        )
        .map_err(|e| CliError::input(&e).hint(e.hint().unwrap_or_default())),
        None => sureness_questions::pack::dataset(task, abstention)
            .ok_or_else(|| CliError::input("no task")),
    }
}
