//! One answered question.

use crate::{EvaluateError, Logits, RightOptions};

/// One answered question.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Identifies the question, independently of the model. Seeds the standard protocol's split
    /// and its order of equal probabilities; the paper's ignores it.
    pub key: &'a [u8],
    /// Name of a cluster of dependent questions, such as those about one passage. `None` for an
    /// independent question, whose key then names its cluster.
    pub cluster: Option<&'a [u8]>,
    /// Logits or log-probabilities, one per option (2 to 26), all finite.
    pub logits: Logits<'a>,
    /// The right option, or several.
    pub right: RightOptions,
    /// Index of "I don't know", if it is an option.
    pub dont_know: Option<usize>,
    /// Index of "None of the above", if it is an option.
    pub none_of_the_above: Option<usize>,
}

impl<'a> Row<'a> {
    /// The name of the row's cluster.
    pub(crate) fn cluster_key(&self) -> &'a [u8] {
        self.cluster.unwrap_or(self.key)
    }

    /// Refuses a row that cannot be scored. `index` is its number, for the error.
    pub(crate) fn check(&self, index: usize) -> Result<(), EvaluateError> {
        let fail = |what| Err(EvaluateError::Row { row: index, what });
        if !(2..=26).contains(&self.logits.len()) {
            return fail("needs 2 to 26 options");
        }
        if self.logits.iter().any(f64::is_nan) {
            return fail("a score is NaN");
        }
        // Of larger ones neither a difference nor a square need be a number.
        if !self.logits.iter().all(|score| (score as f32).is_finite()) {
            return fail("a score is infinite, or beyond single precision");
        }
        if self.right.last() >= self.logits.len() {
            return fail("the answer lies outside the options");
        }
        Ok(())
    }
}
