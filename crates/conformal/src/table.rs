//! The rows of one model on one task with one strategy, in memory.

use std::sync::Arc;

use crate::{EvaluateError, Logits, RightOptions, Row};

/// Marks an option that a row does not have.
const NONE: u8 = u8::MAX;

/// Rows of up to 26 options each, column by column: 24 bytes for a row of six options (48 where a
/// score is not exact as an `f32`), and 44 for its question, which tables can
/// [share](Self::share).
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    stride: usize,
    logits: Numbers,
    questions: Arc<Questions>,
}

/// Scores in single precision while all of them are exact in it.
#[derive(Debug, Clone, PartialEq)]
enum Numbers {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl Numbers {
    fn push(&mut self, logits: Logits<'_>) {
        #[expect(
            clippy::float_cmp,
            reason = "lossless or not is a question of the exact value"
        )]
        let is_single = |x: f64| f64::from(x as f32) == x;
        if let Self::Single(held) = self
            && !logits.iter().all(is_single)
        {
            *self = Self::Double(held.iter().map(|&x| f64::from(x)).collect());
        }
        match self {
            Self::Single(held) => held.extend(logits.iter().map(|x| x as f32)),
            Self::Double(held) => held.extend(logits.iter()),
        }
    }

    fn fill_to(&mut self, len: usize) {
        match self {
            Self::Single(held) => held.resize(len, f32::NEG_INFINITY),
            Self::Double(held) => held.resize(len, f64::NEG_INFINITY),
        }
    }

    fn of(&self, start: usize, len: usize) -> Logits<'_> {
        match self {
            Self::Single(held) => Logits::Single(&held[start..][..len]),
            Self::Double(held) => Logits::Double(&held[start..][..len]),
        }
    }

    fn shrink_to_fit(&mut self) {
        match self {
            Self::Single(held) => held.shrink_to_fit(),
            Self::Double(held) => held.shrink_to_fit(),
        }
    }
}

/// The questions of the rows, the same for every model.
#[derive(Debug, Clone, Default, PartialEq)]
struct Questions {
    options: Vec<u8>,
    right: RightOfRows,
    dont_know: Vec<u8>,
    none_of_the_above: Vec<u8>,
    keys: Vec<[u8; 32]>,
    /// Empty while no row has a cluster.
    clusters: Vec<[u8; 32]>,
    categories: Vec<Option<u32>>,
}

/// The right options of rows: an index each, or a mask each once a row has several.
#[derive(Debug, Clone, PartialEq)]
enum RightOfRows {
    One(Vec<u8>),
    Several(Vec<RightOptions>),
}

impl Default for RightOfRows {
    fn default() -> Self {
        Self::One(Vec::new())
    }
}

impl RightOfRows {
    fn push(&mut self, right: RightOptions) {
        match self {
            Self::Several(rows) => rows.push(right),
            Self::One(rows) => {
                if let Some(option) = right.only() {
                    rows.push(option as u8);
                } else {
                    let earlier = rows.iter().map(|&option| usize::from(option).into());
                    *self = Self::Several(earlier.chain([right]).collect());
                }
            }
        }
    }

    fn of(&self, index: usize) -> RightOptions {
        match self {
            Self::One(rows) => usize::from(rows[index]).into(),
            Self::Several(rows) => rows[index],
        }
    }

    fn with_several(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Several(rows) => rows.iter().filter(|right| right.only().is_none()).count(),
        }
    }
}

impl Table {
    /// An empty table for rows of up to `stride` options.
    pub fn new(stride: usize) -> Self {
        Self {
            stride,
            logits: Numbers::Single(Vec::new()),
            questions: Arc::default(),
        }
    }

    /// Adds a row. `key` identifies the question; `row.key` is ignored. Hashes a cluster name that
    /// is not 32 bytes long. Refuses fewer than 2 or more than `stride` options, a score that is
    /// not finite, and an answer outside the options.
    pub fn push(
        &mut self,
        key: [u8; 32],
        row: &Row<'_>,
        category: Option<u32>,
    ) -> Result<(), EvaluateError> {
        row.check(self.len())?;
        if row.logits.len() > self.stride {
            return Err(EvaluateError::Row {
                row: self.len(),
                what: "has more options than its table",
            });
        }
        let small = |index: Option<usize>| index.map_or(NONE, |index| index as u8);
        self.logits.push(row.logits);
        self.logits.fill_to((self.len() + 1) * self.stride);
        let cluster = row
            .cluster
            .map(|name| <[u8; 32]>::try_from(name).unwrap_or_else(|_| blake3::hash(name).into()));
        let cluster = cluster.filter(|cluster| *cluster != key);
        let questions = Arc::make_mut(&mut self.questions);
        questions.options.push(row.logits.len() as u8);
        questions.right.push(row.right);
        questions.dont_know.push(small(row.dont_know));
        questions
            .none_of_the_above
            .push(small(row.none_of_the_above));
        questions.categories.push(category);
        if cluster.is_some() && questions.clusters.is_empty() {
            questions.clusters.clone_from(&questions.keys);
        }
        if cluster.is_some() || !questions.clusters.is_empty() {
            questions.clusters.push(cluster.unwrap_or(key));
        }
        questions.keys.push(key);
        Ok(())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.questions.keys.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.questions.keys.is_empty()
    }

    /// Maximum number of options of a row.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Row `index`.
    ///
    /// # Panics
    /// If the row does not exist.
    pub fn row(&self, index: usize) -> Row<'_> {
        let index_of = |index: u8| (index != NONE).then_some(usize::from(index));
        let of = &*self.questions;
        Row {
            key: &of.keys[index],
            cluster: of.clusters.get(index).map(<[u8; 32]>::as_slice),
            logits: self
                .logits
                .of(index * self.stride, usize::from(of.options[index])),
            right: of.right.of(index),
            dont_know: index_of(of.dont_know[index]),
            none_of_the_above: index_of(of.none_of_the_above[index]),
        }
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// Keys of the questions, in order.
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.questions.keys
    }

    /// The name of each row's cluster, in order: its key where it has none.
    pub fn clusters(&self) -> &[[u8; 32]] {
        if self.questions.clusters.is_empty() {
            &self.questions.keys
        } else {
            &self.questions.clusters
        }
    }

    /// Removes all clusters: each row then has that of its key.
    pub fn without_clusters(&mut self) {
        Arc::make_mut(&mut self.questions).clusters = Vec::new();
    }

    /// Replaces the name of each row's cluster, in order.
    ///
    /// # Panics
    /// If the number of names is not that of rows.
    pub fn set_clusters(&mut self, names: Vec<[u8; 32]>) {
        assert_eq!(names.len(), self.len(), "one cluster per row");
        Arc::make_mut(&mut self.questions).clusters = names;
    }

    /// The right options of row `index`.
    ///
    /// # Panics
    /// If the row does not exist.
    pub fn right(&self, index: usize) -> RightOptions {
        self.questions.right.of(index)
    }

    /// Number of rows with several right options.
    pub fn with_several_right(&self) -> usize {
        self.questions.right.with_several()
    }

    /// Each row's category, as a number.
    pub fn categories(&self) -> &[Option<u32>] {
        &self.questions.categories
    }

    /// Stores the questions once for both tables if they are equal. Models are asked the same
    /// questions, and the keys alone take as much memory as the logits.
    pub fn share(&mut self, other: &Self) {
        if self.questions == other.questions {
            self.questions = Arc::clone(&other.questions);
        }
        self.logits.shrink_to_fit();
    }

    /// The rows with these indices, in this order.
    ///
    /// # Panics
    /// If the row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut selected = Self::new(self.stride);
        let of = &*self.questions;
        let questions = Arc::make_mut(&mut selected.questions);
        for &row in rows {
            selected
                .logits
                .push(self.logits.of(row * self.stride, self.stride));
            questions.options.push(of.options[row]);
            questions.right.push(of.right.of(row));
            questions.dont_know.push(of.dont_know[row]);
            questions.none_of_the_above.push(of.none_of_the_above[row]);
            questions.keys.push(of.keys[row]);
            if let Some(&cluster) = of.clusters.get(row) {
                questions.clusters.push(cluster);
            }
            questions.categories.push(of.categories[row]);
        }
        selected
    }
}
