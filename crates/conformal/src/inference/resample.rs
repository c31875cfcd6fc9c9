//! Drawing both halves of a [`Panel`] anew.

use rayon::prelude::*;

use super::Resampling;
use super::cell::Cell;
use super::figure::Replicate;
use super::interval::{CellIntervals, tail};
use super::panel::{Panel, SCORES};
use super::random::Stream;
use super::resampled::Resampled;
use super::stratum::{Buffers, Stratum};

/// Adds one task's part to each model's figures, replicate by replicate: the mean over its cells,
/// divided by the number of `tasks`.
fn add_means(
    models: &mut [Vec<Replicate>],
    drawn: &[Vec<Replicate>],
    per_model: usize,
    tasks: usize,
) {
    let scale = 1.0 / (per_model * tasks) as f64;
    for (models, drawn) in models.iter_mut().zip(drawn) {
        for (model, cells) in models.iter_mut().zip(drawn.chunks_exact(per_model)) {
            let sums = model.as_flattened_mut().as_flattened_mut();
            for cell in cells {
                let figures = cell.as_flattened().as_flattened();
                for (sum, figure) in sums.iter_mut().zip(figures) {
                    *sum += scale * figure;
                }
            }
        }
    }
}

impl Panel {
    /// Draws the questions anew and computes every model's figures in each replicate. The result
    /// does not depend on the number of threads.
    pub fn resample(&self, resampling: &Resampling) -> Resampled {
        self.resample_with(resampling, |_, _, _| {})
    }

    /// [`Self::resample`], and for each task a panel of strategies from the same draws, in which
    /// strategy `s` of model `m` is model `m · strategies + s`.
    pub fn resample_strategies(
        &self,
        resampling: &Resampling,
    ) -> (Resampled, Vec<(Self, Resampled)>) {
        let mut strategies = Vec::with_capacity(self.strata.len());
        let resampled = self.resample_with(resampling, |stratum, drawn, intervals| {
            let each: Vec<Vec<Cell>> = stratum
                .cells
                .iter()
                .flat_map(|cells| cells.chunks(SCORES.len()).map(<[Cell]>::to_vec))
                .collect();
            let panel = Self {
                models: each.len(),
                strata: vec![Stratum {
                    clusters: stratum.clusters.clone(),
                    cells: each,
                }],
                ..*self
            };
            let mut replicates = vec![vec![Replicate::default(); panel.models]; drawn.len()];
            add_means(&mut replicates, drawn, SCORES.len(), 1);
            let cells = intervals.chunks(SCORES.len()).map(<[_]>::to_vec).collect();
            let resampled = panel.resampled(resampling, replicates, vec![cells]);
            strategies.push((panel, resampled));
        });
        (resampled, strategies)
    }

    /// Calls `also` with the draws of each task and the intervals of its cells.
    fn resample_with(
        &self,
        resampling: &Resampling,
        mut also: impl FnMut(&Stratum, &[Vec<Replicate>], &[CellIntervals]),
    ) -> Resampled {
        let rounds = resampling.replicates.max(1);
        let mut replicates = vec![vec![Replicate::default(); self.models]; rounds];
        let mut cells = Vec::with_capacity(self.strata.len());
        for (index, stratum) in self.strata.iter().enumerate() {
            let drawn: Vec<Vec<Replicate>> = (0..rounds)
                .into_par_iter()
                .map_init(Buffers::default, |buffers, round| {
                    let purpose = format!("both halves {index}");
                    let mut stream = Stream::new(&purpose, resampling.seed, round);
                    stratum.replicate(&mut stream, self.estimand, 1, buffers)
                })
                .collect();
            let per_model = stratum.cells_per_model();
            add_means(&mut replicates, &drawn, per_model, self.strata.len());
            let tail = tail(resampling.level, stratum.least_half());
            let all: Vec<&Cell> = stratum.cells.iter().flatten().collect();
            let intervals = all.par_iter().enumerate().map(|(place, cell)| {
                stratum.cell_intervals(cell, tail, resampling.level, |kind, end, figure| {
                    drawn
                        .iter()
                        .map(|cells| cells[place][kind][end][figure])
                        .collect()
                })
            });
            let intervals: Vec<CellIntervals> = intervals.collect();
            also(stratum, &drawn, &intervals);
            cells.push(
                intervals
                    .chunks(per_model.max(1))
                    .map(<[_]>::to_vec)
                    .collect(),
            );
        }
        self.resampled(resampling, replicates, cells)
    }

    fn resampled(
        &self,
        resampling: &Resampling,
        replicates: Vec<Vec<Replicate>>,
        cells: Vec<Vec<Vec<CellIntervals>>>,
    ) -> Resampled {
        let models = 0..self.models;
        let least = self
            .strata
            .iter()
            .map(Stratum::least_half)
            .min()
            .unwrap_or(0);
        Resampled {
            tail: tail(resampling.level, least),
            least,
            level: resampling.level,
            figures: models.clone().map(|model| self.figures(model)).collect(),
            absent: models
                .clone()
                .map(|model| self.no_interval(model))
                .collect(),
            few: self.has_few_clusters(),
            shares: models.map(|model| self.single_shares(model)).collect(),
            replicates,
            cells,
        }
    }

    /// Effective sample sizes of accuracy and of coverage by the first score, for a model in one
    /// strategy on one task.
    fn single_shares(&self, model: usize) -> Option<[f64; 2]> {
        let [stratum] = self.strata.as_slice() else {
            return None;
        };
        let [lac, _] = stratum.cells[model].as_slice() else {
            return None;
        };
        Some([
            stratum.effective(|question| lac.correct.holds(question)),
            stratum.effective(|question| lac.covers(question)),
        ])
    }
}
