//! Intervals of the coverage of categories, over 600 simulated repetitions of the whole
//! procedure. The seeds are fixed: this tests our code, not our luck.

use rayon::prelude::*;
use sureness_conformal::{
    Nonconformity, Scheme, Scores, Table, ThresholdLaw, View, calibrate, effective_clusters,
    part_interval, predict,
};

use crate::rng::Rng;
use crate::rows::push;

const REPETITIONS: u64 = 600;
const ALPHA: f64 = 0.1;

/// The probability of the right option of a question of this category, of four options; clusters share
/// what the first random number says.
type Law = fn(&mut Rng, &mut Rng, u32) -> f64;

/// Two values; the threshold is either, since a tenth of all questions has the lower.
fn two_values(_: &mut Rng, own: &mut Rng, category: u32) -> f64 {
    let rare = [0.15, 0.05][category as usize];
    if own.chance(rare) { 0.4 } else { 0.85 }
}

/// The share of ten answers that name the right option.
fn ten_answers(_: &mut Rng, own: &mut Rng, category: u32) -> f64 {
    let level = [0.6, 0.9][category as usize] * own.unit().sqrt();
    let right = (0..10).filter(|_| own.chance(level)).count();
    (right as f64 / 10.0).clamp(1e-6, 1.0 - 1e-6)
}

/// Most of the questions near the threshold are of one category.
fn uneven(_: &mut Rng, own: &mut Rng, category: u32) -> f64 {
    if category == 0 {
        0.3 + 0.4 * own.unit()
    } else {
        0.5 + 0.5 * own.unit()
    }
}

/// Questions of a cluster are as hard as each other.
fn clustered(shared: &mut Rng, own: &mut Rng, category: u32) -> f64 {
    let hard = shared.unit();
    (0.95 - 0.6 * hard - 0.2 * f64::from(category) * own.unit()).clamp(0.01, 0.99)
}

/// Coverage of each category with its interval.
fn estimate(law: Law, size: usize, clusters: [usize; 2], rng: &mut Rng) -> [(f64, (f64, f64)); 2] {
    let mut table = Table::new(4);
    let (mut names, mut categories) = (Vec::new(), Vec::new());
    for cluster in 0..clusters[0] + clusters[1] {
        let category = u32::from(rng.chance(0.5));
        let mut name = [0; 32];
        name[..8].copy_from_slice(&cluster.to_le_bytes());
        let seed = rng.next();
        for _ in 0..size {
            let p = law(&mut Rng(seed), rng, category);
            // Where the right option is improbable, a wrong one is the model's answer.
            let logits = [p, 0.7 * (1.0 - p), 0.2 * (1.0 - p), 0.1 * (1.0 - p)].map(f64::ln);
            push(&mut table, &logits, 0, Some(category), rng.next());
            names.push(name);
            categories.push(category);
        }
    }
    let calibration: Vec<usize> = (0..clusters[0] * size).collect();
    let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
    let calibrated = calibrate(&scores, &table, &calibration, ALPHA, Scheme::Split);
    let thresholds = ThresholdLaw::of(&scores, &calibration, &names, ALPHA);
    [0, 1].map(|category| {
        let test = (calibration.len()..table.len()).filter(|&row| categories[row] == category);
        let test: Vec<usize> = test.collect();
        let n = test.len() as f64;
        let sets = predict(&calibrated, &scores, &table, &test).sets;
        let covered = sets.iter().filter(|set| set.contains(0)).count() as f64 / n;
        let mut under_law = [0.0; ThresholdLaw::LEN];
        for &row in &test {
            for (share, covers) in under_law.iter_mut().zip(thresholds.covers(&scores, row)) {
                *share += f64::from(u8::from(covers)) / n;
            }
        }
        let clusters = effective_clusters(vec![size as f64; test.len() / size]);
        (covered, part_interval(covered, &under_law, clusters, 0.95))
    })
}

/// 95 %, less three standard errors; where the threshold jumps or clusters agree little, they hold more often.
#[test]
fn coverage_of_categories_is_inside_its_interval() {
    let laws: [(Law, usize); 4] = [
        (two_values, 1),
        (ten_answers, 1),
        (uneven, 1),
        (clustered, 4),
    ];
    for (number, (law, size)) in (90..).zip(laws) {
        for clusters in [[60, 80], [300, 200]] {
            let of_one = |r| estimate(law, size, clusters, &mut Rng::of_repetition(number, r));
            let estimates: Vec<_> = (0..REPETITIONS).into_par_iter().map(of_one).collect();
            for category in [0, 1] {
                let of_it = || estimates.iter().map(|estimate| estimate[category]);
                let truth = of_it().map(|(covered, _)| covered).sum::<f64>() / REPETITIONS as f64;
                let holds = |(_, (low, high)): &(f64, (f64, f64))| (*low..=*high).contains(&truth);
                let share = of_it().filter(holds).count() as f64 / REPETITIONS as f64;
                assert!(
                    share >= 0.925,
                    "law {number}, {clusters:?}, category {category}: {share}"
                );
            }
        }
    }
}
