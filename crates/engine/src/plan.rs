//! The questions of a run, in the order in which they are asked.

use std::sync::Arc;

use sureness_prompts::{PromptBuilder, Strategy};
use sureness_questions::{Question, Task};
use sureness_scorers::{KeyPrefix, ScoreRequest};

use crate::lookup::Open;

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

impl Group {
    /// Makes this group's requests to the model with digest `identity`.
    pub fn requests(&self, identity: [u8; 32]) -> GroupRequests<'_> {
        GroupRequests {
            group: self,
            identity,
            shared: Vec::new(),
        }
    }
}

/// Makes requests of one group with their keys. What they share is hashed once per number of
/// options: usually once.
#[derive(Debug)]
pub struct GroupRequests<'a> {
    group: &'a Group,
    identity: [u8; 32],
    shared: Vec<(Arc<[String]>, KeyPrefix)>,
}

impl GroupRequests<'_> {
    /// The request for one of the group's questions.
    pub fn of(&mut self, question: &Question) -> ScoreRequest {
        let builder = &self.group.builder;
        let known = |(labels, _): &(Arc<[String]>, _)| labels.len() == question.options.len();
        let at = self.shared.iter().position(known).unwrap_or_else(|| {
            let labels: Arc<[String]> = builder.labels(question).into();
            let hashed = KeyPrefix::new(&self.identity, builder.prefix(), &labels);
            self.shared.push((labels, hashed));
            self.shared.len() - 1
        });
        let (labels, hashed) = &self.shared[at];
        let prompt = builder.build(question);
        ScoreRequest {
            key: hashed.key(&prompt.suffix),
            prompt,
            labels: Arc::clone(labels),
        }
    }
}

/// Makes requests; what many of them share is made once.
#[derive(Debug)]
pub(crate) struct Requests {
    plan: Arc<Plan>,
    /// Label lists by number of options.
    labels: Vec<Arc<[String]>>,
}

impl Requests {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        let labels = (0..=sureness_questions::MAX_OPTIONS)
            .map(|n| {
                (0..n)
                    .map(|i| sureness_questions::label(i).to_string())
                    .collect()
            })
            .collect();
        Self { plan, labels }
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The labels of a question with so many options.
    pub(crate) fn labels(&self, options: usize) -> &Arc<[String]> {
        &self.labels[options.min(self.labels.len() - 1)]
    }

    /// Lays out a question; its key is known from the look-up.
    pub(crate) fn make(&self, group: u32, open: &Open) -> ScoreRequest {
        let group = &self.plan.groups[group as usize];
        let question = &group.questions[open.question as usize];
        ScoreRequest {
            key: open.key,
            prompt: group.builder.build(question),
            labels: Arc::clone(self.labels(question.options.len())),
        }
    }
}
