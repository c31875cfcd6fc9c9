//! Models on the same questions, over several tasks, prompt strategies and scores at once.
//!
//! A headline figure is a mean over tasks of a mean over strategies and scores (Ye et al. 2024,
//! section 4). Its rows are not independent: every model answers a question in every strategy, and
//! a threshold depends on all calibration questions. So both halves are drawn anew, separately for
//! each task: whole clusters of questions, with all answers to them. Each draw sets its own
//! threshold. All models share the draws: the replicates of the difference of two models are the
//! differences of their replicates.
//!
//! `docs/statistics-inference.md` explains why.

use rayon::prelude::*;

use super::cell::{Cell, Rows};
use super::clusters::Clusters;
use super::figure::{Estimand, FIGURES, NoInterval};
use super::stratum::{Stratum, add};
use crate::{Nonconformity, Scores, Table, View};

/// The scores that the headline averages.
pub(super) const SCORES: [Nonconformity; 2] = [Nonconformity::Lac, Nonconformity::Aps];

/// The answers of one model in one strategy.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// All rows.
    pub table: &'a Table,
    /// The rows of the panel, in an order that all tables of a task share.
    pub rows: &'a [usize],
}

/// The answers of several models to the same questions.
///
/// ```
/// use sureness_conformal::{Answers, Estimand, Panel, Resampling, Row, Table, View};
///
/// let answered = |skill: f64| {
///     let mut table = Table::new(3);
///     for i in 0..200_u8 {
///         let logits = [skill, f64::from(i % 7) / 2.0, f64::from(i % 5) / 2.0];
///         let row = Row {
///             key: &[],
///             cluster: None,
///             logits: (&logits).into(),
///             right: 0.into(),
///             dont_know: None,
///             none_of_the_above: None,
///         };
///         table.push([i; 32], &row, None).unwrap();
///     }
///     table
/// };
/// let (strong, weak) = (answered(2.0), answered(1.0));
/// let rows: Vec<usize> = (0..200).collect();
/// let calibrates: Vec<bool> = rows.iter().map(|row| row % 2 == 0).collect();
/// let models = [&strong, &weak].map(|table| vec![Answers { table, rows: &rows }]);
/// let mut panel = Panel::new(2, View::default(), 0.1, Estimand::Procedure);
/// panel.add(&models, strong.clusters(), &calibrates)?;
///
/// let resampled = panel.resample(&Resampling::default());
/// let accuracy = resampled.difference(0, 1, 0).unwrap();
/// assert!(accuracy.low > 0.0, "the first model is significantly more accurate");
/// # Ok::<(), sureness_conformal::PanelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Panel {
    pub(super) models: usize,
    pub(super) view: View,
    pub(super) alpha: f64,
    pub(super) estimand: Estimand,
    pub(super) strata: Vec<Stratum>,
}

/// The answers do not match: models differ in their questions or strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the models do not have the same questions and settings")]
pub struct PanelError;

impl Panel {
    /// A panel of `models` models, without tasks. `view` sets the softmax and the rank of
    /// thresholds, `alpha` the error rate.
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

    /// Answers of each model, over all tasks and strategies.
    pub fn answers(&self) -> usize {
        let of = |stratum: &Stratum| {
            let questions = stratum.clusters.calibration.len() + stratum.clusters.test.len();
            questions * stratum.cells_per_model() / SCORES.len()
        };
        self.strata.iter().map(of).sum()
    }

    /// Mean number of prompt strategies in which a question was asked. Tasks may differ.
    pub fn strategies(&self) -> f64 {
        let questions = self.questions() + self.calibration_questions();
        self.answers() as f64 / questions.max(1) as f64
    }

    /// Clusters with calibration questions and clusters with test questions, over all tasks.
    pub fn clusters(&self) -> (usize, usize) {
        self.strata
            .iter()
            .fold((0, 0), |(calibration, test), stratum| {
                let (c, t) = stratum.clusters.in_halves();
                (calibration + c, test + t)
            })
    }

    /// Mean number of options, if it is the same in all tasks.
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

    /// Adds a task: for each model, its answers in each strategy; for each question, the name of
    /// its cluster and whether it calibrates. All have the same questions in the same order. Skips
    /// a task without test questions, calibration questions or strategies.
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

    /// A model's figures, not resampled.
    pub fn figures(&self, model: usize) -> [f64; FIGURES] {
        let mut total = [0.0; FIGURES];
        for stratum in &self.strata {
            add(&mut total, &stratum.figures(model));
        }
        total.map(|total| total / self.strata.len() as f64)
    }

    /// Why a model has no intervals for figures that depend on thresholds; `None` where it has
    /// them.
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
}
