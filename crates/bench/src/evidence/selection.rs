//! Which runs and saved logits an analysis reads.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sureness_analysis::GroupId;
use sureness_prompts::Strategy;
use sureness_questions::paper;

use crate::questions::id_of;

/// Selects runs and saved logits, and parts of them.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Output folders, stores (`FOLDER#3` for run 3 of it, `NAME=FOLDER` to show it under a name), files of
    /// saved logits.
    pub runs: Vec<PathBuf>,
    /// Questions in the paper's JSON layout, for files of saved logits.
    pub questions: Option<PathBuf>,
    /// Whether they are taken even where names of files of saved logits tell another data set.
    pub any_questions: bool,
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
    /// Whether the rule of covering is given, and not that of the runs.
    pub covers_given: bool,
    /// Questions to resample and split together.
    pub cluster: Grouping,
}

impl Selection {
    /// Whether this group is selected.
    pub(super) fn wants(&self, group: &GroupId) -> bool {
        let task = |name: &String| is_task(name, group);
        let strategy = |name: &String| is_strategy(name, group);
        (self.tasks.is_empty() || self.tasks.iter().any(task))
            && (self.strategies.is_empty() || self.strategies.iter().any(strategy))
    }

    /// Whether the model of this name is selected.
    pub(super) fn wants_model(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let contains = |part: &String| name.contains(&part.to_lowercase());
        self.models.is_empty() || self.models.iter().any(contains)
    }

    /// The given flags that apply to files of saved logits alone.
    pub(super) fn for_files(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("--drop-ids", !self.drop.is_default()),
            ("--drop-options", !self.drop.options.is_empty()),
            ("--questions", self.questions.is_some()),
            ("--any-questions", self.any_questions),
        ];
        given
            .into_iter()
            .filter_map(|(flag, given)| given.then_some(flag))
    }

    /// Everything in these runs.
    pub fn of(runs: Vec<PathBuf>) -> Self {
        Self {
            runs,
            questions: None,
            any_questions: false,
            drop: Drop::default(),
            models: Vec::new(),
            tasks: Vec::new(),
            strategies: Vec::new(),
            mixed_prompts: false,
            covers_given: false,
            cluster: Grouping::Auto,
        }
    }
}

/// Whether the name, in any of its forms, is that of the group's task.
pub(super) fn is_task(name: &str, group: &GroupId) -> bool {
    id_of(name).eq_ignore_ascii_case(&group.task)
}

/// Whether the name, in any of its forms, is that of the group's prompt strategy.
pub(super) fn is_strategy(name: &str, group: &GroupId) -> bool {
    name.eq_ignore_ascii_case(&group.strategy)
        || Strategy::by_name(name).is_some_and(|strategy| strategy.name() == group.strategy)
}

/// Questions and options to drop from saved logits. The default drops the few-shot examples of the
/// paper's files, which are among their questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// Ids of questions.
    pub ids: BTreeSet<i64>,
    /// Ids that are not whole numbers.
    pub text_ids: BTreeSet<String>,
    /// Options, by index.
    pub options: Vec<usize>,
}

impl Default for Drop {
    fn default() -> Self {
        Self {
            ids: BTreeSet::from(paper::EXAMPLE_IDS),
            text_ids: BTreeSet::new(),
            options: Vec::new(),
        }
    }
}

impl Drop {
    /// Whether these ids are left out without being named.
    pub(super) fn is_default(&self) -> bool {
        self.text_ids.is_empty() && self.ids == Self::default().ids
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
