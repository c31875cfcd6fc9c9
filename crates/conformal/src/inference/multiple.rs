//! Adjustment of p-values for multiple tests.

/// Holm's step-down adjustment (Holm 1979): adjusted p-values in the order of the input. Rejecting
/// those up to 0.05 keeps the probability of any false rejection at 5 % or less, however the tests
/// depend on each other. A NaN counts as 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut largest = 0.0_f64;
    adjust(p, |sorted| {
        let n = sorted.len();
        for (rank, p) in sorted.iter_mut().enumerate() {
            largest = largest.max(*p * (n - rank) as f64);
            *p = largest.min(1.0);
        }
    })
}

/// The step-up adjustment of Benjamini & Hochberg (1995): adjusted p-values in the order of the
/// input. Rejecting those up to 0.05 keeps the false discovery rate at 5 % or less, for independent
/// or positively dependent tests. A NaN counts as 1.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut smallest = 1.0_f64;
    adjust(p, |sorted| {
        let n = sorted.len() as f64;
        for (rank, p) in sorted.iter_mut().enumerate().rev() {
            smallest = smallest.min(*p * (n / (rank as f64 + 1.0)));
            *p = smallest;
        }
    })
}

/// Applies `adjusted` to the p-values in ascending order, and restores their order.
fn adjust(p: &[f64], adjusted: impl FnOnce(&mut [f64])) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = p
        .iter()
        .map(|&p| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) })
        .zip(0..)
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sorted: Vec<f64> = order.iter().map(|&(p, _)| p).collect();
    adjusted(&mut sorted);
    let mut result = vec![0.0; p.len()];
    for (&(_, index), p) in order.iter().zip(sorted) {
        result[index] = p;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?}");
    }

    #[test]
    fn by_hand() {
        let p = [0.01, 0.04, 0.03, 0.005];
        close(&holm(&p), &[0.03, 0.06, 0.06, 0.02]);
        close(&benjamini_hochberg(&p), &[0.02, 0.04, 0.04, 0.02]);
    }

    #[test]
    fn defined_at_the_edges() {
        assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
        close(&holm(&[0.2]), &[0.2]);
        close(&benjamini_hochberg(&[0.2]), &[0.2]);
        close(&holm(&[f64::NAN, 0.01]), &[1.0, 0.02]);
        close(&benjamini_hochberg(&[f64::NAN, 0.01]), &[1.0, 0.02]);
        close(&holm(&[1.0, 1.0]), &[1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn order_is_kept(p in prop::collection::vec(0.0..=1.0_f64, 0..40)) {
            let (holm, hochberg) = (holm(&p), benjamini_hochberg(&p));
            for i in 0..p.len() {
                prop_assert!(p[i] <= hochberg[i] && hochberg[i] <= holm[i] && holm[i] <= 1.0);
                prop_assert!(holm[i] <= (p[i] * p.len() as f64).min(1.0));
                for j in 0..p.len() {
                    if p[i] < p[j] {
                        prop_assert!(holm[i] <= holm[j] && hochberg[i] <= hochberg[j]);
                    }
                }
            }
        }
    }
}
