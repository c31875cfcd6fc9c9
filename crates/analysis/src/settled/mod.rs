//! Runs that stop asking as soon as something is shown: which model is better, whether one passes a
//! gate, or how large figures are.

mod course;
mod deployed;
mod outcome;
mod play;
mod section;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_anytime::{Goal, Metric, Verdict, random_order};
use sureness_conformal::{Config, Nonconformity, Scores, Table, View};

use crate::align::{common_rows, numbered_keys};
use crate::comparable::scored_differently;
use crate::text::list;
use crate::{GroupId, GroupRows, ModelEvidence};

pub use course::{Course, Found};
pub use deployed::Deployed;
pub use play::play;

/// Questions of a task that not every model answered may be less than this share of them.
const QUESTIONS_APART: f64 = 0.05;

/// When to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopping {
    /// What ends the asking.
    pub goal: Goal,
    /// Probability that all verdicts and intervals are right, at all times at once.
    pub confidence: f64,
    /// The figures, each with its margin, or with the width of its interval from end to end.
    pub metrics: Vec<(Metric, Option<f64>)>,
    /// The thresholds at which coverage is monitored, if it is.
    pub deployed: Option<Deployed>,
    /// Questions after which to stop in any case.
    pub max_questions: Option<usize>,
    /// Whether each task is settled on its own, rather than the mean over tasks.
    pub per_task: bool,
}

impl Stopping {
    /// The number of models below which there is nothing to find out.
    pub fn fewest_models(&self) -> usize {
        match self.goal {
            Goal::Settled | Goal::Gate => 2,
            Goal::Width => 1,
        }
    }
}

/// What was settled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// What was to be found out; omitted where it is which model is better.
    #[serde(default, skip_serializing_if = "is_default")]
    pub goal: Goal,
    /// Probability that all verdicts and intervals are right, at all times at once.
    pub confidence: f64,
    /// The nonconformity score of set size and UAcc.
    pub score: String,
    /// How figures are computed.
    pub evaluation: Config,
    /// Where the thresholds are from at which coverage was monitored, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<String>,
    /// Why no more questions were asked.
    pub stopped: Stopped,
    /// Every comparison.
    pub pairs: Vec<SettledPair>,
    /// Every figure of a run that asks until intervals are narrow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<SettledFigure>,
    /// Questions each model was asked, by its name; each counts once, with all its strategies.
    pub asked: BTreeMap<String, usize>,
    /// Questions of all tasks.
    pub of: usize,
}

/// Why no more questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Every comparison is settled, the gate decided, or every interval narrow enough.
    Settled,
    /// All questions are asked.
    AllAsked,
    /// As many as allowed are asked.
    MaxQuestions,
    /// The run was stopped; the same command goes on.
    Interrupted,
}

/// One figure of two models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettledPair {
    /// The first model.
    pub a: String,
    /// The second model.
    pub b: String,
    /// The task; none for the mean over all tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The figure.
    pub metric: Metric,
    /// The difference below which both count as equal, or by which the second may be worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// Which is better: a higher accuracy or UAcc, a smaller set.
    pub verdict: Verdict,
    /// Questions it took, or that were asked.
    pub asked: usize,
    /// Questions there are.
    pub of: usize,
    /// The figures of both over the questions that were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<[f64; 2]>,
    /// What a − b lies within, in fractions or options.
    pub interval: Option<[f64; 2]>,
}

/// One figure of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettledFigure {
    /// The model.
    pub model: String,
    /// The task; none for the mean over all tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The figure.
    pub metric: Metric,
    /// The width that its interval was to have at most, from end to end.
    pub width: f64,
    /// Whether it has.
    pub reached: bool,
    /// Questions it took, or that were asked.
    pub asked: usize,
    /// Questions there are.
    pub of: usize,
    /// The figure over the questions that were asked.
    pub value: Option<f64>,
    /// What the figure over all questions lies within, in fractions or options.
    pub interval: Option<[f64; 2]>,
}

/// Why models cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomparable(pub String);

/// Refuses models whose option scores were read in different ways.
pub(crate) fn check_alike(models: &[&ModelEvidence]) -> Result<(), Incomparable> {
    let obstacle = scored_differently(models).into_iter().next();
    obstacle.map_or(Ok(()), |obstacle| Err(Incomparable(obstacle)))
}

/// The tasks that all models were asked, in the same strategies.
pub(crate) fn tasks<'a>(models: &[&'a ModelEvidence]) -> Result<Vec<&'a str>, Incomparable> {
    let mut ids: Vec<&GroupId> = Vec::new();
    for group in models.iter().flat_map(|model| &model.groups) {
        if !ids.contains(&&group.id) {
            ids.push(&group.id);
        }
    }
    for id in &ids {
        let lacks = |model: &&&ModelEvidence| model.groups.iter().all(|group| group.id != **id);
        let lacking: Vec<&str> = models.iter().filter(lacks).map(|it| &*it.name).collect();
        if !lacking.is_empty() {
            return Err(Incomparable(format!(
                "{} was not asked {} with {}",
                list(&lacking),
                id.task,
                id.strategy
            )));
        }
    }
    let mut tasks: Vec<&str> = ids.iter().map(|id| &*id.task).collect();
    tasks.dedup();
    Ok(tasks)
}

fn of_task<'a>(model: &'a ModelEvidence, task: &str) -> impl Iterator<Item = &'a GroupRows> {
    let groups = model.groups.iter();
    groups.filter(move |group| group.id.task == task)
}

/// The rows of the questions that all models answered, for each model and strategy.
pub(crate) fn shared_tables(
    models: &[&ModelEvidence],
    task: &str,
) -> Result<Vec<Table>, Incomparable> {
    let groups: Vec<&GroupRows> = models.iter().flat_map(|it| of_task(it, task)).collect();
    let tables: Vec<&Table> = groups.iter().map(|group| &group.table).collect();
    let rows = common_rows(&tables);
    let shared = rows.first().map_or(0, Vec::len);
    let most = tables.iter().map(|table| table.len()).max().unwrap_or(0);
    if shared == 0 || shared as f64 <= (1.0 - QUESTIONS_APART) * most as f64 {
        return Err(Incomparable(format!(
            "of the questions of {task} all models answered {shared}, one of them {most}"
        )));
    }
    let selected = tables.iter().zip(&rows);
    Ok(selected.map(|(table, rows)| table.select(rows)).collect())
}

/// LAC scores under the protocol.
pub fn scores_of(table: &Table, config: &Config) -> Scores {
    Scores::of(table, Nonconformity::Lac, &view(config))
}

/// How probabilities are computed.
pub(crate) fn view(config: &Config) -> View {
    View {
        protocol: config.protocol,
        temperature: 1.0,
        seed: config.seed,
        covers: config.covers,
    }
}

/// The random order of asking the questions of these tasks: index of the task, and of the question in
/// it. `keys` are digests of the questions' contents, by task id.
pub fn order_of_asking(keys: &[(&str, Vec<[u8; 32]>)], seed: u64) -> Vec<(usize, usize)> {
    let (mut names, mut places) = (Vec::new(), Vec::new());
    for (number, (task, keys)) in keys.iter().enumerate() {
        for ((key, count), row) in numbered_keys(keys) {
            names.push((salted(key, task), count));
            places.push((number, row));
        }
    }
    let order = random_order(names, seed).into_iter();
    order.map(|index| places[index]).collect()
}

/// A key of the same question in another task is another one.
fn salted(key: [u8; 32], task: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher.update(task.as_bytes());
    hasher.finalize().into()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
