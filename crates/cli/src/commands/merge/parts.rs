//! What the inputs of a merge hold, and whether it belongs together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sureness_questions::Shard;
use sureness_scorers::ModelIdentity;
use sureness_store::{Reader, RunInfo, StoreError};

use crate::error::CliError;
use crate::session::data::SHARD;
use crate::session::room::STORE;

/// The setting of a merged run that tells which shards it holds whole.
pub(super) const MERGED: &str = "merged";

/// Where a run's settings name its split rule.
const SPLIT: &str = "/evaluation/split";

/// One run of an input: some shards of one model.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The input, as it was given.
    pub(super) input: PathBuf,
    /// Its store.
    pub(super) store: PathBuf,
    /// The run's number there.
    pub(super) run: i64,
    /// Which model.
    pub(super) model: ModelIdentity,
    /// The settings of the whole run.
    pub(super) settings: Value,
    /// (task, strategy) of each group.
    pub(super) groups: Vec<(String, String)>,
    /// The shards that it is about.
    pub(super) shards: BTreeSet<u32>,
    /// Of how many.
    pub(super) of: u32,
    /// Whether every question of these shards was asked.
    pub(super) ended: bool,
}

impl Part {
    /// What a run in the store of an input holds; `None` if it was never in parts.
    pub(super) fn of(input: &Path, store: &Path, run: &RunInfo) -> Option<Self> {
        let mut settings = run.settings.clone();
        let of_whole = settings.as_object_mut()?;
        let (shard, merged) = (of_whole.shift_remove(SHARD), of_whole.shift_remove(MERGED));
        let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
        let of = number(shard.as_ref().or(merged.as_ref())?.get("of")?)?;
        let shards = match (&shard, &merged) {
            (Some(shard), _) => BTreeSet::from([number(shard.get("index")?)?]),
            (None, Some(merged)) => {
                let held = merged.get("shards")?.as_array()?;
                held.iter().filter_map(number).collect()
            }
            (None, None) => return None,
        };
        if shards.iter().any(|&index| Shard::new(index, of).is_none()) {
            return None;
        }
        Some(Self {
            input: input.to_owned(),
            store: store.to_owned(),
            run: run.id,
            model: run.model.clone(),
            settings,
            groups: run.groups.clone(),
            // A merged run names the shards that it holds whole.
            ended: shard.is_none() || run.finished_at.is_some(),
            shards,
            of,
        })
    }

    /// Whether version 0.1.0 began the run: it wrote no split rule down.
    pub(super) fn is_under_old_rule(&self) -> bool {
        self.settings.pointer(SPLIT).is_none()
    }

    /// What must be the same of all parts: neither where the files of the questions lay, nor the
    /// split rule, which moves no answer and is that of the whole.
    fn comparable(&self) -> Value {
        let mut settings = self.settings.clone();
        let evaluation = settings.get_mut("evaluation");
        if let Some(evaluation) = evaluation.and_then(Value::as_object_mut) {
            evaluation.shift_remove("split");
        }
        if let Some(tasks) = settings.get_mut("tasks").and_then(Value::as_array_mut) {
            for task in tasks.iter_mut().filter_map(Value::as_object_mut) {
                task.shift_remove("source");
            }
        }
        settings
    }
}

/// What a merged run that holds these shards whole is written down with.
pub(super) fn record(settings: &Value, shards: &BTreeSet<u32>, of: u32) -> Value {
    let mut settings = settings.clone();
    settings[MERGED] = json!({ "of": of, "shards": shards });
    settings
}

/// The folders that an argument stands for: itself, or those in it that hold a store.
pub(super) fn folders(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if path.is_file() || path.join(STORE).is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let hint = "give the --output-dir of each shard, or a folder that holds all of them";
    let entries = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|e| CliError::input(format!("{}: {e}", path.display())).hint(hint))?;
    let mut found: Vec<PathBuf> = entries;
    found.retain(|folder| folder.join(STORE).is_file());
    // By their numbers, where they are called by them.
    found.sort_by_key(|folder| {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        (name.len(), name)
    });
    if found.is_empty() {
        return Err(
            CliError::input(format!("there is no {STORE} in {}", path.display())).hint(hint),
        );
    }
    Ok(found)
}

/// The store that an input holds.
pub(super) fn store_of(input: &Path) -> PathBuf {
    if input.is_dir() {
        input.join(STORE)
    } else {
        input.to_owned()
    }
}

/// The parts in one input, one per model and shard, in the order in which its models were asked.
/// Parts of the newest run's settings alone: what else is there goes into `notes`.
pub(super) fn read(input: &Path, notes: &mut Vec<String>) -> Result<Vec<Part>, CliError> {
    let failed = |e: StoreError| CliError::input(&e).hint(e.hint());
    let store = store_of(input);
    let runs = if std::fs::metadata(&store).is_ok_and(|file| file.len() == 0) {
        // Killed before its first word.
        Vec::new()
    } else {
        Reader::open(&store)
            .and_then(|reader| reader.runs())
            .map_err(failed)?
    };
    if runs.is_empty() {
        notes.push(format!("{} holds no run yet", input.display()));
        return Ok(Vec::new());
    }
    let all: Vec<Part> = runs
        .iter()
        .filter_map(|run| Part::of(input, &store, run))
        .collect();
    let Some(newest) = all.last() else {
        return Err(
            CliError::input(format!("{} holds no run of a shard", input.display()))
                .hint("merge what `sureness run --shard i/n` wrote, or an earlier merge"),
        );
    };
    let (settings, of) = (newest.comparable(), newest.of);
    let mut parts: Vec<Part> = Vec::new();
    for part in all {
        if part.comparable() != settings || part.of != of {
            notes.push(format!(
                "{}: run {} has other settings than the newest one and is left out",
                input.display(),
                part.run
            ));
            continue;
        }
        // A later run of the same takes the earlier one's place.
        match parts
            .iter_mut()
            .find(|other| other.model == part.model && other.shards == part.shards)
        {
            Some(earlier) => *earlier = part,
            None => parts.push(part),
        }
    }
    Ok(parts)
}

/// The models of all inputs, in the order in which they were asked; or what does not belong
/// together.
pub(super) fn models(inputs: &[Vec<Part>]) -> Result<Vec<ModelIdentity>, CliError> {
    let parts = || inputs.iter().flatten();
    let Some(first) = parts().next() else {
        return Err(CliError::input("none of the inputs holds a run yet")
            .hint("run the shards first, with `sureness run --shard i/n`"));
    };
    for part in parts() {
        same_run(first, part)?;
    }
    let listed = |parts: &[Part]| {
        let mut models: Vec<ModelIdentity> = Vec::new();
        for part in parts {
            if !models.iter().any(|model| model.is_same_model(&part.model)) {
                models.push(part.model.clone());
            }
        }
        models
    };
    // The first of the longest lists: a shard that was stopped knows only its first models.
    let mut reference = listed(&inputs[0]);
    let mut named = first;
    for parts in inputs {
        let models = listed(parts);
        if let Some(part) = parts.first().filter(|_| models.len() > reference.len()) {
            (reference, named) = (models, part);
        }
    }
    for part in parts() {
        if !reference
            .iter()
            .any(|model| model.is_same_model(&part.model))
        {
            return Err(other_model(&reference, named, part));
        }
    }
    Ok(reference)
}

/// Makes sure that two parts are of the same run, whatever their models.
pub(super) fn same_run(one: &Part, other: &Part) -> Result<(), CliError> {
    let differ = |what: String| {
        Err(CliError::input(format!(
            "{} and {} are not parts of the same run: {what}",
            one.input.display(),
            other.input.display()
        ))
        .hint("merge shards that were started with the same flags, apart from --shard and speed"))
    };
    if one.of != other.of {
        return differ(format!(
            "one is of {} shards, the other of {}",
            one.of, other.of
        ));
    }
    let (a, b) = (one.comparable(), other.comparable());
    if a != b {
        let names = a.as_object().into_iter().chain(b.as_object());
        let names: BTreeSet<&str> = names
            .flat_map(|settings| settings.keys().map(String::as_str))
            .filter(|name| a.get(*name) != b.get(*name))
            .map(described)
            .collect();
        let names: Vec<&str> = names.into_iter().collect();
        return differ(format!("{} differ", names.join(" and ")));
    }
    if one.groups != other.groups {
        return differ("their tasks and strategies differ".to_owned());
    }
    Ok(())
}

/// A setting's name for people.
fn described(setting: &str) -> &str {
    match setting {
        "tasks" => "the questions or worked examples",
        "strategies" => "the prompt strategies",
        "wording" => "the wordings of the prompts",
        "evaluation" => "the settings of the evaluation",
        "sample_size" => "the values of --sample-size",
        "abstention" => "the abstention options",
        "cluster" => "the values of --cluster",
        "chat" => "the values of --chat",
        other => other,
    }
}

/// An input has a model that the one with the most models has not.
fn other_model(reference: &[ModelIdentity], named: &Part, part: &Part) -> CliError {
    let (model, here) = (&part.model, part.input.display());
    let what = match reference.iter().find(|known| known.name == model.name) {
        Some(known) => {
            let keys = known.details.keys().chain(model.details.keys());
            let mut differing: BTreeSet<&str> = keys
                .filter(|name| known.details.get(*name) != model.details.get(*name))
                .map(String::as_str)
                .collect();
            if known.backend != model.backend {
                differing.insert("backend");
            }
            let differing: Vec<&str> = differing.into_iter().collect();
            format!(
                "{} is not the same in both: {} differ",
                model.name,
                differing.join(", ")
            )
        }
        None => format!(
            "{here} holds answers of {}, which the other lacks",
            model.name
        ),
    };
    CliError::input(format!(
        "{} and {here} are not of the same model: {what}",
        named.input.display()
    ))
    .hint("a mixture of models has no figures; run the shard again with the model of the others")
}
