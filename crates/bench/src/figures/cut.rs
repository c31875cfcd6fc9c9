//! Whether the server cut the prompts of a run, from the counts in its store.

use sureness_engine::{Group, GroupRequests};
use sureness_report::GroupResult;
use sureness_store::StoredRow;

use crate::prompt_counts::PromptCounts;

/// Prompts of a group that are laid out again to learn their lengths.
const SAMPLED: usize = 500;

/// Some prompts of a group beside the counts of their tokens.
pub(super) struct Prompts<'a> {
    group: &'a Group,
    requests: GroupRequests,
    /// Every so many rows is looked at.
    step: usize,
    row: usize,
    pub(super) counts: PromptCounts,
}

impl<'a> Prompts<'a> {
    pub(super) fn of(group: &'a Group) -> Self {
        Self {
            group,
            // Keys are of no interest here.
            requests: group.requests([0; 32], None),
            step: group.questions.len().div_ceil(SAMPLED).max(1),
            row: 0,
            counts: PromptCounts::default(),
        }
    }

    /// Counts a row; rows come in the order of the questions.
    pub(super) fn count(&mut self, row: &StoredRow) {
        let index = self.row;
        self.row += 1;
        let tokens = row
            .scores
            .as_ref()
            .and_then(|scores| scores.usage.prompt_tokens);
        let Some(tokens) = tokens.filter(|_| index.is_multiple_of(self.step)) else {
            return;
        };
        // A question that cannot be read back tells nothing.
        let Ok((digests, question)) = self.group.questions.read(index) else {
            return;
        };
        if digests.content == row.question.content {
            let prompt = self.requests.of(&question, 0).prompt;
            self.counts
                .add(prompt.prefix.len() + prompt.suffix.len(), tokens);
        }
    }
}

/// Marks the groups whose prompts were cut. All groups have one server, so that one group's largest
/// count tells about the others.
pub(super) fn mark_cut(groups: &mut [GroupResult], counts: &[PromptCounts]) {
    let mut all = PromptCounts::default();
    for counts in counts {
        all.merge(counts);
    }
    let Some(cut) = all.cut() else { return };
    for (group, counts) in groups.iter_mut().zip(counts) {
        if counts.reaches(cut.tokens) {
            group.cut_prompts = Some(cut);
        }
    }
}
