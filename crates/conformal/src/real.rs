//! The precisions of the protocols.

use crate::numpy;

/// A precision: `f32` for the paper's protocol, `f64` for the standard one.
pub trait Real:
    Copy
    + PartialOrd
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Div<Output = Self>
    + Send
    + Sync
    + std::fmt::Debug
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// `e` to the power of `self`. For `f32` this is NumPy's approximation, not the correctly
    /// rounded value: published figures depend on its last bit.
    #[must_use]
    fn exp(self) -> Self;
    /// The sum of exponentials of values that are at most 0. For `f32` from left to right, as NumPy
    /// adds fewer than eight; for `f64` the same for every order of the terms, so that rows whose
    /// options are the same in another order have the same probabilities, to the last bit.
    #[must_use]
    fn sum(exponentials: &[Self]) -> Self;
    /// Rounds to this precision.
    fn from_f64(value: f64) -> Self;
    /// Widens without loss.
    fn to_f64(self) -> f64;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    fn exp(self) -> Self {
        numpy::exp_f32(self)
    }
    fn sum(exponentials: &[Self]) -> Self {
        let left_to_right = |from: Self, values: &[Self]| values.iter().fold(from, |a, b| a + b);
        // From eight values on, NumPy adds in eight sums (`pairwise_sum` in its loops of additions).
        let (eights, rest) = exponentials.as_chunks::<8>();
        let Some((first, others)) = eights.split_first() else {
            return left_to_right(0.0, exponentials);
        };
        let mut sums = *first;
        for eight in others {
            for (sum, value) in sums.iter_mut().zip(eight) {
                *sum += value;
            }
        }
        let pair = |at: usize| sums[2 * at] + sums[2 * at + 1];
        left_to_right((pair(0) + pair(1)) + (pair(2) + pair(3)), rest)
    }
    fn from_f64(value: f64) -> Self {
        value as Self
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    fn exp(self) -> Self {
        Self::exp(self)
    }
    fn sum(exponentials: &[Self]) -> Self {
        // In units of 2^-57 whole numbers add exactly, and a hundred of them fit.
        const UNIT: f64 = 1.0 / (1_u64 << 57) as f64;
        let plain = exponentials.iter().fold(0.0, |sum, value| sum + value);
        if exponentials.len() > 100 || plain.is_nan() {
            return plain;
        }
        let units = exponentials.iter().map(|value| (value / UNIT) as u64);
        units.sum::<u64>() as Self * UNIT
    }
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from NumPy 2.4.6; from left to right, each but the first would differ in the last bits.
    #[test]
    fn single_precision_is_added_as_numpy_adds_it() {
        for (count, expected) in [
            (7, 27.923_077),
            (8, 31.307_693),
            (16, 67.923_08),
            (19, 77.461_54),
            (26, 102.692_31),
        ] {
            let values: Vec<f32> = (1..=count)
                .map(|i| (i * i * 31 % 97) as f32 / 13.0)
                .collect();
            assert!(
                f32::sum(&values).to_bits() == f32::to_bits(expected),
                "{count}"
            );
        }
    }
}
