//! `sureness import`: imports evaluations from other tools into a store.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use sureness_analysis::number::{count, counted};
use sureness_bench::{Failure, ModelImport, import};
use sureness_importers::{Imported, Options};
use sureness_store::ImportOutcome;

use crate::args::import::ImportArgs;
use crate::show::terminal;

/// Runs the command.
pub(super) fn run(args: ImportArgs) -> Result<ExitCode, Failure> {
    let options = Options {
        format: args.format.0,
        questions: args.questions,
        model: args.model,
        task: args.task,
        strategy: args.strategy,
        drop_ids: args.drop_ids.map(|ids| drop_ids(&ids)),
    };
    let models = import(&args.paths, &options, &args.output_dir)?;
    show(&models, &terminal::quoted(&args.output_dir))?;
    Ok(ExitCode::SUCCESS)
}

fn drop_ids(ids: &[String]) -> HashSet<String> {
    let ids = ids.iter().map(|id| id.trim());
    ids.filter(|id| *id != "none" && !id.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Prints a table of the imports, then notes and warnings.
fn show(models: &[ModelImport], folder: &str) -> Result<(), Failure> {
    let head = [
        "model",
        "task",
        "strategy",
        "questions",
        "answered",
        "accuracy",
        "in file",
        "run",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    for ModelImport { groups, outcome } in models {
        for import in groups {
            rows.push(vec![
                import.model.name.clone(),
                import.task.clone(),
                import.strategy.clone(),
                count(import.rows.len()),
                count(import.answered()),
                import.accuracy().map(percent).unwrap_or_default(),
                import
                    .check
                    .as_ref()
                    .map(|check| percent(check.theirs))
                    .unwrap_or_default(),
                outcome.run().to_string(),
            ]);
        }
    }
    terminal::print(&terminal::columns(rows, &[3, 4, 5, 6, 7]))?;
    let imports = models.iter().flat_map(|model| &model.groups);
    print_notes(imports.clone());
    imports.for_each(print_warnings);
    for ModelImport { groups, outcome } in models {
        let name = groups.first().map_or("", |import| &import.model.name);
        match outcome {
            ImportOutcome::New { .. } => {}
            ImportOutcome::Added { run, groups } => {
                eprintln!(
                    "note: {name}: added {} to run {run}",
                    counted(*groups, "group")
                );
            }
            ImportOutcome::Known { run } => {
                eprintln!("note: {name}: already imported as run {run}; nothing was written");
            }
        }
    }
    eprintln!("Next: sureness analyze {folder}");
    Ok(())
}

/// Prints each note once, with the first import that it is about and the number of the others.
fn print_notes<'a>(imports: impl Iterator<Item = &'a Imported>) {
    let mut notes: Vec<(&str, Vec<String>)> = Vec::new();
    for import in imports {
        for note in &import.notes {
            match notes.iter_mut().find(|(text, _)| text == note) {
                Some((_, names)) => names.push(name_of(import)),
                None => notes.push((note, vec![name_of(import)])),
            }
        }
    }
    for (note, names) in notes {
        match &names[..] {
            [] => {}
            [one] => eprintln!("note: {one}: {note}"),
            [first, others @ ..] => eprintln!(
                "note: {first} and {}: {note}",
                counted(others.len(), "other group")
            ),
        }
    }
}

fn name_of(import: &Imported) -> String {
    format!(
        "{}, {}, {}",
        import.model.name, import.task, import.strategy
    )
}

/// Prints warnings about one import.
fn print_warnings(import: &Imported) {
    let name = name_of(import);
    let mut reasons: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for row in &import.rows {
        if let Err(error) = &row.scores {
            let example = || (0, format!("{}: {error}", row.question.id));
            reasons.entry(error.kind()).or_insert_with(example).0 += 1;
        }
    }
    for (failed, example) in reasons.values() {
        let failed = counted(*failed, "question");
        eprintln!("warning: {name}: {failed} have no answer, such as {example}");
    }
    if let Some(check) = import.check.as_ref().filter(|check| !check.agrees()) {
        let first = match &check.first_difference {
            Some(id) => format!("; the first question that differs is {id}"),
            None => String::new(),
        };
        eprintln!(
            "warning: {name}: the accuracy is {:.2} % here and {:.2} % in the file{first}",
            check.ours * 100.0,
            check.theirs * 100.0
        );
    }
}
