//! The rows of one model on one task with one strategy, in memory.

use crate::evaluate::{EvaluateError, check};
use crate::{Config, Evaluation, Row, evaluate_visiting};

/// Stands for "no such option" and "no category".
const NONE: u8 = u8::MAX;

/// Rows of up to 26 options each, column by column: 86 bytes for a row of six options.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    stride: usize,
    logits: Vec<f64>,
    options: Vec<u8>,
    answers: Vec<u8>,
    dont_know: Vec<u8>,
    none_of_the_above: Vec<u8>,
    keys: Vec<[u8; 32]>,
    /// Empty while every row is on its own.
    clusters: Vec<[u8; 32]>,
    categories: Vec<Option<u32>>,
}

impl Table {
    /// An empty table for rows of up to `stride` options.
    pub fn new(stride: usize) -> Self {
        Self {
            stride,
            logits: Vec::new(),
            options: Vec::new(),
            answers: Vec::new(),
            dont_know: Vec::new(),
            none_of_the_above: Vec::new(),
            keys: Vec::new(),
            clusters: Vec::new(),
            categories: Vec::new(),
        }
    }

    /// Adds a row. `key` identifies the question; `row.key` is not looked at. A cluster's name that
    /// is not of 32 bytes is hashed. Refuses what cannot
    /// be scored: fewer than 2 or more than `stride` options, a score that is not finite, an
    /// answer that is no option.
    pub fn push(
        &mut self,
        key: [u8; 32],
        row: &Row<'_>,
        category: Option<u32>,
    ) -> Result<(), EvaluateError> {
        check(self.len(), row)?;
        if row.logits.len() > self.stride {
            return Err(EvaluateError::Row {
                row: self.len(),
                what: "has more options than its table",
            });
        }
        let small = |index: Option<usize>| index.map_or(NONE, |index| index as u8);
        self.logits.extend_from_slice(row.logits);
        self.logits
            .resize((self.len() + 1) * self.stride, f64::NEG_INFINITY);
        self.options.push(row.logits.len() as u8);
        self.answers.push(row.answer as u8);
        self.dont_know.push(small(row.dont_know));
        self.none_of_the_above.push(small(row.none_of_the_above));
        self.categories.push(category);
        let cluster = row
            .cluster
            .map(|name| <[u8; 32]>::try_from(name).unwrap_or_else(|_| blake3::hash(name).into()));
        let cluster = cluster.filter(|cluster| *cluster != key);
        if cluster.is_some() && self.clusters.is_empty() {
            self.clusters.clone_from(&self.keys);
        }
        if cluster.is_some() || !self.clusters.is_empty() {
            self.clusters.push(cluster.unwrap_or(key));
        }
        self.keys.push(key);
        Ok(())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The most options that a row may have.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Row `index`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> Row<'_> {
        let index_of = |index: u8| (index != NONE).then_some(usize::from(index));
        Row {
            key: &self.keys[index],
            cluster: self.clusters.get(index).map(<[u8; 32]>::as_slice),
            logits: &self.logits[index * self.stride..][..usize::from(self.options[index])],
            answer: usize::from(self.answers[index]),
            dont_know: index_of(self.dont_know[index]),
            none_of_the_above: index_of(self.none_of_the_above[index]),
        }
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// Keys of the questions, in order.
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }

    /// What names each row's cluster, in order: its key where it is on its own.
    pub fn clusters(&self) -> &[[u8; 32]] {
        if self.clusters.is_empty() {
            &self.keys
        } else {
            &self.clusters
        }
    }

    /// Forgets the clusters that rows were given: each question is then on its own, with its copies.
    pub fn without_clusters(&mut self) {
        self.clusters = Vec::new();
    }

    /// Names each row's cluster anew, in order.
    ///
    /// # Panics
    /// If there are not as many names as rows.
    pub fn set_clusters(&mut self, names: Vec<[u8; 32]>) {
        assert_eq!(names.len(), self.len(), "one cluster per row");
        self.clusters = names;
    }

    /// Index of each row's right option.
    pub fn answers(&self) -> &[u8] {
        &self.answers
    }

    /// Each row's category, as a number.
    pub fn categories(&self) -> &[Option<u32>] {
        &self.categories
    }

    /// The rows with these indices, in this order.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut selected = Self::new(self.stride);
        for &row in rows {
            selected
                .logits
                .extend_from_slice(&self.logits[row * self.stride..][..self.stride]);
            selected.options.push(self.options[row]);
            selected.answers.push(self.answers[row]);
            selected.dont_know.push(self.dont_know[row]);
            selected.none_of_the_above.push(self.none_of_the_above[row]);
            selected.keys.push(self.keys[row]);
            if let Some(&cluster) = self.clusters.get(row) {
                selected.clusters.push(cluster);
            }
            selected.categories.push(self.categories[row]);
        }
        selected
    }

    /// The headline figures; as [`crate::evaluate`].
    pub fn evaluate(&self, config: &Config) -> Result<Evaluation, EvaluateError> {
        let visit = |visit: &mut dyn FnMut(Row<'_>)| {
            self.rows().for_each(visit);
            Ok::<_, std::convert::Infallible>(())
        };
        let Ok(evaluation) = evaluate_visiting(visit, config);
        evaluation
    }
}
