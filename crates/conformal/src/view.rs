//! How a table's logits become probabilities.

use crate::{Order, Protocol, Real, Row, TieRule, softmax};

/// How probabilities are made of logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Decides the precision and what comes first among equal probabilities.
    pub protocol: Protocol,
    /// Temperature of the softmax, above 0: logits are divided by it. 1 leaves them as they are.
    pub temperature: f64,
    /// Seeds randomised scores.
    pub seed: u64,
}

impl Default for View {
    fn default() -> Self {
        Self {
            protocol: Protocol::Standard,
            temperature: 1.0,
            seed: 42,
        }
    }
}

/// Reads rows one after the other as a [`View`] sees them.
pub(crate) struct ProbabilityView {
    view: View,
    probabilities: Vec<f64>,
    order: Order,
}

impl ProbabilityView {
    /// No row yet.
    pub(crate) fn new(view: &View) -> Self {
        Self {
            view: *view,
            probabilities: Vec::new(),
            order: Order::default(),
        }
    }

    /// Looks at `row`. Its key decides between equal probabilities under the standard protocol.
    pub(crate) fn load(&mut self, row: &Row<'_>) {
        let temperature = self.view.temperature;
        let ties = match self.view.protocol {
            Protocol::Standard => {
                softmax(
                    &tempered::<f64>(row.logits, temperature),
                    &mut self.probabilities,
                );
                TieRule::Seeded(row.key)
            }
            Protocol::Paper => {
                let mut single = Vec::new();
                softmax(&tempered::<f32>(row.logits, temperature), &mut single);
                self.probabilities.clear();
                self.probabilities
                    .extend(single.into_iter().map(Real::to_f64));
                TieRule::Paper
            }
        };
        self.order.sort(&self.probabilities, ties);
    }

    /// Probabilities of the row's options.
    pub(crate) fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Order of the row's options.
    pub(crate) fn order(&self) -> &Order {
        &self.order
    }
}

/// The largest logit is taken off first, so that none becomes infinite.
fn tempered<F: Real>(logits: &[f64], temperature: f64) -> Vec<F> {
    let logits = logits.iter().map(|&x| F::from_f64(x));
    #[expect(clippy::float_cmp, reason = "exactly one leaves every logit as it is")]
    if temperature == 1.0 {
        return logits.collect();
    }
    let max = logits
        .clone()
        .reduce(|a, b| if b > a { b } else { a })
        .unwrap_or(F::ZERO);
    let temperature = F::from_f64(temperature);
    logits.map(|x| (x - max) / temperature).collect()
}
