//! `results.csv`: one row per model, task and strategy.

use std::io::Write;

use sureness_conformal::SetSummary;

use crate::Results;

const HEADER: [&str; 20] = [
    "model",
    "task",
    "strategy",
    "planned",
    "answered",
    "failed",
    "n_calibration",
    "n_test",
    "acc",
    "e_rate",
    "f_rate",
    "lac_qhat",
    "lac_set_size",
    "lac_coverage",
    "lac_uacc",
    "aps_qhat",
    "aps_set_size",
    "aps_coverage",
    "aps_uacc",
    "note",
];

/// Writes all groups of all models; fractions, not percent; empty cells where there is no figure.
pub fn write_csv(results: &Results, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for model in &results.models {
        for g in &model.groups {
            let failed: usize = g.failures.values().sum();
            let mut row = vec![
                model.name.clone(),
                g.task.clone(),
                g.strategy.clone(),
                g.planned.to_string(),
                g.answered.to_string(),
                failed.to_string(),
            ];
            if let Some(e) = &g.evaluation {
                row.extend([e.n_calibration, e.n_test].map(|n| n.to_string()));
                row.extend([e.acc, e.e_rate, e.f_rate].map(|x| x.to_string()));
                row.extend(set_cells(&e.lac));
                row.extend(set_cells(&e.aps));
            } else {
                row.resize(HEADER.len() - 1, String::new());
            }
            row.push(g.note.clone().unwrap_or_default());
            writer.write_record(&row)?;
        }
    }
    writer.flush()?;
    Ok(())
}

fn set_cells(set: &SetSummary) -> [String; 4] {
    [
        set.qhat.map(|q| q.to_string()).unwrap_or_default(),
        set.set_size.to_string(),
        set.coverage.to_string(),
        set.uacc.to_string(),
    ]
}
