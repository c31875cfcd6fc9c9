//! What intervals and tests promise, checked by simulation.
//!
//! 2,000 samples are drawn from sources whose true figures are known. A share of 95 % in 2,000
//! has a standard error of 0.49 %, so that 93.5 to 96.5 % is three of them to each side. The
//! seeds are fixed: this tests our code, not our luck.

use crate::rng::Rng;
use rayon::prelude::*;
use sureness_conformal::{
    CoverageLaw, CoverageVerdict, Protocol, Resampling, Threshold, bootstrap, check_coverage,
    conformal_threshold, design_effect, mcnemar, numpy_higher_threshold, wilson, wilson_share,
};

const REPETITIONS: u64 = 2_000;
const COVERS: std::ops::RangeInclusive<f64> = 0.935..=0.965;
/// Five per cent and three standard errors.
const LEVEL: f64 = 0.0646;

/// The share of repetitions for which each of several statements holds.
fn shares<const K: usize>(holds: impl Fn(u64) -> [bool; K] + Send + Sync) -> [f64; K] {
    let held: Vec<[bool; K]> = (0..REPETITIONS).into_par_iter().map(holds).collect();
    std::array::from_fn(|k| held.iter().filter(|held| held[k]).count() as f64 / REPETITIONS as f64)
}

fn holds((low, high): (f64, f64), truth: f64) -> bool {
    (low..=high).contains(&truth)
}

/// A size of a cluster.
type Size = fn(&mut Rng) -> usize;

/// Clusters of four, of log-normal sizes, of sizes with a tail, and rare large ones: where one cluster
/// holds many of the questions, it sets the share that its own residual is from.
#[test]
fn wilson_intervals_cover_with_unequal_clusters() {
    let sizes: [(usize, Size); 4] = [
        (75, |_| 4),
        (75, |rng| {
            let unit = rng.open_unit();
            (0.5 + 0.7 * (unit / (1.0 - unit)).ln()).exp() as usize
        }),
        (100, |rng| {
            (rng.open_unit().powf(-1.0 / 1.3) as usize).min(400)
        }),
        (100, |rng| if rng.chance(0.05) { 40 } else { 1 }),
    ];
    // A cluster's share of right answers is as far above a half as below it.
    let truth = 0.5;
    for (number, (clusters, size)) in (10..).zip(sizes) {
        let [covers] = shares(|repetition| {
            let mut rng = Rng::of_repetition(number, repetition);
            let (mut names, mut right) = (Vec::new(), Vec::new());
            for cluster in 0..clusters {
                let size = size(&mut rng).max(1);
                let level = 1.0 / (1.0 + (-2.0 * rng.normal()).exp());
                let mut name = [0; 32];
                name[0] = cluster as u8;
                names.extend(std::iter::repeat_n(name, size));
                right.extend((0..size).map(|_| rng.chance(level)));
            }
            let n = right.len() as f64;
            let share = right.iter().filter(|right| **right).count() as f64 / n;
            let rows = n / design_effect(&names, &right);
            [holds(wilson_share(share, rows, 0.95), truth)]
        });
        assert!((0.935..=0.99).contains(&covers), "{number}: {covers}");
    }
}

/// One test question under a given threshold.
#[derive(Clone, Copy)]
struct Outcome {
    correct: bool,
    size: u8,
}

/// Accuracy and UAcc of the outcomes with these indices: a share and a ratio.
fn figures(outcomes: &[Outcome], rows: &[usize]) -> [f64; 2] {
    let (mut correct, mut size) = (0_u32, 0_u32);
    for &row in rows {
        correct += u32::from(outcomes[row].correct);
        size += u32::from(outcomes[row].size);
    }
    let acc = f64::from(correct) / rows.len() as f64;
    [acc, f64::from(correct) * 6.0_f64.sqrt() / f64::from(size)]
}

/// A question of six options. Right answers lie in smaller sets, which always hold the answer;
/// wrong ones are covered 65 % of the time. `hard` from 0 to 1 makes right answers rarer.
fn outcome(rng: &mut Rng, hard: f64) -> Outcome {
    let correct = rng.chance(0.9 - 0.4 * hard);
    let more = if correct { [0.5, 0.1] } else { [0.8, 0.6] };
    let size = 1 + u8::from(rng.chance(more[0])) + u8::from(rng.chance(more[1]));
    Outcome { correct, size }
}

/// Accuracy and UAcc of [`outcome`], where `hard` is uniform in 0..1.
fn truth() -> [f64; 2] {
    let acc = 0.7;
    let set_size = acc * (1.0 + 0.5 + 0.1) + (1.0 - acc) * (1.0 + 0.8 + 0.6);
    [acc, acc * 6.0_f64.sqrt() / set_size]
}

fn sample(rng: &mut Rng, n: usize) -> Vec<Outcome> {
    (0..n)
        .map(|_| {
            let hard = rng.unit();
            outcome(rng, hard)
        })
        .collect()
}

#[test]
fn wilson_intervals_cover() {
    for (n, p) in [(100, 0.5), (300, 0.9), (300, 0.7), (1000, 0.25)] {
        let [covers] = shares(|repetition| {
            let mut rng = Rng::of_repetition(1, repetition);
            let successes = (0..n).filter(|_| rng.chance(p)).count();
            [holds(wilson(successes, n, 0.95), p)]
        });
        assert!(COVERS.contains(&covers), "n {n}, p {p}: {covers}");
    }
}

#[test]
fn bootstrap_intervals_cover() {
    let resampling = Resampling {
        replicates: 600,
        ..Resampling::default()
    };
    let covers: [f64; 4] = shares(|repetition| {
        let rows = sample(&mut Rng::of_repetition(2, repetition), 200);
        let resampling = Resampling {
            seed: repetition,
            ..resampling
        };
        let [acc, uacc] = [0, 1].map(|figure| {
            let statistic = |drawn: &[usize]| figures(&rows, drawn)[figure];
            let interval = bootstrap(rows.len(), &resampling, statistic).unwrap();
            [interval.percentile, interval.bca].map(|ends| holds(ends, truth()[figure]))
        });
        [acc[0], acc[1], uacc[0], uacc[1]]
    });
    assert!(
        covers.iter().all(|share| COVERS.contains(share)),
        "percentile, then BCa, of accuracy, then UAcc: {covers:?}"
    );
}

#[test]
fn bca_is_the_better_one_where_a_statistic_is_skewed() {
    // The standard deviation of 60 exponential numbers: the percentile interval lies too low.
    let resampling = Resampling {
        replicates: 400,
        ..Resampling::default()
    };
    let [percentile, bca] = shares(|repetition| {
        let mut rng = Rng::of_repetition(3, repetition);
        let values: Vec<f64> = (0..60).map(|_| -(1.0 - rng.unit()).ln()).collect();
        let interval = bootstrap(values.len(), &resampling, |rows| {
            let n = rows.len() as f64;
            let mean = rows.iter().map(|&row| values[row]).sum::<f64>() / n;
            let squares: f64 = rows.iter().map(|&row| (values[row] - mean).powi(2)).sum();
            (squares / n).sqrt()
        })
        .unwrap();
        [holds(interval.percentile, 1.0), holds(interval.bca, 1.0)]
    });
    assert!(
        bca > percentile + 0.02 && bca < 0.965,
        "percentile {percentile}, BCa {bca}"
    );
}

/// Two models of equal strength: what is hard for one is hard for the other.
fn equals(rng: &mut Rng, n: usize) -> (Vec<Outcome>, Vec<Outcome>) {
    (0..n)
        .map(|_| {
            let hard = rng.unit();
            (outcome(rng, hard), outcome(rng, hard))
        })
        .unzip()
}

#[test]
fn mcnemars_test_keeps_its_level() {
    let [exact, mid, chi2] = shares(|repetition| {
        let (a, b) = equals(&mut Rng::of_repetition(4, repetition), 300);
        let correct = |rows: &[Outcome]| rows.iter().map(|row| row.correct).collect::<Vec<_>>();
        let test = mcnemar(&correct(&a), &correct(&b));
        [test.exact_p, test.mid_p, test.chi2_p].map(|p| p <= 0.05 + 1e-12)
    });
    for rejected in [exact, mid, chi2] {
        // A test that never rejects would keep its level too.
        assert!(
            (0.02..=LEVEL).contains(&rejected),
            "exact {exact}, mid-p {mid}, chi-square {chi2}"
        );
    }
    assert!(exact <= mid, "{exact} {mid}");
}

/// How often rows from one source are called too low and too high.
fn verdicts(n_calibration: usize, n_test: usize, protocol: Protocol, shift: f64) -> [f64; 2] {
    shares(|repetition| {
        let mut rng = Rng::of_repetition(6, repetition);
        let mut scores: Vec<f64> = (0..n_calibration).map(|_| rng.unit()).collect();
        let threshold = match protocol {
            Protocol::Standard => conformal_threshold(&mut scores, 0.1),
            Protocol::Paper => numpy_higher_threshold(&mut scores, 0.1),
        };
        let Threshold::Finite(threshold) = threshold else {
            panic!("there are rows enough");
        };
        let covered = (0..n_test)
            .filter(|_| rng.unit() + shift <= threshold)
            .count();
        let check = match protocol {
            Protocol::Standard => check_coverage(covered, n_test, n_calibration, 0.1),
            Protocol::Paper => {
                CoverageLaw::new(n_calibration, 0.1, protocol).check(covered, n_test)
            }
        };
        [
            check.verdict == CoverageVerdict::TooLow,
            check.verdict == CoverageVerdict::TooHigh,
        ]
    })
}

#[test]
fn coverage_verdicts_keep_their_level() {
    for (n_calibration, n_test) in [(200, 300), (60, 1000)] {
        for protocol in [Protocol::Standard, Protocol::Paper] {
            let [low, high] = verdicts(n_calibration, n_test, protocol, 0.0);
            // 2.5 % each, less what falls between whole numbers, and three standard errors.
            assert!(
                (0.010..=0.0355).contains(&low) && (0.010..=0.0355).contains(&high),
                "{protocol:?}, {n_calibration} and {n_test} rows: {low} {high}"
            );
        }
    }
}

#[test]
fn coverage_verdicts_see_a_shift() {
    let [low, high] = verdicts(1000, 1000, Protocol::Standard, 0.06);
    assert!(low > 0.9 && high < 0.001, "{low} {high}");
}
