//! Intervals of the figures about confidence, which hang on no threshold.

use rayon::prelude::*;
use sureness_conformal::{
    Resampling, RowDraws, View, calibration_errors, confidence_intervals, selective,
};

use super::Law;
use crate::rng::Rng;

pub(crate) const BINS: usize = 15;
const NAMES: [&str; 5] = ["ECE", "Brier", "log loss", "AURC", "AUROC"];

/// Share of samples of `n` test questions in which the interval of each figure holds its mean, among those
/// that have one; NaN where most have none.
pub(crate) fn confidence(
    law: &Law,
    n: usize,
    samples: usize,
    replicates: usize,
) -> Vec<(&'static str, f64)> {
    let view = View::default();
    let rows: Vec<usize> = (0..n).collect();
    let table = |seed: u64| {
        let mut rng = Rng(seed.wrapping_mul(0x2545_F491_4F6C_DD1D));
        rng.next();
        law.task(n, 0, &mut rng).swap_remove(0).swap_remove(0)
    };
    let mut truth = [0.0; 5];
    let truths: Vec<[f64; 5]> = (0..4000)
        .into_par_iter()
        .map(|seed| {
            let table = table(1_000_000_007 + seed);
            let errors = calibration_errors(&table, &rows, &view, BINS).unwrap();
            let selective = selective(&table, &rows, &view).unwrap();
            // Of a sample without a wrong answer, as if it had one that is doubted most.
            let auroc = selective.auroc.unwrap_or(1.0);
            [
                errors.ece,
                errors.brier,
                errors.log_loss,
                selective.aurc,
                auroc,
            ]
        })
        .collect();
    for figures in &truths {
        for (sum, figure) in truth.iter_mut().zip(figures) {
            *sum += figure / truths.len() as f64;
        }
    }
    let held: Vec<[Option<bool>; 5]> = (0..samples as u64)
        .into_par_iter()
        .map(|seed| {
            let resampling = Resampling {
                replicates,
                seed,
                ..Resampling::default()
            };
            let table = table(seed);
            let draws = RowDraws::new(table.clusters(), &resampling);
            let all = confidence_intervals(&table, &rows, &view, BINS, &draws).unwrap();
            // As analyses show it.
            let ece = (n >= 20 * BINS).then_some(all.ece);
            let intervals = [ece, all.brier, all.log_loss, all.aurc, all.auroc];
            std::array::from_fn(|figure| {
                let (low, high) = intervals[figure]?.ends();
                Some(low <= truth[figure] && truth[figure] <= high)
            })
        })
        .collect();
    let share = |figure: usize| {
        let known: Vec<bool> = held.iter().filter_map(|held| held[figure]).collect();
        // The few samples that have one where most have none are no samples of the law.
        if 2 * known.len() < samples {
            return f64::NAN;
        }
        known.iter().filter(|&&held| held).count() as f64 / known.len() as f64
    };
    (0..5)
        .map(|figure| (NAMES[figure], share(figure)))
        .collect()
}
