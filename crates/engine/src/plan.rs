//! The questions of a run, in the order in which they are asked.

use std::sync::Arc;

use sureness_prompts::{PromptBuilder, Strategy};
use sureness_questions::{Question, Task};
use sureness_scorers::{ModelIdentity, RequestKey, ScoreRequest};

/// All questions of one task, asked with one prompt strategy.
#[derive(Debug, Clone)]
pub struct Group {
    /// The task.
    pub task: Task,
    /// How it is asked.
    pub strategy: Strategy,
    /// The questions; shared between the strategies of a task.
    pub questions: Arc<[Question]>,
    /// Lays out this group's prompts.
    pub builder: PromptBuilder,
}

/// The ordered plan of a run.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// One group per (task, strategy), in order.
    pub groups: Vec<Group>,
}

impl Plan {
    /// How many questions are asked in all, counted once per strategy.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|g| g.questions.len()).sum()
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Makes requests; computes what is shared by many of them once.
pub(crate) struct Requests<'a> {
    plan: &'a Plan,
    identity: [u8; 32],
    /// Label lists by number of options.
    labels: Vec<Arc<[String]>>,
}

impl<'a> Requests<'a> {
    pub(crate) fn new(plan: &'a Plan, identity: &ModelIdentity) -> Self {
        let labels = (0..=sureness_questions::MAX_OPTIONS)
            .map(|n| {
                (0..n)
                    .map(|i| sureness_questions::label(i).to_string())
                    .collect()
            })
            .collect();
        Self {
            plan,
            identity: identity.digest(),
            labels,
        }
    }

    pub(crate) fn make(&self, group: usize, question: usize) -> ScoreRequest {
        let group = &self.plan.groups[group];
        let question = &group.questions[question];
        let prompt = group.builder.build(question);
        let labels = Arc::clone(&self.labels[question.options.len().min(self.labels.len() - 1)]);
        let key = RequestKey::new(&self.identity, &prompt, &labels);
        ScoreRequest {
            key,
            prompt,
            labels,
        }
    }
}
