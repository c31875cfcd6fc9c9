//! How far chance moves the figures about confidence.

use serde::{Deserialize, Serialize};

use super::calibration::{edge, squared_distance, surprise};
use super::visit;
use crate::inference::{BootstrapInterval, Resampling, bootstrap_clusters_each};
use crate::{Table, View};

/// Intervals of the figures of [`super::CalibrationErrors`] and [`super::Selective`], all from the
/// same replicates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceIntervals {
    /// Expected calibration error over bins of equal width. Drawing rows anew makes bins noisier,
    /// and so the error larger: the percentile interval lies too high, and may not even hold the
    /// figure. BCa corrects most of that.
    pub ece: BootstrapInterval,
    /// Brier score.
    pub brier: BootstrapInterval,
    /// Log loss, in nats.
    pub log_loss: BootstrapInterval,
    /// Area under the risk-coverage curve.
    pub aurc: BootstrapInterval,
    /// Area under the ROC curve; `None` where all answers are right or all wrong.
    pub auroc: Option<BootstrapInterval>,
}

/// One row, with all that the figures need of it.
struct Scored {
    confidence: f64,
    correct: bool,
    brier: f64,
    log_loss: f64,
    bin: usize,
}

/// Intervals over `rows` of `table`, whose clusters are drawn whole, with the ECE over `bins` bins. `None` for no rows, or a
/// temperature that is not above 0.
///
/// Rows are sorted once; a replicate then takes one pass over how often each was drawn.
pub fn confidence_intervals(
    table: &Table,
    rows: &[usize],
    view: &View,
    bins: usize,
    resampling: &Resampling,
) -> Option<ConfidenceIntervals> {
    let bins = bins.max(1);
    let mut scored = Vec::with_capacity(rows.len());
    visit(table, rows, view, |row, probabilities, answer| {
        let inside = |i: &usize| answer.confidence <= edge(i + 1, bins);
        scored.push(Scored {
            confidence: answer.confidence,
            correct: answer.correct,
            brier: squared_distance(probabilities, row.answer),
            log_loss: surprise(row.logits, row.answer, view.temperature),
            bin: (0..bins).find(inside).unwrap_or(bins - 1),
        });
    })?;
    let mut scored: Vec<(Scored, [u8; 32])> = scored
        .into_iter()
        .zip(rows.iter().map(|&row| table.clusters()[row]))
        .collect();
    scored.sort_by(|(a, _), (b, _)| b.confidence.total_cmp(&a.confidence));
    let (scored, clusters): (Vec<Scored>, Vec<[u8; 32]>) = scored.into_iter().unzip();
    let [ece, brier, log_loss, area, auroc] =
        bootstrap_clusters_each(&clusters, resampling, |rows| {
            let mut drawn = vec![0_u32; scored.len()];
            for &row in rows {
                drawn[row] += 1;
            }
            figures(&scored, &drawn, bins)
        });
    Some(ConfidenceIntervals {
        ece: ece?,
        brier: brier?,
        log_loss: log_loss?,
        aurc: area?,
        auroc,
    })
}

/// ECE, Brier score, log loss, AURC and AUROC (NaN where it is not defined) of `scored`, in
/// descending order of confidence, each as often as it was `drawn`.
fn figures(scored: &[Scored], drawn: &[u32], bins: usize) -> [f64; 5] {
    let (mut brier, mut log_loss) = (0.0, 0.0);
    // Of each bin, confidence less correctness.
    let mut gaps = vec![0.0; bins];
    let (mut right, mut wrong, mut above, mut area) = (0.0, 0.0, 0.0, 0.0);
    let mut start = 0;
    for equal in scored.chunk_by(|a, b| a.confidence.total_cmp(&b.confidence).is_eq()) {
        let (mut right_here, mut wrong_here) = (0.0, 0.0);
        for (row, &times) in equal.iter().zip(&drawn[start..]) {
            let times = f64::from(times);
            brier += times * row.brier;
            log_loss += times * row.log_loss;
            gaps[row.bin] += times * (row.confidence - f64::from(u8::from(row.correct)));
            *(if row.correct {
                &mut right_here
            } else {
                &mut wrong_here
            }) += times;
        }
        start += equal.len();
        above += wrong_here * (2.0 * right + right_here);
        let (kept, here) = (right + wrong, right_here + wrong_here);
        // The mean risk over all orders of the equals.
        for i in 1..=here as usize {
            let i = i as f64;
            area += (wrong + wrong_here * i / here) / (kept + i);
        }
        right += right_here;
        wrong += wrong_here;
    }
    let n = right + wrong;
    let ece = gaps.iter().map(|gap| gap.abs()).sum::<f64>();
    [
        ece / n,
        brier / n,
        log_loss / n,
        area / n,
        above / (2.0 * right * wrong),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, table};
    use super::super::{calibration_errors, selective};
    use super::*;
    use proptest::prelude::*;

    fn resampling(replicates: usize) -> Resampling {
        Resampling {
            replicates,
            ..Resampling::default()
        }
    }

    #[test]
    fn defined_at_the_edges() {
        let right = table(&[(&[0.6, 0.4], 0), (&[0.3, 0.7], 1)]);
        let of = |rows: &[usize]| {
            confidence_intervals(&right, rows, &View::default(), 15, &resampling(50))
        };
        assert!(of(&[]).is_none());
        for rows in [vec![0], vec![0, 1]] {
            let intervals = of(&rows).unwrap();
            assert_eq!(intervals.auroc, None);
            assert!(intervals.aurc.se < 1e-15);
            assert!(intervals.ece.bca.0.is_finite());
        }
    }

    proptest! {
        #[test]
        fn figures_are_those_of_the_rows_drawn(
            rows in prop::collection::vec((1_u8..20, 1_u8..20, any::<bool>(), 0_u32..3), 1..40),
        ) {
            let probabilities: Vec<[f64; 2]> = rows
                .iter()
                .map(|row| [f64::from(row.0), f64::from(row.1) + 0.5])
                .map(|[a, b]| [a / (a + b), b / (a + b)])
                .collect();
            let each: Vec<(&[f64], usize)> = probabilities
                .iter()
                .zip(&rows)
                .map(|(p, row)| (&p[..], usize::from(row.2)))
                .collect();
            let table = table(&each);
            let drawn: Vec<usize> = rows
                .iter()
                .enumerate()
                .flat_map(|(i, row)| vec![i; row.3 as usize])
                .collect();
            prop_assume!(!drawn.is_empty());
            let view = View::default();

            let mut scored: Vec<(Scored, u32)> = Vec::new();
            visit(&table, &all(&table), &view, |row, p, answer| {
                let bin = (0..7).find(|&i| answer.confidence <= edge(i + 1, 7)).unwrap_or(6);
                scored.push((
                    Scored {
                        confidence: answer.confidence,
                        correct: answer.correct,
                        brier: squared_distance(p, row.answer),
                        log_loss: surprise(row.logits, row.answer, 1.0),
                        bin,
                    },
                    rows[scored.len()].3,
                ));
            });
            scored.sort_by(|a, b| b.0.confidence.total_cmp(&a.0.confidence));
            let (scored, counts): (Vec<Scored>, Vec<u32>) = scored.into_iter().unzip();
            let [ece, brier, log_loss, area, auroc] = figures(&scored, &counts, 7);

            let errors = calibration_errors(&table, &drawn, &view, 7).unwrap();
            let selective = selective(&table, &drawn, &view).unwrap();
            prop_assert!((ece - errors.ece).abs() < 1e-12);
            prop_assert!((brier - errors.brier).abs() < 1e-12);
            prop_assert!((log_loss - errors.log_loss).abs() < 1e-12);
            prop_assert!((area - selective.aurc).abs() < 1e-12);
            match selective.auroc {
                Some(expected) => prop_assert!((auroc - expected).abs() < 1e-12),
                None => prop_assert!(auroc.is_nan()),
            }
        }
    }
}
