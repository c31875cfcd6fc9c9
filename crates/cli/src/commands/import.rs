//! `sureness import`: evaluations of other tools into a store.

use std::collections::HashSet;
use std::process::ExitCode;

use sureness_analysis::number::{count, counted};
use sureness_bench::{Failure, Import, ModelImport, import};
use sureness_importers::{Imported, Options};
use sureness_store::ImportOutcome;

use crate::args::import::ImportArgs;
use crate::show::terminal;

/// Runs the command.
pub(super) fn run(args: ImportArgs) -> Result<ExitCode, Failure> {
    let options = Options {
        format: args.format.0,
        questions: args.questions,
        any_questions: args.any_questions,
        model: args.model,
        task: args.task,
        strategy: args.strategy,
        drop_ids: args.drop_ids.map(|ids| drop_ids(&ids)),
        tasks: args.tasks,
        skip: args.skip,
        normalise: args.normalise,
    };
    let import = import(&args.paths, &options, &args.output_dir)?;
    show(&import, &terminal::quoted(&args.output_dir))?;
    Ok(ExitCode::SUCCESS)
}

fn drop_ids(ids: &[String]) -> HashSet<String> {
    let ids = ids.iter().map(|id| id.trim());
    ids.filter(|id| *id != "none" && !id.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Prints a table of the imports, then notes and warnings.
fn show(import: &Import, folder: &str) -> Result<(), Failure> {
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
    for ModelImport { groups, outcome } in &import.models {
        rows.extend(groups.iter().map(|group| row(group, outcome.run())));
    }
    terminal::print(&terminal::columns(rows, &[3, 4, 5, 6, 7]))?;
    for note in &import.notes {
        eprintln!("note: {note}");
    }
    let groups = || import.models.iter().flat_map(|model| &model.groups);
    print_notes(groups().map(|group| (group, &*group.notes)));
    for warning in &import.warnings {
        eprintln!("warning: {warning}");
    }
    for doubt in import.doubts() {
        eprintln!("warning: {doubt}");
    }
    for ModelImport { groups, outcome } in &import.models {
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

fn row(import: &Imported, run: i64) -> Vec<String> {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let questions = count(import.rows.len());
    let questions = match import.planned {
        Some(planned) => format!("{questions} of {}", count(planned)),
        None => questions,
    };
    let in_file = import
        .check
        .as_ref()
        .map(|check| format!("{}{}", percent(check.theirs), check.rule()));
    vec![
        import.model.name.clone(),
        import.task.clone(),
        import.strategy.clone(),
        questions,
        count(import.answered()),
        import.accuracy().map(percent).unwrap_or_default(),
        in_file.unwrap_or_default(),
        run.to_string(),
    ]
}

/// Prints each note once, with the imports that it is about.
fn print_notes<'a>(notes: impl Iterator<Item = (&'a Imported, &'a [String])>) {
    let mut about: Vec<(&str, Vec<&Imported>)> = Vec::new();
    for (import, texts) in notes {
        for text in texts {
            match about.iter_mut().find(|(other, _)| other == text) {
                Some((_, imports)) => imports.push(import),
                None => about.push((text, vec![import])),
            }
        }
    }
    for (text, imports) in about {
        let Some((first, others)) = imports.split_first() else {
            continue;
        };
        let others = match others.len() {
            0 => String::new(),
            1 => " and 1 other".to_owned(),
            n => format!(" and {n} others"),
        };
        eprintln!("note: {first}{others}: {text}");
    }
}
