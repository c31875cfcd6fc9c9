//! The random order of asking.

/// The order in which to ask questions: their indices, in the order of a hash of `seed` and of each
/// question's key. The same questions come in the same order, whatever order they are given in.
///
/// Copies of a question have keys of their own: `number` of how often a key came before is part of the
/// hash.
///
/// ```
/// use sureness_anytime::random_order;
///
/// let order = random_order([([7; 32], 0), ([7; 32], 1), ([9; 32], 0)], 42);
/// let mut sorted = order.clone();
/// sorted.sort_unstable();
/// assert_eq!(sorted, [0, 1, 2]);
/// ```
pub fn random_order(keys: impl IntoIterator<Item = ([u8; 32], u32)>, seed: u64) -> Vec<usize> {
    let place = |(key, number): ([u8; 32], u32)| {
        let mut hasher = blake3::Hasher::new_derive_key("sureness order of asking");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&key);
        hasher.update(&number.to_le_bytes());
        *hasher.finalize().as_bytes()
    };
    let mut places: Vec<([u8; 32], usize)> = keys
        .into_iter()
        .enumerate()
        .map(|(index, key)| (place(key), index))
        .collect();
    places.sort_unstable();
    places.into_iter().map(|(_, index)| index).collect()
}
