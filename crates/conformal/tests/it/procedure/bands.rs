//! Whether the bands of ranks of several models hold together, over the whole procedure.

use rayon::prelude::*;
use sureness_conformal::{COMPARED, Resampling, holm, rank_bands};

use super::simulation::{Law, Setting, laws};
use super::slack;

const MODELS: usize = 5;
const NAMES: [&str; COMPARED] = ["acc", "cov", "SS", "UAcc"];

/// The share of samples in which a band misses the true rank of its model, by figure. Without a gap
/// all ranks are true of every model; with one the order of the models is that of their numbers.
fn missed(law: &Law, setting: &Setting, samples: usize, replicates: usize) -> [f64; COMPARED] {
    let misses: Vec<[bool; COMPARED]> = (0..samples as u64)
        .into_par_iter()
        .map(|seed| {
            let panel = law.sample(setting, 0.5, seed);
            let resampled = panel.resample(&Resampling {
                replicates,
                seed,
                ..Resampling::default()
            });
            let pairs: Vec<(usize, usize)> = (0..MODELS)
                .flat_map(|a| (a + 1..MODELS).map(move |b| (a, b)))
                .collect();
            let p: Vec<[f64; COMPARED]> = pairs
                .iter()
                .map(|&(a, b)| resampled.test(&panel, [a, b], [999, 9999], seed))
                .collect();
            std::array::from_fn(|figure| {
                let adjusted = holm(&p.iter().map(|p| p[figure]).collect::<Vec<_>>());
                let values: Vec<f64> = (0..MODELS)
                    .map(|model| resampled.figures(model)[figure])
                    .collect();
                let significant = |a: usize, b: usize| {
                    let pair = (a.min(b), a.max(b));
                    let place = pairs.iter().position(|other| *other == pair).unwrap();
                    adjusted[place] <= 0.05
                };
                // Sets are smaller the better.
                let bands = rank_bands(&values, figure != 2, significant);
                bands.iter().enumerate().any(|(model, band)| {
                    let (highest, lowest) = if law.gap > 0.0 {
                        (model + 1, model + 1)
                    } else {
                        (1, MODELS)
                    };
                    band.best > highest || band.worst < lowest
                })
            })
        })
        .collect();
    std::array::from_fn(|figure| {
        misses.iter().filter(|missed| missed[figure]).count() as f64 / samples as f64
    })
}

fn sweep(settings: &[Setting], samples: usize, replicates: usize, wanted: impl Fn(&Law) -> bool) {
    let mut broken = Vec::new();
    for law in laws().into_iter().filter(wanted) {
        for gap in [0.0, 0.1] {
            let law = Law {
                gap,
                models: MODELS,
                ..law.clone()
            };
            for setting in settings {
                let missed = missed(&law, setting, samples, replicates);
                let mut line = String::new();
                for (figure, share) in missed.into_iter().enumerate() {
                    // Coverage is the same whatever the model: a gap puts it in no order.
                    if figure == 1 && gap > 0.0 {
                        continue;
                    }
                    line += &format!("  {} {:4.1}", NAMES[figure], share * 100.0);
                    if share > 0.06 + slack(0.06, samples) {
                        broken.push(format!(
                            "{} gap {gap} {setting:?}: {} missed in {share:.3}",
                            law.name, NAMES[figure]
                        ));
                    }
                }
                println!(
                    "{:<13} gap {gap} n {:>4} missed:{line}",
                    law.name, setting.n
                );
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn bands_hold_together() {
    sweep(&[Setting { n: 200, alpha: 0.1 }], 100, 300, |law| {
        ["middling", "clusters"].contains(&law.name)
    });
}

#[test]
#[ignore = "minutes; scripts/verify/simulate.sh runs it"]
fn bands_of_every_law_hold_together() {
    let given = |name: &str| std::env::var(name).unwrap_or_default();
    let only = given("SURENESS_LAW");
    let samples = given("SURENESS_SAMPLES").parse().unwrap_or(2000);
    let settings = [200, 1000].map(|n| Setting { n, alpha: 0.1 });
    sweep(&settings, samples, 1000, |law| law.name.contains(&only));
}
