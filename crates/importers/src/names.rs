//! The identity of questions whose logits were saved, shared by all readers of such files.

use std::path::Path;

use crate::ImportError;
use crate::content::of_name;
use crate::table::Keys;

pub use crate::table::task_of;

/// The identity of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionName {
    /// Digest of its content, or of its task and id if the text is unknown.
    pub content: [u8; 32],
    /// Digest of its cluster; `None` if the text is unknown.
    pub cluster: Option<[u8; 32]>,
    /// Its category.
    pub category: Option<String>,
}

/// The questions of a file in the paper's layout, by id.
#[derive(Debug)]
pub struct QuestionNames(Keys);

impl QuestionNames {
    /// Reads a file. Questions and choices are optional.
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
