//! Exact confidence sequences and verdicts for the mean of bounded values.

use crate::Draws;
use crate::betting::Bet;

/// Halvings of an interval's end: it is off by less than 1e-6 of the range, to the outside.
const HALVINGS: u32 = 20;

/// Bounded values that are drawn one after the other, such as differences of two models' answers.
///
/// Everything it says holds at all times at once: the probability that it is ever wrong is at most the
/// stated one, however often one looks and whenever one stops.
#[derive(Debug, Clone)]
pub struct Bounded {
    draws: Draws,
    low: f64,
    range: f64,
    /// Scaled to [0, 1].
    values: Vec<f64>,
    sum: f64,
    bets: Vec<(Bet, Bet)>,
    lines: Vec<f64>,
}

/// Which sides of a line the mean is shown not to be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides {
    /// The mean is shown to be above the line.
    pub above: bool,
    /// The mean is shown to be below the line.
    pub below: bool,
}

impl Bounded {
    /// Values between `low` and `high`.
    pub fn new(draws: Draws, low: f64, high: f64) -> Self {
        Self {
            draws,
            low,
            range: high - low,
            values: Vec::new(),
            sum: 0.0,
            bets: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The same, watching on which side of `line` the mean lies; see [`Self::sides`].
    #[must_use]
    pub fn watching(mut self, line: f64) -> Self {
        let mean = (line - self.low) / self.range;
        self.bets
            .push((Bet::new(self.draws, mean), Bet::new(self.draws, 1.0 - mean)));
        self.lines.push(line);
        self
    }

    /// Adds a value; one outside the bounds counts as the nearer bound.
    pub fn push(&mut self, value: f64) {
        let x = ((value - self.low) / self.range).clamp(0.0, 1.0);
        self.values.push(x);
        self.sum += x;
        for (above, below) in &mut self.bets {
            above.push(x);
            below.push(1.0 - x);
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no values yet.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The mean of the values so far; NaN without any.
    pub fn mean(&self) -> f64 {
        self.low + self.range * self.sum / self.values.len() as f64
    }

    /// On which sides of the watched line `index` the mean is shown to lie, each with a probability of
    /// error of `alpha / 2` at most, over all times.
    ///
    /// # Panics
    /// If no such line is watched.
    pub fn sides(&self, index: usize, alpha: f64) -> Sides {
        let (above, below) = &self.bets[index];
        let mean = (self.lines[index] - self.low) / self.range;
        let [low, high] = self.possible();
        Sides {
            above: above.is_won(alpha / 2.0) || low > mean,
            below: below.is_won(alpha / 2.0) || high < mean,
        }
    }

    /// The interval that contains the mean at all times at once with a probability of `1 − alpha` at
    /// least: the intersection of those of all times so far. It agrees with [`Self::sides`].
    pub fn interval(&self, alpha: f64) -> [f64; 2] {
        let level = alpha / 2.0;
        let [low, high] = self.possible();
        let values = || self.values.iter().copied();
        let lowest = last(low, high, |mean| {
            Bet::new(self.draws, mean).wins(values(), level)
        });
        let highest = 1.0
            - last(1.0 - high, 1.0 - low, |mean| {
                Bet::new(self.draws, mean).wins(values().map(|x| 1.0 - x), level)
            });
        [lowest, highest].map(|end| self.low + self.range * end)
    }

    /// Where the mean can lie, given the values seen.
    fn possible(&self) -> [f64; 2] {
        let Draws::Without { of } = self.draws else {
            return [0.0, 1.0];
        };
        let of = (of as f64).max(self.values.len() as f64).max(1.0);
        let left = of - self.values.len() as f64;
        [self.sum / of, ((self.sum + left) / of).min(1.0)]
    }
}

/// The last of a range for which `holds`, which holds up to some point; a little less, and `low` where
/// it holds nowhere.
fn last(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
