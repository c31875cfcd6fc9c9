//! Groups whose APS sets are full, or hang on rounding, and why.

use sureness_conformal::{
    Nonconformity, Protocol, Scheme, Scores, calibrate, predict, set_metrics,
};

use crate::figures::{Figures, GroupFigures};
use crate::text::list;

/// One sentence for all groups whose APS threshold is the sum down to the last option.
pub(crate) fn sentences(figures: &Figures<'_>) -> Vec<String> {
    let groups = || {
        figures.models.iter().flat_map(|model| {
            model
                .groups
                .iter()
                .map(move |group| (&*model.model.name, group))
        })
    };
    let place = |(name, group): &(&str, &GroupFigures<'_>)| {
        format!("{name} {}/{}", group.rows.id.task, group.rows.id.strategy)
    };
    let mut sentences = Vec::new();
    match figures.settings.config.protocol {
        Protocol::Standard => {
            let full: Vec<_> = groups()
                .filter(|(_, group)| group.aps().qhat.is_some() && are_full(group))
                .collect();
            if !full.is_empty() {
                let each: Vec<String> = full
                    .iter()
                    .map(|of| {
                        let (coverage, size) = randomized(figures, of.1);
                        format!(
                            "{} (aps-randomized: {size:.2} options, coverage {:.1} %)",
                            place(of),
                            coverage * 100.0
                        )
                    })
                    .collect();
                sentences.push(format!(
                    "Every APS set is full in {}: the right option is ranked last more often than the error rate allows, so that the threshold is the sum of all options, 1.",
                    list(&each)
                ));
            }
        }
        Protocol::Paper => {
            let near: Vec<String> = groups()
                .filter(|(_, group)| group.evaluation.aps_is_within_rounding())
                .map(|of| place(&of))
                .collect();
            if !near.is_empty() {
                sentences.push(format!(
                    "In {} the APS threshold is within float32 rounding of 1, where the published script's sums differ by rounding: set sizes and coverage there are decided by it. The standard protocol avoids this.",
                    list(&near)
                ));
            }
        }
    }
    sentences
}

/// Whether every APS set holds every option.
fn are_full(group: &GroupFigures<'_>) -> bool {
    let (table, sets) = (&group.rows.table, &group.aps().sets);
    let mut rows = group.split.test.iter().zip(sets);
    rows.all(|(&row, set)| set.len() == table.row(row).logits.len())
}

/// Coverage and mean set size of a group by APS with randomisation.
fn randomized(figures: &Figures<'_>, group: &GroupFigures<'_>) -> (f64, f64) {
    let (table, alpha) = (&group.rows.table, figures.settings.config.alpha);
    let scores = Scores::of(
        table,
        Nonconformity::ApsRandomized,
        &figures.settings.view(),
    );
    let calibration = &group.split.calibration;
    let calibrated = calibrate(&scores, table, calibration, alpha, Scheme::Split);
    let sets = predict(&calibrated, &scores, table, &group.split.test);
    let metrics = set_metrics(&sets, &scores, table, calibration, alpha);
    (metrics.coverage, metrics.set_size)
}
