//! Ranks with confidence bands.

use serde::{Deserialize, Serialize};

/// A model's rank, and the ranks compatible with the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RankBand {
    /// By value; 1 is best, and equal values share the better rank.
    pub rank: usize,
    /// 1 more than the number of models that are significantly better.
    pub best: usize,
    /// The number of models minus those that are significantly worse.
    pub worst: usize,
}

/// Ranks `values`, with bands from pairwise tests: `significant(i, j)` is whether models `i` and
/// `j` differ significantly. With p-values adjusted for multiple tests, all bands hold
/// simultaneously (Al Mohamad, Goeman & van Zwet 2022). A NaN ranks last.
pub fn rank_bands(
    values: &[f64],
    higher_is_better: bool,
    significant: impl Fn(usize, usize) -> bool,
) -> Vec<RankBand> {
    let worth = |i: usize| match values.get(i) {
        Some(value) if value.is_nan() => f64::NEG_INFINITY,
        Some(value) if higher_is_better => *value,
        Some(value) => -value,
        None => f64::NEG_INFINITY,
    };
    let n = values.len();
    (0..n)
        .map(|i| {
            let better = (0..n).filter(|&j| worth(j) > worth(i));
            let (mut rank, mut best) = (1, 1);
            for j in better {
                rank += 1;
                best += usize::from(significant(i, j));
            }
            let worse = (0..n).filter(|&j| worth(j) < worth(i) && significant(i, j));
            RankBand {
                rank,
                best,
                worst: n - worse.count(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn band(rank: usize, best: usize, worst: usize) -> RankBand {
        RankBand { rank, best, worst }
    }

    #[test]
    fn ranks_and_bands() {
        let values = [0.5, 0.9, 0.6, 0.6_f64];
        let far = |i: usize, j: usize| (values[i] - values[j]).abs() > 0.25;
        assert_eq!(
            rank_bands(&values, true, far),
            [band(4, 2, 4), band(1, 1, 1), band(2, 2, 4), band(2, 2, 4)]
        );
        assert_eq!(
            rank_bands(&values, false, far),
            [band(1, 1, 3), band(4, 4, 4), band(2, 1, 3), band(2, 1, 3)]
        );
        assert_eq!(rank_bands(&values, true, |_, _| false)[1], band(1, 1, 4));
    }

    #[test]
    fn defined_at_the_edges() {
        assert!(rank_bands(&[], true, |_, _| true).is_empty());
        assert_eq!(rank_bands(&[0.3], true, |_, _| true), [band(1, 1, 1)]);
        // Equal values share a rank, even where a test says that they differ.
        assert_eq!(
            rank_bands(&[0.3, 0.3], true, |_, _| true),
            [band(1, 1, 2), band(1, 1, 2)]
        );
        assert_eq!(
            rank_bands(&[f64::NAN, 0.3], false, |_, _| true),
            [band(2, 2, 2), band(1, 1, 1)]
        );
    }

    proptest! {
        #[test]
        fn the_rank_lies_in_its_band(
            values in prop::collection::vec(0.0..1.0_f64, 1..20), gap in 0.0..1.0_f64,
        ) {
            let bands = rank_bands(&values, true, |i, j| (values[i] - values[j]).abs() > gap);
            for band in bands {
                prop_assert!(1 <= band.best && band.best <= band.rank);
                prop_assert!(band.rank <= band.worst && band.worst <= values.len());
            }
        }
    }
}
