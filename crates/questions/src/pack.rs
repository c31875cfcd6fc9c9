//! Built-in questions for each of the five tasks, so that a first run needs no download.

use std::path::Path;

use crate::load::{assemble, parse};
use crate::source::Source;
use crate::{ClusterBy, DataError, Dataset, Format, LoadOptions, Task, Unread};

/// The pack's questions for one of the five tasks; `None` for any other.
///
/// They are graded in difficulty; the first few rows are the few-shot examples.
pub fn dataset(task_id: &str, abstention: bool) -> Option<Dataset> {
    // The files are part of the program, and a test reads them all.
    clustered(task_id, abstention, &ClusterBy::Auto)?.ok()
}

/// The same with other clusters. Fails if the pack has no such column.
pub fn clustered(
    task_id: &str,
    abstention: bool,
    cluster: &ClusterBy,
) -> Option<Result<Dataset, DataError>> {
    let text = match task_id {
        "qa" => include_str!("../pack/qa.jsonl"),
        "rc" => include_str!("../pack/rc.jsonl"),
        "ci" => include_str!("../pack/ci.jsonl"),
        "drs" => include_str!("../pack/drs.jsonl"),
        "ds" => include_str!("../pack/ds.jsonl"),
        _ => return None,
    };
    let options = LoadOptions {
        abstention,
        cluster: cluster.clone(),
        ..LoadOptions::new(Task::by_name(task_id)?)
    };
    let path = format!("pack/{task_id}.jsonl");
    let path = Path::new(&path);
    let source = Source::from_bytes(path, text.into());
    let dataset = parse(&[source], Format::Jsonl, &options)
        .and_then(|parsed| assemble(path, "built-in pack", parsed, &options))
        .map(|dataset| Dataset {
            // The levels are for those who write the pack.
            unread: Unread::default(),
            left_out: 0,
            ..dataset
        });
    Some(dataset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_of_the_benchmark_has_a_pack_that_reads() {
        for task in Task::benchmark() {
            let dataset = clustered(&task.id, true, &ClusterBy::Auto)
                .unwrap_or_else(|| panic!("no pack for {}", task.id))
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(dataset.examples.len() >= task.shots, "{}", task.id);
            let mut questions = dataset.questions.iter();
            assert!(
                questions.all(|q| q.unwrap().options.len() == 6),
                "{}",
                task.id
            );
        }
        assert!(dataset("no such task", true).is_none());
    }
}
