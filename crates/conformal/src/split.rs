//! Splits of rows into a calibration set and a test set.

use crate::{Config, EvaluateError, Protocol, SplitRule, Table, numpy};

/// Row indices of the calibration set and the test set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Rows that set the threshold.
    pub calibration: Vec<usize>,
    /// Rows that are measured.
    pub test: Vec<usize>,
}

/// The published script's split: scikit-learn's `train_test_split(rows, train_size=ratio,
/// random_state=seed)`. The first `n − ⌊n·ratio⌋` of the permuted rows are tested, the rest
/// calibrate.
pub fn paper_split(n: usize, calibration_ratio: f64, seed: u32) -> Split {
    let n_calibration = (n as f64 * calibration_ratio).floor() as usize;
    let mut test = numpy::permutation(n, seed);
    let calibration = test.split_off(n - n_calibration.min(n));
    Split { calibration, test }
}

/// The standard protocol's split: ⌊n·`calibration_ratio`⌋ of the n rows calibrate, as nearly as
/// whole clusters allow.
///
/// `clusters` names each row's cluster; rows of one cluster, such as questions on one passage or
/// copies of one question, stay on one side. The first clusters in the order of a seeded hash of
/// their names calibrate, as many as come nearest to that number of rows, and at least one of
/// several. So the split does not depend on the order of rows, and an added row moves at most one
/// other where every row is its own cluster.
///
/// Which rows calibrate depends on names and cluster sizes, never on answers: where every row is its
/// own cluster, rows are as exchangeable as before, and the coverage guarantee stands. Clusters of
/// several rows are as exchangeable as they were, but for the last one that calibrates: half of the
/// largest cluster, over the rows of a half, bounds what its choice can change.
///
/// ```
/// use sureness_conformal::ordered_split;
///
/// let passages = ["a", "a", "b", "c", "c", "d"];
/// let split = ordered_split(passages, 0.5, 42);
/// assert_eq!((split.calibration.len(), split.test.len()), (3, 3));
/// let together = |a, b| split.test.contains(&a) == split.test.contains(&b);
/// assert!(together(0, 1) && together(3, 4));
/// ```
pub fn ordered_split<K: AsRef<[u8]>>(
    clusters: impl IntoIterator<Item = K>,
    calibration_ratio: f64,
    seed: u64,
) -> Split {
    let positions: Vec<u64> = clusters
        .into_iter()
        .map(|cluster| hash_position(cluster.as_ref(), seed))
        .collect();
    let end = calibration_end(positions.clone(), calibration_ratio);
    let mut split = Split::default();
    for (row, position) in positions.into_iter().enumerate() {
        if position < end {
            split.calibration.push(row);
        } else {
            split.test.push(row);
        }
    }
    split
}

/// How many of `rows` calibrate where each is its own cluster.
pub(crate) fn calibration_size(rows: usize, calibration_ratio: f64) -> usize {
    // The slack keeps 100 · 0.29 from becoming 28.
    (rows as f64 * calibration_ratio + 1e-9) as usize
}

/// A cluster's position in the order of hashes. Two clusters collide with a probability of 2⁻⁵³,
/// and then count as one.
pub(crate) fn hash_position(cluster: &[u8], seed: u64) -> u64 {
    keyed_bits(b"sureness split", cluster, seed)
}

/// The position in the order of hashes below which clusters calibrate under [`SplitRule::Ordered`].
///
/// Clusters that no longer fit are not skipped for smaller ones further on: then large clusters would be
/// tested more often than they calibrate, and where these are harder, coverage would be too low. Whether
/// the last cluster counts depends on which size is nearer, so that it is as often above as below.
pub(crate) fn calibration_end(mut positions: Vec<u64>, calibration_ratio: f64) -> u64 {
    positions.sort_unstable();
    let wanted = calibration_size(positions.len(), calibration_ratio);
    let (mut end, mut chosen) = (0, 0_usize);
    for cluster in positions.chunk_by(|a, b| a == b) {
        let more = chosen + cluster.len();
        // Either half has at least one cluster.
        let nearer = more.abs_diff(wanted) < chosen.abs_diff(wanted) || chosen == 0;
        if wanted == 0 || !nearer || more == positions.len() {
            break;
        }
        (end, chosen) = (cluster[0] + 1, more);
    }
    end
}

/// The split of version 0.1.0: a row calibrates if a seeded hash of its key, read as a number in
/// 0..1, is below `calibration_ratio`. The size of the calibration set is random (binomial).
pub fn hash_split<K: AsRef<[u8]>>(
    keys: impl IntoIterator<Item = K>,
    calibration_ratio: f64,
    seed: u64,
) -> Split {
    let mut split = Split::default();
    for (row, key) in keys.into_iter().enumerate() {
        if calibrates(key.as_ref(), calibration_ratio, seed) {
            split.calibration.push(row);
        } else {
            split.test.push(row);
        }
    }
    split
}

/// The split of questions under `config`, by each one's key and cluster.
pub fn split_keys<K: AsRef<[u8]>>(
    keys: &[K],
    clusters: &[K],
    config: &Config,
) -> Result<Split, EvaluateError> {
    config.check()?;
    let (ratio, seed) = (config.calibration_ratio, config.seed);
    let split = match (config.protocol, config.split) {
        (Protocol::Paper, _) => paper_split(keys.len(), ratio, seed as u32),
        (Protocol::Standard, SplitRule::Hash) => hash_split(keys, ratio, seed),
        (Protocol::Standard, SplitRule::Ordered) => ordered_split(clusters, ratio, seed),
    };
    check_halves(keys.len(), split.calibration.len())?;
    Ok(split)
}

/// The split that [`crate::evaluate`] uses for a table under `config`.
pub fn split_of(table: &Table, config: &Config) -> Result<Split, EvaluateError> {
    split_keys(table.keys(), table.clusters(), config)
}

/// One split per calibration ratio. All share the test set of `config`; the calibration sets are
/// nested subsets of its calibration set. A ratio above that of `config` is an error.
pub fn thinned_splits(
    table: &Table,
    config: &Config,
    ratios: &[f64],
) -> Result<Vec<Split>, EvaluateError> {
    let Split {
        mut calibration,
        test,
    } = split_of(table, config)?;
    let by_hash = config.protocol == Protocol::Standard && config.split == SplitRule::Hash;
    let unit = |row: usize| split_unit(&table.keys()[row], config.seed);
    match config.protocol {
        Protocol::Standard if by_hash => {}
        // Clusters in the order of their hashes, the rows of each in theirs.
        Protocol::Standard => {
            calibration
                .sort_by_cached_key(|&row| hash_position(&table.clusters()[row], config.seed));
        }
        // The calibration rows are the last of the permuted rows, so fewer are the last of these.
        Protocol::Paper => calibration.reverse(),
    }
    let split = |&ratio: &f64| {
        if !(ratio > 0.0 && ratio <= config.calibration_ratio) {
            return Err(EvaluateError::Thinning {
                ratio,
                of: config.calibration_ratio,
            });
        }
        let first = |most: usize| calibration[..calibration.len().min(most)].to_vec();
        Ok(Split {
            calibration: match config.protocol {
                Protocol::Standard if by_hash => {
                    let below = calibration.iter().copied().filter(|&row| unit(row) < ratio);
                    below.collect()
                }
                Protocol::Standard => first(calibration_size(table.len(), ratio)),
                Protocol::Paper => first((table.len() as f64 * ratio).floor() as usize),
            },
            test: test.clone(),
        })
    };
    ratios.iter().map(split).collect()
}

/// Refuses a split of `rows` rows without calibration or without test rows.
pub(crate) fn check_halves(rows: usize, n_calibration: usize) -> Result<(), EvaluateError> {
    let half = match n_calibration {
        0 => "calibration",
        _ if n_calibration == rows => "test",
        _ => return Ok(()),
    };
    Err(EvaluateError::EmptyHalf { rows, half })
}

/// Whether the row with this key calibrates.
pub(crate) fn calibrates(key: &[u8], calibration_ratio: f64, seed: u64) -> bool {
    split_unit(key, seed) < calibration_ratio
}

/// The hash of a row's key as a number in 0..1: below the calibration ratio the row calibrates.
pub(crate) fn split_unit(key: &[u8], seed: u64) -> f64 {
    keyed_unit(b"sureness split", key, seed)
}

/// A pseudo-random number in [0, 1), a function of purpose, seed and key.
pub(crate) fn keyed_unit(purpose: &[u8], key: &[u8], seed: u64) -> f64 {
    keyed_bits(purpose, key, seed) as f64 / (1_u64 << 53) as f64
}

/// 53 bits, the most that an f64 represents exactly.
fn keyed_bits(purpose: &[u8], key: &[u8], seed: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(purpose);
    hasher.update(&seed.to_le_bytes());
    hasher.update(key);
    let mut head = [0; 8];
    head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(head) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paper_split_of_ten() {
        // train_test_split(range(10), train_size=0.5, random_state=42)
        let split = paper_split(10, 0.5, 42);
        assert_eq!(split.test, [8, 1, 5, 0, 7]);
        assert_eq!(split.calibration, [2, 9, 4, 3, 6]);
        assert_eq!(paper_split(9, 0.5, 42).test.len(), 5);
    }

    fn sizes(clusters: &[usize], ratio: f64) -> (usize, usize) {
        of_seed(clusters, ratio, 42)
    }

    fn of_seed(clusters: &[usize], ratio: f64, seed: u64) -> (usize, usize) {
        let rows: Vec<[u8; 8]> = clusters
            .iter()
            .enumerate()
            .flat_map(|(cluster, &size)| std::iter::repeat_n(cluster.to_le_bytes(), size))
            .collect();
        let split = ordered_split(&rows, ratio, seed);
        (split.calibration.len(), split.test.len())
    }

    /// Of 303 rows, five clusters have 52 each: skipped for smaller ones once they no longer fit, they
    /// would calibrate less often.
    #[test]
    fn large_clusters_calibrate_as_often_as_small_ones() {
        let clusters = [[52; 5].as_slice(), &[1; 43]].concat();
        let rows: Vec<[u8; 8]> = clusters
            .iter()
            .enumerate()
            .flat_map(|(cluster, &size)| std::iter::repeat_n(cluster.to_le_bytes(), size))
            .collect();
        let (mut large, mut small) = (0.0, 0.0);
        for seed in 0..2000 {
            for row in ordered_split(&rows, 0.5, seed).calibration {
                if row < 260 {
                    large += 1.0 / 260.0 / 2000.0;
                } else {
                    small += 1.0 / 43.0 / 2000.0;
                }
            }
        }
        assert!(
            (large - 0.5_f64).abs() < 0.03 && (small - 0.5_f64).abs() < 0.03,
            "{large} {small}"
        );
    }

    #[test]
    fn a_fixed_share_calibrates() {
        assert_eq!(sizes(&[1; 100], 0.5), (50, 50));
        assert_eq!(sizes(&[1; 15], 0.5), (7, 8));
        assert_eq!(sizes(&[1; 100], 0.29), (29, 71));
        assert_eq!(sizes(&[2; 50], 0.5), (50, 50));
        assert_eq!(sizes(&[3; 33], 0.5), (48, 51));
        assert_eq!(sizes(&[9], 0.5), (0, 9));
        // Either half has a cluster, whichever comes first.
        for seed in 0..20 {
            for ratio in [0.1, 0.5, 0.9] {
                assert!([5, 95].contains(&of_seed(&[95, 5], ratio, seed).0));
            }
        }
    }

    proptest! {
        #[test]
        fn ordered_split_moves_one_row_at_most_and_keeps_clusters_whole(
            keys in prop::collection::hash_set(any::<u32>(), 2..200), extra in any::<u32>(),
            seed in any::<u64>(), sizes in prop::collection::vec(1_usize..6, 200),
        ) {
            let keys: Vec<[u8; 4]> = keys.into_iter().map(u32::to_le_bytes).collect();
            let calibrating = |keys: &[[u8; 4]]| -> std::collections::BTreeSet<[u8; 4]> {
                let split = ordered_split(keys, 0.5, seed);
                split.calibration.into_iter().map(|i| keys[i]).collect()
            };
            let before = calibrating(&keys);
            prop_assert_eq!(before.len(), keys.len() / 2);
            if !keys.contains(&extra.to_le_bytes()) {
                let mut more = keys.clone();
                more.insert(0, extra.to_le_bytes());
                more.reverse();
                let after = calibrating(&more);
                let moved = before.symmetric_difference(&after).filter(|&key| *key != extra.to_le_bytes());
                prop_assert!(moved.count() <= 1);
            }
            let rows: Vec<[u8; 4]> = keys.iter().zip(&sizes).flat_map(|(&key, &size)| std::iter::repeat_n(key, size)).collect();
            let split = ordered_split(&rows, 0.5, seed);
            let side: std::collections::HashSet<[u8; 4]> = split.calibration.iter().map(|&i| rows[i]).collect();
            prop_assert!(split.test.iter().all(|&i| !side.contains(&rows[i])));
            let largest = sizes.iter().max().unwrap();
            prop_assert!(split.calibration.len().abs_diff(rows.len() / 2) <= largest / 2);
        }

        #[test]
        fn hash_split_is_stable_under_adding_and_reordering(
            keys in prop::collection::hash_set(any::<u32>(), 1..200), extra in any::<u32>(), seed in any::<u64>(),
        ) {
            let keys: Vec<[u8; 4]> = keys.into_iter().map(u32::to_le_bytes).collect();
            let calibrates = |keys: &[[u8; 4]]| {
                let split = hash_split(keys, 0.5, seed);
                let mut chosen: Vec<_> = split.calibration.iter().map(|&i| keys[i]).collect();
                assert_eq!(split.calibration.len() + split.test.len(), keys.len());
                chosen.sort_unstable();
                chosen
            };
            let before = calibrates(&keys);
            let mut more = keys.clone();
            more.insert(0, extra.to_le_bytes());
            more.reverse();
            let after = calibrates(&more);
            prop_assert!(before.iter().all(|k| after.contains(k)));
            prop_assert!(after.len() - before.len() <= 1);
        }
    }
}
