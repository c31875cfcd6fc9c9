//! By what a question is known whose logits were saved: one rule for all who read them.

use std::path::Path;

use crate::ImportError;
use crate::content::of_name;
use crate::table::Keys;

pub use crate::table::task_of;

/// What is known of a question beside its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionName {
    /// Digest of its content; of its task and id where the text is not at hand.
    pub content: [u8; 32],
    /// Digest of what it shares with the other questions of its cluster; `None` where its text is not
    /// at hand.
    pub cluster: Option<[u8; 32]>,
    /// Its category.
    pub category: Option<String>,
}

/// The questions of a file in the paper's layout, by id.
#[derive(Debug)]
pub struct QuestionNames(Keys);

impl QuestionNames {
    /// Reads a file. Questions and choices may be left out.
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        Keys::read(path).map(Self)
    }

    /// The question with this id, asked in `task` (see [`task_of`]). The same for an import and for an
    /// analysis of the file that it was made from.
    pub fn of(&self, task: &str, id: i64) -> QuestionName {
        let key = self.0.get(id);
        let known = key.and_then(|key| key.known);
        let known = known.unwrap_or_else(|| of_name([task, &*id.to_string()]));
        QuestionName {
            content: known.content,
            cluster: known.cluster,
            category: key.and_then(|key| key.category.clone()),
        }
    }
}
