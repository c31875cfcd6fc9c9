//! How much each row moves a figure at the threshold that the rows set themselves.

use super::Scores;
use crate::{Split, Threshold, uacc};

/// The figures of one score where all rows both calibrate and are tested, with the influence of each
/// row: how much the figure would move, times the number of rows, if the law had a little more of rows
/// like it (Hampel 1974). Influences add up to about zero, and the variance of their mean is that of
/// the figure, the luck of the threshold included.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// Mean set size.
    pub set_size: f64,
    /// UAcc.
    pub uacc: f64,
    /// Share of the sets that cover.
    pub coverage: f64,
    /// Influence of each row on mean set size.
    pub on_set_size: Vec<f64>,
    /// Influence of each row on UAcc.
    pub on_uacc: Vec<f64>,
    /// Rank of the threshold over the number of rows: the share of scores up to it.
    pub level: f64,
    /// Set size gained per level gained, around the threshold.
    pub rate: f64,
}

/// One row at the threshold.
struct AtThreshold {
    size: f64,
    within: bool,
    correct: bool,
    options: f64,
}

impl Influence {
    /// The figures of `rows` at error rate `alpha`. `None` where these rows give no finite threshold.
    ///
    /// Mean set size at a threshold q has the influence `size − mean − r (1[score ≤ q] − coverage)`,
    /// where r is the local exchange rate of set size for coverage: a threshold with more scores below
    /// it than the rank is lower than it seems. r is the slope over two standard deviations of the rank
    /// to either side. UAcc is a ratio, and its influence that of the delta method.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn of(scores: &Scores, rows: &[usize], alpha: f64) -> Option<Self> {
        let mut ranked: Vec<f64> = rows.iter().map(|&row| scores.ranked_answer(row)).collect();
        let threshold = scores.view().protocol.threshold(&mut ranked, alpha);
        let Threshold::Finite(q) = threshold else {
            return None;
        };
        ranked.sort_unstable_by(f64::total_cmp);
        let rate = exchange_rate(scores, rows, &ranked, q, alpha);
        let bound = scores.bound(threshold);
        let at: Vec<AtThreshold> = rows
            .iter()
            .map(|&row| AtThreshold {
                size: size(scores, row, bound),
                within: scores.compared(row)[scores.answer(row)] <= bound,
                correct: scores.correct(row),
                options: scores.options(row) as f64,
            })
            .collect();
        Some(Self::at(&at, rows, scores, rate, alpha))
    }

    /// Mean set size and UAcc as they would be with a threshold at this level. Ranks are whole numbers and
    /// count one more row than there is, so that fewer rows have a higher level: 181 of 200 scores, 1801
    /// of 2,000.
    pub fn at_level(&self, level: f64) -> [f64; 2] {
        let more = self.rate * (level - self.level);
        [
            self.set_size + more,
            self.uacc * (1.0 - more / self.set_size),
        ]
    }

    fn at(at: &[AtThreshold], rows: &[usize], scores: &Scores, rate: f64, alpha: f64) -> Self {
        let n = rows.len() as f64;
        let mean = |of: &dyn Fn(&AtThreshold) -> f64| at.iter().map(of).sum::<f64>() / n;
        let share = |it: bool| f64::from(u8::from(it));
        let set_size = mean(&|row| row.size);
        let within = mean(&|row| share(row.within));
        let acc = mean(&|row| share(row.correct));
        let options = mean(&|row| row.options);
        let on_set_size: Vec<f64> = at
            .iter()
            .map(|row| row.size - set_size - rate * (share(row.within) - within))
            .collect();
        let root = options.sqrt();
        let figure = uacc(acc, options, set_size);
        let on_uacc = at
            .iter()
            .zip(&on_set_size)
            .map(|(row, of_size)| {
                let of_options = figure * (row.options - options) / (2.0 * options);
                root * (share(row.correct) - acc) / set_size - figure * of_size / set_size
                    + of_options
            })
            .collect();
        // A set that was empty holds the model's answer.
        let filled = rows
            .iter()
            .zip(at)
            .filter(|(row, it)| it.within || (scores.top_covers(**row) && it.size <= 1.0));
        Self {
            set_size,
            uacc: figure,
            coverage: filled.count() as f64 / n,
            level: scores
                .view()
                .protocol
                .level(rows.len(), alpha)
                .unwrap_or(1.0),
            rate,
            on_set_size,
            on_uacc,
        }
    }
}

/// Options of a row within the bound; at least one, since an empty set is filled.
fn size(scores: &Scores, row: usize, bound: f64) -> f64 {
    let inside = scores.compared(row).iter().filter(|&&s| s <= bound);
    inside.count().max(1) as f64
}

/// Set size gained per coverage gained, around the threshold `q`. 0 where scores do not differ there.
fn exchange_rate(scores: &Scores, rows: &[usize], ranked: &[f64], q: f64, alpha: f64) -> f64 {
    let n = ranked.len();
    let rank = ranked.partition_point(|&score| score < q);
    let reach = (2.0 * (n as f64 * alpha * (1.0 - alpha)).sqrt()).ceil() as usize;
    let (low, high) = (rank.saturating_sub(reach), (rank + reach).min(n - 1));
    let bounds = [low, high].map(|place| scores.bound(Threshold::Finite(ranked[place])));
    let (mut sizes, mut within) = (0.0, 0.0);
    for &row in rows {
        let answer = scores.compared(row)[scores.answer(row)];
        sizes += size(scores, row, bounds[1]) - size(scores, row, bounds[0]);
        within +=
            f64::from(u8::from(answer <= bounds[1])) - f64::from(u8::from(answer <= bounds[0]));
    }
    if within > 0.0 { sizes / within } else { 0.0 }
}

/// Coverage of the test half by the threshold of the calibration half, and the influence of each row of
/// `rows` on it. `None` where the threshold is infinite.
///
/// A calibration row below the threshold makes it lower than its rank, by as much as a test row below it
/// adds to coverage: its influence is that of a test row, with the other sign.
///
/// # Panics
/// If a row does not exist.
pub fn coverage_influence(
    scores: &Scores,
    split: &Split,
    rows: &[usize],
    alpha: f64,
) -> Option<(f64, Vec<f64>)> {
    let mut ranked: Vec<f64> = split
        .calibration
        .iter()
        .map(|&row| scores.ranked_answer(row))
        .collect();
    let threshold = scores.view().protocol.threshold(&mut ranked, alpha);
    threshold.value()?;
    let bound = scores.bound(threshold);
    let covered = |row: usize| f64::from(u8::from(scores.covers_within(row, bound)));
    let mean =
        |rows: &[usize]| rows.iter().map(|&row| covered(row)).sum::<f64>() / rows.len() as f64;
    let (calibration, test) = (mean(&split.calibration), mean(&split.test));
    let n = rows.len() as f64;
    let mut of_row = vec![0.0; scores.len()];
    for &row in &split.test {
        of_row[row] = (covered(row) - test) * n / split.test.len() as f64;
    }
    for &row in &split.calibration {
        of_row[row] = -(covered(row) - calibration) * n / split.calibration.len() as f64;
    }
    Some((test, rows.iter().map(|&row| of_row[row]).collect()))
}
