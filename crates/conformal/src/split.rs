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
/// copies of one question, stay on one side. Clusters are visited in the order of a seeded hash of
/// their names, and each calibrates if it still fits. So the split does not depend on the order of
/// rows, and an added row moves at most one other where every row is its own cluster.
///
/// Which rows calibrate depends on names and cluster sizes, never on answers: rows are as
/// exchangeable as before, and the coverage guarantee stands (between clusters, where these have
/// several rows).
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
    let chosen = CalibrationClusters::of(positions.clone(), calibration_ratio);
    let mut split = Split::default();
    for (row, position) in positions.into_iter().enumerate() {
        if chosen.contains(position) {
            split.calibration.push(row);
        } else {
            split.test.push(row);
        }
    }
    split
}

/// A cluster's position in the order of hashes. Two clusters collide with a probability of 2⁻⁵³,
/// and then count as one.
pub(crate) fn hash_position(cluster: &[u8], seed: u64) -> u64 {
    keyed_bits(b"sureness split", cluster, seed)
}

/// The hash positions of the clusters that calibrate under [`SplitRule::Ordered`].
#[derive(Debug, Clone, Default)]
pub(crate) struct CalibrationClusters {
    /// Every position below this one.
    below: u64,
    /// The others, ascending.
    beyond: Vec<u64>,
}

impl CalibrationClusters {
    /// From the positions of all rows.
    pub(crate) fn of(mut positions: Vec<u64>, calibration_ratio: f64) -> Self {
        positions.sort_unstable();
        // The slack keeps 100 · 0.29 from becoming 28.
        let mut room = (positions.len() as f64 * calibration_ratio + 1e-9) as usize;
        let mut chosen = Self::default();
        let mut skipped = false;
        for cluster in positions.chunk_by(|a, b| a == b) {
            let Some(&position) = cluster.first() else {
                continue;
            };
            if cluster.len() > room {
                skipped = true;
            } else {
                room -= cluster.len();
                if skipped {
                    chosen.beyond.push(position);
                } else {
                    chosen.below = position + 1;
                }
            }
            if room == 0 {
                break;
            }
        }
        chosen
    }

    pub(crate) fn contains(&self, position: u64) -> bool {
        position < self.below || self.beyond.binary_search(&position).is_ok()
    }
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
        let rows = table.len() as f64 * ratio;
        let first = |most: f64| calibration[..calibration.len().min(most as usize)].to_vec();
        Ok(Split {
            calibration: match config.protocol {
                Protocol::Standard if by_hash => {
                    let below = calibration.iter().copied().filter(|&row| unit(row) < ratio);
                    below.collect()
                }
                Protocol::Standard => first((rows + 1e-9).floor()),
                Protocol::Paper => first(rows.floor()),
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
        let rows: Vec<[u8; 8]> = clusters
            .iter()
            .enumerate()
            .flat_map(|(cluster, &size)| std::iter::repeat_n(cluster.to_le_bytes(), size))
            .collect();
        let split = ordered_split(&rows, ratio, 42);
        (split.calibration.len(), split.test.len())
    }

    #[test]
    fn a_fixed_share_calibrates() {
        assert_eq!(sizes(&[1; 100], 0.5), (50, 50));
        assert_eq!(sizes(&[1; 15], 0.5), (7, 8));
        assert_eq!(sizes(&[1; 100], 0.29), (29, 71));
        assert_eq!(sizes(&[2; 50], 0.5), (50, 50));
        assert_eq!(sizes(&[3; 33], 0.5), (48, 51));
        // One passage has most of the questions: it is tested, and the others calibrate.
        assert_eq!(sizes(&[[70].as_slice(), &[1; 30]].concat(), 0.5), (30, 70));
        assert_eq!(sizes(&[9], 0.5), (0, 9));
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
            prop_assert!(split.calibration.len() <= rows.len() / 2);
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
