//! Merges the shards of a run.

mod parts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sureness_analysis::number::counted;
use sureness_questions::Task;
use sureness_record::{ModelIdentity, OrderOf, Orders, RunRecord, RunSettings};
use sureness_report::ModelResult;
use sureness_store::{MergeInput, Reader, Store, StoreError};

use crate::error::{Failure, Kind};
use crate::evidence::{TextSources, Texts, add_open_figures};
use crate::figures;
use crate::folder::{self, ResultsFiles, STORE, store_in};
use crate::provenance::provenance;
use crate::questions::named_task;
use crate::run::Outcome;
use crate::watch::Watch;
use parts::Part;

/// The inputs and the output of a merge.
#[derive(Debug, Clone)]
pub struct MergeSettings {
    /// Folder for the whole run; shards from earlier merges are kept.
    pub out: PathBuf,
    /// The shards' output folders, or folders that hold them.
    pub inputs: Vec<PathBuf>,
    /// Whether shards may be missing or unfinished.
    pub allow_missing: bool,
    /// Where the accepted answers of open questions are, which stores do not hold. Data that have not
    /// moved since they were asked are found without it.
    pub texts: TextSources,
    /// The command line, for the results; `None` where there is none.
    pub command: Option<String>,
}

/// One model of the run with its shards.
struct WholeModel {
    model: ModelIdentity,
    parts: Vec<Part>,
    /// Complete shards, in the inputs or in OUT.
    held: BTreeSet<u32>,
    /// Missing or unfinished shards.
    missing: BTreeSet<u32>,
}

/// Checks that the shards belong together and are complete, then merges and evaluates them. `None`
/// if the inputs hold no run.
pub fn merge(settings: &MergeSettings, watch: &dyn Watch) -> Result<Option<Outcome>, Failure> {
    let texts = Texts::of(settings.texts.clone())?;
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
                "{} is both the output and an input",
                settings.out.display()
            ))
            .hint("choose another OUT; shards that it already holds need not be named again"));
        }
        inputs.push(parts::read(folder, &mut notes)?);
    }
    for note in notes {
        watch.note(&format!("note: {note}"));
    }
    inputs.retain(|parts| !parts.is_empty());
    let models = parts::models(&inputs)?;
    let existing = existing_run(&settings.out, &store, &inputs)?;
    let wholes: Vec<WholeModel> = models
        .iter()
        .map(|model| WholeModel::new(model, &inputs, &existing))
        .collect();
    if !settings.allow_missing {
        check_missing(&wholes)?;
    }
    // The settings as recorded, so that the run is found again.
    let Some(recorded) = existing.parts.first().or(first_of(&inputs)) else {
        return Ok(None);
    };
    write_all(settings, &wholes, &recorded.settings, &texts, watch)
}

impl WholeModel {
    fn new(model: &ModelIdentity, inputs: &[Vec<Part>], existing: &ExistingRun) -> Self {
        let of_model = |part: &&Part| part.model.is_same_model(model);
        let mut parts: Vec<Part> = inputs.iter().flatten().filter(of_model).cloned().collect();
        // The order of inputs must not matter.
        parts.sort_by_key(|part| part.shards.first().copied());
        let recorded = existing.parts.iter().filter(of_model);
        let held: BTreeSet<u32> = parts
            .iter()
            .filter(|part| part.finished)
            .chain(recorded)
            .flat_map(|part| part.shards.iter().copied())
            .collect();
        let of = parts.first().map_or(0, |part| part.of);
        let complete = existing
            .complete
            .iter()
            .any(|known| known.is_same_model(model));
        let missing = (1..=of).filter(|index| !complete && !held.contains(index));
        let model = match existing.parts.iter().find(of_model) {
            // The identity as recorded, so that its run is found again.
            Some(recorded) => recorded.model.clone(),
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

    /// Lists the missing shards, with the inputs of unfinished ones.
    fn describe_missing(&self) -> String {
        let describe = |index: u32| {
            let part = self.parts.iter().find(|part| part.shards.contains(&index));
            match part {
                Some(part) => format!("{index} ({} is unfinished)", part.input.display()),
                None => index.to_string(),
            }
        };
        let all: Vec<String> = self.missing.iter().copied().map(describe).collect();
        all.join(", ")
    }

    /// The runs of its parts.
    fn inputs(&self) -> Vec<MergeInput> {
        let inputs = self.parts.iter().map(|part| MergeInput {
            path: part.store.clone(),
            run: part.run,
        });
        inputs.collect()
    }

    fn of(&self) -> u32 {
        self.parts.first().map_or(0, |part| part.of)
    }
}

/// The run in OUT before the merge.
#[derive(Default)]
struct ExistingRun {
    parts: Vec<Part>,
    /// Models whose run there is complete.
    complete: Vec<ModelIdentity>,
}

/// The part with the settings of the whole run: one begun by version 0.1.0 if any, since a run keeps
/// its split rule.
fn first_of(inputs: &[Vec<Part>]) -> Option<&Part> {
    let mut parts = inputs.iter().flatten();
    let old = parts.clone().find(|part| part.is_under_old_rule());
    old.or_else(|| parts.next())
}

/// Reads the run in OUT; fails if OUT holds a merge of another run.
fn existing_run(out: &Path, store: &Path, inputs: &[Vec<Part>]) -> Result<ExistingRun, Failure> {
    let mut existing = ExistingRun::default();
    let Some(first) = first_of(inputs) else {
        return Ok(existing);
    };
    if !store.is_file() {
        return Ok(existing);
    }
    for run in Reader::open(store)?.runs()? {
        let settings = run.settings.run();
        if settings.is_none_or(|settings| settings.merged.is_none()) {
            if run.finished_at.is_some() && settings == Some(&first.settings) {
                existing.complete.push(run.model);
            }
            continue;
        }
        let Some(part) = Part::of(out, store, &run) else {
            continue;
        };
        parts::same_run(first, &part)?;
        if run.finished_at.is_some() {
            existing.complete.push(run.model);
        }
        existing.parts.push(part);
    }
    let models: Vec<Vec<Part>> = inputs
        .iter()
        .cloned()
        .chain([existing.parts.clone()])
        .collect();
    parts::models(&models)?;
    Ok(existing)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    matches!((real(one), real(other)), (Some(a), Some(b)) if a == b)
}

/// Fails with the names of all missing shards.
fn check_missing(wholes: &[WholeModel]) -> Result<(), Failure> {
    let missing: Vec<&WholeModel> = wholes
        .iter()
        .filter(|whole| !whole.missing.is_empty())
        .collect();
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
            "run them, such as with --shard {index}/{}, which asks only unanswered questions; or \
             merge without them by --allow-missing",
            first.of()
        ))
        .kind(Kind::Unfinished))
}

/// Writes the whole run and its results.
fn write_all(
    merge: &MergeSettings,
    wholes: &[WholeModel],
    settings: &RunSettings,
    texts: &Texts,
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
        .filter(|(_, strategy)| is_whole(strategy, settings))
        .map(|(task, _)| settings.task(&task.id).map_or(0, |task| task.questions))
        .collect();
    let questions = expected.iter().sum::<usize>() * wholes.len();
    let folder = folder::prepare(&merge.out, questions)?;
    folder.check_results()?;
    let mut store = Store::open(&folder.store)?;
    let mut models = Vec::new();
    let mut unfound = BTreeSet::new();
    let mut runs = Vec::with_capacity(wholes.len());
    for whole in wholes {
        runs.push(write(&mut store, whole, settings, watch)?);
    }
    if settings.judge.is_some() {
        let inputs = wholes.iter().map(WholeModel::inputs);
        let judged: Vec<_> = runs.iter().copied().zip(inputs).collect();
        store.merge_judged(&judged)?;
    }
    for (whole, run) in wholes.iter().zip(runs) {
        let mut model = figures::of_groups(
            &folder.store,
            run,
            &whole.model,
            &groups,
            &settings.evaluation,
            None,
        )?;
        let reader = Reader::open(&folder.store)?;
        let written = reader.run(run)?;
        let groups = &mut model.groups;
        unfound.extend(add_open_figures(
            groups,
            &reader,
            &written,
            &settings.evaluation,
            texts,
        )?);
        for part in &whole.parts {
            let files = ResultsFiles::beside(&part.store);
            for group in &mut model.groups {
                let cut = files.cut_prompts(part.run, &group.task, &group.strategy);
                group.cut_prompts = group.cut_prompts.or(cut);
            }
        }
        complete_result(&mut model, whole, settings, &expected);
        if model.complete && written.finished_at.is_none() {
            store.finish_run(run)?;
        }
        models.push(model);
    }
    let results = figures::results(settings.clone(), models, provenance(merge.command.clone()));
    figures::write(&folder, &results).inspect_err(|_| watch.unsaved(&results))?;
    Ok(Some(Outcome {
        stops: vec![None; results.models.len()],
        results,
        folder,
        interrupted: false,
        unfound: unfound.into_iter().collect(),
    }))
}

/// Writes one model's parts to the store; returns the run's id.
fn write(
    store: &mut Store,
    whole: &WholeModel,
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
    let merged = store.merge_runs(run, first.groups.len(), &whole.inputs())?;
    store.settle_copies(run)?;
    store.amend_record(run, &parts::record(settings, &whole.held, whole.of()))?;
    watch.note(&format!(
        "{}: {} of {} shards, {}",
        whole.model.name,
        whole.held.len(),
        whole.of(),
        counted(merged.changed as usize, "new question")
    ));
    if merged.differing > 0 {
        watch.note(&format!(
            "note: {}: {} with other scores in a second input; keeping those of the first",
            whole.model.name,
            counted(merged.differing as usize, "question")
        ));
    }
    Ok(run)
}

/// Whether all questions were asked in this group, and not only those that the letters' prior takes.
fn is_whole(strategy: &str, settings: &RunSettings) -> bool {
    let is_part = matches!(settings.orders, Some(Orders::Auto { .. }))
        && matches!(OrderOf::split(strategy).1, OrderOf::Number(_));
    !is_part
}

/// Sets completeness and timing, and notes missing questions.
fn complete_result(
    model: &mut ModelResult,
    whole: &WholeModel,
    settings: &RunSettings,
    expected: &[usize],
) {
    let groups = model.asked_groups();
    let groups = groups.filter(|group| is_whole(&group.strategy, settings));
    let present: usize = groups.map(|group| group.planned).sum();
    model.timing.cached = model.asked_groups().map(|group| group.answered).sum();
    let all: usize = expected.iter().sum();
    model.complete = present == all && not_asked(model) == 0;
    if !model.complete {
        let missing = all.saturating_sub(present) + not_asked(model);
        let mut text = format!("{missing} of the run's {all} questions are missing");
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

/// The number of questions that no shard asked.
fn not_asked(model: &ModelResult) -> usize {
    let unasked = model
        .asked_groups()
        .filter_map(|group| group.failures.get(figures::NOT_ASKED));
    unasked.map(|failures| failures.count).sum()
}
