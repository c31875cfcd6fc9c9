//! Tells probabilities from logits.

/// Fewer rows of logits may add up to one by chance.
const LEAST_ROWS: usize = 5;

/// Nine of ten rows: in the others a probability may be missing, or wrong.
const MOST: (usize, usize) = (9, 10);

/// Whether the rows of a file hold probabilities, where logits belong.
#[derive(Debug, Default)]
pub struct Shares {
    rows: usize,
    shares: usize,
}

impl Shares {
    /// Takes note of a row.
    pub fn note(&mut self, row: &[f64]) {
        self.rows += 1;
        self.shares += usize::from(are_shares(row));
    }

    /// Whether there are enough rows, and practically all of them hold probabilities.
    pub fn are_most(&self) -> bool {
        self.rows >= LEAST_ROWS && self.shares * MOST.1 >= self.rows * MOST.0
    }
}

/// Largest errors of a probability that is written with one decimal, and of a percentage that is written
/// with none: logits of 25 each may add up to roughly 100.
const ROUNDED: [f64; 2] = [0.05, 0.5];

/// Whether values are the shares of a whole: probabilities or percentages, which may be rounded.
pub(super) fn are_shares(row: &[f64]) -> bool {
    let of = |whole: f64, rounded: f64| {
        // Sums of halves of the last decimal, which are not exact.
        let slack = rounded * row.len() as f64 + 1e-9;
        let total: f64 = row.iter().sum();
        row.iter().all(|it| (0.0..=whole + slack).contains(it)) && (total - whole).abs() <= slack
    };
    of(1.0, ROUNDED[0]) || of(100.0, ROUNDED[1])
}
