//! Models on the same questions, over several tasks, prompt strategies and scores at once.
//!
//! A headline figure is a mean over tasks of a mean over strategies and scores (Ye et al. 2024,
//! section 4). Its rows are not independent: a question is asked in every strategy, and of every
//! model, and a threshold hangs on all calibration questions. So both halves are drawn anew, whole
//! questions with all that was said to them (whole clusters, where questions belong together),
//! separately for each task, and each draw has a threshold of its own. All models share the draws:
//! the replicates of the difference of two models are the differences of their replicates.
//!
//! `docs/statistics-inference.md` tells why it is done so, and how it was found.

use rayon::prelude::*;

use super::Resampling;
use super::cell::{Cell, Place, Rows, Sums};
use super::clusters::{Clusters, Drawn};
use super::interval::wilson_share;
use super::random::Stream;
use super::resampled::{CellIntervals, Resampled, hull, tail};
use crate::{Nonconformity, Scores, Table, View, uacc};

/// The figures of a panel: accuracy, coverage, mean set size, `UAcc`, and the shares of sets of one
/// option and of sets that came out empty.
pub const FIGURES: usize = 6;

/// The first so many of them are compared between models.
pub const COMPARED: usize = 4;

pub(super) const ACC: usize = 0;
pub(super) const COVERAGE: usize = 1;
const UACC: usize = 3;

/// The scores that the headline averages.
pub(super) const SCORES: [Nonconformity; 2] = [Nonconformity::Lac, Nonconformity::Aps];

/// Calibration clusters that must reach the threshold for an interval of what hangs on it: with
/// fewer, a draw cannot show how much further up it could have been.
pub const LEAST_BEYOND: usize = 4;

/// Clusters that each half must have for an interval.
pub const LEAST_CLUSTERS: usize = 20;

/// What an interval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Estimand {
    /// The figure of the whole procedure: its mean over other calibration and test questions from
    /// the same source, as many as there were.
    Procedure,
    /// The figure that the threshold as it was set has on other test questions.
    Deployed,
}

/// Why there is no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// A half has fewer than [`LEAST_CLUSTERS`] clusters, or fewer than [`LEAST_BEYOND`] calibration
    /// clusters reach a threshold.
    TooFew,
    /// A threshold is infinite: every set is full, whatever the model.
    Full,
}

/// The answers of one model in one strategy.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// All rows.
    pub table: &'a Table,
    /// The rows that the panel is about, in an order that all of a task's tables share.
    pub rows: &'a [usize],
}

/// One task: what each model did in each cell (a strategy with a score).
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub(super) clusters: Clusters,
    /// Per model, per cell.
    cells: Vec<Vec<Cell>>,
}

/// What several models answered to the same questions.
#[derive(Debug, Clone)]
pub struct Panel {
    pub(super) models: usize,
    pub(super) view: View,
    pub(super) alpha: f64,
    pub(super) estimand: Estimand,
    pub(super) strata: Vec<Stratum>,
}

/// Why answers do not make a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the models do not have the same questions and settings")]
pub struct PanelError;

/// A figure at the lower and at the upper end of what the imagined cluster can make of it.
type Ends = [[f64; FIGURES]; 2];

/// A figure under the threshold of the draw, and averaged over the thresholds that further calibration
/// halves like the drawn one would set.
pub(super) type Kinds = [Ends; 2];

/// Where these stand in [`Kinds`].
pub(super) const DRAWN: usize = 0;
pub(super) const AVERAGED: usize = 1;

/// Buffers of a thread.
#[derive(Default)]
pub(super) struct Room {
    drawn: Drawn,
    places: Vec<Place>,
}

impl Stratum {
    pub(super) fn cells(&self, model: usize) -> &[Cell] {
        &self.cells[model]
    }

    pub(super) fn cells_per_model(&self) -> usize {
        self.cells.first().map_or(0, Vec::len)
    }

    /// Clusters of the smaller half.
    fn least_half(&self) -> usize {
        let (calibration, test) = self.clusters.in_halves();
        calibration.min(test)
    }

    fn has_few_clusters(&self) -> bool {
        self.least_half() < LEAST_CLUSTERS
    }

    fn no_interval(&self, cell: &Cell) -> Option<NoInterval> {
        if cell.is_full() {
            return Some(NoInterval::Full);
        }
        let thin = cell.clusters_beyond < LEAST_BEYOND;
        (thin || self.has_few_clusters()).then_some(NoInterval::TooFew)
    }

    /// Test questions that would tell as much of a share if they were independent.
    fn effective(&self, inside: impl Fn(usize) -> bool) -> f64 {
        self.clusters.test.len() as f64 / self.clusters.test_design_effect(inside)
    }

    fn cell_intervals(
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

    /// A model's figures as they are, the mean over cells.
    fn figures(&self, model: usize) -> [f64; FIGURES] {
        let mut total = [0.0; FIGURES];
        for cell in &self.cells[model] {
            let correct = cell.correct.count();
            let n = self.clusters.test.len() as f64;
            let [figures, _] = ends(&cell.given(), correct, n, 0.0, cell.options);
            add(&mut total, &figures);
        }
        total.map(|sum| sum / self.cells_per_model() as f64)
    }

    /// The figures of each cell, model after model, in one draw of as many clusters as there are, or
    /// of one in `thinning` of them.
    pub(super) fn replicate(
        &self,
        stream: &mut Stream,
        estimand: Estimand,
        thinning: usize,
        room: &mut Room,
    ) -> Vec<Kinds> {
        let calibration = estimand == Estimand::Procedure;
        let drawn = &mut room.drawn;
        self.clusters.draw(stream, calibration, thinning, drawn);
        let drawn = &room.drawn;
        let n: usize = drawn.test.iter().map(|&w| usize::from(w)).sum();
        let (n, imagined) = (n as f64, drawn.imagined);
        let of_cell = |cell: &Cell| {
            let correct = cell.correct.weigh(&drawn.test);
            let (mut own, mut nodes) = (Ends::default(), Averaged::default());
            cell.drawn(drawn, &mut room.places, |is_node, sums: &Sums| {
                if is_node {
                    nodes.add(sums, imagined, cell.options);
                } else {
                    own = ends(sums, correct, n, imagined, cell.options);
                }
            });
            // An infinite threshold has no others beside it, and a deployed one stays.
            if nodes.count == 0 || !calibration {
                return [own, own];
            }
            [own, nodes.ends(correct, n, imagined, cell.options)]
        };
        self.cells.iter().flatten().map(of_cell).collect()
    }
}

/// Figures that sums over `n` questions come to, at either end of what `imagined` more could add.
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
    /// What each threshold's set size is inversely, for the lower end of `UAcc` and for the upper one:
    /// all other figures are linear in the sums.
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

fn add(total: &mut [f64; FIGURES], figures: &[f64; FIGURES]) {
    for (total, figure) in total.iter_mut().zip(figures) {
        *total += figure;
    }
}

/// Adds to each model's figures, replicate by replicate, the mean over its cells in one of so many
/// `tasks`.
fn add_means(models: &mut [Vec<Kinds>], drawn: &[Vec<Kinds>], per_model: usize, tasks: usize) {
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
    /// A panel of so many models, without tasks. The softmax and the rank of thresholds are as `view`
    /// has them, sets are made at error rate `alpha`.
    pub fn new(models: usize, view: View, alpha: f64, estimand: Estimand) -> Self {
        Self {
            models,
            view,
            alpha,
            estimand,
            strata: Vec::new(),
        }
    }

    /// Number of models.
    pub fn models(&self) -> usize {
        self.models
    }

    /// Test questions over all tasks.
    pub fn questions(&self) -> usize {
        let strata = self.strata.iter();
        strata.map(|stratum| stratum.clusters.test.len()).sum()
    }

    /// Calibration questions over all tasks.
    pub fn calibration_questions(&self) -> usize {
        let strata = self.strata.iter();
        strata
            .map(|stratum| stratum.clusters.calibration.len())
            .sum()
    }

    /// Answers that each model gave, over all tasks and strategies.
    pub fn answers(&self) -> usize {
        let of = |stratum: &Stratum| {
            let questions = stratum.clusters.calibration.len() + stratum.clusters.test.len();
            questions * stratum.cells_per_model() / SCORES.len()
        };
        self.strata.iter().map(of).sum()
    }

    /// Clusters among the calibration questions, and among the test questions, over all tasks.
    pub fn clusters(&self) -> (usize, usize) {
        self.strata
            .iter()
            .fold((0, 0), |(calibration, test), stratum| {
                let (c, t) = stratum.clusters.in_halves();
                (calibration + c, test + t)
            })
    }

    /// Mean number of options, where all tasks have as many.
    pub fn options(&self) -> Option<f64> {
        let cells = self
            .strata
            .iter()
            .filter_map(|stratum| stratum.cells.first());
        let mut all = cells.flatten().map(|cell| cell.options);
        let first = all.next()?;
        all.all(|options| (options - first).abs() < 1e-9)
            .then_some(first)
    }

    /// Adds a task: for each model, its answers in each strategy; the names of the questions' clusters,
    /// and which of them calibrate. All have the same questions in the same order. A task without test or
    /// calibration questions, or without strategies, is left out.
    pub fn add(
        &mut self,
        answers: &[Vec<Answers<'_>>],
        clusters: &[[u8; 32]],
        calibrates: &[bool],
    ) -> Result<(), PanelError> {
        let first = answers.first().ok_or(PanelError)?;
        let strategies = first.len();
        let fits = |model: &Vec<Answers<'_>>| {
            let same = |answers: &Answers<'_>| answers.rows.len() == calibrates.len();
            model.len() == strategies && model.iter().all(same)
        };
        let complete = answers.len() == self.models && clusters.len() == calibrates.len();
        if !complete || !answers.iter().all(fits) {
            return Err(PanelError);
        }
        let clusters = Clusters::of(clusters, calibrates);
        if strategies == 0 || clusters.test.is_empty() || clusters.calibration.is_empty() {
            return Ok(());
        }
        let law = Cell::law(self.view.protocol, clusters.calibration.len(), self.alpha);
        let cells = answers
            .par_iter()
            .map(|strategies| {
                let mut cells = Vec::with_capacity(2 * strategies.len());
                for answers in strategies {
                    let half = |which: bool| -> Vec<usize> {
                        let rows = answers.rows.iter().zip(calibrates);
                        rows.filter(|row| *row.1 == which)
                            .map(|row| *row.0)
                            .collect()
                    };
                    let (calibration, test) = (half(true), half(false));
                    let rows = Rows {
                        calibration: &calibration,
                        test: &test,
                    };
                    for scores in Scores::of_each(answers.table, &SCORES, &self.view) {
                        cells.push(Cell::of(&scores, &rows, &clusters, self.alpha, &law));
                    }
                }
                cells
            })
            .collect();
        self.strata.push(Stratum { clusters, cells });
        Ok(())
    }

    /// A model's figures as they are.
    pub fn figures(&self, model: usize) -> [f64; FIGURES] {
        let mut total = [0.0; FIGURES];
        for stratum in &self.strata {
            add(&mut total, &stratum.figures(model));
        }
        total.map(|total| total / self.strata.len() as f64)
    }

    /// Why a model has no intervals of what hangs on thresholds; `None` where it has.
    pub fn no_interval(&self, model: usize) -> Option<NoInterval> {
        let strata = self.strata.iter();
        let absent = strata.flat_map(|stratum| {
            let cells = stratum.cells[model].iter();
            cells.filter_map(|cell| stratum.no_interval(cell))
        });
        absent.reduce(|a, b| if a == NoInterval::Full { a } else { b })
    }

    pub(super) fn has_few_clusters(&self) -> bool {
        self.strata.iter().any(Stratum::has_few_clusters)
    }

    /// Draws the questions anew, as often as asked, and works out every model's figures each time.
    /// Equal for any number of threads.
    pub fn resample(&self, resampling: &Resampling) -> Resampled {
        self.resample_with(resampling, |_, _, _| {})
    }

    /// The same, and task by task the strategies of all models from the same draws: each strategy of
    /// each model as if it were a model of its own. Strategy `s` of model `m` is number
    /// `m · strategies + s` there.
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
            let mut replicates = vec![vec![Kinds::default(); panel.models]; drawn.len()];
            add_means(&mut replicates, drawn, SCORES.len(), 1);
            let cells = intervals.chunks(SCORES.len()).map(<[_]>::to_vec).collect();
            let resampled = panel.resampled(resampling, replicates, vec![cells]);
            strategies.push((panel, resampled));
        });
        (resampled, strategies)
    }

    /// Shows `also` the draws of each task, and the intervals of its cells.
    fn resample_with(
        &self,
        resampling: &Resampling,
        mut also: impl FnMut(&Stratum, &[Vec<Kinds>], &[CellIntervals]),
    ) -> Resampled {
        let rounds = resampling.replicates.max(1);
        let mut replicates = vec![vec![Kinds::default(); self.models]; rounds];
        let mut cells = Vec::with_capacity(self.strata.len());
        for (index, stratum) in self.strata.iter().enumerate() {
            let drawn: Vec<Vec<Kinds>> = (0..rounds)
                .into_par_iter()
                .map_init(Room::default, |room, round| {
                    let purpose = format!("both halves {index}");
                    let mut stream = Stream::new(&purpose, resampling.seed, round);
                    stratum.replicate(&mut stream, self.estimand, 1, room)
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
        replicates: Vec<Vec<Kinds>>,
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

    /// Questions that the shares of a model in one strategy on one task rest on, with the design effect
    /// of clusters taken off: of accuracy, and of coverage by the first score.
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
