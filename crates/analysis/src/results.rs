//! The figures of a run, as `results.json` holds them.

mod doubts;
pub(crate) mod open;
mod sections;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::{Evaluation, Mean, mean};
use sureness_record::{ModelIdentity, Noise, OrderOf, Provenance, RunSettings};

pub use sureness_open::OpenFigures;

pub use doubts::{CutPrompts, improbable};

/// The figures of one run over one or more models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// Version of this layout.
    pub version: u32,
    /// Program and version that wrote it.
    pub program: String,
    /// When and by which command; missing in results of version 0.1.0. This and `timing` alone differ
    /// when a run is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Everything that is needed to repeat the run, wording of the prompts included. No secrets.
    pub settings: RunSettings,
    /// One entry per model, in the order given.
    pub models: Vec<ModelResult>,
    /// What was shown by a run that stopped as soon as it was: which model is better, whether one passes
    /// a gate, or how large figures are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<crate::settled::Settled>,
}

/// One model's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelResult {
    /// Name for people.
    pub name: String,
    /// The model's identity, as the store has it.
    pub identity: ModelIdentity,
    /// Number of the run in the store.
    pub run: i64,
    /// Whether every question was asked.
    pub complete: bool,
    /// One entry per task: the mean over its strategies.
    pub tasks: Vec<TaskResult>,
    /// The mean over the tasks.
    pub mean: Option<Mean>,
    /// Intervals of this mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    /// One entry per (task, strategy).
    pub groups: Vec<GroupResult>,
    /// How much the same questions' scores move from one time to the next, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
    /// Whether the model still answers as it did when the cached answers were given, where some of
    /// their questions were asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recheck: Option<Recheck>,
    /// How long it took; differs when a run is repeated.
    pub timing: Timing,
}

/// One task's figures: the mean over its prompt strategies; with several orders of the options, of the
/// figures that all orders give together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskResult {
    /// Task id.
    pub task: String,
    /// Task title.
    pub title: String,
    /// Mean over the strategies; `None` if none could be evaluated.
    pub mean: Option<Mean>,
    /// Mean share of "I don't know" as the answer.
    pub e_rate: f64,
    /// Mean share of "None of the above" as the answer.
    pub f_rate: f64,
    /// Strategies that the mean is over.
    pub strategies: usize,
    /// Test questions per strategy (the fewest, where they differ).
    pub n_test: usize,
    /// Calibration questions per strategy (the fewest, where they differ). `None` in results of
    /// version 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_calibration: Option<usize>,
    /// Intervals of the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
}

/// Intervals of a mean's figures. They are of the procedure: both halves are drawn anew, and each draw
/// sets its own thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intervals {
    /// Confidence level, a fraction.
    pub level: f64,
    /// Lower and upper end of accuracy.
    pub acc: IntervalOr,
    /// Of the mean set size.
    pub set_size: IntervalOr,
    /// Of coverage.
    pub coverage: IntervalOr,
    /// Of `UAcc`.
    pub uacc: IntervalOr,
}

/// An interval, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum IntervalOr {
    /// Lower and upper end.
    Ends([f64; 2]),
    /// `too few` questions, or `full sets`.
    Missing(String),
}

/// One (task, strategy)'s figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupResult {
    /// Task id.
    pub task: String,
    /// Strategy name.
    pub strategy: String,
    /// Questions planned.
    pub planned: usize,
    /// Questions with an answer.
    pub answered: usize,
    /// Questions without an answer, by the kind of the reason.
    pub failures: BTreeMap<String, Failures>,
    /// Mean probability that the model puts on the options altogether. Where answers are drawn, the
    /// mean share of those that choose an option.
    pub mean_mass: Option<f64>,
    /// Share of questions with at least one option that was only bounded, not observed.
    pub bounded_share: Option<f64>,
    /// The answers in words, where they were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<DrawnAnswers>,
    /// The figures of open questions, in place of `evaluation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenFigures>,
    /// What a judge said of the answers to open questions, where one compared them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
    /// What shows that the server cut prompts, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_prompts: Option<CutPrompts>,
    /// The figures; `None` where there are too few answers (see `note`).
    pub evaluation: Option<Evaluation>,
    /// What a reader should know about these figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Tokens and money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// Prompt tokens, as far as the backend reports them.
    pub prompt_tokens: u64,
    /// Of these, tokens taken from a prefix cache.
    pub cached_tokens: u64,
    /// Tokens of answers in words, thoughts included.
    pub answer_tokens: u64,
    /// Their cost at the prices given, in the currency of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// The currency, where a price file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// Comparisons of answers to open questions by a judge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Pairs of different answers that were compared.
    pub compared: u64,
    /// Of these, pairs that mean the same.
    pub same: u64,
    /// Of these, pairs of which the judge did not tell; they count as different.
    pub undecided: u64,
    /// Answers that were compared with fewer others than it takes, since the bound on pairs was reached.
    pub cut: u64,
}

/// The requests to a judge; differs when a run is repeated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgeTiming {
    /// Seconds of asking.
    pub seconds: f64,
    /// Comparisons asked now: one order of a pair each.
    pub asked: usize,
    /// Comparisons that were answered before.
    pub cached: usize,
    /// Comparisons without an answer.
    pub failed: usize,
    /// Tokens and money of all comparisons that the run asked for, in all its parts; not among the
    /// model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
}

/// Answers in words, and how they were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrawnAnswers {
    /// Answers that were given.
    pub answers: u64,
    /// Of these, those that choose an option.
    pub chosen: u64,
    /// Those that refuse.
    pub refused: u64,
    /// Those that were cut at the limit of tokens before they had chosen.
    pub cut: u64,
    /// Those that choose none of the options, or several.
    pub unreadable: u64,
    /// Those that answer an open question.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub said: u64,
    /// Those that are thoughts, after which the letters were scored.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub thoughts: u64,
    /// Tokens of the answers, thoughts included, as far as the backend counts them.
    pub answer_tokens: u64,
}

/// Cached questions that were asked again before their answers were used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recheck {
    /// What was found, and what was done about it.
    pub outcome: RecheckOutcome,
    /// Questions asked again. They are not among those in `timing`.
    pub questions: usize,
    /// Of these, those that could be compared: the others failed, or had no option observed.
    pub compared: usize,
    /// Requests that it took.
    pub requests: u64,
    /// Prompt tokens that it took, as far as the backend reports them.
    pub prompt_tokens: u64,
    /// Questions that moved by more than `threshold`.
    pub moved: usize,
    /// In nats: 0.25, plus three times the noise floor where it was measured; `None` where that has
    /// no number.
    pub threshold: Option<f64>,
    /// How far answers differed, in nats, when the questions were asked twice in a row: the median
    /// over the questions. Measured only where the answers seemed to have moved.
    pub noise_floor: Option<f64>,
    /// The median over the questions of the largest difference of an option's log-probability, in
    /// nats; `None` where no number says how far: no option is left among the top tokens.
    pub median_difference: Option<f64>,
    /// The largest such difference.
    pub largest_difference: Option<f64>,
    /// Questions whose most probable option changed.
    pub changed_top_options: usize,
}

/// What a recheck found, and what was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecheckOutcome {
    /// The model answers as before.
    Unchanged,
    /// The model has changed, and everything was asked anew.
    AskedAnew,
    /// The model has changed, and its cached answers were used all the same.
    Kept,
    /// Too few questions could be compared to tell; the cached answers were used.
    Unknown,
}

/// Questions that have no answer for reasons of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failures {
    /// How many.
    pub count: usize,
    /// What was wrong with the first of them.
    pub example: String,
    /// What can be done about it.
    pub hint: String,
}

/// Timing of one model's run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// Seconds of asking.
    pub seconds: f64,
    /// Questions asked now.
    pub asked: usize,
    /// Questions that were answered in an earlier run, or by the same one before it was
    /// interrupted.
    pub cached: usize,
    /// When these were answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_answered_at: Option<AnsweredAt>,
    /// Attempts beyond the first.
    pub retried: usize,
    /// Answers per second.
    pub per_second: f64,
    /// Prompt tokens, as far as the backend reports them.
    pub prompt_tokens: u64,
    /// Of these, tokens taken from a prefix cache.
    pub cached_tokens: u64,
    /// Tokens of answers in words, as far as the backend reports them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answer_tokens: u64,
    /// Tokens and money of all answers that the run asked for, in all its parts; omitted where none
    /// were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
    /// The requests to a judge, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<JudgeTiming>,
    /// Where the time of an answer went, phase by phase.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// How each server did; one entry per `--api-base`.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
}

/// When answers were given, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnsweredAt {
    /// The oldest.
    pub oldest: i64,
    /// The newest.
    pub newest: i64,
}

/// How long one phase of an answer took, over all answers, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// `waiting` for a free slot, `connecting`, `server`, `parsing`, `storing`.
    pub name: String,
    /// The median.
    pub p50_ms: f64,
    /// Nine of ten were shorter.
    pub p90_ms: f64,
    /// All but one of a hundred were shorter.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// How one server did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// The concurrency limit at the end.
    pub limit: usize,
    /// The most requests that were in flight at once.
    pub peak: usize,
    /// Requests sent.
    pub requests: u64,
    /// Questions it answered.
    pub answered: u64,
    /// Requests without any answer.
    pub failed: u64,
    /// Of these, those it throttled (HTTP 429).
    pub throttled: u64,
    /// How often it was away.
    pub outages: u64,
    /// Answers that lacked log-probabilities; their questions were asked again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub without_logprobs: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl TaskResult {
    /// Averages a task's groups, as the paper averages over its strategies.
    pub fn of(task: &str, title: &str, groups: &[GroupResult]) -> Self {
        let evaluations: Vec<&Evaluation> = headline_groups(groups, task)
            .filter_map(|g| g.evaluation.as_ref())
            .collect();
        let n = evaluations.len().max(1) as f64;
        Self {
            task: task.to_owned(),
            title: title.to_owned(),
            mean: mean(evaluations.iter().copied()),
            e_rate: evaluations.iter().map(|e| e.e_rate).sum::<f64>() / n,
            f_rate: evaluations.iter().map(|e| e.f_rate).sum::<f64>() / n,
            strategies: evaluations.len(),
            n_test: evaluations.iter().map(|e| e.n_test).min().unwrap_or(0),
            n_calibration: evaluations.iter().map(|e| e.n_calibration).min(),
            intervals: None,
        }
    }
}

/// The groups of a task whose figures are averaged: those made of several orders of the options,
/// where there are some. Each order alone has the bias of its letters, which they lack together.
fn headline_groups<'a>(
    groups: &'a [GroupResult],
    task: &str,
) -> impl Iterator<Item = &'a GroupResult> {
    let of_task = groups.iter().filter(move |group| group.task == task);
    let derived = of_task.clone().any(GroupResult::is_derived);
    of_task.filter(move |group| group.is_derived() == derived)
}

/// The mean over tasks, each counted once.
fn mean_over_tasks(tasks: &[TaskResult]) -> Option<Mean> {
    let means: Vec<Mean> = tasks.iter().filter_map(|t| t.mean).collect();
    let n = means.len() as f64;
    let average = |field: fn(&Mean) -> f64| means.iter().map(field).sum::<f64>() / n;
    (!means.is_empty()).then(|| Mean {
        acc: average(|m| m.acc),
        set_size: average(|m| m.set_size),
        coverage: average(|m| m.coverage),
        uacc: average(|m| m.uacc),
    })
}

impl GroupResult {
    /// Whether it is made of other groups: of several orders of the options.
    pub fn is_derived(&self) -> bool {
        OrderOf::split(&self.strategy).1.is_derived()
    }
}

impl ModelResult {
    /// The groups that were asked, without those that are made of them.
    pub fn asked_groups(&self) -> impl Iterator<Item = &GroupResult> {
        self.groups.iter().filter(|group| !group.is_derived())
    }

    /// The groups whose figures [`TaskResult::of`] averages.
    pub fn headline_groups(&self) -> impl Iterator<Item = &GroupResult> {
        let tasks = self.tasks.iter();
        tasks.flat_map(|task| headline_groups(&self.groups, &task.task))
    }

    /// Adds to what a reader should know about the figures of every group.
    pub fn note(&mut self, text: &str) {
        for group in &mut self.groups {
            group.note = Some(match group.note.take() {
                Some(note) => format!("{note}; {text}"),
                None => text.to_owned(),
            });
        }
    }

    /// Fills `tasks` and `mean` from `groups`. `tasks` are (id, title) in order.
    #[must_use]
    pub fn summarised(mut self, tasks: &[(String, String)]) -> Self {
        self.tasks = tasks
            .iter()
            .map(|(id, title)| TaskResult::of(id, title, &self.groups))
            .collect();
        self.mean = mean_over_tasks(&self.tasks);
        self
    }
}
