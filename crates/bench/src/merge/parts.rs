//! What the inputs of a merge hold, and whether it belongs together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sureness_conformal::SplitRule;
use sureness_questions::Shard;
use sureness_record::{Merged, ModelIdentity, RunSettings};
use sureness_store::{Reader, RunInfo};

use crate::error::Failure;
use crate::folder::{STORE, store_in};

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
    pub(super) settings: RunSettings,
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
        let mut settings = run.settings.run()?.clone();
        let (shard, merged) = (settings.shard.take(), settings.merged.take());
        let (of, shards) = match (shard, merged) {
            (Some(shard), _) => (shard.of(), BTreeSet::from([shard.index()])),
            (None, Some(merged)) => (merged.of, merged.shards),
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
        self.settings.evaluation.split == SplitRule::Hash
    }

    /// Whether the other one may be a part of the same run, if it is of the same model.
    fn is_of_same_run(&self, other: &Self) -> bool {
        self.of == other.of && self.settings.differences(&other.settings).is_empty()
    }
}

/// What a merged run that holds these shards whole is written down with.
pub(super) fn record(settings: &RunSettings, shards: &BTreeSet<u32>, of: u32) -> RunSettings {
    RunSettings {
        merged: Some(Merged {
            of,
            shards: shards.clone(),
        }),
        ..settings.clone()
    }
}

/// The folders that an argument stands for: itself, or those in it that hold a store.
pub(super) fn folders(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if path.is_file() || path.join(STORE).is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let hint = "give the --output-dir of each shard, or a folder that holds all of them";
    let entries = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|e| Failure::new(format!("{}: {e}", path.display())).hint(hint))?;
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
        return Err(Failure::new(format!("there is no {STORE} in {}", path.display())).hint(hint));
    }
    Ok(found)
}

/// The parts in one input, one per model and shard, in the order in which its models were asked.
/// Parts of the newest run's settings alone: what else is there goes into `notes`.
pub(super) fn read(input: &Path, notes: &mut Vec<String>) -> Result<Vec<Part>, Failure> {
    let store = store_in(input);
    let runs = if std::fs::metadata(&store).is_ok_and(|file| file.len() == 0) {
        // The process died before writing anything.
        Vec::new()
    } else {
        Reader::open(&store)?.runs()?
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
            Failure::new(format!("{} holds no run of a shard", input.display()))
                .hint("merge what `sureness run --shard i/n` wrote, or an earlier merge"),
        );
    };
    let newest = newest.clone();
    let mut parts: Vec<Part> = Vec::new();
    for part in all {
        if !newest.is_of_same_run(&part) {
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
            .find(|other| other.model.is_same_model(&part.model) && other.shards == part.shards)
        {
            Some(earlier) => *earlier = part,
            None => parts.push(part),
        }
    }
    Ok(parts)
}

/// The models of all inputs, in the order in which they were asked; or what does not belong
/// together.
pub(super) fn models(inputs: &[Vec<Part>]) -> Result<Vec<ModelIdentity>, Failure> {
    let parts = || inputs.iter().flatten();
    let Some(first) = parts().next() else {
        return Err(Failure::new("none of the inputs holds a run yet")
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
pub(super) fn same_run(one: &Part, other: &Part) -> Result<(), Failure> {
    let differ = |what: String| {
        Err(Failure::new(format!(
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
    let differences = one.settings.differences(&other.settings);
    if !differences.is_empty() {
        let names: Vec<String> = differences.iter().map(ToString::to_string).collect();
        return differ(format!("{} differ", names.join(" and ")));
    }
    if one.groups != other.groups {
        return differ("their tasks and strategies differ".to_owned());
    }
    Ok(())
}

/// An input has a model that the one with the most models has not.
fn other_model(reference: &[ModelIdentity], named: &Part, part: &Part) -> Failure {
    let (model, here) = (&part.model, part.input.display());
    let what = match reference.iter().find(|known| known.name == model.name) {
        Some(known) => {
            let differences = known.differences(model);
            let differing: Vec<&str> = differences.iter().map(|(name, ..)| *name).collect();
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
    Failure::new(format!(
        "{} and {here} are not of the same model: {what}",
        named.input.display()
    ))
    .hint("a mixture of models has no figures; run the shard again with the model of the others")
}
