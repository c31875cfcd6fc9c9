//! One task of a panel: each model's cells, and their figures in a draw.

use super::cell::{Cell, DrawnThreshold, Sums};
use super::clusters::{Clusters, Drawn};
use super::figure::{
    ACC, COVERAGE, Ends, Estimand, FIGURES, MIN_CLUSTERS, MIN_CLUSTERS_BEYOND,
    MIN_EFFECTIVE_CLUSTERS, NoInterval, Replicate, UACC,
};
use super::interval::{CellIntervals, hull, wilson_share};
use super::random::Stream;
use crate::uacc;

/// One task: each model's cells, one per strategy and score.
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub(super) clusters: Clusters,
    /// By model, then by cell.
    pub(super) cells: Vec<Vec<Cell>>,
}

/// Buffers of a thread.
#[derive(Default)]
pub(super) struct Buffers {
    drawn: Drawn,
    places: Vec<DrawnThreshold>,
}

impl Stratum {
    pub(super) fn cells(&self, model: usize) -> &[Cell] {
        &self.cells[model]
    }

    pub(super) fn cells_per_model(&self) -> usize {
        self.cells.first().map_or(0, Vec::len)
    }

    /// Clusters of the smaller half.
    pub(super) fn least_half(&self) -> usize {
        let (calibration, test) = self.clusters.in_halves();
        calibration.min(test)
    }

    pub(super) fn has_few_clusters(&self) -> bool {
        self.least_half() < MIN_CLUSTERS || self.clusters.effective < MIN_EFFECTIVE_CLUSTERS
    }

    pub(super) fn no_interval(&self, cell: &Cell) -> Option<NoInterval> {
        if cell.is_full() {
            return Some(NoInterval::Full);
        }
        let thin = cell.clusters_beyond < MIN_CLUSTERS_BEYOND;
        (thin || self.has_few_clusters()).then_some(NoInterval::TooFew)
    }

    /// The effective sample size of a share of test questions: their number over the design effect.
    pub(super) fn effective(&self, inside: impl Fn(usize) -> bool) -> f64 {
        self.clusters.test.len() as f64 / self.clusters.test_design_effect(inside)
    }

    pub(super) fn cell_intervals(
        &self,
        cell: &Cell,
        tail: f64,
        level: f64,
        replicates: impl Fn(usize, usize, usize) -> Vec<f64>,
    ) -> CellIntervals {
        let n = self.clusters.test.len() as f64;
        let correct = cell.correct.count();
        let [figures, _] = ends(&cell.given(), correct, n, 0.0, cell.options);
        let absent = self.no_interval(cell);
        std::array::from_fn(|figure| {
            let value = figures[figure];
            if figure != ACC {
                absent.map_or(Ok(()), Err)?;
            }
            let mut interval = hull(value, tail, |kind, end| replicates(kind, end, figure));
            match figure {
                ACC => {
                    let n = self.effective(|question| cell.correct.holds(question));
                    (interval.low, interval.high) = wilson_share(value, n, level);
                }
                COVERAGE => {
                    let n = self.effective(|question| cell.covers(question));
                    interval.extend(wilson_share(value, n, level));
                }
                _ => {}
            }
            Ok(interval)
        })
    }

    /// A model's figures, the mean over its cells.
    pub(super) fn figures(&self, model: usize) -> [f64; FIGURES] {
        let mut total = [0.0; FIGURES];
        for cell in &self.cells[model] {
            let correct = cell.correct.count();
            let n = self.clusters.test.len() as f64;
            let [figures, _] = ends(&cell.given(), correct, n, 0.0, cell.options);
            add(&mut total, &figures);
        }
        total.map(|sum| sum / self.cells_per_model() as f64)
    }

    /// The figures of each cell, model after model, in one draw of one cluster per `thinning`.
    pub(super) fn replicate(
        &self,
        stream: &mut Stream,
        estimand: Estimand,
        thinning: usize,
        buffers: &mut Buffers,
    ) -> Vec<Replicate> {
        let calibration = estimand == Estimand::Procedure;
        let drawn = &mut buffers.drawn;
        self.clusters.draw(stream, calibration, thinning, drawn);
        let drawn = &buffers.drawn;
        let n: usize = drawn.test.iter().map(|&w| usize::from(w)).sum();
        let (n, imagined) = (n as f64, drawn.imagined);
        let of_cell = |cell: &Cell| {
            let correct = cell.correct.weigh(&drawn.test);
            let (mut own, mut nodes) = (Ends::default(), Averaged::default());
            cell.drawn(drawn, &mut buffers.places, |is_node, sums: &Sums| {
                if is_node {
                    nodes.add(sums, imagined, cell.options);
                } else {
                    own = ends(sums, correct, n, imagined, cell.options);
                }
            });
            // An infinite threshold has no law, and a deployed one is fixed.
            if nodes.count == 0 || !calibration {
                return [own, own];
            }
            [own, nodes.ends(correct, n, imagined, cell.options)]
        };
        self.cells.iter().flatten().map(of_cell).collect()
    }
}

/// The figures of sums over `n` questions, with `imagined` more at their worst and at their best.
fn ends(sums: &Sums, correct: i64, n: f64, imagined: f64, options: f64) -> Ends {
    let all = n + imagined;
    let share = |sum: i64, more: f64| (sum as f64 + more) / all;
    let (small, large) = (
        share(sums.size, imagined),
        share(sums.size, imagined * options),
    );
    [
        [
            share(correct, 0.0),
            share(sums.covered, 0.0),
            small,
            uacc(share(correct, 0.0), options, large),
            share(sums.single, 0.0),
            share(sums.empty, 0.0),
        ],
        [
            share(correct, imagined),
            share(sums.covered, imagined),
            large,
            uacc(share(correct, imagined), options, small),
            share(sums.single, imagined),
            share(sums.empty, imagined),
        ],
    ]
}

/// The mean of the figures under several thresholds.
#[derive(Default)]
struct Averaged {
    count: u32,
    sums: Sums,
    /// Sums of inverse set sizes, for the lower and the upper end of `UAcc`: all other figures are
    /// linear in the sums.
    inverse_sizes: [f64; 2],
}

impl Averaged {
    fn add(&mut self, sums: &Sums, imagined: f64, options: f64) {
        self.count += 1;
        self.sums.covered += sums.covered;
        self.sums.size += sums.size;
        self.sums.single += sums.single;
        self.sums.empty += sums.empty;
        for (inverse, each) in self.inverse_sizes.iter_mut().zip([options, 1.0]) {
            *inverse += 1.0 / (sums.size as f64 + imagined * each);
        }
    }

    fn ends(&self, correct: i64, n: f64, imagined: f64, options: f64) -> Ends {
        let count = f64::from(self.count);
        let correct = correct * i64::from(self.count);
        let mut ends = ends(&self.sums, correct, n * count, imagined * count, options);
        for (figures, inverse) in ends.iter_mut().zip(self.inverse_sizes) {
            let size = count / (inverse * (n + imagined));
            figures[UACC] = uacc(figures[ACC], options, size);
        }
        ends
    }
}

pub(super) fn add(total: &mut [f64; FIGURES], figures: &[f64; FIGURES]) {
    for (total, figure) in total.iter_mut().zip(figures) {
        *total += figure;
    }
}
