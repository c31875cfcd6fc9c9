//! Whether a candidate is no worse than a base, by more than a margin.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_anytime::Metric;
use sureness_conformal::{
    Config, Influence, Scores, Table, coverage_influence, ece_influence, influence_interval,
    split_of,
};

use crate::settled::{Incomparable, check_alike, scores_of, shared_tables, tasks, view};
use crate::{Evidence, ModelEvidence};

/// What a candidate must not be worse by.
#[derive(Debug, Clone, PartialEq)]
pub struct GateSettings {
    /// Probability that all intervals hold.
    pub confidence: f64,
    /// How much worse each figure may be: a fraction, or options.
    pub margins: Vec<(Metric, f64)>,
    /// Whether each task passes on its own, rather than the mean over tasks.
    pub per_task: bool,
    /// Bins of the ECE.
    pub bins: usize,
}

/// What is shown of a candidate.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// No worse than the margin.
    Pass,
    /// Neither.
    Undecided,
    /// Worse.
    Worse,
}

/// One figure of both models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateCheck {
    /// The task; none for the mean over all tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The figure.
    pub metric: Metric,
    /// The base's; `None` where the threshold is infinite.
    pub base: Option<f64>,
    /// The candidate's, likewise.
    pub candidate: Option<f64>,
    /// How much worse the candidate may be.
    pub margin: f64,
    /// What candidate − base lies within; `None` where there are too few questions to tell.
    pub interval: Option<[f64; 2]>,
    /// What that shows.
    pub verdict: GateVerdict,
}

/// A gate's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// The base's name.
    pub base: String,
    /// The candidate's name.
    pub candidate: String,
    /// Questions that both answered, over all tasks.
    pub questions: usize,
    /// Questions of the whole set, where asking stopped as soon as the gate was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// Probability that all intervals hold.
    pub confidence: f64,
    /// How figures are computed.
    pub evaluation: Config,
    /// Passes if every check does; worse if one is.
    pub verdict: GateVerdict,
    /// Every figure.
    pub checks: Vec<GateCheck>,
}

/// Compares the second model of the evidence with the first.
///
/// Both are measured on the questions that both answered. Accuracy, set size, UAcc and ECE use all of
/// them, set size and UAcc at the threshold that they set together; coverage that of the test half at
/// the calibration half's threshold. Intervals rest on the influence of each question
/// ([`influence_interval`]) and hold together with the stated confidence (Bonferroni).
///
/// # Errors
///
/// If the evidence does not have two models that were asked the same.
pub fn gate(
    evidence: &Evidence,
    config: &Config,
    settings: &GateSettings,
) -> Result<Gate, Incomparable> {
    let [base, candidate] = evidence.models.as_slice() else {
        return Err(Incomparable(format!(
            "a gate takes two models, one of each path, and these have {}",
            evidence.models.len()
        )));
    };
    let models = [base, candidate];
    check_alike(&models)?;
    let tasks = tasks(&models)?;
    let measured: Vec<(&str, Vec<Pair>)> = tasks
        .iter()
        .map(|task| Ok((*task, Pair::of(&models, task, config)?)))
        .collect::<Result<_, Incomparable>>()?;
    let sets: Vec<&[(&str, Vec<Pair>)]> = if settings.per_task {
        measured.chunks(1).collect()
    } else {
        vec![&measured]
    };
    let count = (sets.len() * settings.margins.len()).max(1);
    let level = 1.0 - (1.0 - settings.confidence) / count as f64;
    let mut checks = Vec::with_capacity(count);
    for set in sets {
        let task = settings.per_task.then(|| set[0].0.to_owned());
        for &(metric, margin) in &settings.margins {
            let difference = Difference::of(set, metric, config, settings.bins);
            checks.push(difference.check(task.clone(), metric, margin, level));
        }
    }
    let worst = checks.iter().map(|check| check.verdict).max();
    Ok(Gate {
        base: base.name.clone(),
        candidate: candidate.name.clone(),
        questions: measured
            .iter()
            .filter_map(|(_, pairs)| Some(pairs.first()?.rows.len()))
            .sum(),
        of: None,
        confidence: settings.confidence,
        evaluation: *config,
        verdict: worst.unwrap_or(GateVerdict::Undecided),
        checks,
    })
}

/// One strategy of a task: both models' scores of the same questions.
struct Pair {
    tables: [Table; 2],
    scores: [Scores; 2],
    rows: Vec<usize>,
}

impl Pair {
    /// All strategies of a task.
    fn of(
        models: &[&ModelEvidence; 2],
        task: &str,
        config: &Config,
    ) -> Result<Vec<Self>, Incomparable> {
        let mut tables = shared_tables(models, task)?;
        let of_candidate = tables.split_off(tables.len() / 2);
        let pair = |(base, candidate): (Table, Table)| Self {
            scores: [scores_of(&base, config), scores_of(&candidate, config)],
            rows: (0..base.len()).collect(),
            tables: [base, candidate],
        };
        Ok(tables.into_iter().zip(of_candidate).map(pair).collect())
    }

    /// A figure of one of the models, and each question's influence on it.
    fn figure(
        &self,
        model: usize,
        metric: Metric,
        config: &Config,
        bins: usize,
    ) -> Option<(f64, Vec<f64>)> {
        let (table, scores, rows) = (&self.tables[model], &self.scores[model], &self.rows);
        match metric {
            Metric::Acc => {
                let correct = rows
                    .iter()
                    .map(|&row| f64::from(u8::from(scores.correct(row))));
                let acc = correct.clone().sum::<f64>() / rows.len() as f64;
                Some((acc, correct.map(|it| it - acc).collect()))
            }
            Metric::Size => {
                Influence::of(scores, rows, config.alpha).map(|it| (it.set_size, it.on_set_size))
            }
            Metric::Uacc => {
                Influence::of(scores, rows, config.alpha).map(|it| (it.uacc, it.on_uacc))
            }
            Metric::Coverage => {
                coverage_influence(scores, &split_of(table, config).ok()?, rows, config.alpha)
            }
            Metric::Ece => ece_influence(table, rows, &view(config), bins),
        }
    }
}

/// A figure of both models, and the influence of each question of all tasks on the difference.
struct Difference {
    figures: [f64; 2],
    influences: Vec<f64>,
    clusters: Vec<[u8; 32]>,
    /// The most by which a question may differ, times the largest weight of one.
    imagined: f64,
    /// The most by which the figures may differ.
    most: f64,
}

impl Difference {
    /// Means over tasks and strategies. Empty where a figure does not exist.
    fn of(tasks: &[(&str, Vec<Pair>)], metric: Metric, config: &Config, bins: usize) -> Self {
        let total: usize = tasks
            .iter()
            .filter_map(|(_, pairs)| Some(pairs.first()?.rows.len()))
            .sum();
        let mut all = Self {
            figures: [0.0; 2],
            influences: Vec::with_capacity(total),
            clusters: Vec::with_capacity(total),
            imagined: 0.0,
            most: 0.0,
        };
        for (_, pairs) in tasks {
            let Some(first) = pairs.first() else { continue };
            let start = all.influences.len();
            let n = first.rows.len();
            // As if all questions were drawn alike: tasks count the same, whatever their sizes.
            let weight = total as f64 / (tasks.len() * n) as f64;
            let options = first.tables[0].stride() as f64;
            let most = match metric {
                Metric::Acc | Metric::Ece | Metric::Coverage => 1.0,
                Metric::Size => options - 1.0,
                // A right answer, where sets have one option.
                Metric::Uacc => options.sqrt(),
            };
            let stands_for = match metric {
                // The test half stands for all.
                Metric::Coverage => 1.0 / (1.0 - config.calibration_ratio),
                _ => 1.0,
            };
            all.imagined = all.imagined.max(weight * most * stands_for);
            all.most = all.most.max(most);
            all.influences.resize(start + n, 0.0);
            all.clusters.extend_from_slice(first.tables[0].clusters());
            let share = 1.0 / (tasks.len() * pairs.len()) as f64;
            for pair in pairs {
                for (model, sign) in [(0, -1.0), (1, 1.0)] {
                    let Some((value, of_rows)) = pair.figure(model, metric, config, bins) else {
                        all.figures = [f64::NAN; 2];
                        continue;
                    };
                    all.figures[model] += share * value;
                    for (sum, influence) in all.influences[start..].iter_mut().zip(of_rows) {
                        *sum += sign * weight * influence / pairs.len() as f64;
                    }
                }
            }
        }
        all
    }

    fn check(self, task: Option<String>, metric: Metric, margin: f64, level: f64) -> GateCheck {
        let [base, candidate] = self.figures;
        let value = candidate - base;
        let interval = (self.influences.len() >= LEAST && value.is_finite())
            .then(|| {
                influence_interval(
                    value,
                    &self.influences,
                    &self.clusters,
                    level,
                    self.imagined,
                )
            })
            .flatten();
        let verdict = interval.map_or(GateVerdict::Undecided, |interval| {
            // How much worse the candidate is.
            let [least, most] = if metric.larger_is_better() {
                [-interval.high, -interval.low]
            } else {
                [interval.low, interval.high]
            };
            if most < margin {
                GateVerdict::Pass
            } else if least > 0.0 {
                GateVerdict::Worse
            } else {
                GateVerdict::Undecided
            }
        });
        GateCheck {
            task,
            metric,
            base: base.is_finite().then_some(base),
            candidate: candidate.is_finite().then_some(candidate),
            margin,
            interval: interval
                .map(|interval| [interval.low.max(-self.most), interval.high.min(self.most)]),
            verdict,
        }
    }
}

/// Questions below which no interval is stated.
const LEAST: usize = 40;
