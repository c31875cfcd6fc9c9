//! Prompts and strategies.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The paper's three ways to ask (Ye et al., arXiv 2401.12794, section 4.3 and appendix D).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The few-shot examples and the question, no instruction.
    Base,
    /// One general instruction, the same for all tasks.
    SharedInstruction,
    /// An instruction for the task at hand.
    TaskSpecific,
}

impl Strategy {
    /// All three, in the paper's order.
    pub const ALL: [Self; 3] = [Self::Base, Self::SharedInstruction, Self::TaskSpecific];

    /// The name used on the command line and in results: `base`, `shared_instruction`,
    /// `task_specific`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::SharedInstruction => "shared_instruction",
            Self::TaskSpecific => "task_specific",
        }
    }

    /// Reads [`Self::name`] or the paper's short form (`shared`, `task`); `-` counts as `_`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name.to_lowercase().replace('-', "_").as_str() {
            "base" => Some(Self::Base),
            "shared" | "shared_instruction" => Some(Self::SharedInstruction),
            "task" | "task_specific" => Some(Self::TaskSpecific),
            _ => None,
        }
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A prompt in two parts; the model sees `prefix` directly followed by `suffix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The part shared by all questions of one (task, strategy).
    pub prefix: Arc<str>,
    /// The part of this question alone. It ends with `Answer:`, no space after it.
    pub suffix: String,
}

impl Prompt {
    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.prefix.len() + self.suffix.len());
        text.push_str(&self.prefix);
        text.push_str(&self.suffix);
        text
    }
}
