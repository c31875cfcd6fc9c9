//! Answers that are there already, played as if they were asked now: how many questions it takes to
//! settle which model is better.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_anytime::{
    Answers, Metric, PairVerdict, Question, Settling, TaskScores, Verdict, random_order,
};
use sureness_conformal::{Config, Nonconformity, Scores, Table, View};

use crate::align::{common_rows, numbered_keys};
use crate::comparable::scored_differently;
use crate::text::list;
use crate::{Evidence, GroupId, GroupRows, ModelEvidence};

/// Questions of a task that not every model answered may be less than this share of them.
const QUESTIONS_APART: f64 = 0.05;

/// When to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopping {
    /// Probability that all verdicts and intervals are right, at all times at once.
    pub confidence: f64,
    /// The figures to settle, each with the difference below which models count as equal.
    pub metrics: Vec<(Metric, Option<f64>)>,
    /// Questions after which to stop in any case.
    pub max_questions: Option<usize>,
    /// Whether each task is settled on its own, rather than the mean over tasks.
    pub per_task: bool,
}

/// What was settled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// Probability that all verdicts and intervals are right, at all times at once.
    pub confidence: f64,
    /// The nonconformity score of set size and UAcc.
    pub score: String,
    /// How figures are computed.
    pub evaluation: Config,
    /// Why no more questions were asked.
    pub stopped: Stopped,
    /// Every comparison.
    pub pairs: Vec<SettledPair>,
    /// Questions each model was asked, by its name; each counts once, with all its strategies.
    pub asked: BTreeMap<String, usize>,
    /// Questions of all tasks.
    pub of: usize,
}

/// Why no more questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Every comparison is settled.
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
    /// Which is better: a higher accuracy or UAcc, a smaller set.
    pub verdict: Verdict,
    /// Questions it took, or that were asked.
    pub asked: usize,
    /// Questions there are.
    pub of: usize,
    /// What a − b lies within, in fractions or options.
    pub interval: Option<[f64; 2]>,
}

/// Plays the evidence in the random order of `config.seed`, the same for all models.
///
/// # Errors
///
/// If there are fewer than two models, or these were not asked the same.
pub fn play(
    evidence: &Evidence,
    config: &Config,
    stopping: &Stopping,
) -> Result<Settled, Incomparable> {
    let models: Vec<&ModelEvidence> = evidence.models.iter().collect();
    check_alike(&models)?;
    if models.len() < 2 {
        return Err(Incomparable(
            "one model has nothing to be compared with".into(),
        ));
    }
    let tasks = tasks(&models)?;
    let sets: Vec<Vec<&str>> = if stopping.per_task {
        tasks.iter().map(|&task| vec![task]).collect()
    } else {
        vec![tasks]
    };
    let mut settled = Settled::new(stopping, config);
    // The error probability is that of all tasks together.
    let share = (1.0 - stopping.confidence) / sets.len() as f64;
    let names: Vec<&str> = models.iter().map(|model| &*model.name).collect();
    for set in &sets {
        let played = Played::of(&models, set, config)?;
        let task = stopping.per_task.then_some(set[0]);
        let found = played.settle(1.0 - share, config.alpha, stopping);
        settled.add(found, &names, task);
    }
    Ok(settled)
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

/// The scores of all models on the questions that all answered, and the order of asking.
struct Played {
    /// Task by task, per model.
    models: Vec<Vec<TaskScores>>,
    order: Vec<(usize, usize)>,
    of: Vec<usize>,
}

impl Played {
    fn of(
        models: &[&ModelEvidence],
        tasks: &[&str],
        config: &Config,
    ) -> Result<Self, Incomparable> {
        let mut played = Self {
            models: models.iter().map(|_| Vec::new()).collect(),
            order: Vec::new(),
            of: Vec::new(),
        };
        let mut keys: Vec<(&str, Vec<[u8; 32]>)> = Vec::new();
        for (number, task) in tasks.iter().enumerate() {
            let mut tables = shared_tables(models, task)?.into_iter();
            for (model, scores) in models.iter().zip(&mut played.models) {
                let strategies = of_task(model, task).count();
                let tables: Vec<Table> = tables.by_ref().take(strategies).collect();
                let Some(first) = tables.first() else {
                    continue;
                };
                if keys.len() == number {
                    // The first model tells the questions, which all models share.
                    keys.push((task, first.keys().to_vec()));
                    played.of.push(first.len());
                }
                scores.push(TaskScores {
                    of: first.len(),
                    strategies: tables
                        .iter()
                        .map(|table| scores_of(table, config))
                        .collect(),
                });
            }
        }
        played.order = order_of_asking(&keys, config.seed);
        Ok(played)
    }

    /// Asks until everything is settled, or as far as is allowed.
    fn settle(&self, confidence: f64, alpha: f64, stopping: &Stopping) -> Found {
        let question = Question {
            confidence,
            metrics: stopping.metrics.clone(),
            alpha,
            of: self.of.clone(),
        };
        let mut course = Course::new(question, self.order.clone(), stopping, self.models.len());
        while course.is_open() {
            course.advance();
            let models = self.models.iter().enumerate();
            let answers = models.map(|(model, tasks)| Answers {
                tasks,
                asked: &self.order[..course.asked(model).len()],
            });
            let answers: Vec<Answers<'_>> = answers.collect();
            course.settling.look(&answers);
        }
        course.finish()
    }
}

/// How far tasks that are settled together have been asked, whoever asks them.
#[derive(Debug, Clone)]
pub struct Course {
    /// What is settled so far.
    pub settling: Settling,
    order: Vec<(usize, usize)>,
    asked: Vec<usize>,
    most: usize,
}

impl Course {
    /// Nothing asked yet of so many models; `order` is that of [`order_of_asking`].
    pub fn new(
        question: Question,
        order: Vec<(usize, usize)>,
        stopping: &Stopping,
        models: usize,
    ) -> Self {
        let of = question.total();
        Self {
            settling: Settling::new(question, models),
            order,
            asked: vec![0; models],
            most: stopping.max_questions.map_or(of, |most| most.min(of)),
        }
    }

    /// Whether there is more to ask.
    pub fn is_open(&self) -> bool {
        !self.settling.is_settled() && self.settling.asked() < self.most
    }

    /// Moves on to the next round, if there is one; models that nothing open concerns stay where they are.
    pub fn advance(&mut self) {
        if !self.is_open() {
            return;
        }
        let next = self.settling.next_round().min(self.most);
        for (model, asked) in self.asked.iter_mut().enumerate() {
            if self.settling.concerns(model) {
                *asked = next;
            }
        }
    }

    /// The questions that a model is asked up to this round, in order: task and position.
    ///
    /// # Panics
    /// If there is no such model.
    pub fn asked(&self, model: usize) -> &[(usize, usize)] {
        &self.order[..self.asked[model]]
    }

    /// What it came to; interrupted if there was more to ask.
    pub fn finish(self) -> Found {
        let of = self.order.len();
        Found {
            stopped: if self.is_open() {
                Stopped::Interrupted
            } else {
                Stopped::of(&self.settling, self.most, of)
            },
            asked: self.asked,
            of,
            pairs: self.settling.finish(),
        }
    }
}

impl Stopped {
    /// Why nothing more is asked, where `most` of the questions may be.
    fn of(settling: &Settling, most: usize, of: usize) -> Self {
        match settling.is_settled() {
            true => Self::Settled,
            false if most < of => Self::MaxQuestions,
            false => Self::AllAsked,
        }
    }
}

/// What one set of tasks came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Why nothing more was asked.
    pub stopped: Stopped,
    /// Questions that each model was asked.
    pub asked: Vec<usize>,
    /// Questions of these tasks.
    pub of: usize,
    /// Every comparison.
    pub pairs: Vec<PairVerdict>,
}

impl Settled {
    /// Nothing yet.
    pub fn new(stopping: &Stopping, config: &Config) -> Self {
        Self {
            confidence: stopping.confidence,
            score: Nonconformity::Lac.name(),
            evaluation: *config,
            stopped: Stopped::Settled,
            pairs: Vec::new(),
            asked: BTreeMap::new(),
            of: 0,
        }
    }

    /// Adds what a set of tasks came to; `task` names it where each task is settled on its own.
    pub fn add(&mut self, found: Found, names: &[&str], task: Option<&str>) {
        if found.stopped != Stopped::Settled {
            self.stopped = found.stopped;
        }
        for (name, asked) in names.iter().zip(found.asked) {
            *self.asked.entry((*name).to_owned()).or_default() += asked;
        }
        self.of += found.of;
        let pairs = found.pairs.into_iter();
        self.pairs
            .extend(pairs.map(|pair| SettledPair::of(&pair, names, task)));
    }
}

impl SettledPair {
    fn of(pair: &PairVerdict, names: &[&str], task: Option<&str>) -> Self {
        Self {
            a: names[pair.a].to_owned(),
            b: names[pair.b].to_owned(),
            task: task.map(str::to_owned),
            metric: pair.metric,
            verdict: pair.verdict,
            asked: pair.asked,
            of: pair.of,
            interval: pair.interval,
        }
    }
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
