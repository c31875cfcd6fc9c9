//! How far chance moves the figures about confidence.

use std::ops::Range;

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
    /// Its place among the rows.
    place: u32,
    confidence: f64,
    correct: bool,
    brier: f64,
    log_loss: f64,
    bin: usize,
}

/// How often each row of a test half comes, draw after draw. This depends on which rows belong
/// together alone, so that groups of the same questions share it.
#[derive(Debug, Clone)]
pub struct RowDraws {
    units: Units,
    /// Per draw, by cluster.
    drawn: Vec<Vec<u8>>,
    /// Per group of the jackknife, by cluster.
    left_out: Vec<Vec<u8>>,
    /// Share of draws beyond either end.
    tail: f64,
}

impl RowDraws {
    /// Draws of rows that belong to these clusters, which are drawn whole.
    pub fn new(clusters: &[[u8; 32]], resampling: &Resampling) -> Self {
        let units = Units::of(clusters);
        let replicates = 0..resampling.replicates.max(1);
        Self {
            drawn: replicates
                .map(|replicate| units.draw(resampling.seed, replicate))
                .collect(),
            left_out: (0..units.groups())
                .map(|group| units.leave_out(group))
                .collect(),
            tail: tail(resampling.level, units.len()),
            units,
        }
    }
}

/// Intervals over `rows` of `table`, in the order in which `draws` has them, with the ECE over `bins`
/// bins. `None` for no rows, or a temperature that is not above 0.
///
/// Rows are sorted once; a replicate then takes one pass over how often each was drawn.
///
/// # Panics
/// If `draws` are of fewer rows.
pub fn confidence_intervals(
    table: &Table,
    rows: &[usize],
    view: &View,
    bins: usize,
    draws: &RowDraws,
) -> Option<ConfidenceIntervals> {
    let bins = bins.max(1);
    let mut scored = Vec::with_capacity(rows.len());
    visit(table, rows, view, |row, probabilities, answer| {
        let inside = |i: &usize| answer.confidence <= edge(i + 1, bins);
        scored.push(Scored {
            place: scored.len() as u32,
            confidence: answer.confidence,
            correct: answer.correct,
            brier: squared_distance(probabilities, row.answer),
            log_loss: surprise(row.logits, row.answer, view.temperature),
            bin: (0..bins).find(inside).unwrap_or(bins - 1),
        });
    })?;
    scored.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let sorted = Sorted::of(&scored, bins);
    let mut harmonic = Harmonic::default();
    let (figures, gaps) = sorted.figures(&vec![1; scored.len()], &mut harmonic);

    // In the order of the sorted rows.
    let units: Vec<u32> = scored
        .iter()
        .map(|row| draws.units.of_row(row.place as usize))
        .collect();
    let mut weights = Vec::with_capacity(scored.len());
    let mut of = |of_units: &[u8]| {
        weights.clear();
        weights.extend(units.iter().map(|&unit| of_units[unit as usize]));
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
    /// Brier score, log loss, and confidence less correctness.
    columns: Vec<[f64; 3]>,
    /// Rows with a wrong answer, in the same order.
    wrong_rows: Vec<u32>,
    runs: Vec<Run>,
    /// The rows of each bin.
    bins: Vec<Range<usize>>,
}

/// Rows whose confidences differ, and after them rows whose confidences are equal, if any are left.
struct Run {
    apart: Range<usize>,
    equal: Range<usize>,
    /// Where the wrong ones of either stand among [`Sorted::wrong_rows`].
    wrong_apart: Range<usize>,
    wrong_equal: Range<usize>,
}

impl Sorted {
    fn of(scored: &[Scored], bins: usize) -> Self {
        let equal = |a: &Scored, b: &Scored| a.confidence.total_cmp(&b.confidence).is_eq();
        let wrong_rows: Vec<u32> = (0..scored.len() as u32)
            .filter(|&row| !scored[row as usize].correct)
            .collect();
        let wrong_before = |row: usize| wrong_rows.partition_point(|&wrong| (wrong as usize) < row);
        let (mut runs, mut start, mut end) = (Vec::new(), 0, 0);
        let mut run = |equal: Range<usize>| {
            let apart = start..equal.start;
            start = equal.end;
            runs.push(Run {
                wrong_apart: wrong_before(apart.start)..wrong_before(apart.end),
                wrong_equal: wrong_before(equal.start)..wrong_before(equal.end),
                apart,
                equal,
            });
        };
        for rows in scored.chunk_by(equal) {
            end += rows.len();
            if rows.len() > 1 {
                run(end - rows.len()..end);
            }
        }
        run(end..end);
        let columns = |row: &Scored| {
            let gap = row.confidence - f64::from(u8::from(row.correct));
            [row.brier, row.log_loss, gap]
        };
        Self {
            columns: scored.iter().map(columns).collect(),
            wrong_rows,
            runs,
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
    fn figures(&self, weights: &[u8], harmonic: &mut Harmonic) -> ([f64; FIGURES], Vec<f64>) {
        let total: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
        let n = f64::from(total);
        let (mut brier, mut log_loss) = (0.0, 0.0);
        let gaps = self.bins.iter().map(|rows| {
            let [b, l, gap] = weighted(&self.columns[rows.clone()], &weights[rows.clone()]);
            brier += b;
            log_loss += l;
            gap / n
        });
        let gaps = gaps.collect();
        let [area, auroc] = self.ranked(weights, total, harmonic);
        ([brier / n, log_loss / n, area, auroc], gaps)
    }

    /// AURC and AUROC.
    ///
    /// The AURC is the mean over `i` of the share of wrong ones among the first `i` rows. Summed by wrong
    /// rows, one at position `i` of `n` adds 1/i + … + 1/n: differences of harmonic numbers, and of
    /// their sums for a row that was drawn several times.
    fn ranked(&self, weights: &[u8], total: u32, harmonic: &mut Harmonic) -> [f64; 2] {
        harmonic.extend(total as usize);
        let Harmonic {
            numbers,
            sums,
            before,
        } = harmonic;
        before.resize(weights.len(), 0);
        let (mut kept, mut wrong, mut above) = (0_usize, 0_usize, 0_usize);
        // What the wrong rows would add if each were the first, less this; and the other way round.
        let (mut less, mut more) = (0.0, 0.0);
        for run in &self.runs {
            let apart = run.apart.clone();
            for (before, &weight) in before[apart.clone()].iter_mut().zip(&weights[apart]) {
                *before = kept as u32;
                kept += usize::from(weight);
            }
            for &row in &self.wrong_rows[run.wrong_apart.clone()] {
                let before = before[row as usize] as usize;
                let here = usize::from(weights[row as usize]);
                less += sums[before + here] - sums[before];
                above += 2 * here * (before - wrong);
                wrong += here;
            }
            let equal = weights[run.equal.clone()].iter();
            let here: usize = equal.map(|&weight| usize::from(weight)).sum();
            let wrong_equal = self.wrong_rows[run.wrong_equal.clone()].iter();
            let wrong_here: usize = wrong_equal
                .map(|&row| usize::from(weights[row as usize]))
                .sum();
            if here > 0 {
                // Over all orders of the equals, a share of the first i of them is wrong; and all count
                // for what comes after.
                let after = kept + here;
                let sum = numbers[after] - numbers[kept];
                let share = wrong_here as f64 / here as f64;
                more += share * (here as f64 - kept as f64 * sum);
                less += wrong_here as f64 * numbers[after];
                above += wrong_here * (2 * (kept - wrong) + here - wrong_here);
                wrong += wrong_here;
                kept = after;
            }
        }
        let area = wrong as f64 * numbers[kept] - less + more;
        let pairs = 2.0 * (kept - wrong) as f64 * wrong as f64;
        [area / kept as f64, above as f64 / pairs]
    }
}

/// Harmonic numbers, 1/1 + … + 1/k for each `k`, and their sums: of the first `k`, from the 0th on.
struct Harmonic {
    numbers: Vec<f64>,
    sums: Vec<f64>,
    /// A buffer: rows drawn before each row.
    before: Vec<u32>,
}

impl Harmonic {
    fn extend(&mut self, last: usize) {
        for i in self.numbers.len()..=last {
            self.sums.push(self.sums[i - 1] + self.numbers[i - 1]);
            self.numbers.push(self.numbers[i - 1] + 1.0 / i as f64);
        }
    }
}

impl Default for Harmonic {
    fn default() -> Self {
        Self {
            numbers: vec![0.0],
            sums: vec![0.0],
            before: Vec::new(),
        }
    }
}

/// The sum of each column times `weights`, in four parts that are summed side by side.
fn weighted(rows: &[[f64; 3]], weights: &[u8]) -> [f64; 3] {
    let mut parts = [[0.0; 3]; 4];
    let mut add = |part: usize, row: &[f64; 3], weight: u8| {
        for (sum, value) in parts[part].iter_mut().zip(row) {
            *sum += value * f64::from(weight);
        }
    };
    let (rows, last_rows) = rows.as_chunks::<4>();
    let (weights, last_weights) = weights.as_chunks::<4>();
    for (rows, weights) in rows.iter().zip(weights) {
        for part in 0..4 {
            add(part, &rows[part], weights[part]);
        }
    }
    for (row, &weight) in last_rows.iter().zip(last_weights) {
        add(0, row, weight);
    }
    std::array::from_fn(|column| parts.iter().map(|part| part[column]).sum())
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
            visit(&table, &all(&table), &view, |row, p, answer| {
                let bin = (0..7).find(|&i| answer.confidence <= edge(i + 1, 7)).unwrap_or(6);
                scored.push((
                    Scored {
                        confidence: answer.confidence,
                        correct: answer.correct,
                        brier: squared_distance(p, row.answer),
                        log_loss: surprise(row.logits, row.answer, 1.0),
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
