//! Laws to draw questions and answers from, and what becomes of samples.

pub(crate) mod confidence;

use crate::rng::Rng;
use rayon::prelude::*;
use sureness_conformal::{
    Answers, COMPARED, Estimand, FIGURES, Panel, Resampling, Row, Table, View,
};

/// Where models' answers to questions come from. Without a gap the models are alike, and
/// exchangeable.
#[derive(Clone)]
pub(crate) struct Law {
    pub(crate) name: &'static str,
    pub(crate) options: usize,
    /// How far the right option stands out, and by how much that differs between questions.
    pub(crate) skill: f64,
    pub(crate) spread: f64,
    /// By how much less it does in each model than in the one before.
    pub(crate) gap: f64,
    pub(crate) models: usize,
    /// What all logits are multiplied by: the surer, the larger.
    pub(crate) sharpness: f64,
    /// Logits come in steps of this size; 0 for none.
    pub(crate) step: f64,
    /// Answers that are drawn from the model's probabilities, whose shares then stand for these; 0 for
    /// none.
    pub(crate) draws: usize,
    /// Questions in a cluster, which share half of their difficulty and of their noise.
    pub(crate) cluster: usize,
    /// What two models, and the strategies of one, have in common, from 0 to 1.
    pub(crate) common: f64,
    pub(crate) strategies: usize,
    /// Tasks; the second has half the questions and is harder.
    pub(crate) tasks: usize,
}

const MIDDLING: Law = Law {
    name: "middling",
    options: 6,
    skill: 1.5,
    spread: 0.5,
    gap: 0.0,
    models: 2,
    sharpness: 1.5,
    step: 0.0,
    draws: 0,
    cluster: 1,
    common: 0.5,
    strategies: 1,
    tasks: 1,
};

pub(crate) fn laws() -> Vec<Law> {
    vec![
        MIDDLING,
        Law {
            name: "strong",
            skill: 3.5,
            spread: 1.0,
            ..MIDDLING
        },
        // Wrong once in fifty questions, and then sure of it or, below, never sure.
        Law {
            name: "expert",
            skill: 4.0,
            sharpness: 3.0,
            ..MIDDLING
        },
        Law {
            name: "doubting",
            skill: 4.0,
            sharpness: 0.5,
            ..MIDDLING
        },
        Law {
            name: "weak",
            options: 4,
            skill: 0.3,
            spread: 0.0,
            sharpness: 1.0,
            ..MIDDLING
        },
        // The right option is last in nearly one question in ten.
        Law {
            name: "atom",
            options: 4,
            skill: 0.85,
            spread: 0.0,
            sharpness: 1.0,
            ..MIDDLING
        },
        Law {
            name: "ten",
            options: 10,
            skill: 2.0,
            sharpness: 1.2,
            ..MIDDLING
        },
        Law {
            name: "two",
            options: 2,
            skill: 1.0,
            common: 0.0,
            ..MIDDLING
        },
        Law {
            name: "overconfident",
            skill: 2.5,
            spread: 1.0,
            sharpness: 6.0,
            ..MIDDLING
        },
        Law {
            name: "ties",
            step: 0.75,
            ..MIDDLING
        },
        // Few shares are possible: options tie at the threshold, and draws add noise of their own.
        Law {
            name: "drawn",
            draws: 10,
            ..MIDDLING
        },
        Law {
            name: "clusters",
            cluster: 4,
            ..MIDDLING
        },
        Law {
            name: "correlated",
            common: 0.9,
            ..MIDDLING
        },
        Law {
            name: "strategies",
            strategies: 3,
            ..MIDDLING
        },
        Law {
            name: "tasks",
            strategies: 2,
            tasks: 2,
            ..MIDDLING
        },
    ]
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Questions of the first task.
    pub(crate) n: usize,
    pub(crate) alpha: f64,
}

pub(crate) struct Outcome {
    /// Share of samples in which an interval holds the truth, by figure; NaN where there was none.
    pub(crate) held: Vec<(&'static str, f64)>,
    /// Share of samples in which alike models differ with p ≤ 0.05.
    pub(crate) rejected: Vec<(&'static str, f64)>,
    /// Share of samples without intervals.
    pub(crate) too_few: f64,
}

impl Law {
    /// Questions by task, and which calibrate.
    fn sizes(&self, n: usize) -> Vec<usize> {
        (0..self.tasks)
            .map(|task| if task == 0 { n } else { n / 2 })
            .collect()
    }

    /// Tables by model and strategy.
    fn task(&self, n: usize, task: usize, rng: &mut Rng) -> Vec<Vec<Table>> {
        let mut tables = vec![vec![Table::new(self.options); self.strategies]; self.models];
        let (shared, own) = (self.common.sqrt(), (1.0 - self.common).sqrt());
        let (mut difficulty, mut passage) = (0.0, Vec::new());
        for index in 0..n {
            if index % self.cluster == 0 {
                difficulty = rng.normal();
                passage = (0..self.options).map(|_| rng.normal()).collect();
            }
            let half = 0.5_f64.sqrt();
            let together = if self.cluster > 1 { half } else { 0.0 };
            let apart = if self.cluster > 1 { half } else { 1.0 };
            let answer = (rng.open_unit() * self.options as f64) as usize;
            let hard = together * difficulty + apart * rng.normal();
            let skill = self.skill - 0.4 * task as f64 + self.spread * hard;
            let noise: Vec<f64> = (0..self.options)
                .map(|k| together * passage[k] + apart * rng.normal())
                .collect();
            let mut key = [0; 32];
            key[..8].copy_from_slice(&(index as u64).to_le_bytes());
            key[8] = task as u8;
            let mut cluster = [1; 32];
            cluster[..8].copy_from_slice(&((index / self.cluster) as u64).to_le_bytes());
            for (number, model) in tables.iter_mut().enumerate() {
                let skill = skill - self.gap * number as f64;
                let of_model: Vec<f64> = noise
                    .iter()
                    .map(|x| shared * x + own * rng.normal())
                    .collect();
                for table in model {
                    let logits: Vec<f64> = (0..self.options)
                        .map(|option| {
                            let noise = shared * of_model[option] + own * rng.normal();
                            let right = if option == answer { skill } else { 0.0 };
                            let logit = self.sharpness * (right + noise);
                            if self.step > 0.0 {
                                (logit / self.step).round() * self.step
                            } else {
                                logit
                            }
                        })
                        .collect();
                    let logits = match self.draws {
                        0 => logits,
                        draws => drawn(&logits, draws, rng),
                    };
                    let row = Row {
                        key: &key,
                        cluster: (self.cluster > 1).then_some(&cluster[..]),
                        logits: (&logits).into(),
                        right: answer.into(),
                        dont_know: None,
                        none_of_the_above: None,
                    };
                    table.push(key, &row, None).unwrap();
                }
            }
        }
        tables
    }

    /// A sample of which one half calibrates.
    fn panel(&self, setting: &Setting, seed: u64) -> Panel {
        self.sample(setting, 0.5, seed)
    }

    /// A sample of which this share of the questions calibrates.
    pub(crate) fn sample(&self, setting: &Setting, share: f64, seed: u64) -> Panel {
        let mut rng = Rng(seed.wrapping_mul(0x2545_F491_4F6C_DD1D));
        rng.next();
        let mut panel = Panel::new(
            self.models,
            View::default(),
            setting.alpha,
            Estimand::Procedure,
        );
        for (task, n) in self.sizes(setting.n).into_iter().enumerate() {
            let tables = self.task(n, task, &mut rng);
            let rows: Vec<usize> = (0..n).collect();
            // The law knows no order, so the first ones may calibrate; clusters stay whole.
            let middle = (n as f64 * share) as usize / self.cluster * self.cluster;
            let calibrates: Vec<bool> = rows.iter().map(|&row| row < middle).collect();
            let answers: Vec<Vec<Answers<'_>>> = tables
                .iter()
                .map(|model| {
                    let of = |table| Answers { table, rows: &rows };
                    model.iter().map(of).collect()
                })
                .collect();
            let clusters = tables[0][0].clusters();
            panel.add(&answers, clusters, &calibrates).unwrap();
        }
        panel
    }
}

/// The logarithms of shares among so many answers drawn with these logits, as a store has them: an
/// option that none chooses counts as a hundredth of one.
fn drawn(logits: &[f64], draws: usize, rng: &mut Rng) -> Vec<f64> {
    let mut counts = vec![0.01; logits.len()];
    for _ in 0..draws {
        // Gumbel's trick.
        let noisy = logits
            .iter()
            .map(|logit| logit - (-rng.open_unit().ln()).ln());
        let chosen = noisy.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        counts[chosen.map_or(0, |(option, _)| option)] += 1.0;
    }
    counts.iter().map(|count: &f64| count.ln()).collect()
}

const NAMES: [&str; FIGURES] = ["acc", "cov", "SS", "UAcc", "single", "empty"];
const DIFFERENCES: [&str; COMPARED] = ["Δacc", "Δcov", "ΔSS", "ΔUAcc"];

/// Which intervals of one model, and which of differences, hold the truth; and which tests reject.
type Sample = (
    [Option<bool>; FIGURES],
    [Option<bool>; COMPARED],
    [bool; COMPARED],
);

/// Draws `samples` samples, each with its intervals and its test.
pub(crate) fn run(law: &Law, setting: &Setting, samples: usize, replicates: usize) -> Outcome {
    // Enough that the truth is off by a fiftieth of a sample's standard deviation.
    let truths: Vec<[f64; FIGURES]> = (0..(8 * samples as u64).min(3000))
        .into_par_iter()
        .flat_map(|seed| {
            let panel = law.panel(setting, 1_000_000_007 + seed);
            [panel.figures(0), panel.figures(1)]
        })
        .collect();
    let mut truth = [0.0; FIGURES];
    for figures in &truths {
        for (sum, figure) in truth.iter_mut().zip(figures) {
            *sum += figure / truths.len() as f64;
        }
    }
    let all: Vec<Sample> = (0..samples as u64)
        .into_par_iter()
        .map(|seed| {
            let panel = law.panel(setting, seed);
            let resampling = Resampling {
                replicates,
                seed,
                ..Resampling::default()
            };
            let resampled = panel.resample(&resampling);
            let holds =
                |low: f64, high: f64, truth: f64| low - 1e-12 <= truth && truth <= high + 1e-12;
            let held = std::array::from_fn(|figure| {
                let interval = resampled.interval(0, figure).ok()?;
                Some(holds(interval.low, interval.high, truth[figure]))
            });
            let difference = std::array::from_fn(|figure| {
                let interval = resampled.difference(0, 1, figure).ok()?;
                Some(holds(interval.low, interval.high, 0.0))
            });
            let p = resampled.test(&panel, [0, 1], [999, 999], seed);
            (held, difference, p.map(|p| p <= 0.05))
        })
        .collect();
    let share = |of: &dyn Fn(&Sample) -> Option<bool>| {
        let known: Vec<bool> = all.iter().filter_map(of).collect();
        known.iter().filter(|&&held| held).count() as f64 / known.len() as f64
    };
    let mut held: Vec<(&'static str, f64)> = (0..FIGURES)
        .map(|figure| (NAMES[figure], share(&|sample| sample.0[figure])))
        .collect();
    held.extend((0..COMPARED).map(|k| (DIFFERENCES[k], share(&|sample| sample.1[k]))));
    Outcome {
        held,
        rejected: (0..COMPARED)
            .map(|k| (DIFFERENCES[k], share(&|s| Some(s.2[k]))))
            .collect(),
        too_few: share(&|sample| Some(sample.0[2].is_none())),
    }
}
