//! The record of imported evaluations.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The groups of an imported run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRecord {
    /// Always true; settings of other runs lack this field.
    pub imported: bool,
    /// The groups in order of import.
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
    /// BLAKE3 over the group's contents, in hexadecimal.
    pub digest: String,
    /// Its source, as its importer describes it. No secrets.
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
    /// Whether a group has this digest.
    pub fn holds(&self, digest: &str) -> bool {
        self.groups.iter().any(|group| group.digest == digest)
    }

    /// Whether a group has this task and strategy.
    pub fn names(&self, task: &str, strategy: &str) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.task == task && group.strategy == strategy)
    }
}
