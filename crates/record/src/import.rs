//! What a store notes of imported evaluations.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The groups of an imported run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRecord {
    /// Always true: no run of our own has this field.
    pub imported: bool,
    /// In the order in which they were imported.
    pub groups: Vec<ImportedGroup>,
}

/// One imported (task, strategy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedGroup {
    /// The task's name.
    pub task: String,
    /// The strategy's name.
    pub strategy: String,
    /// Number of questions.
    pub questions: usize,
    /// Questions that have scores.
    pub answered: usize,
    /// BLAKE3 of everything that the group says, in hexadecimal.
    pub digest: String,
    /// Where it came from, in the words of its importer. No secrets.
    pub source: Value,
}

impl Default for ImportRecord {
    fn default() -> Self {
        Self {
            imported: true,
            groups: Vec::new(),
        }
    }
}

impl ImportRecord {
    /// Whether a group with this digest is among them.
    pub fn holds(&self, digest: &str) -> bool {
        self.groups.iter().any(|group| group.digest == digest)
    }

    /// Whether a group of this task and strategy is among them.
    pub fn names(&self, task: &str, strategy: &str) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.task == task && group.strategy == strategy)
    }
}
