//! Calibration: whether confidence matches accuracy.

use serde::{Deserialize, Serialize};

use super::{Answer, visit_answers};
use crate::{Logits, RightOptions, Table, View};

/// Answers of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceBin {
    /// Lower end. Equal-width bins contain confidences in `(low, high]`, the first one 0 as well;
    /// in equal-mass bins this is the lowest confidence.
    pub low: f64,
    /// Upper end; in equal-mass bins the highest confidence.
    pub high: f64,
    /// Answers in it, at least 1.
    pub n: usize,
    /// Their mean confidence, a fraction.
    pub confidence: f64,
    /// Share that is right.
    pub accuracy: f64,
}

/// How far confidence is from accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationErrors {
    /// Rows.
    pub n: usize,
    /// Expected calibration error: mean distance of confidence and accuracy over bins of equal
    /// width, weighted by their rows (Naeini et al. 2015; Guo et al. 2017, equation 3).
    pub ece: f64,
    /// The same over bins of equal mass (Nguyen & O'Connor 2015).
    pub ece_mass: f64,
    /// Maximum calibration error: the largest such distance among bins of equal width (Guo et
    /// al. 2017, equation 4). A bin of few rows can dominate it.
    pub mce: f64,
    /// Brier score: squared distance of the probabilities from 1 for the right option and 0 for
    /// the others, summed over options (Brier 1950), in 0..2. Several right options count as one
    /// class with the sum of their probabilities.
    pub brier: f64,
    /// Mean of `−ln p(right option)`, in nats, where several right options have the sum of their
    /// probabilities. Computed from the logits in f64 under either
    /// protocol, so that a probability that rounds to 0 does not make it infinite.
    pub log_loss: f64,
    /// Bins of equal width, without the empty ones.
    pub bins: Vec<ConfidenceBin>,
    /// Bins of equal mass. Rows of equal confidence stay in one bin, so that sizes may differ.
    pub mass_bins: Vec<ConfidenceBin>,
}

/// Calibration errors over `rows` of `table`, with `bins` bins (15 is customary). `None` for no
/// rows, or a temperature that is not above 0.
pub fn calibration_errors(
    table: &Table,
    rows: &[usize],
    view: &View,
    bins: usize,
) -> Option<CalibrationErrors> {
    let bins = bins.max(1);
    let mut answers = Vec::with_capacity(rows.len());
    let (mut brier, mut log_loss) = (0.0, 0.0);
    visit_answers(table, rows, view, |row, probabilities, answer| {
        answers.push(answer);
        brier += squared_distance(probabilities, row.right);
        log_loss += surprisal(row.logits, row.right, view.temperature);
    })?;
    answers.sort_unstable_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let n = rows.len() as f64;
    let width = equal_width(&answers, bins);
    let mass = equal_mass(&answers, bins);
    let gap = |bin: &ConfidenceBin| (bin.confidence - bin.accuracy).abs();
    let expected =
        |bins: &[ConfidenceBin]| bins.iter().map(|bin| bin.n as f64 * gap(bin)).sum::<f64>() / n;
    Some(CalibrationErrors {
        n: rows.len(),
        ece: expected(&width),
        ece_mass: expected(&mass),
        mce: width.iter().map(gap).fold(0.0, f64::max),
        brier: brier / n,
        log_loss: log_loss / n,
        bins: width,
        mass_bins: mass,
    })
}

/// Squared distance of the probabilities from 1 for the right options together and 0 for each other.
pub(super) fn squared_distance(probabilities: &[f64], right: RightOptions) -> f64 {
    let options = probabilities.iter().enumerate();
    if right.only().is_some() {
        return options
            .map(|(option, p)| (p - f64::from(u8::from(right.contains(option)))).powi(2))
            .sum();
    }
    let (mut of_right, mut of_wrong) = (0.0, 0.0);
    for (option, p) in options {
        if right.contains(option) {
            of_right += p;
        } else {
            of_wrong += p.powi(2);
        }
    }
    (of_right - 1.0_f64).powi(2) + of_wrong
}

/// `−ln` of the softmax of the right options' logits, summed over them.
pub(super) fn surprisal(logits: Logits<'_>, right: RightOptions, temperature: f64) -> f64 {
    let largest = logits.iter().fold(f64::NEG_INFINITY, f64::max);
    let above = |x: f64| (x - largest) / temperature;
    let total: f64 = logits.iter().map(|x| above(x).exp()).sum();
    if let Some(only) = right.only() {
        return logits
            .get(only)
            .map_or(0.0, |logit| total.ln() - above(logit));
    }
    // Relative to the largest of them: all may be too improbable for their sum to be above 0.
    let right_ones = || right.iter().filter_map(|option| logits.get(option));
    let most = right_ones().map(above).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = right_ones().map(|logit| (above(logit) - most).exp()).sum();
    // Rounding could take a question of which all options are right below 0.
    (total.ln() - most - sum.ln()).max(0.0)
}

/// The lower edge of bin `i` of `bins`.
pub(super) fn edge(i: usize, bins: usize) -> f64 {
    i as f64 / bins as f64
}

/// Bins with the same width in 0..1, of answers in ascending order of confidence.
fn equal_width(answers: &[Answer], bins: usize) -> Vec<ConfidenceBin> {
    let edge = |i: usize| edge(i, bins);
    let mut rest = answers;
    let mut filled = Vec::new();
    for i in 0..bins {
        // A probability may exceed 1 by rounding: the last bin takes all that is left.
        let here = if i + 1 == bins {
            rest.len()
        } else {
            rest.partition_point(|answer| answer.confidence <= edge(i + 1))
        };
        let (inside, above) = rest.split_at(here);
        filled.extend(bin(inside, edge(i), edge(i + 1)));
        rest = above;
    }
    filled
}

/// Bins of as nearly the same number of answers as equal confidences allow.
fn equal_mass(answers: &[Answer], bins: usize) -> Vec<ConfidenceBin> {
    let mut filled = Vec::new();
    let mut start = 0;
    for i in 1..=bins {
        let Some(last) = (answers.len() * i / bins).checked_sub(1) else {
            continue;
        };
        let Some(highest) = answers.get(last).map(|answer| answer.confidence) else {
            continue;
        };
        let end = answers.partition_point(|answer| answer.confidence <= highest);
        if end > start {
            let inside = &answers[start..end];
            filled.extend(bin(inside, inside[0].confidence, highest));
            start = end;
        }
    }
    filled
}

fn bin(answers: &[Answer], low: f64, high: f64) -> Option<ConfidenceBin> {
    let n = answers.len() as f64;
    (!answers.is_empty()).then(|| ConfidenceBin {
        low,
        high,
        n: answers.len(),
        confidence: answers.iter().map(|answer| answer.confidence).sum::<f64>() / n,
        accuracy: answers.iter().filter(|answer| answer.correct).count() as f64 / n,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, table};
    use super::*;
    use crate::Protocol;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }

    #[test]
    fn by_hand() {
        // Confidences 0.6 (right), 0.7 (wrong), 0.9 (right), in bins of one half and of a row.
        let table = table(&[(&[0.6, 0.4], 0), (&[0.3, 0.7], 0), (&[0.05, 0.9, 0.05], 1)]);
        let errors = calibration_errors(&table, &all(&table), &View::default(), 2).unwrap();
        close(errors.ece, (2.2_f64 / 3.0 - 2.0 / 3.0).abs());
        close(errors.mce, errors.ece);
        assert_eq!(errors.bins.len(), 1);
        close(errors.bins[0].low, 0.5);
        // ⌊3/2⌋ = 1 row, then 2.
        let sizes: Vec<usize> = errors.mass_bins.iter().map(|bin| bin.n).collect();
        assert_eq!(sizes, [1, 2]);
        close(errors.ece_mass, (0.4 + 2.0 * (0.8 - 0.5)) / 3.0);
        let brier = [0.32, 0.98, 0.01 + 2.0 * 0.0025];
        close(errors.brier, brier.iter().sum::<f64>() / 3.0);
        let log_loss = -(0.6_f64.ln() + 0.3_f64.ln() + 0.9_f64.ln()) / 3.0;
        close(errors.log_loss, log_loss);
    }

    #[test]
    fn edges_belong_to_the_bin_below() {
        // Exactly 0.5 twice; 4 options of 0.25.
        let table = table(&[(&[0.5, 0.5], 0), (&[0.5, 0.5], 1), (&[0.25; 4], 0)]);
        let errors = calibration_errors(&table, &all(&table), &View::default(), 4).unwrap();
        let bins: Vec<(f64, usize)> = errors.bins.iter().map(|bin| (bin.high, bin.n)).collect();
        assert_eq!(bins, [(0.25, 1), (0.5, 2)]);
        // Rows of equal confidence are not parted.
        let sizes: Vec<usize> = errors.mass_bins.iter().map(|bin| bin.n).collect();
        assert_eq!(sizes, [1, 2]);
    }

    #[test]
    fn probabilities_that_round_to_zero_stay_finite() {
        let mut table = Table::new(2);
        for (answer, key) in [(0, [0; 32]), (1, [1; 32])] {
            let row = crate::Row {
                key: &[],
                cluster: None,
                logits: (&[0.0, 2000.0]).into(),
                right: answer.into(),
                dont_know: None,
                none_of_the_above: None,
            };
            table.push(key, &row, None).unwrap();
        }
        for protocol in [Protocol::Standard, Protocol::Paper] {
            let view = View {
                protocol,
                ..View::default()
            };
            let errors = calibration_errors(&table, &[0, 1], &view, 15).unwrap();
            close(errors.log_loss, 1000.0);
            close(errors.brier, 1.0);
            close(errors.ece, 0.5);
        }
    }

    #[test]
    fn no_rows_no_errors() {
        let table = table(&[(&[0.6, 0.4], 0)]);
        assert!(calibration_errors(&table, &[], &View::default(), 15).is_none());
        assert!(calibration_errors(&table, &[0], &View::default(), 0).is_some());
    }

    #[test]
    fn temperature_flattens() {
        let table = table(&[(&[0.9, 0.1], 0)]);
        let view = View {
            temperature: 2.0,
            ..View::default()
        };
        // √0.9 : √0.1 = 3 : 1.
        let errors = calibration_errors(&table, &[0], &view, 15).unwrap();
        close(errors.ece, 0.25);
        close(errors.log_loss, -(0.75_f64.ln()));
        close(errors.brier, 2.0 * 0.0625);
    }

    proptest! {
        #[test]
        fn bounds(
            rows in prop::collection::vec((prop::collection::vec(0.001..1.0_f64, 2..=6), 0_usize..2), 1..60),
            bins in 1_usize..20,
        ) {
            let rows: Vec<(&[f64], usize)> = rows.iter().map(|(p, a)| (&p[..], *a)).collect();
            let table = table(&rows);
            let errors = calibration_errors(&table, &all(&table), &View::default(), bins).unwrap();
            prop_assert!((0.0..=1.0 + 1e-12).contains(&errors.ece));
            prop_assert!(errors.ece <= errors.mce + 1e-12);
            prop_assert!((0.0..=2.0).contains(&errors.brier));
            prop_assert!(errors.log_loss >= 0.0 && errors.log_loss.is_finite());
            for (bins_of, most) in [(&errors.bins, bins), (&errors.mass_bins, bins)] {
                prop_assert!(bins_of.len() <= most);
                prop_assert_eq!(bins_of.iter().map(|bin| bin.n).sum::<usize>(), rows.len());
                for bin in bins_of {
                    prop_assert!(bin.low - 1e-12 <= bin.confidence && bin.confidence <= bin.high + 1e-12);
                }
            }
            // One bin: the distance of the means.
            let one = calibration_errors(&table, &all(&table), &View::default(), 1).unwrap();
            prop_assert!((one.ece - one.ece_mass).abs() < 1e-12);
        }
    }
}
