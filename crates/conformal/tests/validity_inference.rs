//! What intervals and tests promise, checked by simulation.
//!
//! 2,000 samples are drawn from sources whose true figures are known. A share of 95 % in 2,000
//! has a standard error of 0.49 %, so that 93.5 to 96.5 % is three of them to each side. The
//! seeds are fixed: this tests our code, not our luck.

use sureness_conformal::{
    BootstrapInterval, CoverageLaw, CoverageVerdict, Outcome, Protocol, Resampling, Threshold,
    bootstrap, check_coverage, compare_paired, conformal_threshold, numpy_higher_threshold,
    outcome_intervals, wilson,
};

const REPETITIONS: u64 = 2_000;
const COVERS: std::ops::RangeInclusive<f64> = 0.935..=0.965;
/// Five per cent and three standard errors.
const LEVEL: f64 = 0.0646;

/// A small generator of our own (`SplitMix64`) keeps the samples the same for ever.
struct Rng(u64);

impl Rng {
    /// A stream of its own for each repetition.
    fn new(seed: u64, repetition: u64) -> Self {
        let mut rng = Self(seed.rotate_left(32) ^ repetition);
        rng.0 = rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }
}

/// The share of repetitions for which `holds`; each of several statements has its own.
fn shares<const K: usize>(mut holds: impl FnMut(u64) -> [bool; K]) -> [f64; K] {
    let mut counts = [0_u32; K];
    for repetition in 0..REPETITIONS {
        for (count, holds) in counts.iter_mut().zip(holds(repetition)) {
            *count += u32::from(holds);
        }
    }
    counts.map(|count| f64::from(count) / REPETITIONS as f64)
}

fn holds((low, high): (f64, f64), truth: f64) -> bool {
    (low..=high).contains(&truth)
}

/// A question of six options. Right answers lie in smaller sets, which always hold the answer;
/// wrong ones are covered 65 % of the time. `hard` from 0 to 1 makes right answers rarer.
fn outcome(rng: &mut Rng, hard: f64) -> Outcome {
    let correct = rng.chance(0.9 - 0.4 * hard);
    let more = if correct { [0.5, 0.1] } else { [0.8, 0.6] };
    let size = 1 + u8::from(rng.chance(more[0])) + u8::from(rng.chance(more[1]));
    Outcome {
        correct,
        covered: correct || rng.chance(0.65),
        size,
        options: 6,
    }
}

/// Accuracy, coverage, set size and UAcc of [`outcome`], where `hard` is uniform in 0..1.
fn truth() -> [f64; 4] {
    let acc = 0.7;
    let set_size = acc * (1.0 + 0.5 + 0.1) + (1.0 - acc) * (1.0 + 0.8 + 0.6);
    let coverage = acc + (1.0 - acc) * 0.65;
    [acc, coverage, set_size, acc * 6.0_f64.sqrt() / set_size]
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
            let mut rng = Rng::new(1, repetition);
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
    let covers: [f64; 8] = shares(|repetition| {
        let rows = sample(&mut Rng::new(2, repetition), 400);
        let resampling = Resampling {
            seed: repetition,
            ..resampling
        };
        let intervals = outcome_intervals(&rows, &resampling).unwrap();
        let intervals = [
            intervals.acc,
            intervals.coverage,
            intervals.set_size,
            intervals.uacc,
        ];
        let truth = truth();
        std::array::from_fn(|k| {
            let interval: &BootstrapInterval = &intervals[k % 4];
            let ends = if k < 4 {
                interval.percentile
            } else {
                interval.bca
            };
            holds(ends, truth[k % 4])
        })
    });
    assert!(
        covers.iter().all(|share| COVERS.contains(share)),
        "percentile, then BCa, of accuracy, coverage, set size, UAcc: {covers:?}"
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
        let mut rng = Rng::new(3, repetition);
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
fn paired_tests_keep_their_level() {
    // With 199 replicates a p-value of 0.05 can occur exactly, as it must for the level to be met.
    let resampling = Resampling {
        replicates: 199,
        ..Resampling::default()
    };
    let [exact, mid, chi2, acc, coverage, set_size, uacc] = shares(|repetition| {
        let (a, b) = equals(&mut Rng::new(4, repetition), 300);
        let resampling = Resampling {
            seed: repetition,
            ..resampling
        };
        let comparison = compare_paired(&a, &b, &resampling).unwrap();
        let rejects = |p: f64| p <= 0.05 + 1e-12;
        [
            rejects(comparison.mcnemar.exact_p),
            rejects(comparison.mcnemar.mid_p),
            rejects(comparison.mcnemar.chi2_p),
            rejects(comparison.acc.permutation_p),
            rejects(comparison.coverage.permutation_p),
            rejects(comparison.set_size.permutation_p),
            rejects(comparison.uacc.permutation_p),
        ]
    });
    let permutation = [acc, coverage, set_size, uacc];
    for rejected in [exact, mid, chi2, acc, coverage, set_size, uacc] {
        // A test that never rejects would keep its level too.
        assert!(
            (0.02..=LEVEL).contains(&rejected),
            "McNemar exact {exact}, mid-p {mid}, chi-square {chi2}; permutation {permutation:?}"
        );
    }
    assert!(exact <= mid, "{exact} {mid}");
    // UAcc takes so many values that its test is not conservative.
    assert!(uacc >= 0.0354, "{uacc}");
}

#[test]
fn paired_intervals_cover() {
    let resampling = Resampling {
        replicates: 600,
        ..Resampling::default()
    };
    // The second model has sets of one option more, a quarter of the time.
    let truth = truth();
    let larger = truth[2] + 0.25;
    let gap = truth[0] * 6.0_f64.sqrt() * (1.0 / truth[2] - 1.0 / larger);
    let covers: [f64; 4] = shares(|repetition| {
        let mut rng = Rng::new(5, repetition);
        let (a, mut b) = equals(&mut rng, 400);
        for row in &mut b {
            row.size += u8::from(rng.chance(0.25));
        }
        let resampling = Resampling {
            seed: repetition,
            ..resampling
        };
        let comparison = compare_paired(&a, &b, &resampling).unwrap();
        [
            holds(comparison.set_size.interval.percentile, -0.25),
            holds(comparison.set_size.interval.bca, -0.25),
            holds(comparison.uacc.interval.percentile, gap),
            holds(comparison.uacc.interval.bca, gap),
        ]
    });
    assert!(
        covers.iter().all(|share| COVERS.contains(share)),
        "percentile and BCa of set size, then UAcc: {covers:?}"
    );
}

/// How often rows from one source are called too low and too high.
fn verdicts(n_calibration: usize, n_test: usize, protocol: Protocol, shift: f64) -> [f64; 2] {
    shares(|repetition| {
        let mut rng = Rng::new(6, repetition);
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
