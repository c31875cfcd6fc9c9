//! Whether a planned number of questions finds the difference that it was planned for as often as
//! promised: samples of the planned size are drawn, and tested.

use rayon::prelude::*;
use sureness_conformal::{
    COMPARED, Effect, Least, NoVariance, Panel, Resampling, SampleSizes, Variance, Variances,
    sample_sizes,
};

use super::simulation::{Law, Setting, laws};

const ALPHA: f64 = 0.1;
const POWER: f64 = 0.8;
const LEVEL: f64 = 0.95;
/// Larger samples take too long to draw.
const MOST: usize = 20_000;
const NAMES: [&str; COMPARED] = ["acc", "cov", "size", "UAcc"];

/// A law by its name, in which the second model is worse.
fn law(name: &str, gap: f64) -> Law {
    let law = laws().into_iter().find(|law| law.name == name).unwrap();
    Law { gap, ..law }
}

fn drawn(law: &Law, n: usize, number: u64) -> Panel {
    law.sample(&Setting { n, alpha: ALPHA }, 0.5, 77_000 + number)
}

/// The difference between the models, and what the halves add to its variance, by figure. The
/// difference needs many questions: where it is off by 3 %, so is the power.
fn effects(law: &Law) -> Vec<(usize, Effect)> {
    let differences: Vec<[f64; COMPARED]> = (0..12)
        .into_par_iter()
        .map(|number| {
            let panel = drawn(law, 40_000, number);
            let (a, b) = (panel.figures(0), panel.figures(1));
            std::array::from_fn(|figure| a[figure] - b[figure])
        })
        .collect();
    let variances: Vec<Variances> = (0..8)
        .into_par_iter()
        .map(|number| drawn(law, 2000, 100 + number).variances(500, number))
        .collect();
    let of = |figure: usize| {
        let mean = |of: &dyn Fn(Variance) -> f64| {
            let each = variances
                .iter()
                .filter_map(|v| v.of_difference(0, 1, figure).ok())
                .map(of);
            let all: Vec<f64> = each.collect();
            // Chance makes one or the other sample look irregular.
            assert!(all.len() >= 6, "{}: {all:?}", law.name);
            all.iter().sum::<f64>() / all.len() as f64
        };
        let all = differences.iter().map(|d| d[figure]);
        let effect = Effect {
            difference: all.sum::<f64>() / differences.len() as f64,
            variance: Variance {
                calibration: mean(&|v| v.calibration),
                test: mean(&|v| v.test),
            },
        };
        (figure, effect)
    };
    [0, 2, 3].map(of).into()
}

/// The share of samples of the planned size in which the difference is found.
fn found(law: &Law, sizes: &SampleSizes, figure: usize, samples: u64) -> f64 {
    let size = sizes.sizes[0];
    let all = (size.calibration + size.test) as f64;
    let n = all / (1.0 + 0.5 * (law.tasks - 1) as f64);
    let setting = Setting {
        n: n.ceil() as usize,
        alpha: ALPHA,
    };
    let hits = (0..samples)
        .into_par_iter()
        .filter(|&seed| {
            let panel = law.sample(&setting, sizes.share, seed);
            let resampling = Resampling {
                replicates: 300,
                seed,
                ..Resampling::default()
            };
            let resampled = panel.resample(&resampling);
            resampled.test(&panel, [0, 1], [499, 499], seed)[figure] <= 1.0 - LEVEL
        })
        .count();
    hits as f64 / samples as f64
}

/// What is off, for the figures whose differences are planned for.
fn check(law: &Law, samples: u64, slack: f64) -> Vec<String> {
    let least = Least::of(&drawn(law, 2000, 0));
    let mut broken = Vec::new();
    for (figure, effect) in effects(law) {
        let sizes = sample_sizes(&[effect], least, POWER, LEVEL).unwrap();
        let size = sizes.sizes[0];
        if size.calibration + size.test > MOST {
            println!("{:<14} {:<5} skipped: {size:?}", law.name, NAMES[figure]);
            continue;
        }
        let share = found(law, &sizes, figure, samples);
        let told = format!(
            "{:<14} {:<5} {effect:.3?} {sizes:?} found in {share:.3}",
            law.name, NAMES[figure],
        );
        println!("{told}");
        if (share - POWER).abs() > slack {
            broken.push(told);
        }
    }
    broken
}

#[test]
fn planned_numbers_find_what_they_were_planned_for() {
    let broken = check(&law("middling", 0.4), 400, 0.07);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
#[ignore = "some minutes"]
fn planned_numbers_of_every_law() {
    let only = std::env::var("SURENESS_LAW").unwrap_or_default();
    let gaps = [
        ("middling", 0.25),
        ("strong", 0.4),
        ("weak", 0.3),
        ("ten", 0.3),
        ("two", 0.3),
        ("overconfident", 0.3),
        ("ties", 0.3),
        ("clusters", 0.4),
        ("correlated", 0.2),
        ("strategies", 0.3),
        ("tasks", 0.3),
    ];
    let wanted = gaps.iter().filter(|(name, _)| name.contains(&only));
    let broken: Vec<String> = wanted
        .flat_map(|&(name, gap)| check(&law(name, gap), 500, 0.09))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn near_an_atom_there_is_no_number() {
    let law = law("atom", 0.0);
    let none = (0..8).filter(|&number| {
        let variances = drawn(&law, 2000, number).variances(400, number);
        variances.of_difference(0, 1, 2) == Err(NoVariance::Irregular)
    });
    // In the middling law none or one of eight are.
    assert!(none.count() >= 3);
}
