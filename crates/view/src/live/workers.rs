//! The workers on other machines, as a table.

use sureness_analysis::number::counted;
use sureness_analysis::{Cell, Column, Section, Table, Unit};
use sureness_bench::live::Worker;

/// One row per worker.
pub(super) fn section(workers: &[Worker]) -> Section {
    let row = |worker: &Worker| {
        vec![
            Cell::text(&worker.name),
            Cell::text(&worker.model),
            Cell::figure(worker.per_second),
            Cell::count(worker.answered as usize),
            Cell::count(worker.failed as usize),
            Cell::count(worker.holds),
            Cell::text(format!("{:.0} s ago", worker.heard_s)),
        ]
    };
    Section {
        id: "workers".into(),
        title: counted(workers.len(), "worker"),
        tables: vec![Table {
            id: "workers".into(),
            columns: vec![
                Column::text("worker", "Worker"),
                Column::text("model", "Model"),
                Column::new("rate", "Answers a second", Unit::Number(1)),
                Column::new("answered", "Answered", Unit::Count),
                Column::new("failed", "Failed", Unit::Count),
                Column::new("holds", "Holds", Unit::Count),
                Column::text("heard", "Heard"),
            ],
            rows: workers.iter().map(row).collect(),
            ..Table::default()
        }],
        ..Section::default()
    }
}
