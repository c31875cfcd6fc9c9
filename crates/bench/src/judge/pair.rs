//! What a judge is asked about a pair of answers: a question with the options yes and no.

use std::num::NonZeroU32;

use sureness_engine::{Group, GroupRequests};
use sureness_prompts::{PromptBuilder, PromptError, Strategy, Wording};
use sureness_questions::{Bank, Question, Task};
use sureness_scorers::{ModelIdentity, RequestKey};

/// Characters of a passage that the judge sees: it says what the question is about.
const MAX_CONTEXT_CHARS: usize = 2_000;
/// Index of the option `Yes`.
pub(super) const YES: usize = 0;

/// Lays out comparisons and makes their keys.
#[derive(Debug)]
pub(super) struct Pairs {
    task: Task,
    builder: PromptBuilder,
    requests: GroupRequests,
}

impl Pairs {
    /// For a judge of this identity. Users' own prompt texts do not apply.
    pub(super) fn new(judge: &ModelIdentity) -> Result<Self, PromptError> {
        let task = Task::custom("judge");
        let wording = Wording::builtin();
        let builder = PromptBuilder::new(&task, Strategy::SharedInstruction, &wording, &[], 0)?;
        let group = Group {
            task: task.clone(),
            strategy: Strategy::SharedInstruction,
            questions: Bank::default().into(),
            builder: builder.clone(),
            order: None,
        };
        Ok(Self {
            requests: group.requests(judge.digest(), Some(NonZeroU32::MIN)),
            task,
            builder,
        })
    }

    /// The group that asks these comparisons.
    pub(super) fn group(&self, comparisons: &[Question]) -> std::io::Result<Group> {
        Ok(Group {
            task: self.task.clone(),
            strategy: Strategy::SharedInstruction,
            questions: Bank::of(comparisons)?.into(),
            builder: self.builder.clone(),
            order: None,
        })
    }

    /// The key of a comparison's answer.
    pub(super) fn key(&self, comparison: &Question) -> RequestKey {
        self.requests.of(comparison, 0).key
    }
}

/// Whether `first` and `second` mean the same as answers to `question`.
pub(super) fn comparison(question: &Question, first: &str, second: &str) -> Question {
    let [first, second, asked] = [first, second, &question.stem].map(on_one_line);
    let stem = format!(
        "Do the answers \"{first}\" and \"{second}\" to the question \"{asked}\" mean the same?\n\
         They do if either both are right or both are wrong. Differences in spelling, wording and detail \
         do not matter."
    );
    Question {
        id: question.id.clone(),
        category: None,
        context: question.context.as_deref().map(beginning),
        stem,
        options: ["Yes", "No"].map(str::to_owned).into(),
        right: YES.into(),
        accepted: Vec::new(),
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn beginning(context: &str) -> String {
    match context.char_indices().nth(MAX_CONTEXT_CHARS) {
        Some((end, _)) => format!("{}…", &context[..end]),
        None => context.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge() -> ModelIdentity {
        ModelIdentity {
            name: "judge".into(),
            backend: "test".into(),
            details: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_comparison_shows_question_and_answers_and_has_a_key_for_each_order() {
        let question = Question {
            id: "1".into(),
            category: None,
            context: Some("x".repeat(MAX_CONTEXT_CHARS + 1)),
            stem: "Which city?".into(),
            options: Vec::new(),
            right: 0.into(),
            accepted: vec!["NYC".into()],
        };
        let pairs = Pairs::new(&judge()).unwrap();
        let forth = comparison(&question, "NYC", "New York");
        let back = comparison(&question, "New York", "NYC");
        assert_ne!(pairs.key(&forth), pairs.key(&back));
        let prompt = pairs.builder.build(&forth).text();
        let stem =
            "Question: Do the answers \"NYC\" and \"New York\" to the question \"Which city?\"";
        for part in ["Context: xx", "x…\n", stem, "A. Yes\nB. No\nAnswer:"] {
            assert!(prompt.contains(part), "{part}: {prompt}");
        }
        // The key of the truth has no part in it.
        assert!(!prompt.contains("accepted"));
        let again = Pairs::new(&judge()).unwrap();
        assert_eq!(pairs.key(&forth), again.key(&forth));
    }
}
