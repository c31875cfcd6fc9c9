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
        exponentials.iter().fold(0.0, |sum, value| sum + value)
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
