//! The scores of one row's options, in the precision in which they were saved.

use crate::Real;

/// Logits or log-probabilities of one row's options, borrowed in single or double precision.
///
/// Published logits are single precision. Keeping them so halves the memory of a table and changes
/// no figure, since every `f32` is exact as an `f64`.
///
/// ```
/// use sureness_conformal::Logits;
///
/// let logits = Logits::from(&[0.5_f32, -1.0]);
/// assert_eq!(logits.iter().collect::<Vec<f64>>(), [0.5, -1.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Logits<'a> {
    /// Single precision.
    Single(&'a [f32]),
    /// Double precision.
    Double(&'a [f64]),
}

impl<'a> Logits<'a> {
    /// Number of options.
    pub fn len(self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// Whether there are no options.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The score of the option at this index, if it exists.
    pub fn get(self, option: usize) -> Option<f64> {
        match self {
            Self::Single(values) => values.get(option).map(|&x| f64::from(x)),
            Self::Double(values) => values.get(option).copied(),
        }
    }

    /// The scores in the order of the options.
    pub fn iter(self) -> impl ExactSizeIterator<Item = f64> + Clone + 'a {
        (0..self.len()).map(move |option| self.get(option).unwrap_or(f64::NAN))
    }

    /// Replaces the contents of `out` with the scores, in the precision of `F`.
    pub fn copy_to<F: Real>(self, out: &mut Vec<F>) {
        out.clear();
        match self {
            Self::Single(values) => out.extend(values.iter().map(|&x| F::from_f64(f64::from(x)))),
            Self::Double(values) => out.extend(values.iter().map(|&x| F::from_f64(x))),
        }
    }
}

impl<'a> From<&'a [f64]> for Logits<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::Double(values)
    }
}

impl<'a> From<&'a Vec<f64>> for Logits<'a> {
    fn from(values: &'a Vec<f64>) -> Self {
        Self::Double(values)
    }
}

impl<'a, const N: usize> From<&'a [f64; N]> for Logits<'a> {
    fn from(values: &'a [f64; N]) -> Self {
        Self::Double(values)
    }
}

impl<'a> From<&'a [f32]> for Logits<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::Single(values)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Logits<'a> {
    fn from(values: &'a [f32; N]) -> Self {
        Self::Single(values)
    }
}
