//! How far chance moves the figures about confidence.

use serde::{Deserialize, Serialize};

use super::calibration::{edge, squared_distance, surprise};
use super::visit;
use crate::inference::{
    BootstrapInterval, Interval, Resampling, Units, acceleration, quantile, spread, tail,
};
use crate::{Table, View};

/// Intervals of the figures of [`super::CalibrationErrors`] and [`super::Selective`], all from the
/// same replicates. They are about the mean of each figure over other questions from the same
/// source, as many as there were.
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

/// One row, with all that the figures need of it.
struct Scored {
    confidence: f64,
    correct: bool,
    brier: f64,
    log_loss: f64,
    bin: usize,
    cluster: [u8; 32],
}

/// Intervals over `rows` of `table`, whose clusters are drawn whole, with the ECE over `bins` bins.
/// `None` for no rows, or a temperature that is not above 0.
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
            cluster: table.clusters()[rows[scored.len()]],
        });
    })?;
    scored.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let clusters: Vec<[u8; 32]> = scored.iter().map(|row| row.cluster).collect();
    let units = Units::of(&clusters);
    let sorted = Sorted::of(&scored, bins);
    let mut weights = vec![1; scored.len()];
    let mut harmonic = Harmonic::default();
    let (figures, gaps) = sorted.figures(&weights, &mut harmonic);

    let mut jackknife = [const { Vec::new() }; FIGURES];
    for group in 0..units.groups() {
        units.leave_out(group, &mut weights);
        let (figures, _) = sorted.figures(&weights, &mut harmonic);
        for (jackknife, value) in jackknife.iter_mut().zip(figures) {
            jackknife.push((value, 1));
        }
    }
    let mut drawn = [const { Vec::new() }; FIGURES];
    let mut drawn_gaps = Vec::with_capacity(resampling.replicates);
    for replicate in 0..resampling.replicates.max(1) {
        units.draw(resampling.seed, replicate, &mut weights);
        let (figures, gaps) = sorted.figures(&weights, &mut harmonic);
        for (drawn, value) in drawn.iter_mut().zip(figures) {
            drawn.push(value);
        }
        drawn_gaps.push(gaps);
    }

    let tail = tail(resampling.level, units.len());
    let mut intervals = [None; FIGURES];
    let each = figures.into_iter().zip(drawn).zip(&jackknife);
    for (interval, ((figure, drawn), jackknife)) in intervals.iter_mut().zip(each) {
        let found = BootstrapInterval::of(figure, drawn, acceleration(jackknife), tail);
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

/// The interval of a sum of absolute `gaps`, from `drawn` ones, with the share `tail` of the replicates
/// beyond either end.
///
/// What is drawn around a gap lies further from zero than the gap itself, so that the replicates'
/// sums are too large, and their percentiles hold the mean of such sums only where every gap is far
/// from zero: in 60 to 72 % of the samples of a well calibrated model. So each bin's replicates are
/// moved to where the gap probably is, at √(gap² − variance); what the sums then differ by from
/// their own mean is what the observed sum differs by from its own.
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

/// Brier score, log loss, AURC, and AUROC, which is NaN where it is not defined.
const FIGURES: usize = 4;

/// Rows in descending order of confidence, column by column.
struct Sorted {
    brier: Vec<f64>,
    log_loss: Vec<f64>,
    /// Confidence less correctness.
    gaps: Vec<f64>,
    /// 1 where the answer is wrong.
    wrong: Vec<u8>,
    /// The runs of two rows or more whose confidences are equal.
    ties: Vec<std::ops::Range<usize>>,
    /// The rows of each bin.
    bins: Vec<std::ops::Range<usize>>,
}

impl Sorted {
    fn of(scored: &[Scored], bins: usize) -> Self {
        let equal = |a: &Scored, b: &Scored| a.confidence.total_cmp(&b.confidence).is_eq();
        let mut end = 0;
        let ties = scored.chunk_by(equal).filter_map(|run| {
            end += run.len();
            (run.len() > 1).then_some(end - run.len()..end)
        });
        let gap = |row: &Scored| row.confidence - f64::from(u8::from(row.correct));
        Self {
            brier: scored.iter().map(|row| row.brier).collect(),
            log_loss: scored.iter().map(|row| row.log_loss).collect(),
            gaps: scored.iter().map(gap).collect(),
            wrong: scored.iter().map(|row| u8::from(!row.correct)).collect(),
            ties: ties.collect(),
            bins: (0..bins)
                .map(|bin| {
                    let end = scored.partition_point(|row| row.bin >= bin);
                    scored.partition_point(|row| row.bin > bin)..end
                })
                .collect(),
        }
    }

    /// The figures of the rows, each as often as its weight says, and each bin's share of what
    /// confidence exceeds correctness by.
    fn figures(&self, weights: &[u16], harmonic: &mut Harmonic) -> ([f64; FIGURES], Vec<f64>) {
        let n: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
        let harmonic = harmonic.up_to(n as usize);
        let (mut kept, mut wrong, mut above) = (0_u32, 0_u32, 0_u64);
        let (mut area, mut before) = (0.0, 0.0);
        let mut take = |here: u32, wrong_here: u32, share: f64| {
            // The mean risk over all orders of the equals is (wrong + share · i) / (kept + i) for
            // the i-th of them.
            let after = harmonic[(kept + here) as usize];
            let sum = after - before;
            before = after;
            area += f64::from(wrong) * sum + share * (f64::from(here) - f64::from(kept) * sum);
            above += u64::from(wrong_here) * u64::from(2 * (kept - wrong) + here - wrong_here);
            kept += here;
            wrong += wrong_here;
        };
        let mut start = 0;
        let end = weights.len()..weights.len();
        for ties in self.ties.iter().chain([&end]) {
            let apart = start..ties.start;
            for (&weight, &wrong) in weights[apart.clone()].iter().zip(&self.wrong[apart]) {
                let here = u32::from(weight);
                take(here, here * u32::from(wrong), f64::from(wrong));
            }
            start = ties.end;
            let (mut here, mut wrong) = (0, 0);
            for row in ties.clone() {
                here += u32::from(weights[row]);
                wrong += u32::from(weights[row]) * u32::from(self.wrong[row]);
            }
            take(here, wrong, f64::from(wrong) / f64::from(here.max(1)));
        }
        let (right, wrong, n) = (f64::from(kept - wrong), f64::from(wrong), f64::from(n));
        let gaps = self.bins.iter().map(|rows| {
            let gap = weighted(&self.gaps[rows.clone()], &weights[rows.clone()]);
            gap / n
        });
        let figures = [
            weighted(&self.brier, weights) / n,
            weighted(&self.log_loss, weights) / n,
            area / n,
            above as f64 / (2.0 * right * wrong),
        ];
        (figures, gaps.collect())
    }
}

/// Harmonic numbers: the `k`-th is the sum of 1/i for i from 1 to `k`.
struct Harmonic(Vec<f64>);

impl Harmonic {
    fn up_to(&mut self, last: usize) -> &[f64] {
        for i in self.0.len()..=last {
            self.0.push(self.0[i - 1] + 1.0 / i as f64);
        }
        &self.0
    }
}

impl Default for Harmonic {
    fn default() -> Self {
        Self(vec![0.0])
    }
}

/// The sum of `values` times `weights`, in eight parts that are summed side by side.
fn weighted(values: &[f64], weights: &[u16]) -> f64 {
    let mut parts = [0.0; 8];
    let (values, last_values) = values.as_chunks::<8>();
    let (weights, last_weights) = weights.as_chunks::<8>();
    for (values, weights) in values.iter().zip(weights) {
        for part in 0..8 {
            parts[part] += values[part] * f64::from(weights[part]);
        }
    }
    let last = last_values.iter().zip(last_weights);
    let last: f64 = last.map(|(value, &weight)| value * f64::from(weight)).sum();
    parts.iter().sum::<f64>() + last
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

            let mut scored: Vec<(Scored, u16)> = Vec::new();
            visit(&table, &all(&table), &view, |row, p, answer| {
                let bin = (0..7).find(|&i| answer.confidence <= edge(i + 1, 7)).unwrap_or(6);
                scored.push((
                    Scored {
                        confidence: answer.confidence,
                        correct: answer.correct,
                        brier: squared_distance(p, row.answer),
                        log_loss: surprise(row.logits, row.answer, 1.0),
                        bin,
                        cluster: [0; 32],
                    },
                    rows[scored.len()].3 as u16,
                ));
            });
            scored.sort_by(|a, b| b.0.confidence.total_cmp(&a.0.confidence));
            let (scored, counts): (Vec<Scored>, Vec<u16>) = scored.into_iter().unzip();
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
