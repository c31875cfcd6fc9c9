//! The coverage promise, checked against its exact value.
//!
//! Over all splits of a fixed population into calibration and test rows, the expected coverage
//! has a closed form. We average 2,000 random splits and ask the mean to lie within three
//! standard errors of it. The seeds are fixed: this tests our code, not our luck.

use crate::rng::Rng;
use sureness_conformal::{
    Arithmetic, Order, Score, Split, Threshold, TieRule, conformal_rank, conformal_threshold,
    hash_split, ordered_split, softmax,
};

const SPLITS: u64 = 2_000;
const ALPHA: f64 = 0.1;

struct Row {
    probabilities: Vec<f64>,
    order: Order,
    answer: usize,
}

/// Six options; the answer is drawn from a flattened version of the model's own probabilities,
/// so that the model is right often, wrong often, and overconfident.
fn population(n: usize, seed: u64) -> Vec<Row> {
    let mut rng = Rng(seed);
    (0..n)
        .map(|i| {
            let logits: Vec<f64> = (0..6).map(|_| 6.0 * rng.unit() - 3.0).collect();
            let mut probabilities = Vec::new();
            softmax(&logits, &mut probabilities);
            let mut truth = Vec::new();
            softmax(
                &logits.iter().map(|x| x * 0.6).collect::<Vec<_>>(),
                &mut truth,
            );
            let mut u = rng.unit();
            let answer = truth.iter().position(|p| {
                u -= p;
                u < 0.0
            });
            let mut order = Order::default();
            order.sort(&probabilities, TieRule::Seeded(&i.to_le_bytes()));
            Row {
                probabilities,
                order,
                answer: answer.unwrap_or(5),
            }
        })
        .collect()
}

fn random_split(n: usize, n_calibration: usize, rng: &mut Rng) -> Split {
    let mut rows: Vec<usize> = (0..n).collect();
    for i in 0..n_calibration {
        let j = i + (rng.next() % (n - i) as u64) as usize;
        rows.swap(i, j);
    }
    let test = rows.split_off(n_calibration);
    Split {
        calibration: rows,
        test,
    }
}

/// `ln n!` by summation.
fn ln_factorials(n: usize) -> Vec<f64> {
    let mut table = vec![0.0; n + 1];
    for i in 1..=n {
        table[i] = table[i - 1] + (i as f64).ln();
    }
    table
}

/// Probability that at most `k` of `draws` rows, drawn without replacement from `total` rows of
/// which `marked` are marked, are marked.
fn hypergeometric_cdf(f: &[f64], k: usize, total: usize, marked: usize, draws: usize) -> f64 {
    let choose = |n: usize, r: usize| f[n] - f[r] - f[n - r];
    (0..=k.min(marked).min(draws))
        .filter(|&i| draws - i <= total - marked)
        .map(|i| {
            (choose(marked, i) + choose(total - marked, draws - i) - choose(total, draws)).exp()
        })
        .sum()
}

struct Outcome {
    bare: f64,
    filled: f64,
}

fn coverage(rows: &[Row], scores: &[f64], score: Score, split: &Split) -> Outcome {
    let mut calibration: Vec<f64> = split.calibration.iter().map(|&i| scores[i]).collect();
    let threshold = conformal_threshold(&mut calibration, ALPHA);
    let (mut bare, mut filled) = (0_usize, 0_usize);
    for &i in &split.test {
        let row = &rows[i];
        let set = score.set(
            &row.probabilities,
            &row.order,
            threshold,
            Arithmetic::Definition,
        );
        bare += usize::from(set.contains(row.answer));
        filled += usize::from(
            set.contains(row.answer) || (set.is_empty() && row.order.top() == row.answer),
        );
    }
    let n = split.test.len() as f64;
    Outcome {
        bare: bare as f64 / n,
        filled: filled as f64 / n,
    }
}

fn assert_mean(name: &str, values: &[f64], exact: f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    assert!(
        (mean - exact).abs() <= 3.0 * error,
        "{name}: mean coverage {mean:.6}, exact {exact:.6}, standard error {error:.6}"
    );
}

#[test]
fn mean_coverage_of_2000_splits_is_the_exact_value() {
    let (n, n_calibration) = (400, 150);
    let rows = population(n, 7);
    let factorials = ln_factorials(n);
    for score in [Score::Lac, Score::Aps] {
        let scores: Vec<f64> = rows
            .iter()
            .map(|r| score.of(&r.probabilities, &r.order, r.answer, Arithmetic::Definition))
            .collect();
        let mut sorted = scores.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|w| w[0] < w[1]) || score == Score::Aps);

        // A row is covered if at most rank-1 calibration scores are smaller than its own.
        let rank = conformal_rank(n_calibration, ALPHA).unwrap();
        let covered = |i: usize| {
            let smaller = scores.iter().filter(|&&s| s < scores[i]).count();
            hypergeometric_cdf(&factorials, rank - 1, n - 1, smaller, n_calibration)
        };
        let exact_bare = (0..n).map(covered).sum::<f64>() / n as f64;
        if score == Score::Lac {
            // Without ties this is the textbook value.
            let textbook = rank as f64 / (n_calibration as f64 + 1.0);
            assert!((exact_bare - textbook).abs() < 1e-9);
        }
        // A row whose most probable option is right is covered whatever the threshold: either
        // its set holds that option, or it is empty and becomes that option.
        let exact_filled = (0..n)
            .map(|i| {
                if rows[i].order.top() == rows[i].answer {
                    1.0
                } else {
                    covered(i)
                }
            })
            .sum::<f64>()
            / n as f64;

        let mut rng = Rng(11);
        let outcomes: Vec<Outcome> = (0..SPLITS)
            .map(|_| {
                coverage(
                    &rows,
                    &scores,
                    score,
                    &random_split(n, n_calibration, &mut rng),
                )
            })
            .collect();
        let bare: Vec<f64> = outcomes.iter().map(|o| o.bare).collect();
        let filled: Vec<f64> = outcomes.iter().map(|o| o.filled).collect();
        assert_mean(&format!("{score:?}, sets as they are"), &bare, exact_bare);
        assert_mean(
            &format!("{score:?}, empty sets filled"),
            &filled,
            exact_filled,
        );
    }
}

#[test]
fn the_hash_split_covers_too() {
    // The size of its calibration half is random, so the exact value is a mean over sizes.
    let n = 400;
    let rows = population(n, 8);
    let score = Score::Lac;
    let scores: Vec<f64> = rows
        .iter()
        .map(|r| score.of(&r.probabilities, &r.order, r.answer, Arithmetic::Definition))
        .collect();
    let (mut gaps, mut expected) = (Vec::new(), Vec::new());
    for seed in 0..SPLITS {
        let split = hash_split((0..n).map(usize::to_le_bytes), 0.5, seed);
        let rank = conformal_rank(split.calibration.len(), ALPHA).unwrap();
        expected.push(rank as f64 / (split.calibration.len() as f64 + 1.0));
        gaps.push(coverage(&rows, &scores, score, &split).bare - expected.last().unwrap());
    }
    assert_mean("hash split", &gaps, 0.0);
}

/// Ten passages with twenty harder questions each, and a hundred easier questions alone.
#[test]
fn questions_of_large_clusters_that_are_harder_are_covered() {
    const MISSED: f64 = 0.3;
    let clusters: Vec<u64> = (0..200).map(|row| row / 20).chain(10..110).collect();
    let keys = clusters.iter().map(|cluster| cluster.to_le_bytes());
    let keys: Vec<[u8; 8]> = keys.collect();
    let mut rng = Rng(12);
    let gaps: Vec<f64> = (0..2 * SPLITS)
        .map(|seed| {
            let harder: Vec<f64> = (0..110)
                .map(|cluster| 0.5 * rng.normal() + if cluster < 10 { 0.7 } else { 0.0 })
                .collect();
            let scores: Vec<f64> = clusters
                .iter()
                .map(|&cluster| harder[cluster as usize] + rng.normal())
                .collect();
            let split = ordered_split(&keys, 0.5, seed);
            let mut calibration: Vec<f64> = split.calibration.iter().map(|&i| scores[i]).collect();
            let threshold = conformal_threshold(&mut calibration, MISSED)
                .value()
                .unwrap();
            let covered = split.test.iter().filter(|&&i| scores[i] <= threshold);
            covered.count() as f64 / split.test.len() as f64 - (1.0 - MISSED)
        })
        .collect();
    // Clusters cost half a point, as wherever there are few: 69.8 % by an independent simulation, also
    // of as many clusters drawn at random. Where clusters that no longer fit are skipped, 68.5 %.
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    assert!(mean.abs() < 0.007, "{mean}");
}

#[test]
fn too_few_calibration_rows_give_full_sets() {
    let row = &population(1, 1)[0];
    for score in [Score::Lac, Score::Aps] {
        let set = score.set(
            &row.probabilities,
            &row.order,
            Threshold::Infinite,
            Arithmetic::Definition,
        );
        assert_eq!(set.len(), 6);
    }
}
