//! Pairs rows of logits with questions, and checks that they belong together.

use std::collections::HashSet;

use sureness_importers::right_of;
use sureness_questions::{RightOptions, letter};
use sureness_scorers::replay::RecordedLogits;

use super::{KeyedRow, Scoring};
use crate::evidence::problems::{Problems, others, same_in_others};

impl Scoring<'_> {
    /// Pairs each row that is not dropped with its question, in the order of the file.
    pub(super) fn join(
        &self,
        logits: &RecordedLogits,
        problems: &mut Problems<'_>,
    ) -> Vec<KeyedRow<'_>> {
        let questions = self.questions.display();
        let mut items = Vec::with_capacity(logits.ids.len());
        let mut unknown = Vec::new();
        for (row, &id) in logits.ids.iter().enumerate() {
            match self.by_id.get(&id) {
                Some(&at) => items.push(KeyedRow {
                    row,
                    key: &self.key[at],
                }),
                None if self.drop.ids.contains(&id) => {}
                None => unknown.push(id),
            }
        }
        if let Some(first) = unknown.first() {
            problems.add(
                format_args!(
                    "id {first}{} not in {questions}",
                    others(unknown.len(), "is", "are")
                ),
                "give the questions that these logits were computed on",
            );
        }
        // The reader refuses duplicate ids, so the counts show whether one is missing.
        if items.len() < self.key.len() {
            let present: HashSet<i64> = items.iter().map(|item| item.key.id).collect();
            let mut missing = self.key.iter().filter(|key| !present.contains(&key.id));
            if let Some(first) = missing.next() {
                problems.add(
                    format_args!(
                        "id {} of {questions}{} missing",
                        first.id,
                        others(1 + missing.count(), "is", "are")
                    ),
                    "score the whole set, or name a questions file that holds only these ids",
                );
            }
        }
        items
    }

    /// The options that go into the softmax.
    pub(super) fn kept_options(&self, width: usize, problems: &mut Problems<'_>) -> Vec<usize> {
        let dropped = &self.drop.options;
        for &option in dropped {
            if option >= width {
                problems.add(
                    format_args!(
                        "has the options A to {}, so that --drop-options cannot leave out {}",
                        letter(width - 1),
                        letter(option)
                    ),
                    "name options that every file has, or score such files apart",
                );
            }
        }
        let kept: Vec<usize> = (0..width).filter(|at| !dropped.contains(at)).collect();
        if kept.len() < 2 {
            problems.add(
                format_args!("--drop-options leaves {} of {width} options", kept.len()),
                "keep at least two options",
            );
        }
        kept
    }

    /// Checks that the file has scores for the options of every question.
    pub(super) fn check_options(
        &self,
        width: usize,
        items: &[KeyedRow<'_>],
        problems: &mut Problems<'_>,
    ) {
        let questions = self.questions.display();
        let other_width: Vec<_> = items
            .iter()
            .filter_map(|item| Some((item.key, item.key.options?)))
            .filter(|&(_, options)| options != width)
            .collect();
        if let Some((key, options)) = other_width.first() {
            problems.add(
                format_args!(
                    "id {} has {width} scores, but {options} options in {questions}{}",
                    key.id,
                    same_in_others(other_width.len())
                ),
                "give the questions that these logits were computed on, with all their options",
            );
            return;
        }
        let faulty = |is_faulty: &dyn Fn(RightOptions) -> bool| {
            let mut keys = items.iter().map(|item| item.key);
            let first = keys.find(|key| is_faulty(key.right))?;
            Some((first, 1 + keys.filter(|key| is_faulty(key.right)).count()))
        };
        if let Some((key, count)) = faulty(&|right| right.last() >= width) {
            problems.add(
                format_args!(
                    "id {} has the answer {} in {questions}, but only {width} scores{}",
                    key.id,
                    key.right,
                    same_in_others(count)
                ),
                "give the questions that these logits were computed on",
            );
        }
        let dropped = &self.drop.options;
        let is_dropped = |right: RightOptions| right.iter().any(|option| dropped.contains(&option));
        if let Some((key, count)) = faulty(&is_dropped) {
            problems.add(
                format_args!(
                    "id {} has the answer {}, which --drop-options leaves out{}",
                    key.id,
                    key.right,
                    same_in_others(count)
                ),
                "leave out only options that are never right",
            );
        }
    }

    /// Checks that a file with answers of its own has those of the questions.
    pub(super) fn check_answers(
        &self,
        logits: &RecordedLogits,
        items: &[KeyedRow<'_>],
        problems: &mut Problems<'_>,
    ) {
        if self.any_questions {
            return;
        }
        let mut contradictions = items.iter().filter_map(|item| {
            let written = logits.beside(item.row).answer?;
            let own = right_of(&written)?;
            (own != item.key.right).then_some((item.key, written))
        });
        if let Some((key, own)) = contradictions.next() {
            problems.add(
                format_args!(
                    "id {} has the answer {own}, but {} in {}{}",
                    key.id,
                    key.right,
                    self.questions.display(),
                    same_in_others(1 + contradictions.count())
                ),
                "give the questions that this table was made from, or insist on their answers with \
                 --any-questions",
            );
        }
    }
}
