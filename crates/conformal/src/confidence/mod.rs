//! Confidence: its calibration, how well it separates right answers from wrong ones, and the spread
//! of probabilities.

mod calibration;
mod influence;
mod intervals;
mod jackknife;
mod selective;
mod selective_intervals;
mod spread;
mod weighted;

pub use calibration::{CalibrationErrors, ConfidenceBin, calibration_errors};
pub use influence::ece_influence;
pub use intervals::{ConfidenceIntervals, RowDraws, confidence_intervals};
pub use jackknife::MIN_CLUSTERS_OF_A_KIND;
pub use selective::{Selective, SelectivePoint, selective, selective_of};
pub use selective_intervals::{SelectiveIntervals, selective_intervals};
pub use spread::{Entropy, entropy};

use crate::{ProbabilityView, Row, Table, View};

/// The confidence of the model's answer to one question, and whether it is right.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Answer {
    /// Probability of the most probable option.
    confidence: f64,
    /// Whether that option is right.
    correct: bool,
}

/// Calls `visit` with each row, its probabilities and its answer. `None`, without a call, if there
/// are no rows or the temperature is not above 0.
fn visit_answers(
    table: &Table,
    rows: &[usize],
    view: &View,
    mut visit: impl FnMut(&Row<'_>, &[f64], Answer),
) -> Option<()> {
    if rows.is_empty() {
        return None;
    }
    view.check().ok()?;
    let mut rows_of = ProbabilityView::new(view);
    for &row in rows {
        let row = table.row(row);
        rows_of.load(&row);
        let (probabilities, top) = (rows_of.probabilities(), rows_of.order().top());
        let answer = Answer {
            confidence: probabilities.get(top).copied().unwrap_or(0.0),
            correct: row.right.contains(top),
        };
        visit(&row, probabilities, answer);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with these probabilities and answers.
    pub(super) fn table(rows: &[(&[f64], usize)]) -> Table {
        let mut table = Table::new(6);
        for (i, (probabilities, answer)) in rows.iter().enumerate() {
            let logits: Vec<f64> = probabilities.iter().map(|p| p.ln()).collect();
            let mut key = [0; 32];
            key[..8].copy_from_slice(&i.to_le_bytes());
            let row = Row {
                key: &key,
                cluster: None,
                logits: (&logits).into(),
                right: (*answer).into(),
                dont_know: None,
                none_of_the_above: None,
            };
            table.push(key, &row, None).unwrap();
        }
        table
    }

    /// All rows of a table.
    pub(super) fn all(table: &Table) -> Vec<usize> {
        (0..table.len()).collect()
    }

    #[test]
    fn the_answer_is_the_top_option() {
        let table = table(&[(&[0.2, 0.8], 1), (&[0.2, 0.8], 0)]);
        let mut seen = Vec::new();
        let visited = visit_answers(&table, &[1, 0], &View::default(), |row, p, answer| {
            assert!((p[1] - 0.8).abs() < 1e-12 && (answer.confidence - 0.8).abs() < 1e-12);
            seen.push((row.right.only(), answer.correct));
        });
        assert!(visited.is_some());
        assert_eq!(seen, [(Some(0), false), (Some(1), true)]);
    }

    #[test]
    fn no_probabilities_no_figures() {
        let table = table(&[(&[0.2, 0.8], 1)]);
        for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-60] {
            let view = View {
                temperature,
                ..View::default()
            };
            assert!(calibration_errors(&table, &[0], &view, 15).is_none());
            assert!(selective(&table, &[0], &view).is_none());
            assert!(entropy(&table, &[0], &view).is_none());
        }
    }
}
