//! Bets against a mean: exact confidence sequences for bounded values.

use crate::Draws;

/// Stakes, as shares of the largest one that cannot lose everything.
const STAKES: usize = 24;
/// The smallest and the largest of them, which lie evenly on a logarithmic scale.
const SMALLEST: f64 = 0.002;
const LARGEST: f64 = 0.95;
/// Capital that is won at every level.
const ENOUGH: f64 = 1e290;

fn stakes() -> [f64; STAKES] {
    let step = (LARGEST / SMALLEST).ln() / (STAKES - 1) as f64;
    std::array::from_fn(|stake| SMALLEST * (step * stake as f64).exp())
}

/// A bet that the mean of values in [0, 1] exceeds `mean`.
///
/// The capital after values x₁ … xₜ is the mean over 24 stakes c of `∏ (1 + c (xᵢ / Cᵢ − 1))`, where Cᵢ
/// is the mean of the values not yet drawn if that of all is `mean`. If it is at most `mean`, capital is
/// a supermartingale that begins at 1, and exceeds `1/α` at any time with probability α at most
/// (Waudby-Smith & Ramdas 2024, section 5 and theorem 4; Ville 1939). Its inverse is an anytime-valid
/// p-value.
#[derive(Debug, Clone)]
pub(crate) struct Bet {
    draws: Draws,
    mean: f64,
    stakes: [f64; STAKES],
    capital: [f64; STAKES],
    sum: f64,
    seen: u64,
    /// The largest capital so far.
    most: f64,
}

impl Bet {
    pub(crate) fn new(draws: Draws, mean: f64) -> Self {
        Self {
            draws,
            mean,
            stakes: stakes(),
            capital: [1.0; STAKES],
            sum: 0.0,
            seen: 0,
            most: 1.0,
        }
    }

    /// Adds a value in [0, 1].
    pub(crate) fn push(&mut self, x: f64) {
        let expected = self.expected();
        self.seen += 1;
        self.sum += x;
        if self.most.is_infinite() {
            return;
        }
        // Rounding could leave a mean of zero a little above or below.
        if expected <= 1e-12 {
            // The values so far add up to more than `mean` allows, or to all that it allows.
            if x > 1e-9 || expected < -1e-9 {
                self.most = f64::INFINITY;
            }
            return;
        }
        let gain = x / expected - 1.0;
        let mut sum = 0.0;
        for (capital, stake) in self.capital.iter_mut().zip(self.stakes) {
            // Won at any level; further growth would overflow.
            *capital = (*capital * (1.0 + stake * gain)).min(ENOUGH);
            sum += *capital;
        }
        self.most = self.most.max(sum / STAKES as f64);
    }

    /// Whether these values win the bet at `level`; see [`Self::is_won`].
    pub(crate) fn wins(mut self, values: impl IntoIterator<Item = f64>, level: f64) -> bool {
        for x in values {
            self.push(x);
            if self.is_won(level) {
                return true;
            }
        }
        false
    }

    /// The mean of the values not yet drawn, if that of all is `mean`.
    fn expected(&self) -> f64 {
        match self.draws {
            Draws::With => self.mean,
            Draws::Without { of } => {
                let left = of.saturating_sub(self.seen);
                // More values than there are: nothing is left to bet on.
                if left == 0 {
                    return f64::INFINITY;
                }
                (of as f64 * self.mean - self.sum) / left as f64
            }
        }
    }

    /// Whether capital has ever reached `1 / level`.
    pub(crate) fn is_won(&self, level: f64) -> bool {
        self.most >= 1.0 / level
    }
}
