//! Exact confidence sequences and verdicts.

use proptest::prelude::*;
use sureness_anytime::{Bounded, Draws};

use crate::laws::{Rng, shuffled};

const RUNS: u64 = 2_000;
const ALPHA: f64 = 0.05;

/// Three standard errors of a share of runs at the level.
fn slack(level: f64) -> f64 {
    3.0 * (level * (1.0 - level) / RUNS as f64).sqrt()
}

/// Differences of two models that are equally often right: each is right alone in `share` of them.
fn equal(of: usize, share: f64) -> Vec<f64> {
    let alone = (of as f64 * share) as usize;
    (0..of)
        .map(|question| match question {
            q if q < alone => 1.0,
            q if q < 2 * alone => -1.0,
            _ => 0.0,
        })
        .collect()
}

#[test]
fn equal_models_are_told_apart_no_more_often_than_stated() {
    for (of, share) in [(60, 0.3), (400, 0.02), (400, 0.4)] {
        let values = equal(of, share);
        let mut wrong = 0.0;
        for run in 0..RUNS {
            let mut rng = Rng::of_repetition(1, run);
            let draws = Draws::Without { of: of as u64 };
            let mut bets = Bounded::new(draws, -1.0, 1.0).watching(0.0);
            // A look after every question.
            let ever = shuffled(&values, &mut rng).into_iter().any(|value| {
                bets.push(value);
                let sides = bets.sides(0, ALPHA);
                sides.above || sides.below
            });
            wrong += f64::from(u8::from(ever)) / RUNS as f64;
        }
        assert!(wrong <= ALPHA + slack(ALPHA), "{of} {share}: {wrong}");
    }
}

#[test]
fn equality_is_claimed_wrongly_no_more_often_than_stated() {
    // The difference is exactly the margin, 5 points, and so not below it.
    let of = 400;
    let values: Vec<f64> = (0..of)
        .map(|q| {
            if q < 60 {
                1.0
            } else if q < 100 {
                -1.0
            } else {
                0.0
            }
        })
        .collect();
    let mut wrong = 0.0;
    for run in 0..RUNS {
        let mut rng = Rng::of_repetition(2, run);
        let mut bets = Bounded::new(Draws::Without { of: of as u64 }, -1.0, 1.0)
            .watching(0.05)
            .watching(-0.05);
        let ever = shuffled(&values, &mut rng).into_iter().any(|value| {
            bets.push(value);
            bets.sides(0, ALPHA).below && bets.sides(1, ALPHA).above
        });
        wrong += f64::from(u8::from(ever)) / RUNS as f64;
    }
    assert!(wrong <= ALPHA / 2.0 + slack(ALPHA / 2.0), "{wrong}");
}

#[test]
fn intervals_hold_at_all_times_with_and_without_replacement() {
    for draws in [Draws::With, Draws::Without { of: 300 }] {
        let (low, high) = (-0.5, 2.0);
        let mut values: Vec<f64> = (0..300)
            .map(|i| {
                if i % 10 == 0 {
                    2.0
                } else {
                    0.1 * f64::from(i % 4)
                }
            })
            .collect();
        let truth = values.iter().sum::<f64>() / 300.0;
        let runs = 400;
        let mut missed = 0.0;
        for run in 0..runs {
            let mut rng = Rng::of_repetition(3, run);
            values = shuffled(&values, &mut rng);
            let mut bounded = Bounded::new(draws, low, high);
            for place in 0..250 {
                let value = match draws {
                    Draws::With => values[rng.below(300)],
                    Draws::Without { .. } => values[place],
                };
                bounded.push(value);
            }
            // The intersection of the intervals of all times.
            let [low, high] = bounded.interval(0.1);
            let inside = (low..=high).contains(&truth);
            missed += f64::from(u8::from(!inside)) / runs as f64;
            assert!(high - low < 0.6, "{low} {high}");
        }
        assert!(
            missed <= 0.1 + 3.0 * (0.09 / runs as f64).sqrt(),
            "{draws:?}: {missed}"
        );
    }
}

#[test]
fn nothing_is_left_open_once_all_is_seen() {
    let mut bounded = Bounded::new(Draws::Without { of: 5 }, 0.0, 1.0).watching(0.5);
    for value in [1.0, 0.0, 1.0, 0.0, 1.0] {
        bounded.push(value);
    }
    let [low, high] = bounded.interval(0.05);
    assert!((low - 0.6).abs() < 1e-5 && (high - 0.6).abs() < 1e-5);
    assert!(bounded.sides(0, 0.05).above);
}

proptest! {
    #[test]
    fn an_interval_is_one_and_holds_the_mean(
        values in prop::collection::vec(-1.0..1.0_f64, 1..80), more in 0_u64..200, alpha in 0.01..0.3_f64,
    ) {
        let of = values.len() as u64 + more;
        let mut bounded = Bounded::new(Draws::Without { of }, -1.0, 1.0).watching(0.1);
        for &value in &values {
            bounded.push(value);
        }
        let [low, high] = bounded.interval(alpha);
        prop_assert!(low <= high + 1e-5 && low >= -1.0 - 1e-9 && high <= 1.0 + 1e-9);
        let sides = bounded.sides(0, alpha);
        // Verdicts and intervals say the same, but for the tolerance of the ends.
        prop_assert!(!sides.above || low > 0.1 - 1e-5);
        prop_assert!(!sides.below || high < 0.1 + 1e-5);
        prop_assert!(sides.above || low <= 0.1);
    }
}
