//! How much each row moves the expected calibration error.

use super::visit_answers;
use crate::{Table, View};

/// The ECE over `bins` bins of equal width ([`calibration_errors`](super::calibration_errors)), and the
/// influence of each row on it: the gap of its own confidence, with the sign of its bin's, less the ECE.
/// Where a bin's gap is zero its sign is chance, and the variance of influences exceeds that of the ECE.
/// `None` for no rows, or a temperature that is not above 0.
pub fn ece_influence(
    table: &Table,
    rows: &[usize],
    view: &View,
    bins: usize,
) -> Option<(f64, Vec<f64>)> {
    let bins = bins.max(1);
    let mut gaps = Vec::with_capacity(rows.len());
    let mut sums = vec![0.0; bins];
    visit_answers(table, rows, view, |_, _, answer| {
        // Bins are (low, high].
        let bin = ((answer.confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        let gap = answer.confidence - f64::from(u8::from(answer.correct));
        sums[bin] += gap;
        gaps.push((bin, gap));
    })?;
    let n = rows.len() as f64;
    let ece = sums.iter().map(|sum: &f64| sum.abs()).sum::<f64>() / n;
    let influence = |(bin, gap): (usize, f64)| sums[bin].signum() * gap - ece;
    Some((ece, gaps.into_iter().map(influence).collect()))
}
