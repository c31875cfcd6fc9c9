//! Figures about confidence over weighted rows.

use std::ops::Range;

/// One row's contributions to the figures.
pub(super) struct Scored {
    /// Its index among the rows.
    pub(super) place: u32,
    pub(super) confidence: f64,
    pub(super) correct: bool,
    pub(super) brier: f64,
    pub(super) log_loss: f64,
    pub(super) bin: usize,
}

impl Scored {
    /// A row of which only the confidence and whether the answer is right are known.
    pub(super) fn of_answer(place: u32, confidence: f64, correct: bool) -> Self {
        Self {
            place,
            confidence,
            correct,
            brier: 0.0,
            log_loss: 0.0,
            bin: 0,
        }
    }
}

/// Brier score, log loss, AURC, and AUROC, which is NaN where it is undefined.
pub(super) const FIGURES: usize = 4;

/// Rows in descending order of confidence, column by column.
pub(super) struct Sorted {
    /// Brier score, log loss, and confidence minus correctness.
    columns: Vec<[f64; 3]>,
    /// Rows with a wrong answer, in the same order.
    wrong_rows: Vec<u32>,
    runs: Vec<Run>,
    /// The rows of each bin.
    bins: Vec<Range<usize>>,
}

/// A run of rows of different confidence, followed by rows of equal confidence; either may be
/// empty.
struct Run {
    apart: Range<usize>,
    equal: Range<usize>,
    /// Their wrong rows, as ranges of [`Sorted::wrong_rows`].
    wrong_apart: Range<usize>,
    wrong_equal: Range<usize>,
}

impl Sorted {
    pub(super) fn of(scored: &[Scored], bins: usize) -> Self {
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

    /// The figures of the weighted rows.
    pub(super) fn figures(&self, weights: &[u8], harmonic: &mut Harmonic) -> [f64; FIGURES] {
        let total: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
        let [brier, log_loss, _] =
            weighted(&self.columns, weights).map(|sum| sum / f64::from(total));
        let [area, auroc] = self.ranked(weights, total, harmonic);
        [brier, log_loss, area, auroc]
    }

    /// Each bin's part of the weighted rows' mean confidence minus accuracy.
    pub(super) fn gaps(&self, weights: &[u8]) -> Vec<f64> {
        let total: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
        let gap = |rows: &Range<usize>| {
            let [.., gap] = weighted(&self.columns[rows.clone()], &weights[rows.clone()]);
            gap / f64::from(total)
        };
        self.bins.iter().map(gap).collect()
    }

    /// AURC and AUROC.
    ///
    /// The AURC is the mean over `i` of the share of wrong rows among the first `i`. A wrong row at
    /// position `i` of `n` adds 1/i + … + 1/n to the sum: a difference of harmonic numbers, or of
    /// their sums for a row with a weight above 1.
    fn ranked(&self, weights: &[u8], total: u32, harmonic: &mut Harmonic) -> [f64; 2] {
        harmonic.extend(total as usize);
        let Harmonic {
            numbers,
            sums,
            before,
        } = harmonic;
        before.resize(weights.len(), 0);
        let (mut kept, mut wrong, mut above) = (0_usize, 0_usize, 0_usize);
        // Subtracted from, and added to, the sum as if every wrong row came first.
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
                // On average over all orders, a share of the first i equal rows is wrong; all of
                // them precede the later rows.
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

/// Harmonic numbers, 1/1 + … + 1/k for each `k`, and the sums of the first `k` of them.
pub(super) struct Harmonic {
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

    /// The area under the risk-coverage curve of a perfect ranking, where all `right` answers precede
    /// the `wrong` ones: the mean of j / (right + j) over the last places, and of 0 before them.
    pub(super) fn best_area(&mut self, right: usize, wrong: usize) -> f64 {
        let n = right + wrong;
        self.extend(n);
        let sum = wrong as f64 - right as f64 * (self.numbers[n] - self.numbers[right]);
        sum / n as f64
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

/// The sum of each column times `weights`, in four parallel parts.
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
