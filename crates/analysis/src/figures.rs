//! Everything that is counted once and used by several modes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use sureness_conformal::{
    CalibrationErrors, Config, CoverageCheck, CoverageLaw, CoverageVerdict, Entropy, EvaluateError,
    Evaluation, FIGURES, Interval, NoInterval, Nonconformity, Panel, PredictionSet, RandomSplits,
    Repeated, Resampled, Scheme, Scores, Selective, SetMetrics, Split, calibrate,
    calibration_errors, design_effect, entropy, mean, predict, selective, set_metrics, split_of,
};

use crate::align::Common;
use crate::modes::{Mode, TaskSeen};
use crate::{Evidence, GroupId, GroupRows, ModelEvidence, OpenModelFigures, Settings};

/// The two scores that the headline averages.
pub const HEADLINE: [Nonconformity; 2] = [Nonconformity::Lac, Nonconformity::Aps];

/// The figures of all models.
#[derive(Debug, Clone)]
pub struct Figures<'a> {
    /// What they rest on.
    pub evidence: &'a Evidence,
    /// How they were made.
    pub settings: &'a Settings,
    /// One entry per model, in the order of the evidence.
    pub models: Vec<ModelFigures<'a>>,
    /// Open questions: one entry per model, in the order of the evidence.
    pub open: Vec<OpenModelFigures<'a>>,
    /// All models on the questions that they have in common, drawn anew.
    pub board: Option<Board>,
    /// What all models made of each question, task by task; worked out when first asked for.
    pub(crate) seen: OnceLock<Vec<TaskSeen>>,
}

/// All models side by side.
#[derive(Debug, Clone)]
pub struct Board {
    /// What they have in common.
    pub common: Common,
    /// Their figures in every draw.
    pub resampled: Resampled,
    /// Task by task, each strategy of each model as if it were a model of its own; see
    /// [`Panel::resample_strategies`]. Empty where no mode needs them.
    pub(crate) strategies: Vec<(Panel, Resampled)>,
}

/// Intervals of a group's figures by one score: accuracy, coverage, set size, `UAcc`, share of sets of
/// one option, share of empty sets; or why there is none.
pub type Intervals = [Result<Interval, NoInterval>; FIGURES];

/// The figures of one model.
#[derive(Debug, Clone)]
pub struct ModelFigures<'a> {
    /// The model.
    pub model: &'a ModelEvidence,
    /// One entry per group that could be evaluated.
    pub groups: Vec<GroupFigures<'a>>,
    /// Groups that could not, with the reason.
    pub skipped: Vec<(GroupId, EvaluateError)>,
}

/// The figures of one (model, task, strategy).
#[derive(Debug, Clone)]
pub struct GroupFigures<'a> {
    /// The rows.
    pub rows: &'a GroupRows,
    /// The headline figures.
    pub evaluation: Evaluation,
    /// Which rows calibrate and which are tested; groups of the same questions share it.
    pub split: Arc<Split>,
    /// By LAC and by APS.
    pub scores: [ScoreFigures; 2],
    /// How well confidence fits accuracy, on the test rows.
    pub calibration: CalibrationErrors,
    /// What leaving out the least confident answers brings, on the test rows.
    pub selective: Selective,
    /// How divided the probabilities are, on the test rows.
    pub entropy: Entropy,
    /// Share of all rows with two exactly equal probabilities.
    pub tied: f64,
    /// The most probable option of each test row.
    tops: Vec<u8>,
}

/// The figures of one score.
#[derive(Debug, Clone)]
pub struct ScoreFigures {
    /// Which score.
    pub score: Nonconformity,
    /// The threshold; none where it is infinite.
    pub qhat: Option<f64>,
    /// Prediction sets of the test rows, in the order of the split.
    pub sets: Vec<PredictionSet>,
    /// What they add up to.
    pub metrics: SetMetrics,
    /// Intervals, by drawing both halves anew.
    pub intervals: Intervals,
    /// Whether coverage is as promised.
    pub check: CoverageCheck,
    /// The same over many random splits.
    pub repeated: Repeated,
}

impl<'a> Figures<'a> {
    /// Counts everything that the `needed` modes take, on all cores. Other modes then work too, but more slowly.
    pub fn of(evidence: &'a Evidence, settings: &'a Settings, needed: &[Mode]) -> Self {
        let tasks: Vec<(usize, &GroupRows)> = evidence
            .models
            .iter()
            .enumerate()
            .flat_map(|(index, model)| model.groups.iter().map(move |group| (index, group)))
            .collect();
        // Groups of equal length are split alike, so the splits are made only once.
        let mut lengths: Vec<usize> = tasks.iter().map(|(_, rows)| rows.table.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let config = &settings.config;
        let splits: HashMap<usize, RandomSplits> = lengths
            .into_par_iter()
            .map(|rows| {
                let ratio = config.calibration_ratio;
                (
                    rows,
                    RandomSplits::new(rows, settings.splits, ratio, config.seed),
                )
            })
            .collect();
        let known = Known::default();
        let counted: Vec<_> = tasks
            .par_iter()
            .filter_map(|&(index, rows)| {
                let splits = splits.get(&rows.table.len())?;
                Some((
                    index,
                    rows,
                    GroupFigures::of(rows, settings, splits, &known),
                ))
            })
            .collect();
        let mut models: Vec<ModelFigures<'a>> = evidence
            .models
            .iter()
            .map(|model| ModelFigures {
                model,
                groups: Vec::new(),
                skipped: Vec::new(),
            })
            .collect();
        for (index, rows, figures) in counted {
            let model = &mut models[index];
            match figures {
                Ok(figures) => model.groups.push(figures),
                Err(error) => model.skipped.push((rows.id.clone(), error)),
            }
        }
        let mut figures = Self {
            evidence,
            settings,
            models,
            open: OpenModelFigures::of_all(evidence, settings),
            board: None,
            seen: OnceLock::new(),
        };
        figures.draw(needed.contains(&Mode::Prompt));
        figures
    }

    /// Draws all questions anew, for all models at once, and for their `strategies` if these are compared.
    fn draw(&mut self, strategies: bool) {
        let all: Vec<usize> = (0..self.models.len()).collect();
        let common = self.common(&all);
        let resampling = &self.settings.resampling;
        let board = (common.panel.questions() > 0).then(|| {
            let (resampled, strategies) = if strategies {
                common.panel.resample_strategies(resampling)
            } else {
                (common.panel.resample(resampling), Vec::new())
            };
            Board {
                common,
                resampled,
                strategies,
            }
        });
        let intervals: Vec<Vec<[Intervals; 2]>> = self
            .models
            .iter()
            .enumerate()
            .map(|(model, of)| {
                let groups = of.groups.par_iter();
                let own = groups.map(|group| {
                    let found = board
                        .as_ref()
                        .and_then(|board| board.of_group(model, group));
                    found.unwrap_or_else(|| self.own_intervals(group))
                });
                own.collect()
            })
            .collect();
        for (model, intervals) in self.models.iter_mut().zip(intervals) {
            for (group, intervals) in model.groups.iter_mut().zip(intervals) {
                for (score, intervals) in group.scores.iter_mut().zip(intervals) {
                    score.intervals = intervals;
                }
            }
        }
        self.board = board;
    }

    /// The intervals of a group whose questions are not those of all models.
    fn own_intervals(&self, group: &GroupFigures<'_>) -> [Intervals; 2] {
        let mut panel = self.panel(1);
        self.add_groups(&mut panel, &[vec![group]]);
        if panel.questions() == 0 {
            return [[Err(NoInterval::TooFew); FIGURES]; 2];
        }
        let resampled = panel.resample(&self.settings.resampling);
        intervals(&resampled, 0, 0, 0)
    }

    /// Tasks in the order in which they first occur, with their titles.
    pub fn tasks(&self) -> Vec<(&'a str, &'a str)> {
        let mut tasks: Vec<(&str, &str)> = Vec::new();
        for model in &self.evidence.models {
            for group in &model.groups {
                if !tasks.iter().any(|(task, _)| *task == group.id.task) {
                    tasks.push((&group.id.task, &group.title));
                }
            }
        }
        tasks
    }

    /// Strategies in the order in which they first occur.
    pub fn strategies(&self) -> Vec<&'a str> {
        let mut strategies: Vec<&str> = Vec::new();
        for model in &self.evidence.models {
            for group in &model.groups {
                if !strategies.contains(&&*group.id.strategy) {
                    strategies.push(&group.id.strategy);
                }
            }
        }
        strategies
    }
}

/// The splits so far. Models are asked the same questions, so few of them differ.
#[derive(Default)]
struct Known(Mutex<Vec<Arc<Split>>>);

impl Known {
    /// The same split, once for all groups that have it.
    fn shared(&self, split: Split) -> Arc<Split> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = known.iter().find(|known| ***known == split) {
            return Arc::clone(same);
        }
        let split = Arc::new(split);
        known.push(Arc::clone(&split));
        split
    }
}

/// Whether coverage is as promised. The law is that of independent questions: where these come in
/// clusters, both halves count as many as would tell as much.
fn coverage_check(
    rows: &GroupRows,
    split: &Split,
    covered: &[bool],
    metrics: &SetMetrics,
    config: &Config,
) -> CoverageCheck {
    let design = design_effect(&cluster_names(rows, split), covered);
    let worth = |count: usize| (count as f64 / design).round() as usize;
    let law = |n: usize| CoverageLaw::new(n, config.alpha, config.protocol);
    let n = split.calibration.len();
    let check = law(worth(n)).check(worth(metrics.covered), worth(metrics.n));
    // Expected of an infinite threshold alone.
    let is_full = law(n).expected() >= 1.0;
    let verdict = match check.verdict {
        CoverageVerdict::Vacuous if !is_full => CoverageVerdict::TooFew,
        verdict => verdict,
    };
    CoverageCheck { verdict, ..check }
}

/// The name of each test question's cluster.
fn cluster_names(rows: &GroupRows, split: &Split) -> Vec<[u8; 32]> {
    let clusters = rows.table.clusters();
    split.test.iter().map(|&row| clusters[row]).collect()
}

impl Board {
    /// The intervals of a group, if all models have its questions.
    fn of_group(&self, model: usize, group: &GroupFigures<'_>) -> Option<[Intervals; 2]> {
        let id = &group.rows.id;
        let tasks = &self.common.tasks;
        let task = tasks.iter().position(|t| t.task == id.task && t.whole)?;
        let strategies = &tasks[task].strategies;
        let strategy = strategies.iter().position(|s| *s == id.strategy)?;
        Some(intervals(&self.resampled, task, model, strategy))
    }
}

fn intervals(resampled: &Resampled, task: usize, model: usize, strategy: usize) -> [Intervals; 2] {
    [0, 1].map(|score| {
        std::array::from_fn(|figure| resampled.cell(task, model, [strategy, score], figure))
    })
}

impl<'a> ModelFigures<'a> {
    /// The groups of one task.
    pub fn of_task(&self, task: &str) -> impl Iterator<Item = &GroupFigures<'a>> {
        self.groups
            .iter()
            .filter(move |group| group.rows.id.task == task)
    }

    /// One group.
    pub fn group(&self, task: &str, strategy: &str) -> Option<&GroupFigures<'a>> {
        self.of_task(task)
            .find(|group| group.rows.id.strategy == strategy)
    }

    /// Mean over the strategies of a task, LAC and APS counted equally.
    pub fn task_mean(&self, task: &str) -> Option<sureness_conformal::Mean> {
        mean(self.of_task(task).map(|group| &group.evaluation))
    }
}

impl<'a> GroupFigures<'a> {
    fn of(
        rows: &'a GroupRows,
        settings: &Settings,
        splits: &RandomSplits,
        known: &Known,
    ) -> Result<Self, EvaluateError> {
        let table = &rows.table;
        let config = &settings.config;
        let split = known.shared(split_of(table, config)?);
        let evaluation = table.evaluate(config)?;
        let view = settings.view();
        let (mut tied, mut tops) = (0, Vec::new());
        let mut of_each = Scores::of_each(table, &HEADLINE, &view).into_iter();
        let scores = HEADLINE.map(|score| {
            let scores = of_each
                .next()
                .unwrap_or_else(|| Scores::of(table, score, &view));
            tied = scores.tied_rows();
            tops = split
                .test
                .iter()
                .map(|&row| scores.top(row) as u8)
                .collect();
            ScoreFigures::of(&scores, rows, &split, settings, splits)
        });
        // A split has test rows, so that none of these is missing.
        let empty = EvaluateError::EmptyHalf {
            rows: table.len(),
            half: "test",
        };
        let calibration = calibration_errors(table, &split.test, &view, settings.bins);
        Ok(Self {
            rows,
            evaluation,
            calibration: calibration.ok_or_else(|| empty.clone())?,
            selective: selective(table, &split.test, &view).ok_or_else(|| empty.clone())?,
            entropy: entropy(table, &split.test, &view).ok_or(empty)?,
            tied: tied as f64 / table.len().max(1) as f64,
            tops,
            scores,
            split,
        })
    }

    /// By LAC.
    pub fn lac(&self) -> &ScoreFigures {
        &self.scores[0]
    }

    /// By APS.
    pub fn aps(&self) -> &ScoreFigures {
        &self.scores[1]
    }
}

impl ScoreFigures {
    fn of(
        scores: &Scores,
        rows: &GroupRows,
        split: &Split,
        settings: &Settings,
        splits: &RandomSplits,
    ) -> Self {
        let table = &rows.table;
        let alpha = settings.config.alpha;
        let calibrated = calibrate(scores, table, &split.calibration, alpha, Scheme::Split);
        let sets = predict(&calibrated, scores, table, &split.test);
        let metrics = set_metrics(&sets, scores, table, &split.calibration, alpha);
        let rows_and_sets = sets.rows.iter().zip(&sets.sets);
        let covered: Vec<bool> = rows_and_sets
            .map(|(&row, set)| settings.config.covers.holds(*set, table.right(row)))
            .collect();
        Self {
            score: scores.nonconformity(),
            qhat: calibrated.qhat(),
            intervals: [Err(NoInterval::TooFew); FIGURES],
            check: coverage_check(rows, split, &covered, &metrics, &settings.config),
            repeated: splits.figures(scores, alpha),
            metrics,
            sets: sets.sets,
        }
    }
}

impl Figures<'_> {
    /// Questions with several right options, over all models and strategies.
    pub(crate) fn several_right(&self) -> usize {
        let groups = self.models.iter().flat_map(|model| &model.groups);
        let several = groups.map(|group| group.rows.table.with_several_right());
        several.sum()
    }
}

impl GroupFigures<'_> {
    /// Clusters among the test questions.
    pub(crate) fn test_clusters(&self) -> usize {
        let mut names = self.test_cluster_names();
        names.sort_unstable();
        names.dedup();
        names.len()
    }

    /// The name of each test question's cluster.
    pub(crate) fn test_cluster_names(&self) -> Vec<[u8; 32]> {
        cluster_names(self.rows, &self.split)
    }

    /// Whether each of these rows is answered right; none for rows that are not tested.
    pub(crate) fn correct_of(&self, rows: &[usize]) -> Vec<Option<bool>> {
        let table = &self.rows.table;
        let tops = self.tops_of(rows).into_iter().zip(rows);
        tops.map(|(top, &row)| Some(table.right(row).contains(usize::from(top?))))
            .collect()
    }

    /// The most probable option of each of these rows; none for rows that are not tested.
    pub(crate) fn tops_of(&self, rows: &[usize]) -> Vec<Option<u8>> {
        let mut tops = vec![None; self.rows.table.len()];
        for (&row, &top) in self.split.test.iter().zip(&self.tops) {
            tops[row] = Some(top);
        }
        rows.iter().map(|&row| tops[row]).collect()
    }

    /// The most probable option of the test row at this position of the split.
    pub fn top(&self, position: usize) -> usize {
        self.tops.get(position).map_or(0, |&top| usize::from(top))
    }
}
