//! Intervals of the figures about confidence.

use serde::{Deserialize, Serialize};

use super::calibration::{edge, squared_distance, surprisal};
use super::visit_answers;
use super::weighted::{FIGURES, Harmonic, Scored, Sorted};
use crate::inference::{
    BootstrapInterval, Interval, Resampling, RowClusters, acceleration, quantile, spread, tail,
};
use crate::{Table, View};

/// Intervals of the figures of [`super::CalibrationErrors`] and [`super::Selective`], all from the
/// same replicates: of the mean of each figure over test sets of the same size from the same
/// source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceIntervals {
    /// Expected calibration error over bins of equal width, by [`centred`] replicates.
    pub ece: Interval,
    /// Brier score; this and the following by BCa (Efron 1987).
    pub brier: Interval,
    /// Log loss, in nats.
    pub log_loss: Interval,
    /// Area under the risk-coverage curve.
    pub aurc: Interval,
    /// Area under the ROC curve; `None` where all answers are right or all wrong.
    pub auroc: Option<Interval>,
}

/// How often each row of a test set occurs in each draw. Depends on the clusters alone, so that all
/// groups with the same questions share it.
#[derive(Debug, Clone)]
pub struct RowDraws {
    clusters: RowClusters,
    /// By draw, then by cluster.
    drawn: Vec<Vec<u8>>,
    /// By group of the jackknife, then by cluster.
    left_out: Vec<Vec<u8>>,
    /// Share of draws beyond either end.
    tail: f64,
}

impl RowDraws {
    /// Draws of whole clusters, from the name of each row's cluster.
    pub fn new(clusters: &[[u8; 32]], resampling: &Resampling) -> Self {
        let clusters = RowClusters::of(clusters);
        let replicates = 0..resampling.replicates.max(1);
        Self {
            drawn: replicates
                .map(|replicate| clusters.draw(resampling.seed, replicate))
                .collect(),
            left_out: (0..clusters.groups())
                .map(|group| clusters.leave_out(group))
                .collect(),
            tail: tail(resampling.level, clusters.len()),
            clusters,
        }
    }

    /// The cluster of a row.
    pub(super) fn cluster_of(&self, row: usize) -> u32 {
        self.clusters.of_row(row)
    }

    /// By draw, how often each cluster occurs.
    pub(super) fn drawn(&self) -> &[Vec<u8>] {
        &self.drawn
    }

    /// By group of the jackknife, how often each cluster occurs.
    pub(super) fn left_out(&self) -> &[Vec<u8>] {
        &self.left_out
    }

    /// Share of draws beyond either end.
    pub(super) fn tail(&self) -> f64 {
        self.tail
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
    let mut harmonic = Harmonic::default();
    let (figures, gaps) = sorted.figures(&vec![1; scored.len()], &mut harmonic);

    // In the order of the sorted rows.
    let clusters: Vec<u32> = scored
        .iter()
        .map(|row| draws.clusters.of_row(row.place as usize))
        .collect();
    let mut weights = Vec::with_capacity(scored.len());
    let mut of = |of_clusters: &[u8]| {
        weights.clear();
        weights.extend(
            clusters
                .iter()
                .map(|&cluster| of_clusters[cluster as usize]),
        );
        sorted.figures(&weights, &mut harmonic)
    };
    let mut jackknife = [const { Vec::new() }; FIGURES];
    for left_out in &draws.left_out {
        for (jackknife, value) in jackknife.iter_mut().zip(of(left_out).0) {
            jackknife.push((value, 1));
        }
    }
    let mut replicates = [const { Vec::new() }; FIGURES];
    let mut drawn_gaps = Vec::with_capacity(draws.drawn.len());
    for weights in &draws.drawn {
        let (figures, gaps) = of(weights);
        for (replicates, value) in replicates.iter_mut().zip(figures) {
            replicates.push(value);
        }
        drawn_gaps.push(gaps);
    }

    let tail = draws.tail;
    let mut intervals = [None; FIGURES];
    let each = figures.into_iter().zip(replicates).zip(&jackknife);
    for (interval, ((figure, replicates), jackknife)) in intervals.iter_mut().zip(each) {
        let found = BootstrapInterval::of(figure, replicates, acceleration(jackknife), tail);
        *interval = found.map(|found| Interval {
            low: found.bca.0,
            high: found.bca.1,
            se: found.se,
        });
    }
    let [brier, log_loss, risk, auroc] = intervals;
    Some(ConfidenceIntervals {
        ece: centred(&gaps, &drawn_gaps, tail),
        brier: brier?,
        log_loss: log_loss?,
        aurc: risk?,
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
            assert_eq!(intervals.auroc, None);
            assert!(intervals.aurc.se < 1e-15);
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
            let ([brier, log_loss, area, auroc], gaps) = sorted.figures(&counts, &mut Harmonic::default());
            let ece: f64 = gaps.iter().map(|gap| gap.abs()).sum();

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
