//! Models beside each other, over several tasks, prompt strategies and scores at once.
//!
//! A headline figure is a mean over tasks of a mean over strategies and scores (Ye et al. 2024,
//! section 4). Its rows are not independent: a question is asked in every strategy, and of every
//! model. So whole questions are drawn, with all that was said to them, separately for each task.
//! All models share the draws: the replicates of the difference of two models are then the
//! differences of their replicates, which is the paired bootstrap for every pair at the price of
//! one.

use rayon::prelude::*;

use super::bootstrap::{BootstrapInterval, acceleration};
use super::random::Stream;
use super::{Outcome, Resampling};
use crate::uacc;

/// The headline figures: accuracy, coverage, mean set size, UAcc.
pub const FIGURES: usize = 4;

/// Jackknife groups per task, see [`BootstrapInterval`].
const JACKKNIFE_GROUPS: usize = 100;

/// Three counts share a word, so that one addition adds all three: right answers in the lowest 20
/// bits, covered ones in the next 20, options in sets in the upper 24.
const LANE: u64 = (1 << 20) - 1;
/// So many questions are added up before the counts are taken out of their word. Drawing with
/// replacement, they stay far below what it holds.
pub(super) const CHUNK: usize = 1 << 18;

/// One task: what each model did on each question, in each cell (a strategy with a score).
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub(super) questions: usize,
    /// Mean number of options, per cell. Taken as given, not drawn.
    options: Vec<f64>,
    /// Per model: question by question, cell by cell.
    pub(super) words: Vec<Vec<u64>>,
}

/// What several models did on the same questions.
#[derive(Debug, Clone, Default)]
pub struct Panel {
    models: usize,
    pub(super) strata: Vec<Stratum>,
}

/// Why outcomes do not make a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the models do not have the same questions and settings")]
pub struct PanelError;

fn pack(outcome: Outcome) -> u64 {
    u64::from(outcome.correct) | u64::from(outcome.covered) << 20 | u64::from(outcome.size) << 40
}

/// Sums of right answers, covered answers and set sizes.
pub(super) type Sums = [f64; 3];

fn unpack(word: u64) -> Sums {
    [
        (word & LANE) as f64,
        (word >> 20 & LANE) as f64,
        (word >> 40) as f64,
    ]
}

impl Stratum {
    pub(super) fn cells(&self) -> usize {
        self.options.len()
    }

    /// The figures that these sums over `questions` questions come to, the mean over cells.
    pub(super) fn figures(&self, sums: &[Sums], questions: f64) -> [f64; FIGURES] {
        let mut total = [0.0; FIGURES];
        for ([correct, covered, size], options) in sums.iter().zip(&self.options) {
            let (acc, set_size) = (correct / questions, size / questions);
            total[0] += acc;
            total[1] += covered / questions;
            total[2] += set_size;
            total[3] += uacc(acc, *options, set_size);
        }
        total.map(|sum| sum / self.cells() as f64)
    }

    /// Sums over the questions, each as often as it was drawn.
    fn weighted(&self, model: usize, times: &[u32]) -> Vec<Sums> {
        let cells = self.cells();
        let mut sums = vec![[0.0; 3]; cells];
        let mut words = vec![0_u64; cells];
        let chunks = self.words[model].chunks(CHUNK * cells);
        for (chunk, times) in chunks.zip(times.chunks(CHUNK)) {
            words.fill(0);
            for (question, &times) in chunk.chunks_exact(cells).zip(times) {
                for (sum, word) in words.iter_mut().zip(question) {
                    *sum += word * u64::from(times);
                }
            }
            add(&mut sums, &words);
        }
        sums
    }
}

/// Takes the counts out of their words and adds them.
pub(super) fn add(sums: &mut [Sums], words: &[u64]) {
    for (sum, &word) in sums.iter_mut().zip(words) {
        for (sum, part) in sum.iter_mut().zip(unpack(word)) {
            *sum += part;
        }
    }
}

impl Panel {
    /// A panel of so many models, without tasks.
    pub fn new(models: usize) -> Self {
        Self {
            models,
            strata: Vec::new(),
        }
    }

    /// Number of models.
    pub fn models(&self) -> usize {
        self.models
    }

    /// Questions over all tasks.
    pub fn questions(&self) -> usize {
        self.strata.iter().map(|stratum| stratum.questions).sum()
    }

    /// Mean number of options, where all tasks have as many.
    pub fn options(&self) -> Option<f64> {
        let mut all = self.strata.iter().flat_map(|stratum| &stratum.options);
        let first = *all.next()?;
        all.all(|options| (options - first).abs() < 1e-9)
            .then_some(first)
    }

    /// Adds a task: for each model, for each cell, the outcome of each question, in one order. A
    /// task without questions or cells is left out.
    pub fn add(&mut self, outcomes: &[Vec<&[Outcome]>]) -> Result<(), PanelError> {
        let first = outcomes.first().ok_or(PanelError)?;
        let (cells, questions) = (first.len(), first.first().map_or(0, |cell| cell.len()));
        let fits = |model: &Vec<&[Outcome]>| {
            model.len() == cells && model.iter().all(|cell| cell.len() == questions)
        };
        if outcomes.len() != self.models || !outcomes.iter().all(fits) {
            return Err(PanelError);
        }
        if questions == 0 {
            return Ok(());
        }
        let mean_options = |cell: &&[Outcome]| {
            let total: f64 = cell.iter().map(|o| f64::from(o.options)).sum();
            total / questions as f64
        };
        let words = |model: &Vec<&[Outcome]>| {
            (0..questions)
                .flat_map(|question| model.iter().map(move |cell| pack(cell[question])))
                .collect()
        };
        self.strata.push(Stratum {
            questions,
            options: first.iter().map(mean_options).collect(),
            words: outcomes.iter().map(words).collect(),
        });
        Ok(())
    }

    /// A model's figures as they are: accuracy, coverage, set size and UAcc.
    pub fn figures(&self, model: usize) -> [f64; FIGURES] {
        self.mean(|stratum| {
            let once = vec![1; stratum.questions];
            stratum.figures(&stratum.weighted(model, &once), stratum.questions as f64)
        })
    }

    fn mean(&self, figures: impl FnMut(&Stratum) -> [f64; FIGURES]) -> [f64; FIGURES] {
        let mut total = [0.0; FIGURES];
        for figures in self.strata.iter().map(figures) {
            for (total, figure) in total.iter_mut().zip(figures) {
                *total += figure;
            }
        }
        total.map(|total| total / self.strata.len() as f64)
    }

    /// Draws the questions anew, as often as asked, and works out every model's figures each time.
    /// Equal for any number of threads.
    pub fn resample(&self, resampling: &Resampling) -> Resampled {
        let replicates: Vec<Vec<[f64; FIGURES]>> = (0..resampling.replicates.max(1))
            .into_par_iter()
            .map(|replicate| self.replicate(resampling.seed, replicate))
            .collect();
        Resampled {
            level: resampling.level,
            figures: (0..self.models).map(|model| self.figures(model)).collect(),
            replicates,
            jackknife: self.jackknife(),
        }
    }

    fn replicate(&self, seed: u64, replicate: usize) -> Vec<[f64; FIGURES]> {
        let times: Vec<Vec<u32>> = (0..self.strata.len())
            .map(|index| {
                let questions = self.strata[index].questions;
                let mut stream = Stream::new(&format!("panel {index}"), seed, replicate);
                let mut times = vec![0; questions];
                for _ in 0..questions {
                    times[stream.below(questions)] += 1;
                }
                times
            })
            .collect();
        (0..self.models)
            .map(|model| {
                let mut times = times.iter();
                self.mean(|stratum| {
                    let times = times.next().map_or(&[][..], Vec::as_slice);
                    stratum.figures(&stratum.weighted(model, times), stratum.questions as f64)
                })
            })
            .collect()
    }

    /// Each model's figures without each group of questions in turn, task by task.
    fn jackknife(&self) -> Vec<Vec<[f64; FIGURES]>> {
        let of = |model: usize| {
            let whole: Vec<[f64; FIGURES]> = self
                .strata
                .iter()
                .map(|stratum| {
                    let once = vec![1; stratum.questions];
                    stratum.figures(&stratum.weighted(model, &once), stratum.questions as f64)
                })
                .collect();
            let mut values = Vec::new();
            for (index, stratum) in self.strata.iter().enumerate() {
                let groups = match stratum.questions {
                    1 => 0,
                    questions => questions.min(JACKKNIFE_GROUPS),
                };
                for group in 0..groups {
                    let times: Vec<u32> = (0..stratum.questions)
                        .map(|question| u32::from(question % groups != group))
                        .collect();
                    let left = times.iter().map(|&times| f64::from(times)).sum();
                    let part = stratum.figures(&stratum.weighted(model, &times), left);
                    let mut total = [0.0; FIGURES];
                    for (other, whole) in whole.iter().enumerate() {
                        let figures = if other == index { &part } else { whole };
                        for (total, figure) in total.iter_mut().zip(figures) {
                            *total += figure / self.strata.len() as f64;
                        }
                    }
                    values.push(total);
                }
            }
            values
        };
        (0..self.models).into_par_iter().map(of).collect()
    }
}

pub(super) fn difference(a: &[f64; FIGURES], b: &[f64; FIGURES]) -> [f64; FIGURES] {
    std::array::from_fn(|figure| a[figure] - b[figure])
}

/// The figures of all models in every replicate.
#[derive(Debug, Clone)]
pub struct Resampled {
    level: f64,
    figures: Vec<[f64; FIGURES]>,
    /// Per replicate, per model.
    replicates: Vec<Vec<[f64; FIGURES]>>,
    /// Per model, per left-out group.
    jackknife: Vec<Vec<[f64; FIGURES]>>,
}

impl Resampled {
    /// A model's figures as they are.
    pub fn figures(&self, model: usize) -> [f64; FIGURES] {
        self.figures[model]
    }

    /// The interval of one figure of a model (0 accuracy, 1 coverage, 2 set size, 3 `UAcc`). `None`
    /// without questions.
    pub fn interval(&self, model: usize, figure: usize) -> Option<BootstrapInterval> {
        self.of(
            self.figures[model][figure],
            |models| models[model][figure],
            |group| self.jackknife[model][group][figure],
            self.jackknife[model].len(),
        )
    }

    /// The interval of the difference of one figure, the first model's less the second's.
    pub fn difference(&self, a: usize, b: usize, figure: usize) -> Option<BootstrapInterval> {
        self.of(
            self.figures[a][figure] - self.figures[b][figure],
            |models| models[a][figure] - models[b][figure],
            |group| self.jackknife[a][group][figure] - self.jackknife[b][group][figure],
            self.jackknife[a].len(),
        )
    }

    fn of(
        &self,
        value: f64,
        replicate: impl Fn(&[[f64; FIGURES]]) -> f64,
        left_out: impl Fn(usize) -> f64,
        groups: usize,
    ) -> Option<BootstrapInterval> {
        let replicates = self.replicates.iter().map(|models| replicate(models));
        let jackknife: Vec<(f64, usize)> = (0..groups).map(|group| (left_out(group), 1)).collect();
        BootstrapInterval::of(
            value,
            replicates.collect(),
            acceleration(&jackknife),
            self.level,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(seed: u64, n: usize, skill: f64) -> Vec<Outcome> {
        let mut stream = Stream::new("test", seed, 0);
        (0..n)
            .map(|_| Outcome {
                correct: stream.unit() < skill,
                covered: stream.unit() < 0.9,
                size: 1 + stream.below(6) as u8,
                options: 6,
            })
            .collect()
    }

    #[test]
    fn one_cell_has_the_figures_and_intervals_of_its_outcomes() {
        let a = outcomes(1, 400, 0.6);
        let mut panel = Panel::new(1);
        panel.add(&[vec![&a]]).unwrap();
        let resampling = Resampling {
            replicates: 4000,
            ..Resampling::default()
        };
        let resampled = panel.resample(&resampling);
        let single = super::super::outcome_intervals(&a, &resampling).unwrap();
        let others = [single.acc, single.coverage, single.set_size, single.uacc];
        for (figure, other) in others.iter().enumerate() {
            let interval = resampled.interval(0, figure).unwrap();
            // Other draws of the same distribution: equal to within the noise of 4,000 of them.
            assert!((interval.se / other.se - 1.0).abs() < 0.05, "{figure}");
            assert!((interval.bca.0 - other.bca.0).abs() < 0.3 * other.se);
            assert!((interval.bca.1 - other.bca.1).abs() < 0.3 * other.se);
        }
        let correct = a.iter().filter(|o| o.correct).count() as f64 / 400.0;
        assert!((panel.figures(0)[0] - correct).abs() < 1e-12);
    }

    #[test]
    fn a_model_does_not_differ_from_itself_and_a_better_one_does() {
        let (a, b) = (outcomes(1, 500, 0.5), outcomes(2, 500, 0.7));
        let mut panel = Panel::new(3);
        for _ in 0..2 {
            panel
                .add(&[vec![&a, &a], vec![&b, &b], vec![&a, &a]])
                .unwrap();
        }
        assert_eq!(panel.questions(), 1000);
        let resampled = panel.resample(&Resampling::default());
        for figure in 0..FIGURES {
            let same = resampled.difference(0, 2, figure).unwrap();
            assert_eq!((same.bca, same.se), ((0.0, 0.0), 0.0));
        }
        let gain = resampled.difference(1, 0, 0).unwrap();
        assert!(gain.bca.0 > 0.05);
        let same = panel.permutation(0, 2, 99, 1);
        assert!(same.iter().all(|p| (p - 1.0).abs() < 1e-12), "{same:?}");
        let p = panel.permutation(0, 1, 999, 1);
        assert!((p[0] - 0.001).abs() < 1e-12, "{p:?}");
        assert!(p[1] > 0.05, "coverage is the same but for chance: {p:?}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (a, b) = (outcomes(1, 10, 0.5), outcomes(2, 9, 0.5));
        let mut panel = Panel::new(2);
        assert_eq!(panel.add(&[vec![&a], vec![&b]]), Err(PanelError));
        assert_eq!(panel.add(&[vec![&a]]), Err(PanelError));
        assert_eq!(panel.add(&[vec![&a], vec![&a, &a]]), Err(PanelError));
        assert_eq!(panel.add(&[vec![], vec![]]), Ok(()), "an empty task");
        assert_eq!(panel.questions(), 0);
        assert!(
            panel
                .resample(&Resampling::default())
                .interval(0, 0)
                .is_none()
        );
    }
}
