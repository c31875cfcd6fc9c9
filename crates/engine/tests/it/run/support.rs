//! A plan, a backend that does what a script says, and a sink in memory.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sureness_engine::{
    Answer, AnswerSink, Cancel, Event, Group, Observer, Plan, Planned, Settings, SinkError,
    Summary, Workers, run, run_blocking,
};
use sureness_prompts::{PromptBuilder, Strategy, Wording};
use sureness_questions::{Bank, Question, Task};
use sureness_scorers::{
    ModelIdentity, OptionScorer, OptionScores, Reply, RequestKey, ScoreError, ScoreRequest, Usage,
};

/// A plan with groups of these sizes; no two questions are the same.
pub(super) fn plan(sizes: &[usize]) -> Arc<Plan> {
    let task = Task::by_name("qa").unwrap();
    let groups = sizes.iter().enumerate().map(|(group, &n)| {
        let question = |i: usize| Question {
            accepted: Vec::new(),
            id: format!("{group}-{i}"),
            category: None,
            context: None,
            stem: format!("What is {i} in group {group}?"),
            options: vec!["one".into(), "two".into(), "three".into()],
            right: 0.into(),
        };
        Group {
            task: task.clone(),
            strategy: Strategy::Base,
            questions: Arc::new(Bank::of(&(0..n).map(question).collect::<Vec<_>>()).unwrap()),
            builder: PromptBuilder::new(&task, Strategy::Base, &Wording::builtin(), &[], 0)
                .unwrap(),
            order: None,
        }
    });
    Arc::new(Plan {
        draws: None,
        wanted: None,
        groups: groups.collect(),
    })
}

/// The scores that belong to a prompt and to no other.
pub(super) fn scores_of(request: &ScoreRequest) -> OptionScores {
    let seed = request.key.0;
    OptionScores {
        words: None,
        logprobs: (0..request.labels.len())
            .map(|i| -f64::from(seed[i]) - 1.0)
            .collect(),
        observed: vec![true; request.labels.len()],
        mass: 0.5,
        usage: Usage {
            prompt_tokens: Some(10),
            cached_tokens: Some(4),
            answer_tokens: None,
        },
    }
}

/// What becomes of one batch: how long it takes and what comes of it.
pub(super) type Script = dyn Fn(&[ScoreRequest], usize) -> (Duration, Outcome) + Send + Sync;

pub(super) enum Outcome {
    Scores(Vec<Result<OptionScores, ScoreError>>),
    Panic,
}

/// A backend that follows a script, which is told each batch and how many came before.
pub(super) struct Scripted {
    identity: ModelIdentity,
    script: Box<Script>,
    batches: AtomicUsize,
    /// How often each key was asked for.
    asked: Mutex<HashMap<RequestKey, usize>>,
}

impl Scripted {
    pub(super) fn new(
        script: impl Fn(&[ScoreRequest], usize) -> (Duration, Outcome) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            identity: ModelIdentity {
                name: "scripted".into(),
                backend: "test".into(),
                details: std::collections::BTreeMap::default(),
            },
            script: Box::new(script),
            batches: AtomicUsize::new(0),
            asked: Mutex::default(),
        })
    }

    /// One that answers everything after some time that differs from prompt to prompt.
    pub(super) fn good() -> Arc<Self> {
        Self::new(|batch, _| {
            let after = u64::from(batch[0].key.0[9] % 8);
            (Duration::from_millis(after), good(batch))
        })
    }

    pub(super) fn asked(&self) -> HashMap<RequestKey, usize> {
        self.asked.lock().unwrap().clone()
    }

    fn begin(&self, batch: &[ScoreRequest]) -> (Duration, Outcome) {
        let before = self.batches.fetch_add(1, Ordering::SeqCst);
        let mut asked = self.asked.lock().unwrap();
        for request in batch {
            *asked.entry(request.key).or_default() += 1;
        }
        drop(asked);
        (self.script)(batch, before)
    }
}

/// Every question of the batch is answered.
pub(super) fn good(batch: &[ScoreRequest]) -> Outcome {
    Outcome::Scores(batch.iter().map(|r| Ok(scores_of(r))).collect())
}

/// Every question of the batch fails.
pub(super) fn bad(batch: &[ScoreRequest], error: &ScoreError) -> Outcome {
    Outcome::Scores(vec![Err(error.clone()); batch.len()])
}

impl OptionScorer for Scripted {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        async {
            let (after, outcome) = self.begin(batch);
            tokio::time::sleep(after).await;
            reply(outcome)
        }
        .boxed()
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        assert!(
            tokio::runtime::Handle::try_current().is_err(),
            "the thread driver must not work inside an async runtime"
        );
        let (after, outcome) = self.begin(batch);
        std::thread::sleep(after);
        reply(outcome)
    }
}

fn reply(outcome: Outcome) -> Reply {
    match outcome {
        Outcome::Scores(scores) => Reply::of(scores),
        Outcome::Panic => panic!("the script says so"),
    }
}

/// What a sink in memory holds.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) answers: HashMap<RequestKey, OptionScores>,
    pub(super) failures: Vec<(RequestKey, ScoreError)>,
    pub(super) writes: usize,
}

/// A sink in memory; `before_write` may wait or fail.
pub(super) struct Memory {
    pub(super) kept: Arc<Mutex<Kept>>,
    pub(super) before_write: Box<dyn FnMut() -> Result<(), SinkError> + Send>,
}

impl AnswerSink for Memory {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        let kept = self.kept.lock().unwrap();
        let known = |planned: &Planned| kept.answers.contains_key(&planned.key);
        Ok(questions.iter().map(known).collect())
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        (self.before_write)()?;
        let mut kept = self.kept.lock().unwrap();
        kept.writes += 1;
        for answer in answers {
            match &answer.outcome {
                Ok(scores) => {
                    let before = kept.answers.insert(answer.key, scores.clone());
                    assert!(before.is_none(), "answered twice");
                }
                Err(error) => kept.failures.push((answer.key, error.clone())),
            }
        }
        Ok(())
    }
}

/// The two drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    Tasks,
    Threads,
}

pub(super) const DRIVERS: [Driver; 2] = [Driver::Tasks, Driver::Threads];

/// A run to be.
pub(super) struct Setup {
    pub(super) plan: Arc<Plan>,
    pub(super) endpoints: Vec<Arc<dyn OptionScorer>>,
    pub(super) settings: Settings,
    pub(super) kept: Arc<Mutex<Kept>>,
    pub(super) before_write: Box<dyn FnMut() -> Result<(), SinkError> + Send>,
    pub(super) cancel: Cancel,
    pub(super) observer: Observer,
}

impl Setup {
    pub(super) fn new(sizes: &[usize], endpoints: &[Arc<Scripted>]) -> Self {
        let mut settings = Settings {
            workers: Workers::Fixed(NonZeroUsize::new(8).unwrap()),
            ..Settings::default()
        };
        settings.retry.base = Duration::from_millis(1);
        Self {
            plan: plan(sizes),
            endpoints: endpoints
                .iter()
                .map(|e| Arc::clone(e) as Arc<dyn OptionScorer>)
                .collect(),
            settings,
            kept: Arc::default(),
            before_write: Box::new(|| Ok(())),
            cancel: Cancel::default(),
            observer: Arc::new(|_: &Event| {}),
        }
    }

    /// Runs it on a runtime of its own, or without any.
    pub(super) fn run(self, driver: Driver) -> Summary {
        match driver {
            Driver::Tasks => {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(self.run_async())
            }
            Driver::Threads => {
                let (plan, endpoints, settings, sink, cancel, observer) = self.parts();
                run_blocking(plan, endpoints, settings, sink, cancel, observer).unwrap()
            }
        }
    }

    /// Runs it on the current runtime.
    pub(super) async fn run_async(self) -> Summary {
        let (plan, endpoints, settings, sink, cancel, observer) = self.parts();
        run(plan, endpoints, settings, sink, cancel, observer)
            .await
            .unwrap()
    }

    #[allow(clippy::type_complexity)]
    fn parts(
        self,
    ) -> (
        Arc<Plan>,
        Vec<Arc<dyn OptionScorer>>,
        Settings,
        Box<dyn AnswerSink>,
        Cancel,
        Observer,
    ) {
        let sink = Memory {
            kept: self.kept,
            before_write: self.before_write,
        };
        (
            self.plan,
            self.endpoints,
            self.settings,
            Box::new(sink),
            self.cancel,
            self.observer,
        )
    }
}
