//! `results.csv`: one row per model, task and strategy.

use std::io::Write;

use crate::Results;
use crate::columns::{COLUMNS, cells};

/// The columns in front of the figures; a note stands behind them.
const NAMES: [&str; 6] = ["model", "task", "strategy", "planned", "answered", "failed"];

/// Writes all groups of all models; fractions, not percent; empty cells where there is no figure.
pub fn write_csv(results: &Results, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(NAMES.iter().chain(&COLUMNS).chain(&["note"]))?;
    for model in &results.models {
        for g in &model.groups {
            let failed: usize = g.failures.values().map(|f| f.count).sum();
            let names = [
                model.name.clone(),
                g.task.clone(),
                g.strategy.clone(),
                g.planned.to_string(),
                g.answered.to_string(),
                failed.to_string(),
            ];
            let figures = g.evaluation.as_ref().map(cells).unwrap_or_default();
            let note = [g.note.clone().unwrap_or_default()];
            writer.write_record(names.iter().chain(&figures).chain(&note))?;
        }
    }
    writer.flush()?;
    Ok(())
}
