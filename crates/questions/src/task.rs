//! Tasks and data sets.

use serde::{Deserialize, Serialize};

use crate::{Bank, Question, Split, Unread};

/// The word that introduces a question's background text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Background {
    /// No background line is shown, even where a question carries a context.
    None,
    /// `Context:`
    Context,
    /// `Dialogue:`
    Dialogue,
    /// `Document:`
    Document,
}

/// A task of the benchmark, or a custom one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Short unique name, as `--tasks` takes it: `qa`, `rc`, `ci`, `drs`, `ds` or any other.
    pub id: String,
    /// Display name: `Question answering`.
    pub title: String,
    /// The word before the background text.
    pub background: Background,
    /// Few-shot examples shown by default in few-shot prompts.
    pub shots: usize,
}

impl Task {
    /// The five tasks of the benchmark, in the paper's order, with its numbers of few-shot examples.
    pub fn benchmark() -> [Self; 5] {
        let task = |id: &str, title: &str, background, shots| Self {
            id: id.to_owned(),
            title: title.to_owned(),
            background,
            shots,
        };
        [
            task("qa", "Question answering", Background::None, 5),
            task("rc", "Reading comprehension", Background::Context, 5),
            task("ci", "Commonsense inference", Background::Context, 5),
            task(
                "drs",
                "Dialogue response selection",
                Background::Dialogue,
                3,
            ),
            task("ds", "Document summarisation", Background::Document, 1),
        ]
    }

    /// One of the five by its id, its data set's name or its long name (`qa`, `mmlu`,
    /// `question_answering`), case and `-`/`_` ignored.
    pub fn by_name(name: &str) -> Option<Self> {
        let index = match name.to_lowercase().replace('-', "_").as_str() {
            "qa" | "mmlu" | "question_answering" => 0,
            "rc" | "cosmosqa" | "reading_comprehension" => 1,
            "ci" | "hellaswag" | "commonsense_inference" => 2,
            "drs" | "halueval_dialogue" | "dialogue_response_selection" => 3,
            "ds"
            | "halueval_summarization"
            | "halueval_summarisation"
            | "document_summarization"
            | "document_summarisation" => 4,
            _ => return None,
        };
        Self::benchmark().into_iter().nth(index)
    }

    /// A custom task: background after `Context:`, five few-shot examples.
    pub fn custom(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: id.replace(['_', '-'], " "),
            background: Background::Context,
            shots: 5,
        }
    }
}

/// A task's questions, ready to be asked.
#[derive(Debug)]
pub struct Dataset {
    /// The task the questions belong to.
    pub task: Task,
    /// Their source for display: a path, or `built-in pack`.
    pub source: String,
    /// The questions to ask; never one of the few-shot examples.
    pub questions: Bank,
    /// Few-shot examples, best first; a prompt shows the first few.
    pub examples: Vec<Question>,
    /// The split of the questions, where the files have several.
    pub split: Option<Split>,
    /// Keys and columns of the files that no part of a question comes from.
    pub unread: Unread,
    /// Rows that are not asked, since they repeat the content of a few-shot example.
    pub left_out: usize,
    /// Few-shot examples that are not shown, since they have several right options.
    pub unshown: usize,
}
