//! Probabilities of a table's logits.

use crate::row::RowView;
use crate::{Covers, EvaluateError, Order, Protocol, Row, Table};

/// How probabilities are computed from logits, and the seed of random scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Precision, order of equal probabilities, and the rank rule of thresholds.
    pub protocol: Protocol,
    /// Temperature of the softmax, above 0: logits are divided by it. 1 leaves them as they are.
    pub temperature: f64,
    /// Seed of the random numbers in randomised scores. The random order of equal probabilities
    /// depends on the question's key alone.
    pub seed: u64,
    /// When a set covers a row with several right options.
    pub covers: Covers,
}

impl Default for View {
    fn default() -> Self {
        Self {
            protocol: Protocol::Standard,
            temperature: 1.0,
            seed: 42,
            covers: Covers::Any,
        }
    }
}

impl View {
    /// Refuses a temperature that is not a finite number above 0 in float32: every probability and
    /// score would be NaN.
    pub fn check(&self) -> Result<(), EvaluateError> {
        let single = self.temperature as f32;
        if single.is_finite() && single > 0.0 {
            Ok(())
        } else {
            Err(EvaluateError::Temperature(self.temperature))
        }
    }
}

/// Probabilities of one row after the other under a [`View`]; reuses its buffers.
pub struct ProbabilityView {
    rows: Precision,
    probabilities: Vec<f64>,
}

enum Precision {
    Single(RowView<f32>),
    Double(RowView<f64>),
}

impl ProbabilityView {
    /// No row yet.
    pub fn new(view: &View) -> Self {
        let rows = match view.protocol {
            Protocol::Paper => Precision::Single(RowView::tempered(true, view.temperature)),
            Protocol::Standard => Precision::Double(RowView::tempered(false, view.temperature)),
        };
        Self {
            rows,
            probabilities: Vec::new(),
        }
    }

    /// Loads `row`. Under the standard protocol its key orders equal probabilities.
    pub fn load(&mut self, row: &Row<'_>) {
        self.probabilities.clear();
        match &mut self.rows {
            Precision::Single(rows) => {
                rows.load(row);
                self.probabilities
                    .extend(rows.probabilities().iter().map(|&p| f64::from(p)));
            }
            Precision::Double(rows) => {
                rows.load(row);
                self.probabilities.extend_from_slice(rows.probabilities());
            }
        }
    }

    /// Probabilities of the row's options. Under the paper's protocol they were computed in
    /// float32 and are widened without loss.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Order of the row's options, with the protocol's rule for ties.
    pub fn order(&self) -> &Order {
        match &self.rows {
            Precision::Single(rows) => rows.order(),
            Precision::Double(rows) => rows.order(),
        }
    }
}

/// Probabilities of one row's options. For many rows, [`ProbabilityView`] keeps its buffers.
///
/// # Panics
/// If the row does not exist.
pub fn probabilities(table: &Table, row: usize, view: &View, out: &mut Vec<f64>) {
    let mut rows = ProbabilityView::new(view);
    rows.load(&table.row(row));
    out.clear();
    out.extend_from_slice(rows.probabilities());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(logits: &[f64]) -> Table {
        let mut table = Table::new(logits.len());
        let row = Row {
            key: &[],
            cluster: None,
            logits: logits.into(),
            right: 0.into(),
            dont_know: None,
            none_of_the_above: None,
        };
        table.push([7; 32], &row, None).unwrap();
        table
    }

    #[test]
    fn temperature_flattens_and_sharpens() {
        // 1 / (1 + e^(-1/T)) for two logits that differ by 1.
        let table = table(&[1.0, 0.0]);
        let mut out = Vec::new();
        for (temperature, first) in [
            (1.0, 0.731_058_578_630_004_9),
            (0.5, 0.880_797_077_977_882_3),
            (2.0, 0.622_459_331_201_854_6),
            (1e-30, 1.0),
            (1e30, 0.5),
        ] {
            for protocol in [Protocol::Standard, Protocol::Paper] {
                let view = View {
                    protocol,
                    temperature,
                    ..View::default()
                };
                view.check().unwrap();
                probabilities(&table, 0, &view, &mut out);
                let slack = if protocol == Protocol::Paper {
                    1e-6
                } else {
                    1e-15
                };
                assert!((out[0] - first).abs() < slack, "{temperature} {out:?}");
            }
        }
    }

    #[test]
    fn a_temperature_of_nothing_is_refused_and_panics_nowhere() {
        for temperature in [0.0, -1.0, 1e-300, f64::NAN, f64::INFINITY] {
            let view = View {
                temperature,
                ..View::default()
            };
            assert!(view.check().is_err());
        }
        let view = View {
            temperature: -1.0,
            ..View::default()
        };
        let mut out = Vec::new();
        probabilities(&table(&[1.0, 0.0]), 0, &view, &mut out);
        assert!(out.iter().all(|p| p.is_nan()));
    }

    #[test]
    fn ties_are_as_the_protocol_says() {
        let table = table(&[0.0, 2.0, 2.0, 2.0]);
        let of = |protocol| {
            let mut rows = ProbabilityView::new(&View {
                protocol,
                ..View::default()
            });
            rows.load(&table.row(0));
            assert!(rows.order().has_ties());
            let order: Vec<usize> = rows.order().indices().collect();
            (order, rows.order().top())
        };
        assert_eq!(of(Protocol::Paper), (vec![3, 2, 1, 0], 1));
        let (order, top) = of(Protocol::Standard);
        // Here the answer is the first in the order, whichever the key has drawn.
        assert_eq!((order[3], order[0]), (0, top));
    }
}
