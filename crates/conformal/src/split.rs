//! Which rows calibrate and which are tested.

use crate::evaluate::check_halves;
use crate::{Config, EvaluateError, Protocol, Table, numpy};

/// Row indices of the two halves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Rows that set the threshold.
    pub calibration: Vec<usize>,
    /// Rows that are reported on.
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

/// Our own split: a row calibrates if a seeded hash of its key, read as a number in 0..1, is
/// below `calibration_ratio`.
///
/// Each row's half depends on its own key alone. Adding, removing or reordering rows moves no
/// other row, and rows with equal keys (the same question twice) never straddle the halves. The
/// size of the calibration half is random (binomial); given its size the rows are as
/// exchangeable as before, so the coverage guarantee stands.
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

/// The halves that [`crate::evaluate`] makes of a table under `config`, as row indices.
pub fn split_of(table: &Table, config: &Config) -> Result<Split, EvaluateError> {
    config.check()?;
    let (ratio, seed) = (config.calibration_ratio, config.seed);
    let split = match config.protocol {
        Protocol::Paper => paper_split(table.len(), ratio, seed as u32),
        Protocol::Standard => hash_split(table.keys(), ratio, seed),
    };
    check_halves(table.len(), split.calibration.len())?;
    Ok(split)
}

/// Whether the row with this key calibrates.
pub(crate) fn calibrates(key: &[u8], calibration_ratio: f64, seed: u64) -> bool {
    split_unit(key, seed) < calibration_ratio
}

/// Where the row with this key stands between 0 and 1: below the calibration ratio it calibrates.
pub(crate) fn split_unit(key: &[u8], seed: u64) -> f64 {
    keyed_unit(b"sureness split", key, seed)
}

/// A number in [0, 1) that is fixed by purpose, seed and key, and as good as drawn uniformly.
pub(crate) fn keyed_unit(purpose: &[u8], key: &[u8], seed: u64) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(purpose);
    hasher.update(&seed.to_le_bytes());
    hasher.update(key);
    let mut head = [0; 8];
    head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    // 53 bits make a number in [0, 1) that f64 holds exactly.
    (u64::from_le_bytes(head) >> 11) as f64 / (1_u64 << 53) as f64
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

    proptest! {
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
