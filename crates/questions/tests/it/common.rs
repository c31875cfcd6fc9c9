//! What several test files share.

use std::path::{Path, PathBuf};

use sureness_questions::{DataError, Dataset, Format, LoadOptions, Question, Task};

/// Small files of our own in the layouts of others.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// Options for a task, without abstention options: what the file says, and no more.
pub(crate) fn plain(task: &str) -> LoadOptions {
    LoadOptions {
        abstention: false,
        ..LoadOptions::new(Task::by_name(task).unwrap_or_else(|| Task::custom(task)))
    }
}

/// A data set with its questions in a vector, as tests want to look at them.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) questions: Vec<Question>,
    pub(crate) examples: Vec<Question>,
}

impl From<Dataset> for Plain {
    fn from(dataset: Dataset) -> Self {
        Self {
            questions: dataset.questions.to_vec().unwrap(),
            examples: dataset.examples,
        }
    }
}

/// Loads a data set.
pub(crate) fn load(path: &Path, options: &LoadOptions) -> Result<Plain, DataError> {
    sureness_questions::load(path, options).map(Plain::from)
}

/// Writes `content` to a file of that name and loads it.
pub(crate) fn load_text(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &LoadOptions,
) -> Result<Plain, DataError> {
    load_dataset(name, content, options).map(Plain::from)
}

/// The same, as the data set that it is.
pub(crate) fn load_dataset(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    sureness_questions::load(&path, options)
}

/// A valid file of every layout, with the layout.
pub(crate) fn one_of_each() -> Vec<(Format, Vec<u8>)> {
    let read = |name| std::fs::read(data(name)).unwrap();
    vec![
        (Format::Jsonl, read("own.jsonl")),
        (Format::Csv, read("own.csv")),
        (Format::Mmlu, read("mmlu/test/botany_test.csv")),
        (Format::CosmosQaCsv, read("cosmosqa.csv")),
        (Format::CosmosQaJsonl, read("cosmosqa.jsonl")),
        (Format::HellaSwag, read("hellaswag.jsonl")),
        (Format::HaluEvalDialogue, read("halueval_dialogue.jsonl")),
        (
            Format::HaluEvalSummarization,
            read("halueval_summarization.jsonl"),
        ),
        (Format::Paper, read("paper.json")),
    ]
}
