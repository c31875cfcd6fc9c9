//! Intervals from figures without a part of the clusters, on a scale where a figure is nearly normal.

use std::collections::BTreeSet;

use super::weighted::Scored;
use crate::MIN_EFFECTIVE_CLUSTERS;
use crate::inference::{Interval, RowClusters, two_sided_quantile};

/// Clusters with a right answer, and clusters with a wrong one, that an interval of the Brier score, the
/// log loss, AURC, AUROC or PRR takes. With fewer, a sample does not show what answers of the rarer kind
/// look like, and no method makes up for that: BCa intervals at a level of 95 % held in 50 to 90 % where
/// up to ten answers were wrong.
pub const MIN_CLUSTERS_OF_A_KIND: usize = 10;

/// Clusters with a confidence other than the commonest that an interval of AUROC or PRR takes, and clusters
/// with another loss for one of the Brier score or the log loss. Where nearly all values are equal, the
/// figure hangs on the few others, and a sample of none has an interval without width: with one unsure
/// answer in forty those of AUROC held in 80 %.
const MIN_CLUSTERS_APART: usize = 10;

/// So many of them with an answer of the rarer kind, right or wrong, for AUROC and PRR. The share of
/// unsure answers among the few of a kind decides the figure: with one unsure in a hundred, whether right
/// or wrong, intervals of 2,000 questions held in 86 % without this.
const MIN_RARER_CLUSTERS_APART: usize = 5;

/// Where a figure is nearly normal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// ln x, for figures above 0, which are at most this.
    Log { most: f64 },
    /// −ln(1 − x), for figures below 1.
    LogComplement,
    /// ln(x / (1 − x)), for figures between 0 and 1.
    Logit,
}

impl Scale {
    fn of(self, figure: f64) -> f64 {
        match self {
            Self::Log { .. } => figure.ln(),
            Self::LogComplement => -(1.0 - figure).ln(),
            Self::Logit => (figure / (1.0 - figure)).ln(),
        }
    }

    fn back(self, place: f64) -> f64 {
        match self {
            Self::Log { most } => place.exp().min(most),
            Self::LogComplement => 1.0 - (-place).exp(),
            Self::Logit => 1.0 / (1.0 + (-place).exp()),
        }
    }
}

/// The jackknife over clusters of rows: up to 100 groups of clusters are left out, one at a time.
#[derive(Debug, Clone)]
pub(super) struct Jackknife {
    clusters: RowClusters,
    left_out: Vec<Vec<u8>>,
    level: f64,
}

impl Jackknife {
    /// From the name of each row's cluster, for intervals at `level`.
    pub(super) fn new(clusters: &[[u8; 32]], level: f64) -> Self {
        let clusters = RowClusters::of(clusters);
        let groups = 0..clusters.groups();
        Self {
            left_out: groups.map(|group| clusters.leave_out(group)).collect(),
            clusters,
            level,
        }
    }

    pub(super) fn clusters(&self) -> &RowClusters {
        &self.clusters
    }

    /// By group, the weight of each cluster without it.
    pub(super) fn left_out(&self) -> &[Vec<u8>] {
        &self.left_out
    }

    /// The cluster of each of these rows.
    pub(super) fn clusters_of(&self, rows: &[Scored]) -> Vec<u32> {
        let rows = rows.iter();
        rows.map(|row| self.clusters.of_row(row.place as usize))
            .collect()
    }

    /// Clusters of one size that would say as much as these; `None` for fewer than
    /// [`MIN_EFFECTIVE_CLUSTERS`].
    pub(super) fn effective(&self) -> Option<usize> {
        let effective = self.clusters.effective();
        (effective >= MIN_EFFECTIVE_CLUSTERS).then_some(effective as usize)
    }

    /// Clusters with an answer of the rarer kind, right or wrong, but no more than [`Self::effective`];
    /// `None` for fewer than [`MIN_CLUSTERS_OF_A_KIND`].
    pub(super) fn rarer(&self, rows: &[Scored]) -> Option<usize> {
        let effective = self.effective()?;
        let mut kinds = [const { BTreeSet::new() }; 2];
        for row in rows {
            kinds[usize::from(row.correct)].insert(self.clusters.of_row(row.place as usize));
        }
        let rarer = kinds[0].len().min(kinds[1].len());
        (rarer >= MIN_CLUSTERS_OF_A_KIND).then_some(rarer.min(effective))
    }

    /// The clusters whose value is not the commonest, with whether the answer is right; one with answers of
    /// both kinds stands twice.
    fn apart(&self, rows: &[Scored], value: impl Fn(&Scored) -> f64) -> BTreeSet<(u32, bool)> {
        let mut values: Vec<f64> = rows.iter().map(&value).collect();
        values.sort_unstable_by(f64::total_cmp);
        let equal = values.chunk_by(|a, b| a.total_cmp(b).is_eq());
        let Some(commonest) = equal.max_by_key(|equal| equal.len()).map(|equal| equal[0]) else {
            return BTreeSet::new();
        };
        let others = rows
            .iter()
            .filter(|row| value(row).total_cmp(&commonest).is_ne());
        let cluster = |row: &Scored| self.clusters.of_row(row.place as usize);
        others.map(|row| (cluster(row), row.correct)).collect()
    }

    /// Clusters whose value is not the commonest; `None` for fewer than [`MIN_CLUSTERS_APART`].
    pub(super) fn varied(&self, rows: &[Scored], value: impl Fn(&Scored) -> f64) -> Option<usize> {
        enough(&self.apart(rows, value))
    }

    /// Clusters that decide how well confidence tells right from wrong answers: those with an answer of
    /// the rarer kind ([`Self::rarer`]), or those with another confidence than the commonest if they are
    /// fewer. `None` where these are too few.
    pub(super) fn telling(&self, rows: &[Scored], rarer: usize) -> Option<usize> {
        let apart = self.apart(rows, |row| row.confidence);
        let varied = enough(&apart)?;
        let right = rows.iter().filter(|row| row.correct).count();
        let rarer_kind = 2 * right < rows.len();
        let of_kind = apart.iter().filter(|&&(_, right)| right == rarer_kind);
        (of_kind.count() >= MIN_RARER_CLUSTERS_APART).then_some(rarer.min(varied))
    }

    /// Student's interval of `figure` on `scale`, with as many degrees of freedom as `units` less one and
    /// the jackknife's standard error (Efron & Tibshirani 1993, eq. 11.5) of the figure `without` each
    /// group. `None` where any of these is at an end of the scale.
    pub(super) fn interval(
        &self,
        scale: Scale,
        figure: f64,
        without: &[f64],
        units: usize,
    ) -> Option<Interval> {
        let place = scale.of(figure);
        let places: Vec<f64> = without.iter().map(|&figure| scale.of(figure)).collect();
        let half = two_sided_quantile(self.level, units as f64 - 1.0) * standard_error(&places);
        (place.is_finite() && half.is_finite()).then(|| Interval {
            low: scale.back(place - half),
            high: scale.back(place + half),
            se: standard_error(without),
        })
    }
}

/// How many clusters these are; `None` for fewer than [`MIN_CLUSTERS_APART`].
fn enough(apart: &BTreeSet<(u32, bool)>) -> Option<usize> {
    let clusters: BTreeSet<u32> = apart.iter().map(|&(cluster, _)| cluster).collect();
    (clusters.len() >= MIN_CLUSTERS_APART).then_some(clusters.len())
}

/// The weight of each row, from its cluster and the weights of clusters.
pub(super) fn weigh(clusters: &[u32], of_clusters: &[u8]) -> Vec<u8> {
    let weight = |&cluster: &u32| of_clusters[cluster as usize];
    clusters.iter().map(weight).collect()
}

fn standard_error(without: &[f64]) -> f64 {
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    let squares: f64 = without.iter().map(|value| (value - mean).powi(2)).sum();
    ((n - 1.0) / n * squares).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_error_of_a_mean_is_the_textbooks() {
        let values = [3.0, 5.0, 4.0, 8.0, 1.0, 2.0];
        let n = values.len() as f64;
        let sum: f64 = values.iter().sum();
        let without: Vec<f64> = values.iter().map(|x| (sum - x) / (n - 1.0)).collect();
        let squares: f64 = values.iter().map(|x| (x - sum / n).powi(2)).sum();
        let textbook = (squares / (n - 1.0) / n).sqrt();
        assert!((standard_error(&without) - textbook).abs() < 1e-12);
    }

    #[test]
    fn kinds_are_counted_by_cluster() {
        let clusters: Vec<[u8; 32]> = (0..60).map(|row| [row / 3; 32]).collect();
        let jackknife = Jackknife::new(&clusters, 0.95);
        let rarer = |wrong: u32| jackknife.rarer(&rows(60, |row| (0.5, row >= wrong)));
        assert_eq!([rarer(27), rarer(28), rarer(60)], [None, Some(10), None]);
    }

    fn rows(n: u32, of: impl Fn(u32) -> (f64, bool)) -> Vec<Scored> {
        let row = |place| {
            let (confidence, correct) = of(place);
            Scored::of_answer(place, confidence, correct)
        };
        (0..n).map(row).collect()
    }

    #[test]
    fn few_unsure_answers_tell_nothing() {
        let clusters: Vec<[u8; 32]> = (0..60).map(|row| [row; 32]).collect();
        let jackknife = Jackknife::new(&clusters, 0.95);
        // The first twenty answers are wrong.
        let telling = |wrong: u32, right: u32| {
            let unsure = |row| row < wrong || (20..20 + right).contains(&row);
            let rows = rows(60, |row| (f64::from(u8::from(!unsure(row))), row >= 20));
            jackknife.telling(&rows, jackknife.rarer(&rows)?)
        };
        assert_eq!([telling(0, 0), telling(5, 4), telling(4, 6)], [None; 3]);
        assert_eq!([telling(5, 5), telling(12, 15)], [Some(10), Some(20)]);
    }

    proptest! {
        #[test]
        fn intervals_hold_the_figure_and_stay_on_the_scale(
            figure in 0.01..0.99_f64,
            moves in prop::collection::vec(-0.009..0.009_f64, 2..100),
            level in 0.5..0.99_f64,
        ) {
            let without: Vec<f64> = moves.iter().map(|moved| figure + moved).collect();
            let jackknife = Jackknife::new(&[[0; 32], [1; 32]], level);
            for scale in [Scale::Log { most: 1.0 }, Scale::LogComplement, Scale::Logit] {
                let found = jackknife.interval(scale, figure, &without, 20).unwrap();
                prop_assert!(found.low <= figure && figure <= found.high);
                prop_assert!(matches!(scale, Scale::LogComplement) || found.low >= 0.0);
                prop_assert!(found.high <= 1.0);
            }
        }
    }
}
