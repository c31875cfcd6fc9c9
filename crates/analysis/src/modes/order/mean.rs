//! Means over questions, with intervals over clusters.

use std::collections::HashSet;

use sureness_conformal::{MIN_CLUSTERS, influence_interval};

use crate::Cell;

/// The value of a question and the name of its cluster.
pub(super) type Valued = (f64, [u8; 32]);

/// A mean and the ends of its interval, if there are enough clusters. `None` for no values.
pub(super) fn mean(values: &[Valued], level: f64) -> Option<(f64, Option<(f64, f64)>)> {
    let n = values.len() as f64;
    let mean = values.iter().map(|(value, _)| value).sum::<f64>() / n;
    let influences: Vec<f64> = values.iter().map(|(value, _)| value - mean).collect();
    let clusters: Vec<[u8; 32]> = values.iter().map(|(_, cluster)| *cluster).collect();
    let different: HashSet<&[u8; 32]> = clusters.iter().collect();
    // A share of a question differs by 1 at most.
    let interval = (different.len() >= MIN_CLUSTERS)
        .then(|| influence_interval(mean, &influences, &clusters, level, 1.0))
        .flatten();
    let ends = interval.map(|it| (it.low.max(0.0), it.high.min(1.0)));
    (!values.is_empty()).then_some((mean, ends))
}

/// The cell of a mean share.
pub(super) fn cell(values: &[Valued], level: f64) -> Cell {
    match mean(values, level) {
        None => Cell::Empty,
        Some((mean, None)) => Cell::without_interval(mean, "too few"),
        Some((mean, Some(ends))) => Cell::estimate(mean, ends),
    }
}

#[cfg(test)]
mod tests {
    use sureness_conformal::Stream;

    use super::*;

    /// Shares of questions in clusters of up to three, which are alike.
    fn drawn(stream: &mut Stream, clusters: u64, share: f64) -> Vec<Valued> {
        let mut values = Vec::new();
        for cluster in 0..clusters {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&cluster.to_le_bytes());
            let of_cluster = stream.unit() < share;
            for _ in 0..=stream.below(3) {
                let own = if stream.unit() < 0.5 {
                    of_cluster
                } else {
                    stream.unit() < share
                };
                values.push((f64::from(u8::from(own)), name));
            }
        }
        values
    }

    #[test]
    fn intervals_hold_the_share_of_clustered_questions() {
        for (clusters, share) in [(25, 0.3), (50, 0.05), (100, 0.05), (100, 0.5), (400, 0.02)] {
            let mut stream = Stream::new("simulation of orders", clusters, 0);
            let runs = 1_000;
            let held = (0..runs).filter(|_| {
                let values = drawn(&mut stream, clusters, share);
                let (_, ends) = mean(&values, 0.95).unwrap();
                let (low, high) = ends.unwrap();
                (low..=high).contains(&share)
            });
            let held = held.count() as f64 / f64::from(runs);
            // 1,000 runs: the standard error is 0.7 points. Those of few events are wider than they need be.
            let most = if share < 0.1 { 1.0 } else { 0.998 };
            assert!((0.93..=most).contains(&held), "{clusters} {share}: {held}");
        }
    }

    #[test]
    fn few_clusters_have_no_interval() {
        let values = vec![(1.0, [0; 32]); 100];
        assert_eq!(mean(&values, 0.95), Some((1.0, None)));
        assert_eq!(mean(&[], 0.95), None);
    }
}
