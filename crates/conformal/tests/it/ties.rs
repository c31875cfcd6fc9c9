//! Ties broken at random: coverage is exactly that of the rank, at the size that chance would give.

use crate::rng::Rng;
use crate::rows::push;
use sureness_conformal::{
    Nonconformity, Scores, Split, Table, View, conformal_rank, randomised_ties,
};

const OPTIONS: usize = 5;
const ALPHA: f64 = 0.1;

/// Shares of `draws` answers, whose law the truth follows.
fn rows(n: usize, draws: usize, rng: &mut Rng) -> Table {
    let mut table = Table::new(OPTIONS);
    for _ in 0..n {
        let weights: Vec<f64> = (0..OPTIONS).map(|_| rng.unit().powi(4) + 0.01).collect();
        let total: f64 = weights.iter().sum();
        let draw = |rng: &mut Rng| {
            let mut place = rng.unit() * total;
            let found = weights.iter().position(|w| {
                place -= w;
                place < 0.0
            });
            found.unwrap_or(OPTIONS - 1)
        };
        let right = draw(rng);
        let mut counts = [0.01; OPTIONS];
        for _ in 0..draws {
            counts[draw(rng)] += 1.0;
        }
        let key = rng.next();
        push(&mut table, &counts.map(f64::ln), right, None, key);
    }
    table
}

/// Figures of sets under numbers that are really drawn: (coverage, set size).
fn drawn(scores: &Scores, split: &Split, rng: &mut Rng) -> (f64, f64) {
    // The last bits of equal shares differ.
    let rounded = |score: f64| (score * 1e8).round();
    let mut ranked: Vec<(f64, f64)> = split
        .calibration
        .iter()
        .map(|&row| (rounded(scores.of_answer(row)), rng.unit()))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let rank = conformal_rank(ranked.len(), ALPHA).unwrap();
    let (threshold, number) = ranked[rank - 1];
    let (mut covered, mut size) = (0.0, 0.0);
    for &row in &split.test {
        let inside: Vec<bool> = scores
            .row(row)
            .iter()
            .map(|&score| {
                let u = rng.unit();
                rounded(score) < threshold || (rounded(score) - threshold == 0.0 && u <= number)
            })
            .collect();
        let count = inside.iter().filter(|&&it| it).count();
        let held = inside[scores.answer(row)] || (count == 0 && scores.correct(row));
        covered += f64::from(u8::from(held));
        size += count.max(1) as f64;
    }
    let n = split.test.len() as f64;
    (covered / n, size / n)
}

#[test]
fn the_expectation_is_that_of_numbers_really_drawn() {
    let mut rng = Rng(7);
    let table = rows(160, 6, &mut rng);
    let split = Split {
        calibration: (0..80).collect(),
        test: (80..160).collect(),
    };
    for score in [Nonconformity::Lac, Nonconformity::Aps] {
        let scores = Scores::of(&table, score, &View::default());
        let expected = randomised_ties(&scores, &table, &split, ALPHA).unwrap();
        assert!(expected.tied > 0.02, "{score}: {expected:?}");
        let times = 20_000;
        let (mut coverage, mut size) = (0.0, 0.0);
        for _ in 0..times {
            let (covered, of) = drawn(&scores, &split, &mut rng);
            coverage += covered / f64::from(times);
            size += of / f64::from(times);
        }
        assert!(
            (coverage - expected.coverage).abs() < 0.004,
            "{score}: {coverage} {expected:?}"
        );
        assert!(
            (size - expected.set_size).abs() < 0.02,
            "{score}: {size} {expected:?}"
        );
    }
}

/// With whole ties, coverage lies above its rank; broken at random, on it.
#[test]
fn coverage_is_that_of_the_rank() {
    const RUNS: u64 = 1500;
    let (mut broken, mut whole, mut sizes) = (0.0, 0.0, [0.0; 2]);
    for run in 0..RUNS {
        let mut rng = Rng::of_repetition(9, run);
        let table = rows(119, 5, &mut rng);
        let split = Split {
            calibration: (0..59).collect(),
            test: (59..119).collect(),
        };
        let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
        let ties = randomised_ties(&scores, &table, &split, ALPHA).unwrap();
        let calibrated = sureness_conformal::calibrate(
            &scores,
            &table,
            &split.calibration,
            ALPHA,
            sureness_conformal::Scheme::Split,
        );
        let sets = sureness_conformal::predict(&calibrated, &scores, &table, &split.test);
        let metrics =
            sureness_conformal::set_metrics(&sets, &scores, &table, &split.calibration, ALPHA);
        broken += ties.coverage / RUNS as f64;
        whole += metrics.coverage / RUNS as f64;
        sizes[0] += ties.set_size / RUNS as f64;
        sizes[1] += metrics.set_size / RUNS as f64;
    }
    let promised = 54.0 / 60.0;
    // Filled sets add a little to what the rank gives.
    assert!(
        (promised - 0.005..promised + 0.01).contains(&broken),
        "{broken}"
    );
    assert!(whole > broken + 0.01, "{whole} {broken}");
    assert!(sizes[0] < sizes[1], "{sizes:?}");
}
