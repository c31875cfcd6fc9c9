//! The flags that name data sets of tasks, whose texts and accepted answers stores do not hold.

use std::path::PathBuf;

use clap::Args;
use sureness_bench::questions::id_of;
use sureness_questions::{Columns, Format};

use super::data::format_by_name;

/// Data sets of tasks.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TextArgs {
    /// Data set of a task, such as qa=mmlu/, for question texts and the accepted answers of open
    /// questions; not needed for the built-in pack, imported data, or files that have not moved
    #[arg(long, value_name = "TASK=PATH", num_args = 1.., value_parser = task_path, help_heading = "What")]
    pub(crate) data: Vec<(String, PathBuf)>,
    /// Layout of a task's data set [default: detected]
    #[arg(long, value_name = "TASK=FORMAT", num_args = 1.., value_parser = task_format, help_heading = "What")]
    pub(crate) data_format: Vec<(String, Format)>,
    /// Columns of a task's data set by their meaning, in place of a layout
    #[arg(long, value_name = "TASK=KEY=COLUMN,…", num_args = 1.., value_parser = task_columns, help_heading = "What")]
    pub(crate) columns: Vec<(String, Columns)>,
}

/// Splits `TASK=VALUE`; any name of the task becomes its id.
fn split_task(text: &str) -> Option<(String, &str)> {
    let (task, value) = text.split_once('=')?;
    (!task.is_empty() && !value.is_empty()).then(|| (id_of(task), value))
}

fn task_path(text: &str) -> Result<(String, PathBuf), String> {
    let (task, path) = split_task(text).ok_or("must be of the form TASK=PATH, such as qa=mmlu/")?;
    Ok((task, path.into()))
}

fn task_format(text: &str) -> Result<(String, Format), String> {
    let (task, name) =
        split_task(text).ok_or("must be of the form TASK=FORMAT, such as qa=mmlu")?;
    Ok((task, format_by_name(name)?))
}

fn task_columns(text: &str) -> Result<(String, Columns), String> {
    let example = "must be of the form TASK=question=COLUMN,options=COLUMN,answer=COLUMN";
    let (task, columns) = split_task(text).ok_or(example)?;
    Ok((task, columns.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_and_their_data_are_read() {
        assert_eq!(task_path("mmlu=a=b"), Ok(("qa".into(), "a=b".into())));
        assert_eq!(task_format("own=JSONL"), Ok(("own".into(), Format::Jsonl)));
        for bad in ["qa", "=x"] {
            assert!(task_path(bad).is_err(), "{bad}");
        }
        assert!(task_format("qa=x").is_err());
    }
}
