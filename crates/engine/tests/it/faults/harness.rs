//! A run, what came of it, and what must hold for it. The engine's own types appear in [`go`]
//! alone.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sureness_conformal::{Config, Evaluation, Row, evaluate};
use sureness_engine::{
    Answer, AnswerSink, BatchSize, Cancel, Event, Group, ItemId, Plan, Planned, RetryPolicy,
    Settings, SinkError, Summary, Workers, run,
};
use sureness_faultserver::{
    Dialect, Entry, Fault, FaultServer, Healthy, Point, Script, logprobs_of,
};
use sureness_prompts::{PromptBuilder, Strategy, Wording};
use sureness_questions::{Bank, Question, Task};
use sureness_scorers::http::{HttpOptions, HttpScorer};
use sureness_scorers::{
    Hints, ModelIdentity, OptionScorer, OptionScores, Reply, ScoreError, ScoreRequest,
};

/// The scorer's patience with one request. Faults that never end cost this much each; less, and
/// a busy machine would time out on sound answers.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);
/// Questions with this word are always refused.
pub(super) const POISON: &str = "poison";

/// How the questions are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    pub(super) dialect: Dialect,
    pub(super) chat: bool,
    pub(super) batch: usize,
    pub(super) threads: bool,
}

/// A run that has ended.
pub(super) struct Run {
    pub(super) summary: Summary,
    /// How often the scorer gave up waiting, by prompt.
    timeouts: HashMap<String, usize>,
    outcomes: HashMap<ItemId, Result<OptionScores, ScoreError>>,
}

/// So many questions in all, half of them with either of two strategies.
pub(super) fn plan(questions: usize) -> Arc<Plan> {
    let task = Task::custom("made_up");
    let all: Vec<Question> = (0..questions / 2)
        .map(|n| {
            let poison = if n % 97 == 13 { POISON } else { "wholesome" };
            let options = (0..4).map(|o| format!("{o} of {n}")).collect();
            Question {
                accepted: Vec::new(),
                id: n.to_string(),
                category: None,
                context: None,
                stem: format!("How {poison} is number {n}?"),
                options,
                right: (n % 4).into(),
            }
            .with_abstention()
        })
        .collect();
    let all = Arc::new(Bank::of(&all).unwrap());
    let groups = [Strategy::Base, Strategy::SharedInstruction]
        .map(|strategy| Group {
            builder: PromptBuilder::new(&task, strategy, &Wording::builtin(), &[], 0).unwrap(),
            task: task.clone(),
            strategy,
            questions: Arc::clone(&all),
            order: None,
        })
        .into();
    Arc::new(Plan {
        groups,
        draws: None,
        wanted: None,
    })
}

pub(super) async fn connect(server: &FaultServer, asking: Asking) -> HttpScorer {
    let mut options = HttpOptions::new(server.base());
    options.timeout = TIMEOUT;
    options.chat = asking.chat;
    options.list_prompts = asking.batch > 1;
    options.max_connections = 32;
    let scorer = HttpScorer::connect(options).await.unwrap();
    assert_eq!(scorer.sends_lists(), asking.batch > 1);
    scorer
}

/// Carries out the plan. `watch` is told how many questions have been answered, each time one is.
pub(super) async fn go(
    plan: &Arc<Plan>,
    scorer: HttpScorer,
    asking: Asking,
    watch: impl Fn(usize) + Send + Sync,
) -> Run {
    let outcomes = Arc::new(Mutex::new(HashMap::new()));
    let answered = Arc::new(AtomicUsize::new(0));
    let settings = Settings {
        workers: Workers::Fixed(NonZeroUsize::new(32).unwrap()),
        batch: BatchSize::Fixed(NonZeroUsize::new(asking.batch).unwrap()),
        retry: RetryPolicy {
            max_retries: 12,
            base: Duration::from_millis(5),
            cap: Duration::from_millis(500),
        },
        use_threads: asking.threads,
        ..Settings::default()
    };
    let observer = {
        let answered = Arc::clone(&answered);
        Arc::new(move |event: &Event| {
            if matches!(event, Event::Answered { .. }) {
                answered.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let scorer = Arc::new(Impatient {
        scorer,
        timeouts: Mutex::default(),
    });
    let running = run(
        Arc::clone(plan),
        vec![Arc::clone(&scorer) as Arc<dyn OptionScorer>],
        settings,
        Box::new(MemorySink(Arc::clone(&outcomes))),
        Cancel::default(),
        observer,
    );
    let watching = async {
        let mut seen = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let now = answered.load(Ordering::SeqCst);
            (seen + 1..=now).for_each(&watch);
            seen = now;
        }
    };
    let summary = tokio::select! {
        summary = running => summary.unwrap(),
        () = watching => unreachable!("it watches for ever"),
    };
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    let timeouts = std::mem::take(&mut *scorer.timeouts.lock().unwrap());
    Run {
        summary,
        timeouts,
        outcomes,
    }
}

/// Counts how often the scorer gave up waiting, by prompt.
struct Impatient {
    scorer: HttpScorer,
    timeouts: Mutex<HashMap<String, usize>>,
}

impl Impatient {
    fn noted(&self, batch: &[ScoreRequest], reply: Reply) -> Reply {
        let mut timeouts = self.timeouts.lock().unwrap();
        for (request, outcome) in batch.iter().zip(&reply.scores) {
            if matches!(outcome, Err(ScoreError::TimedOut { .. })) {
                *timeouts.entry(request.prompt.text()).or_default() += 1;
            }
        }
        reply
    }
}

impl OptionScorer for Impatient {
    fn identity(&self) -> &ModelIdentity {
        self.scorer.identity()
    }

    fn check_prefix<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), ScoreError>> {
        self.scorer.check_prefix(prefix)
    }

    fn hints(&self) -> Hints {
        self.scorer.hints()
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        async { self.noted(batch, self.scorer.score(batch).await) }.boxed()
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        self.noted(batch, self.scorer.score_blocking(batch))
    }
}

/// The same plan with a server that does nothing wrong.
pub(super) async fn free_of_faults(plan: &Arc<Plan>, asking: Asking) -> Run {
    let healthy = Healthy {
        dialect: asking.dialect,
        ..Healthy::default()
    };
    let server = FaultServer::start(Script::healthy().server(healthy)).unwrap();
    let scorer = connect(&server, asking).await;
    let run = go(plan, scorer, asking, |_| {}).await;
    assert_eq!(run.answered(), plan.len());
    run
}

/// Keeps outcomes in memory.
struct MemorySink(Arc<Mutex<HashMap<ItemId, Result<OptionScores, ScoreError>>>>);

impl AnswerSink for MemorySink {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        Ok(vec![false; questions.len()])
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        let mut outcomes = self.0.lock().unwrap();
        for answer in answers {
            let before = outcomes.insert(answer.item, answer.outcome.clone());
            assert!(before.is_none(), "{:?} came twice", answer.item);
        }
        Ok(())
    }
}

/// A question and its labels, by its place in the plan.
fn asked(plan: &Plan, item: ItemId) -> (Question, String, Vec<String>) {
    let group = &plan.groups[item.group as usize];
    let question = group.questions.get(item.question as usize).unwrap();
    let prompt = group.builder.build(&question).text();
    let labels = group.builder.labels(&question);
    (question, prompt, labels)
}

fn items(plan: &Plan) -> impl Iterator<Item = ItemId> {
    let sizes = plan
        .groups
        .iter()
        .map(|group| group.questions.len() as u32)
        .enumerate();
    sizes.flat_map(|(group, size)| {
        let group = group as u32;
        (0..size).map(move |question| ItemId { group, question })
    })
}

impl Run {
    pub(super) fn answered(&self) -> usize {
        self.outcomes
            .values()
            .filter(|outcome| outcome.is_ok())
            .count()
    }

    /// How many questions failed, by kind of error.
    pub(super) fn failures(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for error in self
            .outcomes
            .values()
            .filter_map(|outcome| outcome.as_ref().err())
        {
            *kinds.entry(error.kind()).or_default() += 1;
        }
        kinds
    }

    /// Gives two questions each other's answers.
    pub(super) fn swap_two(&mut self) {
        let [one, other] = [0, 1].map(|question| ItemId { group: 0, question });
        let taken = [&one, &other].map(|item| self.outcomes.remove(item).unwrap());
        self.outcomes.extend([other, one].into_iter().zip(taken));
    }

    /// Drops a question's outcome.
    pub(super) fn lose_one(&mut self) {
        let lost = ItemId {
            group: 1,
            question: 3,
        };
        let _ = self.outcomes.remove(&lost).unwrap();
    }

    /// The figures of the whole run, over the questions that it answered.
    pub(super) fn figures(&self, plan: &Plan) -> Evaluation {
        self.figures_of(plan, self)
    }

    /// The figures of this run over the questions that `other` answered.
    pub(super) fn figures_of(&self, plan: &Plan, other: &Self) -> Evaluation {
        let questions: Vec<_> = items(plan)
            .filter(|item| other.outcomes[item].is_ok())
            .map(|item| (item, asked(plan, item)))
            .collect();
        let rows: Vec<Row<'_>> = questions
            .iter()
            .map(|(item, (question, prompt, _))| Row {
                cluster: None,
                key: prompt.as_bytes(),
                logits: (&self.outcomes[item].as_ref().unwrap().logprobs).into(),
                right: question.right,
                dont_know: question.dont_know(),
                none_of_the_above: question.none_of_the_above(),
            })
            .collect();
        evaluate(&rows, &Config::default()).unwrap()
    }
}

/// What must hold for every run: each question has an outcome, each answer is that of its own
/// prompt, and no prompt was asked again after an answer that must have arrived.
pub(super) fn check(plan: &Plan, run: &Run, log: &[Entry]) {
    assert!(run.summary.stop.is_none(), "{:?}", run.summary.stop);
    let mut requests: HashMap<&str, Vec<(&Entry, bool)>> = HashMap::new();
    for entry in log {
        for (index, prompt) in entry.asked.prompts.iter().enumerate() {
            let answered = entry.answered.get(index) == Some(&true) && must_arrive(entry);
            requests.entry(prompt).or_default().push((entry, answered));
        }
    }
    let mut count = 0;
    for item in items(plan) {
        count += 1;
        let outcome = run
            .outcomes
            .get(&item)
            .unwrap_or_else(|| panic!("{item:?} is lost"));
        let (_, prompt, labels) = asked(plan, item);
        let story = &requests[prompt.as_str()];
        if let Ok(scores) = outcome {
            assert_eq!(
                scores.logprobs,
                logprobs_of(&prompt, &labels),
                "{item:?} has not its own answer: {story:?}"
            );
            assert!(scores.observed.iter().all(|&observed| observed), "{item:?}");
        }
        // Where the machine stands still, a server that answers at once may still be too late.
        let timeouts = run.timeouts.get(&prompt).copied().unwrap_or(0);
        let mut answers = (0..story.len()).filter(|&place| story[place].1);
        if let Some(place) = answers.nth(timeouts) {
            assert!(
                outcome.is_ok(),
                "{item:?} was answered: {outcome:?}, {story:?}"
            );
            assert_eq!(
                place + 1,
                story.len(),
                "{item:?} was asked again: {story:?}"
            );
        }
        if prompt.contains(POISON) && story.iter().all(|(entry, _)| entry.status == Some(400)) {
            assert!(
                matches!(outcome, Err(ScoreError::Rejected { status: 400, .. })),
                "{outcome:?}"
            );
        }
    }
    assert_eq!(count, run.outcomes.len());
    let total = run.summary.total();
    assert_eq!(
        (total.answered, total.answered + total.failed),
        (run.answered(), count)
    );
}

/// Whether an answer that was written is sure to reach a client that still waits: a reset may
/// overtake it, and the client may have given up on a slow one just before.
fn must_arrive(entry: &Entry) -> bool {
    let reset = matches!(
        entry.fault,
        Some(Fault::Reset {
            at: Point::AfterBody
        })
    );
    !reset && entry.took.is_some_and(|took| took < TIMEOUT / 2)
}
