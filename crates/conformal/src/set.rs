//! A set of options.

/// A prediction set over at most 32 options.
///
/// ```
/// use sureness_conformal::PredictionSet;
///
/// let mut set = PredictionSet::EMPTY;
/// set.insert(0);
/// set.insert(3);
/// assert!(set.contains(3) && !set.contains(1));
/// assert_eq!(set.iter().collect::<Vec<_>>(), [0, 3]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct PredictionSet(u32);

impl PredictionSet {
    /// No option.
    pub const EMPTY: Self = Self(0);

    /// All of the first `n` options.
    pub const fn full(n: usize) -> Self {
        Self(((1_u64 << n) - 1) as u32)
    }

    /// Adds option `index`.
    pub const fn insert(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    /// Whether option `index` is in the set.
    pub const fn contains(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    /// Number of options in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the set contains no option.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The options in the set, in ascending order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |&i| self.contains(i))
    }
}
