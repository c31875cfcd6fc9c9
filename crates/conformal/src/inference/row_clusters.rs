//! Rows that are drawn with replacement, whole clusters at a time.

use super::clusters::effective;
use super::random::Stream;

/// Maximum number of groups that the jackknife leaves out. The acceleration is then off by some
/// 0.004, which moves an end by less than a fiftieth of the standard error.
const JACKKNIFE_GROUPS: usize = 100;

/// The clusters of some rows, numbered for drawing. Published intervals depend on the numbering,
/// which differs from that of [`super::clusters`].
#[derive(Debug, Clone)]
pub(crate) struct RowClusters {
    /// The cluster of each row.
    of_row: Vec<u32>,
    count: usize,
}

impl RowClusters {
    /// Every row as a cluster of its own.
    pub(crate) fn apart(rows: usize) -> Self {
        Self {
            of_row: (0..rows as u32).collect(),
            count: rows,
        }
    }

    /// From the name of each row's cluster, numbered in the order of names.
    pub(crate) fn of(clusters: &[[u8; 32]]) -> Self {
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        order.sort_by_key(|&row| clusters[row]);
        let mut of_row = vec![0; clusters.len()];
        let mut count = 0;
        for unit in order.chunk_by(|&a, &b| clusters[a] == clusters[b]) {
            for &row in unit {
                of_row[row] = count as u32;
            }
            count += 1;
        }
        if count == clusters.len() {
            return Self::apart(count);
        }
        Self { of_row, count }
    }

    /// Number of clusters.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// [`super::effective_clusters`] of the rows.
    pub(crate) fn effective(&self) -> f64 {
        effective(&self.of_row, self.count)
    }

    /// The cluster of a row.
    pub(crate) fn of_row(&self, row: usize) -> u32 {
        self.of_row[row]
    }

    /// How often each cluster occurs in a draw with replacement of as many as there are.
    pub(crate) fn draw(&self, seed: u64, replicate: usize) -> Vec<u8> {
        let mut stream = Stream::new("rows", seed, replicate);
        let mut drawn = vec![0_u8; self.count];
        for _ in 0..self.count {
            // Practically no cluster is drawn 255 times.
            let times = &mut drawn[stream.below(self.count)];
            *times = times.saturating_add(1);
        }
        drawn
    }

    /// Number of groups of clusters that the jackknife leaves out, one at a time.
    pub(crate) fn groups(&self) -> usize {
        if self.count > 1 {
            self.count.min(JACKKNIFE_GROUPS)
        } else {
            0
        }
    }

    /// Weight 1 for every cluster outside this group.
    pub(crate) fn leave_out(&self, group: usize) -> Vec<u8> {
        let mut kept = vec![1; self.count];
        for left_out in kept.iter_mut().skip(group).step_by(self.groups().max(1)) {
            *left_out = 0;
        }
        kept
    }
}
