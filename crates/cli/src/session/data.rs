//! From the command line's words to a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sureness_conformal::{Config, Protocol, SplitRule};
use sureness_engine::{Group, Plan};
use sureness_prompts::{PromptBuilder, Strategy, Wording};
use sureness_questions::{ClusterBy, Dataset, Format, Shard, Task};
use sureness_record::{RunSettings, TaskRecord};

use crate::commands::data::{Said, dataset_for, input_error};
use crate::commands::run::RunArgs;
use crate::error::CliError;

/// The questions of a run, laid out.
pub(crate) struct Questions {
    datasets: Vec<DatasetNote>,
    strategies: Vec<Strategy>,
    wording: Wording,
    plan: Plan,
    shard: Option<Shard>,
    /// By group, where the questions of a shard stand in the whole; empty without a shard.
    places: Vec<Arc<[u32]>>,
}

/// What is told and written down about a data set.
struct DatasetNote {
    task: Task,
    source: String,
    questions: usize,
    available: usize,
    shots: usize,
    /// BLAKE3 over the contents of questions and shown examples, and over clusters that are told.
    digest: String,
}

impl Questions {
    /// Loads every task's questions and lays out their prompts.
    pub(crate) fn load(args: &RunArgs) -> Result<Self, CliError> {
        let strategies = strategies(args)?;
        let wording = match &args.prompts {
            None => Wording::builtin(),
            Some(path) => {
                Wording::from_toml(path).map_err(|e| CliError::input(&e).hint(e.hint()))?
            }
        };
        let sources = Sources::from_args(args)?;
        let mut datasets = Vec::new();
        let mut plan = Plan::default();
        let mut places = Vec::new();
        for task in sources.tasks(args) {
            let mut dataset = sources.load(&task, args)?;
            let available = dataset.questions.len();
            if let Some(n) = args.sample_size {
                dataset
                    .sample(n, args.seed)
                    .map_err(|error| input_error(&error))?;
            }
            if dataset.questions.is_empty() {
                return Err(
                    CliError::input(format!("task {task} has no question to ask"))
                        .hint("raise --sample-size, or check the data with `sureness data check`"),
                );
            }
            let shots = args
                .shots
                .unwrap_or(dataset.task.shots.min(dataset.examples.len()));
            datasets.push(DatasetNote {
                task: dataset.task.clone(),
                source: dataset.source.clone(),
                questions: dataset.questions.len(),
                available,
                shots,
                digest: digest(&dataset, shots, &args.cluster).map_err(CliError::input)?,
            });
            // Only now: what is written down of a data set is the same in every shard.
            let kept: Option<Arc<[u32]>> = match args.shard {
                None => None,
                Some(shard) => {
                    let kept = dataset.shard(shard).map_err(|error| input_error(&error))?;
                    Some(kept.into())
                }
            };
            let questions = Arc::new(dataset.questions);
            for &strategy in &strategies {
                places.extend(kept.clone());
                let builder =
                    PromptBuilder::new(&dataset.task, strategy, &wording, &dataset.examples, shots)
                        .map_err(|e| CliError::input(&e).hint(e.hint()))?;
                plan.groups.push(Group {
                    task: dataset.task.clone(),
                    strategy,
                    questions: Arc::clone(&questions),
                    builder,
                });
            }
        }
        let tasks: Vec<Task> = datasets.iter().map(|d| d.task.clone()).collect();
        for unknown in wording.unknown_tasks(&tasks) {
            tracing::warn!(
                "the prompts file has wording for task {unknown}, which is not in this run"
            );
        }
        Ok(Self {
            datasets,
            strategies,
            wording,
            plan,
            shard: args.shard,
            places,
        })
    }

    /// Questions to ask, each counted once per strategy.
    pub(crate) fn len(&self) -> usize {
        self.plan.len()
    }

    /// The plan.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where the questions of each group stand in the whole, if this is a shard.
    pub(crate) fn places(&self) -> &[Arc<[u32]>] {
        &self.places
    }

    /// One line per task for people.
    pub(crate) fn describe(&self) -> String {
        let plural =
            |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let mut text = format!(
            "{}: {} × {}",
            plural(self.len(), "question", "questions"),
            plural(self.datasets.len(), "task", "tasks"),
            plural(
                self.strategies.len(),
                "prompt strategy",
                "prompt strategies"
            )
        );
        let width = self
            .datasets
            .iter()
            .map(|d| d.task.id.chars().count())
            .max();
        let width = width.unwrap_or(0);
        for d in &self.datasets {
            let of = if d.questions < d.available {
                format!(" of {}", d.available)
            } else {
                String::new()
            };
            text.push_str(&format!(
                "\n  {:<width$}  {}{of} questions from {}, {}",
                d.task.id,
                d.questions,
                d.source,
                plural(d.shots, "few-shot example", "few-shot examples")
            ));
        }
        if let Some(shard) = self.shard {
            let all: usize = self.datasets.iter().map(|d| d.questions).sum();
            text.push_str(&format!(
                "\n  this is shard {shard}: {} of {}",
                self.len(),
                all * self.strategies.len()
            ));
        }
        text
    }

    /// What is recorded of a run.
    pub(crate) fn settings(&self, args: &RunArgs, config: &Config) -> RunSettings {
        let task = |dataset: &DatasetNote| TaskRecord {
            task: dataset.task.id.clone(),
            source: dataset.source.clone(),
            questions: dataset.questions,
            available: dataset.available,
            shots: dataset.shots,
            digest: dataset.digest.clone(),
        };
        RunSettings {
            tasks: self.datasets.iter().map(task).collect(),
            strategies: self.strategies.clone(),
            sample_size: args.sample_size,
            abstention: !args.no_abstention,
            chat: args.ask.chat,
            evaluation: *config,
            wording: self.wording.clone(),
            cluster: args.cluster.clone(),
            shard: self.shard,
            merged: None,
        }
    }

    /// Settings of the evaluation of a new run.
    pub(crate) fn config(args: &RunArgs) -> Config {
        let protocol = args.protocol;
        Config {
            protocol,
            alpha: args.error_rate,
            calibration_ratio: args.calibration_ratio,
            seed: args.seed,
            split: match protocol {
                // It has a split of its own: there is nothing to write down.
                Protocol::Paper => SplitRule::Hash,
                Protocol::Standard => SplitRule::Ordered,
            },
        }
    }
}

fn strategies(args: &RunArgs) -> Result<Vec<Strategy>, CliError> {
    if args.prompt_strategies.is_empty() {
        return Ok(Strategy::ALL.to_vec());
    }
    let mut chosen = Vec::new();
    for name in &args.prompt_strategies {
        let strategy = Strategy::by_name(name).ok_or_else(|| {
            CliError::input(format!("there is no prompt strategy {name:?}"))
                .hint("choose among base, shared_instruction, task_specific")
        })?;
        if !chosen.contains(&strategy) {
            chosen.push(strategy);
        }
    }
    Ok(chosen)
}

/// Where the tasks' questions are, by task id.
struct Sources {
    data: BTreeMap<String, PathBuf>,
    formats: BTreeMap<String, Format>,
    examples: BTreeMap<String, PathBuf>,
    /// Tasks in the order of `--data`.
    order: Vec<String>,
}

impl Sources {
    fn from_args(args: &RunArgs) -> Result<Self, CliError> {
        let data = pairs(&args.data, "--data", "qa=path/to/mmlu")?;
        let formats = pairs(&args.data_format, "--data-format", "qa=mmlu")?
            .into_iter()
            .map(|(task, name)| match Format::by_name(&name) {
                Some(format) => Ok((task, format)),
                None => Err(CliError::input(format!("there is no data format {name:?}"))
                    .hint("see `sureness data check --help` for the formats")),
            })
            .collect::<Result<_, _>>()?;
        let examples = pairs(&args.examples, "--examples", "qa=examples.jsonl")?;
        let paths = |pairs: Vec<(String, String)>| {
            pairs
                .into_iter()
                .map(|(task, path)| (task, PathBuf::from(path)))
                .collect()
        };
        Ok(Self {
            order: data.iter().map(|(task, _)| task.clone()).collect(),
            data: paths(data),
            formats,
            examples: paths(examples),
        })
    }

    /// The tasks to run: those named, else those with data given, else the five.
    fn tasks(&self, args: &RunArgs) -> Vec<String> {
        let mut tasks: Vec<String> = if !args.tasks.is_empty() {
            args.tasks.iter().map(|t| task_id(t)).collect()
        } else if !self.order.is_empty() {
            self.order.clone()
        } else {
            Task::benchmark().into_iter().map(|t| t.id).collect()
        };
        let mut seen = std::collections::HashSet::new();
        tasks.retain(|t| seen.insert(t.clone()));
        tasks
    }

    fn load(&self, task: &str, args: &RunArgs) -> Result<Dataset, CliError> {
        let said = Said {
            path: self.data.get(task).map(PathBuf::as_path),
            format: self.formats.get(task).copied(),
            examples: self.examples.get(task).map(PathBuf::as_path),
            abstention: !args.no_abstention,
            cluster: args.cluster.clone(),
        };
        dataset_for(task, &said)
    }
}

/// `qa` for `mmlu` and `question_answering`; other names stay as they are.
fn task_id(name: &str) -> String {
    Task::by_name(name).map_or_else(|| name.to_owned(), |t| t.id)
}

fn pairs(values: &[String], flag: &str, example: &str) -> Result<Vec<(String, String)>, CliError> {
    values
        .iter()
        .map(|value| match value.split_once('=') {
            Some((task, rest)) if !task.is_empty() && !rest.is_empty() => {
                Ok((task_id(task), rest.to_owned()))
            }
            _ => Err(
                CliError::input(format!("{flag} {value:?} is not of the form TASK=VALUE"))
                    .hint(format!("write for example {flag} {example}")),
            ),
        })
        .collect()
}

fn digest(dataset: &Dataset, shots: usize, cluster: &ClusterBy) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for example in dataset.examples.iter().take(shots) {
        hasher.update(&example.content_digest());
    }
    for index in 0..dataset.questions.len() {
        hasher.update(&dataset.questions.content_digest(index)?);
        // Else the contents tell.
        if *cluster != ClusterBy::Auto {
            hasher.update(&dataset.questions.cluster_digest(index)?);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}
