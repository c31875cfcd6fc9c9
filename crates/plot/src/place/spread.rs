//! Labels along a line: as near as can be to where they belong, and a distance apart.

/// Positions at least `gap` apart, within `low` and `high`, whose squared distances from the
/// wanted ones are least. With too little room the gap is smaller.
///
/// Subtracting the gaps turns "at least so far apart" into "not descending", which is isotonic
/// regression; its solution pools neighbours that violate the order (Ayer and others, 1955). Ends
/// are kept by clamping, which leaves the order as it is.
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let count = wanted.len();
    if count == 0 {
        return Vec::new();
    }
    let gap = gap.min((high - low).max(0.0) / (count - 1).max(1) as f64);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    // Each pool: the sum of its members and how many they are.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (rank, &i) in order.iter().enumerate() {
        let mut pool = (wanted[i] - gap * rank as f64, 1);
        while let Some(&(sum, size)) = pools.last() {
            if sum / size as f64 <= pool.0 / pool.1 as f64 {
                break;
            }
            pools.pop();
            pool = (pool.0 + sum, pool.1 + size);
        }
        pools.push(pool);
    }
    let ceiling = (high - gap * (count - 1) as f64).max(low);
    let mut placed = vec![0.0; count];
    let mut rank = 0;
    for (sum, size) in pools {
        let place = (sum / size as f64).clamp(low, ceiling);
        for _ in 0..size {
            placed[order[rank]] = place + gap * rank as f64;
            rank += 1;
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_room_stays_and_what_has_not_shares_it() {
        assert_eq!(spread(&[50.0, 10.0], 12.0, 0.0, 100.0), [50.0, 10.0]);
        assert_eq!(spread(&[50.0, 50.0], 12.0, 0.0, 100.0), [44.0, 56.0]);
        assert_eq!(
            spread(&[0.0, 0.0, 0.0], 10.0, 0.0, 100.0),
            [0.0, 10.0, 20.0]
        );
    }

    proptest! {
        #[test]
        fn labels_are_apart_and_inside(wanted in prop::collection::vec(0.0..300.0_f64, 0..30)) {
            let placed = spread(&wanted, 10.0, 0.0, 300.0);
            let mut sorted = placed.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert!(sorted.iter().all(|y| (-1e-9..=300.0 + 1e-9).contains(y)));
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 10.0 - 1e-6));
            for (a, b) in placed.iter().zip(&wanted).zip(placed.iter().zip(&wanted).skip(1)) {
                prop_assert!((a.1 - b.1).abs() < 1e-12 || (a.0 < b.0) == (a.1 < b.1));
            }
        }
    }
}
