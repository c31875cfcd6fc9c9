//! The promises of the scores and schemes, over 2,000 simulated repetitions.
//!
//! Rows are drawn anew for each repetition. Without ties, and before empty sets are filled, the
//! chance that a set holds the right option is exactly `rank / (n + 1)`, whatever the score. We add
//! up how far the counts lie from that, and ask the sum to lie within four of its standard errors.
//! The seeds are fixed: this tests our code, not our luck.

use crate::rng::Rng;
use crate::rows::push;
use sureness_conformal::{
    Nonconformity, Protocol, Scheme, Scores, Table, View, calibrate, conformal_rank, softmax,
};

const REPETITIONS: u64 = 2_000;
const CALIBRATION: usize = 90;
const TEST: usize = 60;
const OPTIONS: usize = 6;
const ALPHA: f64 = 0.2;

/// A model that is overconfident, thinks too little of option 0, and finds category 1 harder than
/// it knows.
fn rows(n: usize, rng: &mut Rng) -> Table {
    let mut table = Table::new(OPTIONS);
    for _ in 0..n {
        let category = u32::from(rng.unit() < 0.4);
        let mut logits: Vec<f64> = (0..OPTIONS).map(|_| 6.0 * rng.unit() - 3.0).collect();
        let flattened = if category == 1 { 0.2 } else { 0.9 };
        let answer = draw(&logits, flattened, rng);
        logits[0] -= 1.5;
        let key = rng.next();
        push(&mut table, &logits, answer, Some(category), key);
    }
    table
}

/// An option, drawn with the probabilities of the logits times `factor`.
fn draw(logits: &[f64], factor: f64, rng: &mut Rng) -> usize {
    let scaled: Vec<f64> = logits.iter().map(|x| x * factor).collect();
    let mut p = Vec::new();
    softmax(&scaled, &mut p);
    let mut u = rng.unit();
    let drawn = p.iter().position(|p| {
        u -= p;
        u < 0.0
    });
    drawn.unwrap_or(p.len() - 1)
}

/// Covered rows beyond what was promised, added up over repetitions.
#[derive(Default, Clone, Copy)]
struct Excess {
    sum: f64,
    squares: f64,
    tested: usize,
}

impl Excess {
    fn add(&mut self, covered: usize, tested: usize, n_calibration: usize) {
        let n = n_calibration as f64;
        let promised = conformal_rank(n_calibration, ALPHA).map_or(1.0, |r| r as f64 / (n + 1.0));
        let excess = covered as f64 - promised * tested as f64;
        self.sum += excess;
        self.squares += excess * excess;
        self.tested += tested;
    }

    /// In standard errors.
    fn z(&self) -> f64 {
        self.sum / self.squares.sqrt()
    }

    fn share(&self) -> f64 {
        self.sum / self.tested as f64
    }
}

/// Per score and group, the excess under `scheme`; `group` tells a row's group.
fn excess(
    scheme: Scheme,
    groups: usize,
    group: impl Fn(&Scores, &Table, usize) -> usize,
) -> Vec<(Nonconformity, Vec<Excess>)> {
    let mut all: Vec<_> = Nonconformity::ALL
        .iter()
        .map(|&score| (score, vec![Excess::default(); groups]))
        .collect();
    let calibration: Vec<usize> = (0..CALIBRATION).collect();
    let mut rng = Rng(5);
    for _ in 0..REPETITIONS {
        let table = rows(CALIBRATION + TEST, &mut rng);
        let scores = Scores::of_each(&table, &Nonconformity::ALL, &View::default());
        for (scores, (_, excess)) in scores.iter().zip(&mut all) {
            let calibrated = calibrate(scores, &table, &calibration, ALPHA, scheme);
            let mut counts = vec![(0, 0, 0); groups];
            for row in 0..CALIBRATION + TEST {
                let (covered, tested, own) = &mut counts[group(scores, &table, row)];
                if row < CALIBRATION {
                    *own += 1;
                } else {
                    let set = calibrated.set(scores, &table, row);
                    *covered += usize::from(set.contains(scores.answer(row)));
                    *tested += 1;
                }
            }
            for (excess, (covered, tested, own)) in excess.iter_mut().zip(counts) {
                excess.add(covered, tested, own);
            }
        }
    }
    all
}

/// Deterministic APS has ties where the least probable option is the right one, and ranks are
/// ties throughout: these two may cover more than promised.
fn is_exact(score: Nonconformity) -> bool {
    !matches!(score, Nonconformity::Aps | Nonconformity::TopK)
}

fn assert_promise_kept(name: &str, all: &[(Nonconformity, Vec<Excess>)]) {
    for (score, excess) in all {
        for (group, excess) in excess.iter().enumerate() {
            let z = excess.z();
            assert!(
                z > -4.0 && (z < 4.0 || !is_exact(*score)),
                "{name}, {score}, group {group}: {z:.2} standard errors, {:+.4}",
                excess.share()
            );
        }
    }
}

#[test]
fn every_score_covers_what_it_promises() {
    let all = excess(Scheme::Split, 1, |_, _, _| 0);
    assert_promise_kept("all rows", &all);
    let (_, ranks) = all.iter().find(|(s, _)| *s == Nonconformity::TopK).unwrap();
    assert!(
        ranks[0].share() > 0.01,
        "thresholds of ranks are too coarse to be exact"
    );
}

#[test]
fn classes_are_covered_one_by_one_only_if_calibrated_one_by_one() {
    let class = |scores: &Scores, _: &Table, row| scores.answer(row);
    let own = excess(Scheme::ClassConditional { least: 0 }, OPTIONS, class);
    assert_promise_kept("own threshold", &own);
    let common = excess(Scheme::Split, OPTIONS, class);
    for (score, excess) in &common {
        assert!(
            excess[0].z() < -10.0,
            "{score}: with one threshold, the class that the model underrates must be undercovered"
        );
    }
}

#[test]
fn categories_are_covered_one_by_one_only_if_calibrated_one_by_one() {
    let category =
        |_: &Scores, table: &Table, row: usize| table.categories()[row].unwrap() as usize;
    let own = excess(Scheme::Mondrian { least: 0 }, 2, category);
    assert_promise_kept("own threshold", &own);
    let common = excess(Scheme::Split, 2, category);
    for (score, excess) in &common {
        assert!(
            excess[0].z() > 10.0 && excess[1].z() < -10.0,
            "{score}: with one threshold, the hard category must be undercovered"
        );
    }
}

/// Where the model's probabilities are the true ones, the randomised APS score of the right option
/// is uniform on 0..1, and its threshold needs no calibration (Romano et al. 2020, section 2).
#[test]
fn randomised_aps_is_uniform_for_a_model_that_knows_its_odds() {
    let mut rng = Rng(17);
    let mut table = Table::new(OPTIONS);
    let n = 20_000;
    for _ in 0..n {
        let logits: Vec<f64> = (0..OPTIONS).map(|_| 4.0 * rng.unit()).collect();
        let answer = draw(&logits, 1.0, &mut rng);
        let key = rng.next();
        push(&mut table, &logits, answer, None, key);
    }
    let distance = |score, protocol| {
        let view = View {
            protocol,
            ..View::default()
        };
        let scores = Scores::of(&table, score, &view);
        let mut sorted: Vec<f64> = (0..n).map(|row| scores.of_answer(row)).collect();
        sorted.sort_by(f64::total_cmp);
        // Kolmogorov's distance from the uniform distribution, times √n.
        let furthest = sorted.iter().enumerate().map(|(i, &s)| {
            let (below, above) = (i as f64 / n as f64, (i + 1) as f64 / n as f64);
            (s - below).abs().max((above - s).abs())
        });
        furthest.fold(0.0, f64::max) * f64::from(n as u32).sqrt()
    };
    for protocol in [Protocol::Standard, Protocol::Paper] {
        // Beyond 1.95 lies one sample in a thousand.
        let randomised = distance(Nonconformity::ApsRandomized, protocol);
        assert!(randomised < 1.95, "{randomised}");
        assert!(distance(Nonconformity::Aps, protocol) > 20.0);
    }
}
