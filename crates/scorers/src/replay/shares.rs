//! Tells probabilities from logits.

/// Fewer rows of logits may add up to one by chance.
const LEAST_ROWS: usize = 5;

/// Whether all rows of a file hold probabilities, where logits belong.
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

    /// Whether there are enough rows, and all of them hold probabilities.
    pub fn are_all(&self) -> bool {
        self.rows >= LEAST_ROWS && self.shares == self.rows
    }
}

/// Largest error of a probability that is written with two decimals.
const ROUNDED: f64 = 5e-3;

/// Whether values are the shares of a whole: probabilities or percentages, which may be rounded.
pub fn are_shares(row: &[f64]) -> bool {
    let rounded = ROUNDED * row.len() as f64;
    let of = |whole: f64, slack: f64| {
        let total: f64 = row.iter().sum();
        row.iter().all(|it| (0.0..=whole + slack).contains(it)) && (total - whole).abs() <= slack
    };
    of(1.0, rounded) || of(100.0, 100.0 * rounded)
}
