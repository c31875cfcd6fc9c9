//! What a model said to each question, in few bytes: enough to place it at any threshold.

use std::sync::LazyLock;

use super::cell::Rows;
use crate::{ProbabilityView, Table, View};

/// Options in descending order of probability, each probability in 16 bits, and the place of the right
/// one. Equally coarse for every model: 0.06 % of the probability.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    stride: usize,
    pub(super) calibration: Half,
    pub(super) test: Half,
}

/// The questions of one half, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Half {
    probabilities: Vec<u16>,
    /// Number of options, and the place of the right one among them.
    options: Vec<u8>,
    answers: Vec<u8>,
}

/// Binary orders of magnitude that are told apart, and steps in each.
const ORDERS: f32 = 40.0;
const STEPS: f32 = 1638.0;

/// Ascending with `p`; 0 for what is below 2⁻⁴⁰.
fn encode(p: f64) -> u16 {
    let p = p as f32;
    if p <= 0.0 {
        return 0;
    }
    let (order, part) = (p.log2().floor(), p);
    let within = part / order.exp2() - 1.0;
    ((order + ORDERS + within.clamp(0.0, 1.0)) * STEPS).clamp(0.0, f32::from(u16::MAX)) as u16
}

static DECODED: LazyLock<Vec<f64>> = LazyLock::new(|| (0..=u16::MAX).map(decode).collect());

fn decode(code: u16) -> f64 {
    if code == 0 {
        return 0.0;
    }
    let scaled = f64::from(code) / f64::from(STEPS);
    let order = scaled.floor();
    (order - f64::from(ORDERS)).exp2() * (1.0 + scaled - order)
}

impl Profile {
    pub(super) fn of(table: &Table, rows: &Rows<'_>, view: &View) -> Self {
        let mut probabilities = ProbabilityView::new(view);
        let mut half = |rows: &[usize]| {
            let mut half = Half::default();
            for &index in rows {
                let row = table.row(index);
                probabilities.load(&row);
                let of = probabilities.probabilities();
                let mut answer = 0;
                for (place, option) in probabilities.order().indices().enumerate() {
                    half.probabilities.push(encode(of[option]));
                    if option == row.answer {
                        answer = place;
                    }
                }
                half.probabilities
                    .resize((half.options.len() + 1) * table.stride(), 0);
                half.options.push(of.len() as u8);
                half.answers.push(answer as u8);
            }
            half
        };
        Self {
            stride: table.stride(),
            calibration: half(rows.calibration),
            test: half(rows.test),
        }
    }

    /// Calls `visit` for each question of a half with its number, the LAC scores and the APS scores
    /// (both less 1) of its options in descending order of probability, and the place of the right
    /// one.
    pub(super) fn scores(&self, half: &Half, mut visit: impl FnMut(usize, [&[f64]; 2], usize)) {
        let (mut lac, mut aps) = (vec![0.0; self.stride], vec![0.0; self.stride]);
        let rows = half.probabilities.chunks_exact(self.stride);
        for (question, row) in rows.enumerate() {
            let options = usize::from(half.options[question]);
            let mut rest = 0.0;
            for place in (0..options).rev() {
                lac[place] = -DECODED[usize::from(row[place])];
                aps[place] = rest;
                rest += lac[place];
            }
            let scores = [&lac[..options], &aps[..options]];
            visit(question, scores, usize::from(half.answers[question]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_the_order_and_three_digits() {
        let mut before = 0;
        for step in 1..=4000 {
            let p = (f64::from(step) / 4000.0).powi(3);
            let code = encode(p);
            assert!(code >= before);
            before = code;
            if p > 1e-9 {
                assert!(
                    (decode(code) / p - 1.0).abs() < 1e-3,
                    "{p} {}",
                    decode(code)
                );
            }
        }
        assert_eq!(encode(0.0), 0);
        assert!((decode(encode(1.0)) - 1.0).abs() < 1e-9);
    }
}
