//! `sureness runs`: lists the runs in output folders.

use std::process::ExitCode;

use sureness_analysis::number::count;
use sureness_analysis::{Cell, Column, Section, Table, Unit};
use sureness_bench::Failure;
use sureness_bench::runs::{RunEntry, list};
use sureness_report::export;

use crate::args::runs::RunsArgs;
use crate::show::terminal;

/// Prints the runs, oldest first.
pub(super) fn run(args: &RunsArgs) -> Result<ExitCode, Failure> {
    let runs = list(&args.folders)?;
    args.output.print(&runs, |runs| text(runs))?;
    Ok(ExitCode::SUCCESS)
}

fn text(runs: &[RunEntry]) -> String {
    if runs.is_empty() {
        return "No runs yet.\n".to_owned();
    }
    let mut section = Section {
        tables: vec![table(runs)],
        ..Section::default()
    };
    if runs.iter().any(|run| run.state().len() > 1) {
        section.notes.push(
            "unfinished runs and shards have the figures of the answers so far; full sets say \
             nothing about a model: there were too few calibration questions."
                .to_owned(),
        );
    }
    if runs.iter().any(|run| !run.doubts.is_empty()) {
        section.notes.push(
            "the figures of runs with improbable letters or cut prompts are doubtful; `sureness \
             analyze` says why."
                .to_owned(),
        );
    }
    export::section_text(&section, terminal::width())
}

/// The state, with the answers where some are missing.
fn state(run: &RunEntry) -> String {
    let mut state = run.state().join(", ");
    if run.answered < run.planned {
        let (answered, planned) = (count(run.answered), count(run.planned));
        state.push_str(&format!(", {answered} of {planned} answered"));
    }
    state
}

/// `60`, `60 × 3` in three prompt strategies, or `115 (165 prompts)` where some questions were asked
/// in fewer of them.
fn questions(run: &RunEntry) -> String {
    let questions = count(run.questions);
    match run.strategies.len() {
        0 | 1 => questions,
        strategies if run.questions * strategies == run.planned => {
            format!("{questions} × {strategies}")
        }
        _ => format!("{questions} ({} prompts)", count(run.planned)),
    }
}

fn table(runs: &[RunEntry]) -> Table {
    let rows = runs.iter().map(|run| {
        let mean = run.figures.as_ref();
        vec![
            Cell::text(&run.run),
            Cell::text(run.started_at.replace('T', " ").trim_end_matches('Z')),
            Cell::text(&run.model),
            Cell::text(state(run)),
            Cell::text(run.tasks.join(", ")),
            Cell::text(questions(run)),
            Cell::maybe(mean.map(|mean| mean.acc)),
            Cell::maybe(mean.map(|mean| mean.set_size)),
            Cell::maybe(mean.map(|mean| mean.coverage)),
            Cell::maybe(mean.map(|mean| mean.uacc)),
        ]
    });
    Table {
        columns: vec![
            Column::text("run", "Run"),
            Column::text("started", "Started (UTC)"),
            Column::text("model", "Model"),
            Column::text("state", "State"),
            Column::text("tasks", "Tasks"),
            Column::text("questions", "Questions"),
            Column::new("acc", "Acc", Unit::Percent),
            Column::new("set_size", "Set size", Unit::Number(2)),
            Column::new("coverage", "Coverage", Unit::Percent),
            Column::new("uacc", "UAcc", Unit::Percent),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}
