//! Which runs and saved logits an analysis reads.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sureness_questions::paper;

/// Selects runs and saved logits, and parts of them.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Output folders, stores (`FOLDER#3` for run 3 of it), files of saved logits.
    pub runs: Vec<PathBuf>,
    /// Questions in the paper's JSON layout, for files of saved logits.
    pub questions: Option<PathBuf>,
    /// Questions and options to drop from saved logits.
    pub drop: Drop,
    /// Models whose names contain one of these; empty for all.
    pub models: Vec<String>,
    /// Tasks by name; empty for all.
    pub tasks: Vec<String>,
    /// Prompt strategies by name; empty for all.
    pub strategies: Vec<String>,
    /// Whether runs with different prompts may be compared.
    pub mixed_prompts: bool,
    /// Questions to resample and split together.
    pub cluster: Grouping,
}

impl Selection {
    /// Everything in these runs.
    pub fn of(runs: Vec<PathBuf>) -> Self {
        Self {
            runs,
            questions: None,
            drop: Drop::default(),
            models: Vec::new(),
            tasks: Vec::new(),
            strategies: Vec::new(),
            mixed_prompts: false,
            cluster: Grouping::Auto,
        }
    }
}

/// Questions and options to drop from saved logits. The default drops the few-shot examples of the
/// paper's files, which are among their questions.
#[derive(Debug, Clone)]
pub struct Drop {
    /// Ids of questions.
    pub ids: BTreeSet<i64>,
    /// Options, by index.
    pub options: Vec<usize>,
}

impl Default for Drop {
    fn default() -> Self {
        Self {
            ids: BTreeSet::from(paper::EXAMPLE_IDS),
            options: Vec::new(),
        }
    }
}

/// Questions to resample and split together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Grouping {
    /// Questions that share a passage, and duplicates, as the run recorded them
    Auto,
    /// Questions of one category
    Category,
    /// Each question on its own; duplicates stay together
    None,
}
