//! Shards become the run that they are parts of.

mod parts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sureness_analysis::number::count;
use sureness_questions::Task;
use sureness_record::{ModelIdentity, RunRecord, RunSettings};
use sureness_report::ModelResult;
use sureness_store::{MergeInput, Reader, Store, StoreError};

use crate::error::{Failure, Kind};
use crate::figures;
use crate::folder::{self, STORE, store_in};
use crate::questions::named_task;
use crate::run::Outcome;
use crate::watch::Watch;
use parts::Part;

/// What is merged into what.
#[derive(Debug, Clone)]
pub struct MergeSettings {
    /// Folder for the whole run; shards that it holds already stay.
    pub out: PathBuf,
    /// The shards' output folders, or folders that hold them.
    pub inputs: Vec<PathBuf>,
    /// Whether shards may be missing or unfinished.
    pub allow_missing: bool,
}

/// One model of the run with what there is of it.
struct Whole {
    model: ModelIdentity,
    parts: Vec<Part>,
    /// Shards that are there whole, in the inputs or in OUT.
    held: BTreeSet<u32>,
    /// Shards that are not.
    missing: BTreeSet<u32>,
}

/// Checks that everything belongs together and is there; then merges and evaluates. `None` where the
/// inputs hold nothing.
pub fn merge(settings: &MergeSettings, watch: &dyn Watch) -> Result<Option<Outcome>, Failure> {
    let mut folders = Vec::new();
    for input in &settings.inputs {
        folders.extend(parts::folders(input)?);
    }
    let store = settings.out.join(STORE);
    let mut notes = Vec::new();
    let mut inputs = Vec::new();
    for folder in &folders {
        if is_same_file(&store_in(folder), &store) {
            return Err(Failure::new(format!(
                "{} is to be written to, and is one of the inputs",
                settings.out.display()
            ))
            .hint("choose another OUT; what it holds already need not be named again"));
        }
        inputs.push(parts::read(folder, &mut notes)?);
    }
    for note in notes {
        watch.note(&format!("note: {note}"));
    }
    inputs.retain(|parts| !parts.is_empty());
    let models = parts::models(&inputs)?;
    let before = held_before(&settings.out, &store, &inputs)?;
    let wholes: Vec<Whole> = models
        .iter()
        .map(|model| Whole::new(model, &inputs, &before))
        .collect();
    if !settings.allow_missing {
        check_missing(&wholes)?;
    }
    // As they were written down, so that the run is found again.
    let Some(earlier) = before.parts.first().or(first_of(&inputs)) else {
        return Ok(None);
    };
    write_all(&settings.out, &wholes, &earlier.settings, watch)
}

impl Whole {
    fn new(model: &ModelIdentity, inputs: &[Vec<Part>], before: &Before) -> Self {
        let of_model = |part: &&Part| part.model.is_same_model(model);
        let mut parts: Vec<Part> = inputs.iter().flatten().filter(of_model).cloned().collect();
        // The order in which inputs are named shall not matter.
        parts.sort_by_key(|part| part.shards.first().copied());
        let earlier = before.parts.iter().filter(of_model);
        let held: BTreeSet<u32> = parts
            .iter()
            .filter(|part| part.ended)
            .chain(earlier)
            .flat_map(|part| part.shards.iter().copied())
            .collect();
        let of = parts.first().map_or(0, |part| part.of);
        let complete = before
            .complete
            .iter()
            .any(|known| known.is_same_model(model));
        let missing = (1..=of).filter(|index| !complete && !held.contains(index));
        let model = match before.parts.iter().find(of_model) {
            // As it was written down, so that its run is found again.
            Some(earlier) => earlier.model.clone(),
            None => parts
                .first()
                .map_or_else(|| model.clone(), |part| part.model.clone()),
        };
        Self {
            missing: missing.collect(),
            model,
            parts,
            held,
        }
    }

    /// The missing shards for people, with where they were begun.
    fn describe_missing(&self) -> String {
        let begun = |index: u32| {
            let part = self.parts.iter().find(|part| part.shards.contains(&index));
            match part {
                Some(part) => format!("{index} ({} has not ended)", part.input.display()),
                None => index.to_string(),
            }
        };
        let all: Vec<String> = self.missing.iter().copied().map(begun).collect();
        all.join(", ")
    }

    fn of(&self) -> u32 {
        self.parts.first().map_or(0, |part| part.of)
    }
}

/// What OUT holds of this run before the merge.
#[derive(Default)]
struct Before {
    parts: Vec<Part>,
    /// Models whose run is complete there.
    complete: Vec<ModelIdentity>,
}

/// The part whose settings are those of the whole: one that version 0.1.0 began, where there is
/// one, since a run keeps the split rule that it was begun with.
fn first_of(inputs: &[Vec<Part>]) -> Option<&Part> {
    let mut parts = inputs.iter().flatten();
    let old = parts.clone().find(|part| part.is_under_old_rule());
    old.or_else(|| parts.next())
}

/// Looks into OUT. Refuses a merge of something else.
fn held_before(out: &Path, store: &Path, inputs: &[Vec<Part>]) -> Result<Before, Failure> {
    let mut before = Before::default();
    let Some(first) = first_of(inputs) else {
        return Ok(before);
    };
    if !store.is_file() {
        return Ok(before);
    }
    for run in Reader::open(store)?.runs()? {
        let settings = run.settings.run();
        if settings.is_none_or(|settings| settings.merged.is_none()) {
            if run.finished_at.is_some() && settings == Some(&first.settings) {
                before.complete.push(run.model);
            }
            continue;
        }
        let Some(part) = Part::of(out, store, &run) else {
            continue;
        };
        parts::same_run(first, &part)?;
        if run.finished_at.is_some() {
            before.complete.push(run.model);
        }
        before.parts.push(part);
    }
    let models: Vec<Vec<Part>> = inputs
        .iter()
        .cloned()
        .chain([before.parts.clone()])
        .collect();
    parts::models(&models)?;
    Ok(before)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    matches!((real(one), real(other)), (Some(a), Some(b)) if a == b)
}

/// An error that names every shard that is missing.
fn check_missing(wholes: &[Whole]) -> Result<(), Failure> {
    let missing: Vec<&Whole> = wholes.iter().filter(|w| !w.missing.is_empty()).collect();
    let Some(first) = missing.first() else {
        return Ok(());
    };
    let all: Vec<String> = missing
        .iter()
        .map(|whole| {
            format!(
                "{}: {} of {} shards are missing: {}",
                whole.model.name,
                whole.missing.len(),
                whole.of(),
                whole.describe_missing()
            )
        })
        .collect();
    let index = first.missing.first().copied().unwrap_or(1);
    Err(Failure::new(all.join("; "))
        .hint(format!(
            "run them (again), such as with --shard {index}/{}: it asks only what is not answered; \
             or merge what is there with --allow-missing",
            first.of()
        ))
        .kind(Kind::Unfinished))
}

/// Writes the whole run and its figures.
fn write_all(
    out: &Path,
    wholes: &[Whole],
    settings: &RunSettings,
    watch: &dyn Watch,
) -> Result<Option<Outcome>, Failure> {
    let Some(first) = wholes.first().and_then(|whole| whole.parts.first()) else {
        return Ok(None);
    };
    let groups: Vec<(Task, &str)> = first
        .groups
        .iter()
        .map(|(task, strategy)| (named_task(task), strategy.as_str()))
        .collect();
    let groups: Vec<(&Task, &str)> = groups.iter().map(|(task, name)| (task, *name)).collect();
    let expected: Vec<usize> = groups
        .iter()
        .map(|(task, _)| settings.task(&task.id).map_or(0, |task| task.questions))
        .collect();
    let questions = expected.iter().sum::<usize>() * wholes.len();
    let folder = folder::prepare(out, questions)?;
    let mut store = Store::open(&folder.store)?;
    let mut models = Vec::new();
    for whole in wholes {
        let run = write(&mut store, whole, settings, watch)?;
        let mut model = figures::of_groups(
            &folder.store,
            run,
            &whole.model,
            &groups,
            &settings.evaluation,
        )?;
        conclude(&mut model, whole, &expected);
        if model.complete {
            let run_before = Reader::open(&folder.store)?.run(run)?;
            if run_before.finished_at.is_none() {
                store.finish_run(run)?;
            }
        }
        models.push(model);
    }
    let results = figures::results(settings.clone(), models);
    figures::write(&folder, &results).inspect_err(|_| watch.unsaved(&results))?;
    Ok(Some(Outcome {
        stops: vec![None; results.models.len()],
        results,
        folder,
        interrupted: false,
    }))
}

/// Puts one model's parts into the store; the run's number.
fn write(
    store: &mut Store,
    whole: &Whole,
    settings: &RunSettings,
    watch: &dyn Watch,
) -> Result<i64, StoreError> {
    let Some(first) = whole.parts.first() else {
        return Ok(0);
    };
    let record = RunRecord {
        model: whole.model.clone(),
        settings: settings.clone(),
    };
    let groups = first.groups.iter();
    let groups = groups.map(|(task, strategy)| (task.as_str(), strategy.as_str()));
    let run = store.merged_run(&record, groups)?;
    let inputs: Vec<MergeInput> = whole
        .parts
        .iter()
        .map(|part| MergeInput {
            path: part.store.clone(),
            run: part.run,
        })
        .collect();
    let merged = store.merge_runs(run, first.groups.len(), &inputs)?;
    store.settle_copies(run)?;
    store.amend_record(run, &parts::record(settings, &whole.held, whole.of()))?;
    watch.note(&format!(
        "{}: {} of {} shards, {} questions are new here",
        whole.model.name,
        whole.held.len(),
        whole.of(),
        count(merged.changed as usize)
    ));
    if merged.differing > 0 {
        watch.note(&format!(
            "note: {}: {} questions have other scores in a second input; the first one's are kept",
            whole.model.name,
            count(merged.differing as usize)
        ));
    }
    Ok(run)
}

/// Fills in what the store does not know by itself, and says what is missing.
fn conclude(model: &mut ModelResult, whole: &Whole, expected: &[usize]) {
    let there: usize = model.groups.iter().map(|group| group.planned).sum();
    model.timing.cached = model.groups.iter().map(|group| group.answered).sum();
    let all: usize = expected.iter().sum();
    model.complete = there == all && not_asked(model) == 0;
    if !model.complete {
        let missing = all.saturating_sub(there) + not_asked(model);
        let mut text = format!("{missing} of the run's {all} questions are not here");
        if !whole.missing.is_empty() {
            text.push_str(&format!(
                ": of {} shards, these are missing: {}",
                whole.of(),
                whole.describe_missing()
            ));
        }
        model.note(&text);
    }
}

/// Questions that no shard came to.
fn not_asked(model: &ModelResult) -> usize {
    let unasked = model
        .groups
        .iter()
        .filter_map(|group| group.failures.get(figures::NOT_ASKED));
    unasked.map(|failures| failures.count).sum()
}
