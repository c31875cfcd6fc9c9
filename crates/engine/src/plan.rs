//! The questions of a run, in the order in which they are asked.

use std::io;
use std::sync::{Arc, OnceLock};

use sureness_prompts::{PromptBuilder, Strategy};
use sureness_questions::{Bank, MAX_OPTIONS, Question, Task};
use sureness_scorers::{KeyPrefix, ScoreRequest};

/// All questions of one task, asked with one prompt strategy.
#[derive(Debug, Clone)]
pub struct Group {
    /// The task.
    pub task: Task,
    /// How it is asked.
    pub strategy: Strategy,
    /// The questions; the strategies of a task share them.
    pub questions: Arc<Bank>,
    /// Builds this group's prompts.
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
    pub fn requests(&self, identity: [u8; 32]) -> GroupRequests {
        GroupRequests {
            builder: self.builder.clone(),
            identity,
            shared: [const { OnceLock::new() }; MAX_OPTIONS + 1],
        }
    }
}

/// Makes requests of one group with their keys. Their common part is hashed once per number of
/// options.
#[derive(Debug)]
pub struct GroupRequests {
    builder: PromptBuilder,
    identity: [u8; 32],
    /// By number of options.
    shared: [OnceLock<Box<Common>>; MAX_OPTIONS + 1],
}

/// The common part of requests with the same number of options.
#[derive(Debug)]
struct Common {
    labels: Arc<[String]>,
    hashed: KeyPrefix,
}

impl GroupRequests {
    /// The request for one of the group's questions.
    pub fn of(&self, question: &Question) -> ScoreRequest {
        let options = question.options.len().min(MAX_OPTIONS);
        let common = self.shared[options].get_or_init(|| {
            let labels: Arc<[String]> = self.builder.labels(question).into();
            let hashed = KeyPrefix::new(&self.identity, self.builder.prefix(), &labels);
            Box::new(Common { labels, hashed })
        });
        let prompt = self.builder.build(question);
        ScoreRequest {
            key: common.hashed.key(&prompt.suffix),
            prompt,
            labels: Arc::clone(&common.labels),
        }
    }
}

/// The driver's source of requests: it reads one each time that a question is asked.
pub(crate) trait Source: Send + Sync {
    /// The request for this question of this group.
    fn read(&self, group: u32, question: u32) -> io::Result<ScoreRequest>;
}

/// Makes the requests of a whole plan.
#[derive(Debug)]
pub(crate) struct Requests {
    plan: Arc<Plan>,
    groups: Vec<GroupRequests>,
}

impl Requests {
    /// Requests to the model with digest `identity`.
    pub(crate) fn new(plan: Arc<Plan>, identity: [u8; 32]) -> Self {
        let groups = plan.groups.iter().map(|group| group.requests(identity));
        Self {
            groups: groups.collect(),
            plan,
        }
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The requests of one group.
    pub(crate) fn group(&self, group: usize) -> &GroupRequests {
        &self.groups[group]
    }
}

impl Source for Requests {
    fn read(&self, group: u32, question: u32) -> io::Result<ScoreRequest> {
        let questions = &self.plan.groups[group as usize].questions;
        let question = questions.get(question as usize)?;
        Ok(self.groups[group as usize].of(&question))
    }
}
