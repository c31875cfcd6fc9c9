//! How often differences are found, beside a test that knows what no sample tells: the standard
//! deviation of the difference over samples.

use rayon::prelude::*;
use sureness_conformal::{COMPARED, Resampling};

use super::simulation::{Law, Setting, laws};

const NAMES: [&str; COMPARED] = ["acc", "cov", "SS", "UAcc"];

/// By how much less often our test may find a difference.
const SHORT: f64 = 0.12;

/// Per figure, how often our test and the one that knows find the difference.
fn power(law: &Law, setting: &Setting, samples: u64) -> [[f64; 2]; COMPARED] {
    let all: Vec<[(f64, bool); COMPARED]> = (0..samples)
        .into_par_iter()
        .map(|seed| {
            let panel = law.sample(setting, 0.5, 55_000 + seed);
            let resampling = Resampling {
                seed,
                ..Resampling::default()
            };
            let p = panel
                .resample(&resampling)
                .test(&panel, [0, 1], [999, 999], seed);
            let (a, b) = (panel.figures(0), panel.figures(1));
            std::array::from_fn(|figure| (a[figure] - b[figure], p[figure] <= 0.05))
        })
        .collect();
    std::array::from_fn(|figure| {
        let n = all.len() as f64;
        let mean = all.iter().map(|sample| sample[figure].0).sum::<f64>() / n;
        let squares = all.iter().map(|sample| (sample[figure].0 - mean).powi(2));
        let sd = (squares.sum::<f64>() / n).sqrt();
        let share = |found: &dyn Fn(&(f64, bool)) -> bool| {
            all.iter().filter(|sample| found(&sample[figure])).count() as f64 / n
        };
        [
            share(&|sample| sample.1),
            share(&|sample| sample.0.abs() > 1.96 * sd),
        ]
    })
}

#[test]
#[ignore = "minutes; scripts/verify/simulate.sh runs it"]
fn power_is_near_the_best() {
    let mut broken = Vec::new();
    for (name, gap, n) in [
        ("middling", 0.3, 300),
        ("middling", 0.2, 1000),
        ("correlated", 0.12, 300),
        ("correlated", 0.08, 1000),
        ("atom", 0.2, 1000),
        ("clusters", 0.3, 1000),
        ("strong", 0.3, 1000),
    ] {
        let law = laws().into_iter().find(|law| law.name == name).unwrap();
        let law = Law { gap, ..law };
        let setting = Setting { n, alpha: 0.1 };
        let found = power(&law, &setting, 400);
        let each = NAMES.iter().zip(&found);
        let line: Vec<String> = each
            .map(|(figure, [ours, best])| {
                format!("{figure} {:5.1} of {:5.1}", ours * 100.0, best * 100.0)
            })
            .collect();
        println!("{name:<11} gap {gap:.2} n {n:>5}  {}", line.join("  "));
        // Coverage hardly differs, and the test of accuracy never exceeds its level. At an atom set
        // sizes flip between two values, where a standard deviation tells little.
        for figure in [2, 3] {
            if figure == 2 && name == "atom" {
                continue;
            }
            let [ours, best] = found[figure];
            if ours < best - SHORT {
                broken.push(format!("{name} {n} {}: {ours} of {best}", NAMES[figure]));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
