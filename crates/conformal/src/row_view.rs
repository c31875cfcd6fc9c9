//! One row in a protocol's precision.

use crate::score::Arithmetic;
use crate::{Order, Real, Row, TieRule, softmax};

/// One row's probabilities and order; its buffers are reused from row to row.
pub(crate) struct RowView<F> {
    paper: bool,
    temperature: Option<F>,
    logits: Vec<F>,
    probabilities: Vec<F>,
    order: Order,
}

impl<F: Real> RowView<F> {
    pub(crate) fn new(paper: bool) -> Self {
        Self::tempered(paper, 1.0)
    }

    /// Divides logits by `temperature` first. A temperature that is not positive gives NaN.
    pub(crate) fn tempered(paper: bool, temperature: f64) -> Self {
        #[expect(clippy::float_cmp, reason = "exactly one leaves every logit as it is")]
        let temperature = (temperature != 1.0).then(|| {
            let positive = temperature > 0.0;
            F::from_f64(if positive { temperature } else { f64::NAN })
        });
        Self {
            paper,
            temperature,
            logits: Vec::new(),
            probabilities: Vec::new(),
            order: Order::default(),
        }
    }

    pub(crate) fn load(&mut self, row: &Row<'_>) {
        row.logits.copy_to(&mut self.logits);
        if let Some(temperature) = self.temperature {
            // Subtracting the maximum first keeps it at zero and lets the others go to minus
            // infinity, however small the temperature: never infinity minus infinity.
            let max = self
                .logits
                .iter()
                .copied()
                .reduce(|a, b| if b > a { b } else { a })
                .unwrap_or(F::ZERO);
            for logit in &mut self.logits {
                *logit = (*logit - max) / temperature;
            }
        }
        softmax(&self.logits, &mut self.probabilities);
        let ties = if self.paper {
            TieRule::Paper
        } else {
            TieRule::Seeded(row.key)
        };
        self.order.sort(&self.probabilities, ties);
    }

    pub(crate) fn paper(&self) -> bool {
        self.paper
    }

    /// How this protocol adds and compares.
    pub(crate) fn arithmetic(&self) -> Arithmetic {
        if self.paper {
            Arithmetic::Script
        } else {
            Arithmetic::Definition
        }
    }

    pub(crate) fn probabilities(&self) -> &[F] {
        &self.probabilities
    }

    pub(crate) fn order(&self) -> &Order {
        &self.order
    }
}
