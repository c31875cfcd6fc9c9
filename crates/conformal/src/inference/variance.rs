//! The parts of both halves in the variance of a figure, and of the difference of two models.
//!
//! The variance of a figure is `calibration / n + test / m` with `n` calibration and `m` test
//! questions. Draws of both halves give the sum, draws of the test half alone the second part, and
//! their difference is the first.

use rayon::prelude::*;

use super::figure::{ACC, COMPARED, Estimand, FIGURES, NoInterval, Replicate};
use super::panel::Panel;
use super::random::Stream;
use super::stratum::Buffers;

/// The variance with half of the questions should be twice that with all. Outside this range, which
/// allows for chance in the draws, it does not scale with the number of questions.
const REGULAR: std::ops::RangeInclusive<f64> = 1.4..=3.3;

/// The variance of a figure, per question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variance {
    /// Variance per calibration question: divide by their number.
    pub calibration: f64,
    /// Variance per test question: divide by their number.
    pub test: f64,
}

impl Variance {
    /// The variance of the difference of two models with this variance each, whose figures have
    /// this `correlation` over draws of questions.
    #[must_use]
    pub fn of_pair(self, correlation: f64) -> Self {
        let factor = 2.0 * (1.0 - correlation);
        Self {
            calibration: factor * self.calibration,
            test: factor * self.test,
        }
    }
}

/// Why a variance cannot be estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoVariance {
    /// The questions are too few for an interval.
    #[error("there are too few questions")]
    TooFew,
    /// A threshold is infinite, so that every set is full.
    #[error("all sets are full, because there are too few calibration questions")]
    Full,
    /// The figure, or its difference, is the same in every draw.
    #[error("it is the same in every draw of questions")]
    Constant,
    /// The standard error is not inversely proportional to the root of the number of questions:
    /// near an atom of the APS scores, the threshold jumps.
    #[error(
        "the standard error does not shrink with the root of the number of questions: APS's threshold jumps between two scores"
    )]
    Irregular,
}

/// The compared figures of all models in one draw.
type Drawn = Vec<[f64; COMPARED]>;

/// The variances of all models of a [`Panel`] and of their differences.
#[derive(Debug, Clone)]
pub struct Variances {
    calibration: f64,
    test: f64,
    /// By model, for figures that depend on thresholds.
    absent: Vec<Option<NoInterval>>,
    few: bool,
    both: Vec<Drawn>,
    test_alone: Vec<Drawn>,
    halved: Vec<Drawn>,
}

impl Panel {
    /// Estimates the parts of both halves in the variance of each figure, with `replicates` draws
    /// of each kind. The result does not depend on the number of threads.
    pub fn variances(&self, replicates: usize, seed: u64) -> Variances {
        let drawn = |estimand, thinning| self.drawn(estimand, thinning, replicates, seed);
        Variances {
            calibration: self.calibration_questions() as f64,
            test: self.questions() as f64,
            absent: (0..self.models).map(|m| self.no_interval(m)).collect(),
            few: self.strata.is_empty() || self.has_few_clusters(),
            both: drawn(Estimand::Procedure, 1),
            test_alone: drawn(Estimand::Deployed, 1),
            halved: drawn(Estimand::Procedure, 2),
        }
    }

    fn drawn(
        &self,
        estimand: Estimand,
        thinning: usize,
        replicates: usize,
        seed: u64,
    ) -> Vec<Drawn> {
        let mut total = vec![vec![[0.0; COMPARED]; self.models]; replicates.max(2)];
        for (index, stratum) in self.strata.iter().enumerate() {
            let per_model = stratum.cells_per_model();
            let scale = 1.0 / (per_model * self.strata.len()) as f64;
            let purpose = format!("variance {estimand:?} {thinning} {index}");
            total.par_iter_mut().enumerate().for_each_init(
                Buffers::default,
                |buffers, (round, models)| {
                    let mut stream = Stream::new(&purpose, seed, round);
                    let cells = stratum.replicate(&mut stream, estimand, thinning, buffers);
                    for (model, cells) in models.iter_mut().zip(cells.chunks_exact(per_model)) {
                        for cell in cells {
                            for (sum, figure) in model.iter_mut().zip(middle(cell)) {
                                *sum += scale * figure;
                            }
                        }
                    }
                },
            );
        }
        total
    }
}

/// The figures under the threshold of the draw, halfway between both ends of the imagined cluster.
fn middle([own, _]: &Replicate) -> [f64; FIGURES] {
    std::array::from_fn(|figure| f64::midpoint(own[0][figure], own[1][figure]))
}

fn sample_variance(drawn: &[Drawn], read: impl Fn(&Drawn) -> f64) -> f64 {
    let n = drawn.len() as f64;
    let mean = drawn.iter().map(&read).sum::<f64>() / n;
    let squares: f64 = drawn.iter().map(|d| (read(d) - mean).powi(2)).sum();
    squares / (n - 1.0)
}

impl Variances {
    /// The variance of a model's figure: 0 accuracy, 1 coverage, 2 set size, 3 `UAcc`.
    ///
    /// # Panics
    /// This and [`Self::of_difference`], if the model or figure does not exist.
    pub fn of_model(&self, model: usize, figure: usize) -> Result<Variance, NoVariance> {
        self.of(&[model], figure, |models| models[model][figure])
    }

    /// The variance of the difference of two models' figures.
    pub fn of_difference(&self, a: usize, b: usize, figure: usize) -> Result<Variance, NoVariance> {
        let read = |models: &Drawn| models[a][figure] - models[b][figure];
        self.of(&[a, b], figure, read)
    }

    fn of(
        &self,
        models: &[usize],
        figure: usize,
        read: impl Fn(&Drawn) -> f64,
    ) -> Result<Variance, NoVariance> {
        let thresholds = figure != ACC;
        let absent = models.iter().find_map(|&model| self.absent[model]);
        match absent.filter(|_| thresholds) {
            Some(NoInterval::Full) => return Err(NoVariance::Full),
            Some(NoInterval::TooFew) => return Err(NoVariance::TooFew),
            None if self.few => return Err(NoVariance::TooFew),
            None => {}
        }
        let both = sample_variance(&self.both, &read);
        let test = sample_variance(&self.test_alone, &read);
        // Sums in another order differ in their last bits.
        if both.is_nan() || both <= 1e-24 {
            return Err(NoVariance::Constant);
        }
        let ratio = sample_variance(&self.halved, &read) / both;
        if thresholds && !REGULAR.contains(&ratio) {
            return Err(NoVariance::Irregular);
        }
        // Accuracy depends on no threshold; the difference is chance.
        let calibration = if thresholds { both - test } else { 0.0 };
        Ok(Variance {
            calibration: calibration.max(0.0) * self.calibration,
            test: test * self.test,
        })
    }
}
