//! The questions of a run, in the order in which they are asked.

use std::borrow::Cow;
use std::io;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use sureness_prompts::{Prompt, PromptBuilder, Strategy};
use sureness_questions::{Bank, MAX_OPTIONS, Question, Task, Turn};
use sureness_scorers::{Draw, KeyPrefix, RequestKey, ScoreRequest};

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
    /// The order in which options are shown, of a plan with several; the first shows questions as they
    /// are. `None` where there is no other.
    pub order: Option<NonZeroU32>,
}

/// The ordered plan of a run.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// One group per (task, strategy) and order of the options, in order.
    pub groups: Vec<Group>,
    /// Answers in words to draw for each question, or at most if `wanted` says how many of them;
    /// `None` where its letters are scored once.
    pub draws: Option<NonZeroU32>,
    /// By group and question, how many of `draws` to draw; `None` for all.
    pub wanted: Option<Arc<Vec<Vec<u32>>>>,
}

impl Plan {
    /// How many questions are asked in all, counted once per strategy.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|g| g.questions.len()).sum()
    }

    /// How many answers it takes: one to each question, or as many as are drawn.
    pub fn answers(&self) -> usize {
        (0..self.groups.len())
            .map(|group| self.answers_of(group))
            .sum()
    }

    /// How many questions of a group are asked.
    pub fn questions_of(&self, group: usize) -> usize {
        let questions = self.groups.get(group).map_or(0, |it| it.questions.len());
        match self.wanted.as_ref().and_then(|wanted| wanted.get(group)) {
            None => questions,
            Some(wanted) => wanted.iter().filter(|wanted| **wanted > 0).count(),
        }
    }

    /// How many answers a group takes.
    pub(crate) fn answers_of(&self, group: usize) -> usize {
        let questions = self
            .groups
            .get(group)
            .map_or(0, |group| group.questions.len());
        match &self.wanted {
            None => questions * self.draws_each(),
            Some(_) => (0..questions)
                .map(|question| self.wanted(group, question))
                .sum(),
        }
    }

    /// How many answers a question of a group takes.
    pub fn wanted(&self, group: usize, question: usize) -> usize {
        let wanted = self.wanted.as_ref();
        let wanted = wanted.and_then(|wanted| wanted.get(group)?.get(question).copied());
        wanted.map_or(self.draws_each(), |wanted| {
            self.draws_each().min(wanted as usize)
        })
    }

    /// How many answers each question takes at most.
    pub fn draws_each(&self) -> usize {
        self.draws.map_or(1, |draws| draws.get() as usize)
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Group {
    /// The strategy's name, with the number of the order from the second on, such as `base/2`.
    pub fn name(&self) -> Cow<'static, str> {
        let strategy = self.strategy.name();
        match self.order.map(NonZeroU32::get) {
            None | Some(1) => strategy.into(),
            Some(order) => format!("{strategy}/{order}").into(),
        }
    }

    /// The prompt of a question.
    pub fn prompt(&self, question: &Question) -> Prompt {
        match self.turn(question) {
            None => self.builder.build(question),
            Some(turn) => self.builder.build(&turn.shown(question)),
        }
    }

    /// Whether an earlier order shows a question in the same way, so that its answer is known.
    pub fn repeats(&self, question: &Question) -> bool {
        let is_later = self.order.is_some_and(|order| order.get() > 1);
        is_later && self.turn(question).is_some_and(|turn| turn.places() == 0)
    }

    /// How the options of a question are turned; `None` where the plan has one order.
    pub fn turn(&self, question: &Question) -> Option<Turn> {
        self.order.map(|order| Turn::of(question, order))
    }

    /// Makes this group's requests to the model with digest `identity`, for the letters'
    /// log-probabilities or for one of `draws` answers in words.
    pub fn requests(&self, identity: [u8; 32], draws: Option<NonZeroU32>) -> GroupRequests {
        GroupRequests {
            draws,
            builder: self.builder.clone(),
            order: self.order,
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
    order: Option<NonZeroU32>,
    identity: [u8; 32],
    draws: Option<NonZeroU32>,
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
    /// The request for one of the group's questions; `draw` numbers its answers in words, and is 0
    /// where there is only one.
    pub fn of(&self, question: &Question, draw: u32) -> ScoreRequest {
        let request = self.of_question(question);
        ScoreRequest {
            key: self.key(&request, draw),
            draw: self.draws.map(|_| Draw {
                number: draw,
                options: question.options.clone(),
                said: None,
            }),
            ..request
        }
    }

    /// The part of a question's requests that its draws share: they differ in their
    /// [keys](Self::key) alone.
    pub fn of_question(&self, question: &Question) -> ScoreRequest {
        let options = question.options.len().min(MAX_OPTIONS);
        let common = self.shared[options].get_or_init(|| {
            let labels: Arc<[String]> = self.builder.labels(question).into();
            let hashed = KeyPrefix::new(&self.identity, self.builder.prefix(), &labels);
            Box::new(Common { labels, hashed })
        });
        let prompt = self.builder.build(&self.shown(question));
        ScoreRequest {
            key: common.hashed.key(&prompt.suffix),
            prompt,
            labels: Arc::clone(&common.labels),
            draw: None,
        }
    }

    /// The question as this group shows it.
    fn shown<'a>(&self, question: &'a Question) -> Cow<'a, Question> {
        let turn = self.order.map(|order| Turn::of(question, order));
        match turn.filter(|turn| turn.places() > 0) {
            None => Cow::Borrowed(question),
            Some(turn) => Cow::Owned(turn.shown(question)),
        }
    }

    /// The key of a draw to the question of `shared`, which [`Self::of_question`] made.
    pub fn key(&self, shared: &ScoreRequest, draw: u32) -> RequestKey {
        match self.draws {
            None => shared.key,
            Some(_) => shared.key.drawn(draw),
        }
    }
}

/// The driver's source of requests: it reads one each time that a question is asked.
pub(crate) trait Source: Send + Sync {
    /// The request with this number in this group.
    fn read(&self, group: u32, item: u32) -> io::Result<ScoreRequest>;
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
        let groups = plan.groups.iter();
        let groups = groups.map(|group| group.requests(identity, plan.draws));
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
    fn read(&self, group: u32, item: u32) -> io::Result<ScoreRequest> {
        let questions = &self.plan.groups[group as usize].questions;
        let draws = self.plan.draws_each();
        let (question, draw) = (item as usize / draws, item as usize % draws);
        let question = questions.get(question)?;
        Ok(self.groups[group as usize].of(&question, draw as u32))
    }
}
