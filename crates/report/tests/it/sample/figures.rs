//! Made-up figures of made-up models.

use super::{STRATEGIES, TASKS, names};

/// Test questions per task.
pub(super) const N_TEST: usize = 5_000;

/// One model.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    pub(super) name: String,
    pub(super) acc: f64,
    pub(super) coverage: f64,
    pub(super) set_size: f64,
    /// By task and strategy.
    pub(super) groups: Vec<Vec<Group>>,
}

/// One model's figures in one task and strategy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) acc: f64,
    pub(super) coverage: f64,
    pub(super) set_size: f64,
}

/// A number of 0 to 1 that looks like chance and is always the same.
pub(super) fn noise(a: usize, b: usize, c: usize) -> f64 {
    let mut x = (a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (b as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
        ^ (c as u64).wrapping_mul(0x1656_67b1_9e37_79f9);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 32;
    (x % 100_000) as f64 / 100_000.0
}

/// All models, the surest first.
pub(super) fn all(models: usize) -> Vec<Figures> {
    let mut figures: Vec<Figures> = names(models)
        .into_iter()
        .enumerate()
        .map(|(at, name)| model(at, name))
        .collect();
    figures.sort_by(|a, b| a.set_size.total_cmp(&b.set_size));
    figures
}

fn model(at: usize, name: String) -> Figures {
    let skill = 0.35 + 0.5 * noise(at, 1, 1);
    let groups: Vec<Vec<Group>> = (0..TASKS.len())
        .map(|task| {
            (0..STRATEGIES.len())
                .map(|strategy| {
                    let acc = (skill + 0.2 * noise(at, task, 7) - 0.1
                        + 0.03 * noise(at, task, strategy + 20))
                    .clamp(0.2, 0.95);
                    Group {
                        acc,
                        coverage: 0.904 + 0.02 * (noise(at, task, strategy + 40) - 0.5),
                        set_size: 1.2 + 3.8 * (1.0 - acc),
                    }
                })
                .collect()
        })
        .collect();
    let mean = |figure: fn(&Group) -> f64| {
        let all: Vec<f64> = groups.iter().flatten().map(figure).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    Figures {
        name,
        acc: mean(|g| g.acc),
        coverage: mean(|g| g.coverage),
        set_size: mean(|g| g.set_size),
        groups,
    }
}

/// An interval of about the width that so many questions give a share.
pub(super) fn around(share: f64, n: usize) -> (f64, f64) {
    let half = 1.96 * (share * (1.0 - share) / n as f64).sqrt();
    (share - half, share + half)
}
