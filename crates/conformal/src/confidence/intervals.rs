//! Intervals of the figures about confidence.

use serde::{Deserialize, Serialize};

use super::calibration::{edge, squared_distance, surprisal};
use super::jackknife::{Jackknife, Scale, weigh};
use super::visit_answers;
use super::weighted::{FIGURES, Harmonic, Scored, Sorted};
use crate::inference::{Interval, Resampling, quantile, spread, tail};
use crate::{Table, View};

/// Intervals of the figures of [`super::CalibrationErrors`] and [`super::Selective`]: of the mean of
/// each figure over test sets of the same size from the same source.
///
/// All but that of the ECE are Student's on a scale where the figure is nearly normal, and missing where
/// fewer than [`super::MIN_CLUSTERS_OF_A_KIND`] clusters have a right or a wrong answer, where clusters are so
/// unequal that they say as much as fewer than [`crate::MIN_EFFECTIVE_CLUSTERS`] of one size, or where nearly
/// all answers have the same loss (Brier score, log loss) or confidence (AUROC).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceIntervals {
    /// Expected calibration error over bins of equal width, by [`centred`] replicates.
    pub ece: Interval,
    /// Brier score, on the scale of its logarithm.
    pub brier: Option<Interval>,
    /// Log loss, in nats, likewise.
    pub log_loss: Option<Interval>,
    /// Area under the risk-coverage curve, likewise.
    pub aurc: Option<Interval>,
    /// Area under the ROC curve, on the scale of its logit; missing, too, where it is 0 or 1.
    pub auroc: Option<Interval>,
}

/// How often each row of a test set occurs in each draw. Depends on the clusters alone, so that all
/// groups with the same questions share it.
#[derive(Debug, Clone)]
pub struct RowDraws {
    jackknife: Jackknife,
    /// By draw, then by cluster.
    drawn: Vec<Vec<u8>>,
    /// Share of draws beyond either end.
    tail: f64,
}

impl RowDraws {
    /// Draws of whole clusters, from the name of each row's cluster.
    pub fn new(clusters: &[[u8; 32]], resampling: &Resampling) -> Self {
        let jackknife = Jackknife::new(clusters, resampling.level);
        let clusters = jackknife.clusters();
        let replicates = 0..resampling.replicates.max(1);
        Self {
            drawn: replicates
                .map(|replicate| clusters.draw(resampling.seed, replicate))
                .collect(),
            tail: tail(resampling.level, clusters.len()),
            jackknife,
        }
    }
}

/// Intervals over `rows` of `table`, in the order of `draws`, with the ECE over `bins` bins. `None`
/// for no rows, or a temperature that is not above 0.
///
/// Sorts the rows once; a replicate is then one pass over their weights.
///
/// # Panics
/// If `draws` has fewer rows.
pub fn confidence_intervals(
    table: &Table,
    rows: &[usize],
    view: &View,
    bins: usize,
    draws: &RowDraws,
) -> Option<ConfidenceIntervals> {
    let bins = bins.max(1);
    let mut scored = Vec::with_capacity(rows.len());
    visit_answers(table, rows, view, |row, probabilities, answer| {
        let inside = |i: &usize| answer.confidence <= edge(i + 1, bins);
        scored.push(Scored {
            place: scored.len() as u32,
            confidence: answer.confidence,
            correct: answer.correct,
            brier: squared_distance(probabilities, row.right),
            log_loss: surprisal(row.logits, row.right, view.temperature),
            bin: (0..bins).find(inside).unwrap_or(bins - 1),
        });
    })?;
    scored.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let sorted = Sorted::of(&scored, bins);
    let jackknife = &draws.jackknife;
    // In the order of the sorted rows.
    let clusters = jackknife.clusters_of(&scored);
    let once = vec![1; scored.len()];
    let gaps = sorted.gaps(&once);
    let of_draw = |drawn: &Vec<u8>| sorted.gaps(&weigh(&clusters, drawn));
    let drawn_gaps: Vec<Vec<f64>> = draws.drawn.iter().map(of_draw).collect();
    let ece = centred(&gaps, &drawn_gaps, draws.tail);

    let mut intervals = [None; FIGURES];
    if let Some(rarer) = jackknife.rarer(&scored) {
        let mut harmonic = Harmonic::default();
        let figures = sorted.figures(&once, &mut harmonic);
        let left_out = jackknife.left_out().iter();
        let without: Vec<[f64; FIGURES]> = left_out
            .map(|left_out| sorted.figures(&weigh(&clusters, left_out), &mut harmonic))
            .collect();
        // The first two are means over all rows; the others hang on the rarer kind of answers.
        let all = jackknife.effective();
        let varied = |value: fn(&Scored) -> f64| jackknife.varied(&scored, value).and(all);
        let scales = [
            (Scale::Log { most: 2.0 }, varied(|row| row.brier)),
            (
                Scale::Log {
                    most: f64::INFINITY,
                },
                varied(|row| row.log_loss),
            ),
            (Scale::Log { most: 1.0 }, Some(rarer)),
            (Scale::Logit, jackknife.telling(&scored, rarer)),
        ];
        intervals = std::array::from_fn(|figure| {
            let (scale, units) = scales[figure];
            let without: Vec<f64> = without.iter().map(|figures| figures[figure]).collect();
            jackknife.interval(scale, figures[figure], &without, units?)
        });
    }
    let [brier, log_loss, risk, auroc] = intervals;
    Some(ConfidenceIntervals {
        ece,
        brier,
        log_loss,
        aurc: risk,
        auroc,
    })
}

/// The interval of a sum of absolute `gaps`, from `drawn` ones, with the share `tail` of the
/// replicates beyond either end.
///
/// Replicates of a gap are further from zero than the gap itself, so their sums are too large, and
/// percentiles cover the mean only where every gap is far from zero: in 60 to 72 % of the samples
/// of a well calibrated model. So each bin's replicates are moved to a bias-corrected gap, √(gap² −
/// variance). The deviations of the sums from their mean then estimate those of the observed sum.
fn centred(gaps: &[f64], drawn: &[Vec<f64>], tail: f64) -> Interval {
    let n = drawn.len() as f64;
    let shifts: Vec<f64> = gaps
        .iter()
        .enumerate()
        .map(|(bin, gap)| {
            let squares = drawn.iter().map(|drawn| (drawn[bin] - gap).powi(2));
            let variance = squares.sum::<f64>() / n;
            (gap * gap - variance).max(0.0).sqrt().copysign(*gap) - gap
        })
        .collect();
    let sum = |drawn: &Vec<f64>| {
        let moved = drawn.iter().zip(&shifts);
        moved.map(|(gap, shift)| (gap + shift).abs()).sum::<f64>()
    };
    let mut sums: Vec<f64> = drawn.iter().map(sum).collect();
    sums.sort_unstable_by(f64::total_cmp);
    let mean = sums.iter().sum::<f64>() / n;
    let value: f64 = gaps.iter().map(|gap| gap.abs()).sum();
    let at = |share: f64| value + quantile(&sums, share) - mean;
    Interval {
        low: at(tail).clamp(0.0, value),
        high: at(1.0 - tail).max(value),
        se: spread(&sums),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, table};
    use super::super::{calibration_errors, selective};
    use super::*;
    use proptest::prelude::*;

    fn draws(rows: usize, replicates: usize) -> RowDraws {
        let apart: Vec<[u8; 32]> = (0..rows as u8).map(|row| [row; 32]).collect();
        let resampling = Resampling {
            replicates,
            ..Resampling::default()
        };
        RowDraws::new(&apart, &resampling)
    }

    #[test]
    fn defined_at_the_edges() {
        let right = table(&[(&[0.6, 0.4], 0), (&[0.3, 0.7], 1)]);
        let of = |rows: &[usize]| {
            confidence_intervals(&right, rows, &View::default(), 15, &draws(rows.len(), 50))
        };
        assert!(of(&[]).is_none());
        for rows in [vec![0], vec![0, 1]] {
            let intervals = of(&rows).unwrap();
            assert_eq!(
                [intervals.auroc, intervals.aurc, intervals.brier],
                [None; 3]
            );
            assert!(intervals.ece.low.is_finite());
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

            let mut scored: Vec<(Scored, u8)> = Vec::new();
            visit_answers(&table, &all(&table), &view, |row, p, answer| {
                let bin = (0..7).find(|&i| answer.confidence <= edge(i + 1, 7)).unwrap_or(6);
                scored.push((
                    Scored {
                        confidence: answer.confidence,
                        correct: answer.correct,
                        brier: squared_distance(p, row.right),
                        log_loss: surprisal(row.logits, row.right, 1.0),
                        bin,
                        place: 0,
                    },
                    rows[scored.len()].3 as u8,
                ));
            });
            scored.sort_by(|a, b| b.0.confidence.total_cmp(&a.0.confidence));
            let (scored, counts): (Vec<Scored>, Vec<u8>) = scored.into_iter().unzip();
            let sorted = Sorted::of(&scored, 7);
            let [brier, log_loss, area, auroc] = sorted.figures(&counts, &mut Harmonic::default());
            let ece: f64 = sorted.gaps(&counts).iter().map(|gap| gap.abs()).sum();

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
