//! The law of the threshold.

use super::student::incomplete_beta;

/// Number of thresholds that approximate the law of the threshold.
pub(super) const NODES: usize = 16;

/// The law of the share of a calibration set's weight above its threshold, over draws of the set:
/// the medians of its sixteenths, ascending.
///
/// The score of rank `k` of `n` has a share of Beta(`k`, `n + 1 − k`) below it (Vovk 2012); `given`
/// is `n + 1 − k`. Empty for an infinite threshold.
pub(super) fn nodes(n: usize, given: usize) -> Vec<f64> {
    if given == 0 || given > n {
        return Vec::new();
    }
    let (a, b) = (given as f64, (n + 1 - given) as f64);
    (0..NODES)
        .map(|node| {
            let wanted = (node as f64 + 0.5) / NODES as f64;
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..50 {
                let middle = f64::midpoint(low, high);
                if incomplete_beta(middle, a, b) < wanted {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            f64::midpoint(low, high)
        })
        .collect()
}

/// The law of the threshold for scores of another kind than options': the shares of a calibration set's
/// weight above the threshold, over draws of sets of `n` questions, of which the threshold has this
/// `rank`. The medians of sixteen parts of equal probability, ascending. `design` is the
/// [`super::design_effect`] of the share of calibration questions at or above the threshold.
///
/// ```
/// // Above the threshold of 99 questions at an error rate of 10 %.
/// let shares = sureness_conformal::threshold_law(99, 90, 1.0);
/// assert!(shares[0] < 0.06 && shares[15] > 0.15);
/// ```
pub fn threshold_law(n: usize, rank: usize, design: f64) -> Vec<f64> {
    let given = (n + 1).saturating_sub(rank);
    widened(&nodes(n, given), n, given, design)
}

/// The `nodes` of a calibration set with clusters: the law is wider, its deviations from the mean
/// multiplied by the root of the `design` effect.
pub(super) fn widened(nodes: &[f64], n: usize, given: usize, design: f64) -> Vec<f64> {
    let mean = given as f64 / (n + 1) as f64;
    let widened = nodes
        .iter()
        .map(|share| mean + (share - mean) * design.sqrt());
    widened.map(|share| share.clamp(0.0, 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_approximate_the_law() {
        let nodes = nodes(100, 11);
        assert_eq!(nodes.len(), NODES);
        assert!(nodes.is_sorted());
        let mean = nodes.iter().sum::<f64>() / NODES as f64;
        // Beta(11, 90): mean 0.1089, standard deviation 0.0308.
        assert!((mean - 0.1089).abs() < 5e-4, "{mean}");
        let squares: f64 = nodes.iter().map(|x| (x - mean).powi(2)).sum();
        let sd = (squares / NODES as f64).sqrt();
        assert!((sd - 0.0308).abs() < 2e-3, "{sd}");
        assert!(super::nodes(100, 0).is_empty());
        let wide = widened(&nodes, 100, 11, 4.0);
        assert!(wide[15] - wide[0] > 1.9 * (nodes[15] - nodes[0]));
    }
}
