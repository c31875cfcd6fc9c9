//! Reads the inputs of a merge and checks that they belong together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sureness_conformal::SplitRule;
use sureness_questions::Shard;
use sureness_record::{Merged, ModelIdentity, RunSettings};
use sureness_store::{Reader, RunInfo};

use crate::error::Failure;
use crate::folder::{STORE, store_in};

/// A run in an input: one or more shards of one model.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The input, as given.
    pub(super) input: PathBuf,
    /// Its store.
    pub(super) store: PathBuf,
    /// The run's id in the store.
    pub(super) run: i64,
    /// The model.
    pub(super) model: ModelIdentity,
    /// The settings of the whole run.
    pub(super) settings: RunSettings,
    /// (task, strategy) of each group.
    pub(super) groups: Vec<(String, String)>,
    /// The shards that this part covers.
    pub(super) shards: BTreeSet<u32>,
    /// The number of shards of the whole run.
    pub(super) of: u32,
    /// Whether every question of these shards was asked.
    pub(super) finished: bool,
}

impl Part {
    /// A run in the store of an input; `None` if it is neither a shard nor a merge.
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
            // A merged run lists only complete shards.
            finished: shard.is_none() || run.finished_at.is_some(),
            shards,
            of,
        })
    }

    /// Whether version 0.1.0 began the run, which recorded no split rule.
    pub(super) fn is_under_old_rule(&self) -> bool {
        self.settings.evaluation.split == SplitRule::Hash
    }

    /// Whether the settings are those of the same run, apart from the model.
    fn is_of_same_run(&self, other: &Self) -> bool {
        self.of == other.of && self.settings.differences(&other.settings).is_empty()
    }
}

/// The recorded settings of a merged run with these complete shards.
pub(super) fn record(settings: &RunSettings, shards: &BTreeSet<u32>, of: u32) -> RunSettings {
    RunSettings {
        merged: Some(Merged {
            of,
            shards: shards.clone(),
        }),
        ..settings.clone()
    }
}

/// The output folders at a path: the path itself, or the folders in it that hold a store.
pub(super) fn folders(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if path.is_file() || path.join(STORE).is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let hint = "give the --output-dir of each shard, or a folder that contains all of them";
    let entries = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|e| Failure::new(format!("{}: {e}", path.display())).hint(hint))?;
    let mut found: Vec<PathBuf> = entries;
    found.retain(|folder| folder.join(STORE).is_file());
    // Shorter names first, which sorts numbers.
    found.sort_by_key(|folder| {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        (name.len(), name)
    });
    if found.is_empty() {
        return Err(
            Failure::new(format!("{} does not contain {STORE}", path.display())).hint(hint),
        );
    }
    Ok(found)
}

/// The parts in one input with the settings of its newest run, one per model and shard, in the order
/// in which models were asked. Other runs are skipped with a note.
pub(super) fn read(input: &Path, notes: &mut Vec<String>) -> Result<Vec<Part>, Failure> {
    let store = store_in(input);
    let runs = if std::fs::metadata(&store).is_ok_and(|file| file.len() == 0) {
        // The process died before writing anything.
        Vec::new()
    } else {
        Reader::open(&store)?.runs()?
    };
    if runs.is_empty() {
        notes.push(format!("{} does not contain a run yet", input.display()));
        return Ok(Vec::new());
    }
    let all: Vec<Part> = runs
        .iter()
        .filter_map(|run| Part::of(input, &store, run))
        .collect();
    let Some(newest) = all.last() else {
        return Err(Failure::new(format!(
            "{} does not contain a shard of a run",
            input.display()
        ))
        .hint("give output folders of `sureness run --shard i/n`, or an earlier merge"));
    };
    let newest = newest.clone();
    let mut parts: Vec<Part> = Vec::new();
    for part in all {
        if !newest.is_of_same_run(&part) {
            notes.push(format!(
                "{}: skipping run {}, whose settings differ from the newest run",
                input.display(),
                part.run
            ));
            continue;
        }
        // A later run of the same shards supersedes an earlier one.
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

/// The models of all inputs, in the order in which they were asked. Fails if parts do not belong
/// together.
pub(super) fn models(inputs: &[Vec<Part>]) -> Result<Vec<ModelIdentity>, Failure> {
    let parts = || inputs.iter().flatten();
    let Some(first) = parts().next() else {
        return Err(Failure::new("none of the inputs contains a run yet")
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
    // The first of the longest lists, since an interrupted shard has only its first models.
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

/// Fails unless two parts are of the same run, whatever their models.
pub(super) fn same_run(one: &Part, other: &Part) -> Result<(), Failure> {
    let differ = |what: String| {
        Err(Failure::new(format!(
            "{} and {} are not parts of the same run: {what}",
            one.input.display(),
            other.input.display()
        ))
        .hint("merge shards of runs with the same flags, apart from --shard and those for speed"))
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

/// The failure for a part whose model is not in the reference list.
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
    .hint("run the shard again with the model of the others: figures must not mix models")
}
