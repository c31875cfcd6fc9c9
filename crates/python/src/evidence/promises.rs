//! Answering with a promise about wrong answers.

use serde::Serialize;
use sureness_analysis::Evidence;
use sureness_bench::Failure;
use sureness_conformal::{Config, Promises, View, confidence_grid, split_of, sure_answers};

/// The promises of one group.
#[derive(Serialize)]
pub(super) struct OfGroup<'a> {
    model: &'a str,
    task: &'a str,
    strategy: &'a str,
    #[serde(flatten)]
    promises: Promises,
}

/// Sets rules with at most a share `wrong` of wrong answers on the calibration questions of each
/// group, and applies them to the test questions.
pub(super) fn of<'a>(
    evidence: &'a Evidence,
    config: &Config,
    wrong: f64,
) -> Result<Vec<OfGroup<'a>>, Failure> {
    if !(wrong > 0.0 && wrong < 1.0) {
        return Err(Failure::new(format_args!(
            "wrong is {wrong}, but must lie between 0 and 1"
        ))
        .hint("give the share of wrong answers to allow, such as 0.05"));
    }
    let view = View {
        protocol: config.protocol,
        seed: config.seed,
        covers: config.covers,
        ..View::default()
    };
    let mut found = Vec::new();
    for model in &evidence.models {
        for group in &model.groups {
            let table = &group.table;
            let split = split_of(table, config).map_err(|error| {
                Failure::new(format_args!("{}: {error}", model.name))
                    .hint("give more answered questions, or change calibration_ratio")
            })?;
            let answers = |rows: &[usize]| sure_answers(table, rows, &view).unwrap_or_default();
            let grid = confidence_grid();
            let promises = Promises::of(
                &answers(&split.calibration),
                &answers(&split.test),
                wrong,
                &grid,
            );
            found.push(OfGroup {
                model: &model.name,
                task: &group.id.task,
                strategy: &group.id.strategy,
                promises,
            });
        }
    }
    Ok(found)
}
