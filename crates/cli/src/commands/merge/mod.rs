//! `sureness merge`: shards become the run that they are parts of.

mod parts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use sureness_questions::Task;
use sureness_record::{RunRecord, RunSettings};
use sureness_report::{ModelResult, Results};
use sureness_scorers::ModelIdentity;
use sureness_store::{MergeInput, Reader, Store, StoreError};

use super::data::named_task;
use super::values::share;
use crate::error::{CliError, EXIT_FAILED_QUESTIONS};
use crate::session::{results, room};
use crate::terminal;
use parts::Part;

/// Flags of the merge.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Folder for the whole run; shards that it holds already stay
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// The shards' output folders, or folders that hold them
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// Merge what is there, even if some of the shards are missing or have not ended
    #[arg(long)]
    allow_missing: bool,
    /// Share of failed questions up to which a run counts as done
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    allowed_failures: f64,
    /// Show every strategy in the table
    #[arg(long, short)]
    verbose: bool,
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

/// Checks that everything belongs together and is there; then merges and evaluates.
pub(crate) fn run(args: &MergeArgs) -> Result<ExitCode, CliError> {
    let mut folders = Vec::new();
    for input in &args.inputs {
        folders.extend(parts::folders(input)?);
    }
    let store = args.out.join(room::STORE);
    let mut notes = Vec::new();
    let mut inputs = Vec::new();
    for folder in &folders {
        if is_same_file(&parts::store_of(folder), &store) {
            return Err(CliError::input(format!(
                "{} is to be written to, and is one of the inputs",
                args.out.display()
            ))
            .hint("choose another OUT; what it holds already need not be named again"));
        }
        inputs.push(parts::read(folder, &mut notes)?);
    }
    for note in notes {
        eprintln!("note: {note}");
    }
    inputs.retain(|parts| !parts.is_empty());
    let models = parts::models(&inputs)?;
    let before = held_before(&args.out, &store, &inputs)?;
    let wholes: Vec<Whole> = models
        .iter()
        .map(|model| Whole::new(model, &inputs, &before))
        .collect();
    if !args.allow_missing {
        check_missing(&wholes)?;
    }
    // As they were written down, so that the run is found again.
    let Some(earlier) = before.parts.first().or(first_of(&inputs)) else {
        return Ok(ExitCode::SUCCESS);
    };
    merge(args, &wholes, &earlier.settings)
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
fn held_before(out: &Path, store: &Path, inputs: &[Vec<Part>]) -> Result<Before, CliError> {
    let mut before = Before::default();
    let Some(first) = first_of(inputs) else {
        return Ok(before);
    };
    if !store.is_file() {
        return Ok(before);
    }
    let failed = |e: StoreError| CliError::input(&e).hint(e.hint());
    let runs = Reader::open(store).and_then(|reader| reader.runs());
    for run in runs.map_err(failed)? {
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
fn check_missing(wholes: &[Whole]) -> Result<(), CliError> {
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
    Err(CliError::input(all.join("; "))
        .hint(format!(
            "run them (again), such as with --shard {index}/{}: it asks only what is not answered; \
             or merge what is there with --allow-missing",
            first.of()
        ))
        .code(EXIT_FAILED_QUESTIONS))
}

/// Writes the whole run and its figures.
fn merge(args: &MergeArgs, wholes: &[Whole], settings: &RunSettings) -> Result<ExitCode, CliError> {
    let Some(first) = wholes.first().and_then(|whole| whole.parts.first()) else {
        return Ok(ExitCode::SUCCESS);
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
    let folder = room::prepare(&args.out, questions)?;
    let failed = |e: StoreError| CliError::input(&e).hint(e.hint());
    let mut store = Store::open(&folder.store).map_err(failed)?;
    let mut models = Vec::new();
    for whole in wholes {
        let run = write(&mut store, whole, settings).map_err(failed)?;
        let mut model = results::of_groups(
            &folder.store,
            run,
            &whole.model,
            &groups,
            &settings.evaluation,
        )?;
        conclude(&mut model, whole, &expected);
        if model.complete {
            let finished = Reader::open(&folder.store).and_then(|reader| reader.run(run));
            if finished.map_err(failed)?.finished_at.is_none() {
                store.finish_run(run).map_err(failed)?;
            }
        }
        models.push(model);
    }
    let all = Results {
        version: 1,
        program: concat!("sureness ", env!("CARGO_PKG_VERSION")).to_owned(),
        settings: settings.clone(),
        models,
    };
    results::write(&folder, &all).inspect_err(|_| results::show(&all, args.verbose))?;
    results::show(&all, args.verbose);
    eprintln!("Results: {}", folder.json.display());
    for model in &all.models {
        results::check_failures(&without_unasked(model), args.allowed_failures)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts one model's parts into the store; the run's number.
fn write(store: &mut Store, whole: &Whole, settings: &RunSettings) -> Result<i64, StoreError> {
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
    eprintln!(
        "{}: {} of {} shards, {} questions are new here",
        whole.model.name,
        whole.held.len(),
        whole.of(),
        terminal::count(merged.changed as usize)
    );
    if merged.differing > 0 {
        eprintln!(
            "note: {}: {} questions have other scores in a second input; the first one's are kept",
            whole.model.name,
            terminal::count(merged.differing as usize)
        );
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
        .filter_map(|group| group.failures.get(results::NOT_ASKED));
    unasked.map(|failures| failures.count).sum()
}

/// The model with the questions alone that were asked: that others were not is said elsewhere.
fn without_unasked(model: &ModelResult) -> ModelResult {
    let mut model = model.clone();
    for group in &mut model.groups {
        if let Some(unasked) = group.failures.remove(results::NOT_ASKED) {
            group.planned -= unasked.count;
        }
    }
    model
}
