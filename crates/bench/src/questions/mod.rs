//! Chooses and loads the questions of a run, and plans their prompts.

mod describe;
mod library;
mod names;
mod orders;
mod place;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sureness_analysis::number::{count, counted};
use sureness_conformal::{Config, Protocol, SplitRule};
use sureness_engine::{Group, Plan};
use sureness_prompts::{PromptBuilder, PromptError, Strategy, Wording};
use sureness_questions::{
    ClusterBy, DataError, Dataset, Format, LoadOptions, Problem, Shard, Split, Task, Unread, pack,
};
use sureness_record::{RunSettings, TaskRecord};

use crate::error::Failure;
use crate::settings::{QuestionSettings, Settings, TaskData};
pub use library::{Library, Origin, file_name, today};
pub use names::{id_of, named_task, task_id};
use orders::Ordering;
pub use place::Place;
pub use sureness_hub as hub;

/// The questions of a run, with their prompts.
pub(crate) struct Questions {
    tasks: Vec<TaskRecord>,
    strategies: Vec<Strategy>,
    wording: Wording,
    pub(crate) plan: Plan,
    shard: Option<Shard>,
    /// Splits that are asked of several, by task id.
    splits: HashMap<String, Split>,
    /// Questions with several right options, by task id.
    several: HashMap<String, usize>,
    /// Few-shot examples that are not shown since they have several, by task.
    unshown: Vec<(String, usize)>,
    /// Fields of the files that no prompt contains, by task.
    unread: Vec<(String, Unread)>,
    /// What a reader of the figures should know about the questions, by task.
    remarks: Vec<String>,
    /// In which orders options are shown, by task id; empty where each question is asked as it is.
    orders: Vec<Ordering>,
    /// By group, the positions of a shard's questions in the whole run; empty without a shard.
    pub(crate) places: Vec<Arc<[u32]>>,
    /// Tasks of open questions, which are asked in one way.
    open: HashSet<String>,
}

impl Questions {
    /// Loads every task's questions and plans their prompts. `seed` draws the samples.
    pub(crate) fn load(settings: &QuestionSettings, seed: u64) -> Result<Self, Failure> {
        check_asked(settings)?;
        let strategies = settings.strategies.clone();
        let wording = match &settings.wording {
            None => Wording::builtin(),
            Some(path) => Wording::from_toml(path)?,
        };
        let mut records = Vec::new();
        let mut plan = Plan::default();
        let mut places = Vec::new();
        let mut unread = Vec::new();
        let mut remarks = Vec::new();
        let mut splits = HashMap::new();
        let mut several = HashMap::new();
        let mut unshown = Vec::new();
        let mut orders: Vec<Ordering> = Vec::new();
        let mut wanted: Vec<Vec<u32>> = Vec::new();
        let mut open = HashSet::new();
        for task in tasks(settings) {
            let (mut dataset, available) = sampled(&task, settings, seed)?;
            unread.push((dataset.task.id.clone(), std::mem::take(&mut dataset.unread)));
            let split = dataset.split.map(|split| (dataset.task.id.clone(), split));
            splits.extend(split);
            several.insert(
                dataset.task.id.clone(),
                dataset.questions.with_several_right(),
            );
            if dataset.unshown > 0 {
                unshown.push((dataset.task.id.clone(), dataset.unshown));
            }
            let shots = settings
                .shots
                .unwrap_or(dataset.task.shots.min(dataset.examples.len()));
            records.push(TaskRecord {
                task: dataset.task.id.clone(),
                source: dataset.source.clone(),
                questions: dataset.questions.len(),
                available,
                shots,
                digest: digest(&dataset, shots, &settings.cluster).map_err(Failure::new)?,
            });
            remarks.extend(remark(&dataset).map_err(Failure::new)?);
            let mut ordering = Ordering::of(&dataset, settings.orders, seed)?;
            // After the summary, which is the same in every shard.
            let kept: Option<Arc<[u32]>> = match settings.shard {
                None => None,
                Some(shard) => Some(dataset.shard(shard)?.into()),
            };
            if let (Some(ordering), Some(kept)) = (&mut ordering, &kept) {
                ordering.keep(kept);
            }
            let questions = Arc::new(std::mem::take(&mut dataset.questions));
            let is_open = questions.is_open().map_err(Failure::new)?;
            // Open questions are asked in one way.
            let asked = if is_open {
                open.insert(dataset.task.id.clone());
                &[Strategy::Base][..]
            } else {
                &strategies
            };
            for &strategy in asked {
                let builder = builder_for(&dataset, is_open, strategy, &wording, shots)?;
                for order in orders::numbers(ordering.as_ref()) {
                    places.extend(kept.clone());
                    wanted.extend(ordering.iter().filter_map(|it| it.wanted(order)));
                    plan.groups.push(Group {
                        task: dataset.task.clone(),
                        strategy,
                        questions: Arc::clone(&questions),
                        builder: builder.clone(),
                        order,
                    });
                }
            }
            orders.extend(ordering);
        }
        plan.wanted = (!wanted.is_empty()).then(|| Arc::new(wanted));
        let tasks: Vec<Task> = plan.groups.iter().map(|g| g.task.clone()).collect();
        for unknown in wording.unknown_tasks(&tasks) {
            tracing::warn!(
                "the prompts file has text for task {unknown}, which is not in this run"
            );
        }
        Ok(Self {
            tasks: records,
            strategies,
            wording,
            plan,
            shard: settings.shard,
            splits,
            several,
            unshown,
            unread,
            remarks,
            orders,
            places,
            open,
        })
    }

    /// The first task of open questions, if there is one.
    pub(crate) fn open_task(&self) -> Result<Option<&str>, Failure> {
        for group in &self.plan.groups {
            if group.questions.is_open().map_err(Failure::new)? {
                return Ok(Some(&group.task.id));
            }
        }
        Ok(None)
    }

    /// The record of a run's settings.
    pub(crate) fn record(&self, settings: &Settings, config: &Config) -> RunSettings {
        RunSettings {
            tasks: self.tasks.clone(),
            strategies: self.strategies.clone(),
            sample_size: settings.questions.sample_size,
            abstention: settings.questions.abstention,
            chat: settings.asking.is_chat(),
            evaluation: *config,
            wording: self.wording.clone(),
            cluster: settings.questions.cluster.clone(),
            answers: settings.asking.answers,
            orders: settings.questions.orders,
            until: settings.until.as_ref().map(crate::run::until_record),
            shard: self.shard,
            merged: None,
            judge: None,
        }
    }
}

/// What lays out the prompts of a task.
pub(crate) fn builder_for(
    dataset: &Dataset,
    is_open: bool,
    strategy: Strategy,
    wording: &Wording,
    shots: usize,
) -> Result<PromptBuilder, PromptError> {
    if is_open {
        return PromptBuilder::open(&dataset.task, wording, &dataset.examples, shots);
    }
    PromptBuilder::new(&dataset.task, strategy, wording, &dataset.examples, shots)
}

/// The evaluation settings of a new run, with the split rule of its protocol.
pub(crate) fn evaluation(settings: &Settings) -> Config {
    Config {
        split: match settings.evaluation.protocol {
            // Has its own split and ignores the rule; this value is not recorded.
            Protocol::Paper => SplitRule::Hash,
            Protocol::Standard => SplitRule::Ordered,
        },
        ..settings.evaluation
    }
}

/// The data set of `task`: from the given path, else the imported one, else the built-in pack.
pub(crate) fn dataset_for(task: &str, settings: &QuestionSettings) -> Result<Dataset, Failure> {
    dataset_from(&Library::open()?, task, settings)
}

/// Like [`dataset_for`], with a given library.
fn dataset_from(
    library: &Library,
    task: &str,
    settings: &QuestionSettings,
) -> Result<Dataset, Failure> {
    let id = task_id(task)?;
    let imported = library.origin(&id)?;
    let mut data = settings.data.iter();
    let data = data.rfind(|data| id_of(&data.task) == id).cloned();
    let TaskData {
        path,
        format,
        columns,
        examples,
        ..
    } = data.unwrap_or_default();
    let Some(path) = path else {
        if format.is_some() || columns.is_some() || examples.is_some() {
            return Err(Failure::new(format_args!(
                "a layout or few-shot examples are given for task {id}, but no questions"
            ))
            .hint(format_args!("give the questions too: --data {id}=PATH")));
        }
        if let Some(origin) = imported {
            return library.dataset(origin, settings.abstention, &settings.cluster);
        }
        return match pack::clustered(&id, settings.abstention, &settings.cluster) {
            Some(dataset) => dataset.map_err(|error| no_column(&id, &settings.cluster, &error)),
            None => Err(unknown(library, &id)),
        };
    };
    let task = imported.map_or_else(|| named_task(&id), |origin| origin.task);
    let by_columns = columns.as_ref().map(|_| Format::Columns);
    let place = Place::find(&path, by_columns.or(format))?;
    if let Some(note) = &place.note {
        tracing::warn!("{note}");
    }
    let options = LoadOptions {
        format,
        columns,
        examples,
        abstention: settings.abstention,
        cluster: settings.cluster.clone(),
        ..LoadOptions::new(task)
    };
    place.load(&options)
}

/// The failure for built-in questions without the column to cluster by, the only one that they have.
fn no_column(id: &str, cluster: &ClusterBy, error: &DataError) -> Failure {
    let Problem::Missing { found } = &*error.problem else {
        return Failure::new(error);
    };
    let columns: Vec<_> = found.iter().map(|name| format!("{name:?}")).collect();
    Failure::new(format_args!(
        "--cluster {}: the built-in questions of task {id} have no such column; they have {}",
        cluster.name(),
        columns.join(", ")
    ))
    .hint(format_args!(
        "name the file that has it with --data {id}=PATH, or choose --cluster category or \
         --cluster none"
    ))
}

fn unknown(library: &Library, id: &str) -> Failure {
    let mut known: Vec<_> = Task::benchmark().into_iter().map(|task| task.id).collect();
    let imported = library.ids().unwrap_or_default();
    known.extend(
        imported
            .into_iter()
            .filter(|id| Task::by_name(id).is_none()),
    );
    Failure::new(format_args!(
        "task {id} is unknown; the tasks are {}",
        known.join(", ")
    ))
    .hint(format_args!(
        "import your own questions with `sureness data import {id} FILE`"
    ))
}

/// The questions of a task that a run asks, and how many there are to choose from.
fn sampled(
    task: &str,
    settings: &QuestionSettings,
    seed: u64,
) -> Result<(Dataset, usize), Failure> {
    let mut dataset = dataset_for(task, settings)?;
    let available = dataset.questions.len();
    if let Some(n) = settings.sample_size {
        dataset.sample(n, seed)?;
    }
    if dataset.questions.is_empty() {
        return Err(Failure::new(format!("task {task} has no question to ask"))
            .hint("raise --sample-size, or check the data with `sureness data check`"));
    }
    Ok((dataset, available))
}

/// What to know of a task's questions: how many repeat others, and how many have an unknown of their own.
fn remark(dataset: &Dataset) -> std::io::Result<Option<String>> {
    let mut parts = Vec::new();
    let repeats = dataset.questions.repeats()?;
    if repeats > 0 {
        let of = count(dataset.questions.len());
        let repeats = count(repeats);
        parts.push(format!(
            "{repeats} of {of} questions have the content of another and count once more each"
        ));
    }
    if dataset.left_out > 0 {
        let rows = counted(dataset.left_out, "row");
        parts.push(format!(
            "left out {rows} with the content of a few-shot example"
        ));
    }
    let unknown = own_unknown(dataset)?;
    if unknown > 0 {
        let unknown = counted(unknown, "question");
        parts.push(format!(
            "in {unknown}, an option of its own says that the answer is unknown; it counts in E, \
             also where it is right"
        ));
    }
    let task = &dataset.task.id;
    Ok((!parts.is_empty()).then(|| format!("task {task}: {}", parts.join("; "))))
}

/// How many questions have no "I don't know", but an option of their own that says so.
fn own_unknown(dataset: &Dataset) -> std::io::Result<usize> {
    let mut found = 0;
    for question in dataset.questions.iter() {
        let question = question?;
        // All questions of a task have it, or none.
        if question.dont_know().is_some() {
            return Ok(0);
        }
        found += usize::from(question.admits_ignorance().is_some());
    }
    Ok(found)
}

/// Refuses data that would not be asked.
fn check_asked(settings: &QuestionSettings) -> Result<(), Failure> {
    let asked = tasks(settings);
    let given = settings.data.iter().find(|data| {
        let given = [data.path.is_some(), data.format.is_some()];
        let more = [data.columns.is_some(), data.examples.is_some()];
        given.iter().chain(&more).any(|&given| given) && !asked.contains(&id_of(&data.task))
    });
    given.map_or(Ok(()), |data| {
        let id = id_of(&data.task);
        Err(Failure::new(format_args!(
            "data are given for task {id}, but --tasks does not name it"
        ))
        .hint(format_args!(
            "add {id} to --tasks, or leave out the flags that name it, such as --data {id}=PATH"
        )))
    })
}

/// The tasks to run, each once: the named ones, else those with a path, else the benchmark's five.
fn tasks(settings: &QuestionSettings) -> Vec<String> {
    let with_data = settings.data.iter().filter(|data| data.path.is_some());
    let with_data: Vec<&String> = with_data.map(|data| &data.task).collect();
    let names: Vec<String> = if !settings.tasks.is_empty() {
        settings.tasks.iter().map(|name| id_of(name)).collect()
    } else if !with_data.is_empty() {
        with_data.into_iter().map(|name| id_of(name)).collect()
    } else {
        Task::benchmark().into_iter().map(|t| t.id).collect()
    };
    let mut tasks: Vec<String> = Vec::new();
    for name in names {
        if !tasks.contains(&name) {
            tasks.push(name);
        }
    }
    tasks
}

fn digest(dataset: &Dataset, shots: usize, cluster: &ClusterBy) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for example in dataset.examples.iter().take(shots) {
        hasher.update(&example.content_digest());
    }
    for index in 0..dataset.questions.len() {
        hasher.update(&dataset.questions.content_digest(index)?);
        // Automatic clusters follow from the contents.
        if *cluster != ClusterBy::Auto {
            hasher.update(&dataset.questions.cluster_digest(index)?);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests;
