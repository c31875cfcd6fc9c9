//! Questions with several right options: the one that decides, and coverage under both rules.

use proptest::prelude::*;
use sureness_conformal::{
    Config, Covers, Nonconformity, Protocol, RightOptions, Scheme, Scores, Table, View, calibrate,
    calibration_errors, predict, set_metrics, split_of,
};

use crate::rng::Rng;
use crate::rows::push;

const RULES: [Covers; 2] = [Covers::Any, Covers::All];
const PROTOCOLS: [Protocol; 2] = [Protocol::Standard, Protocol::Paper];

/// Logits and right options of a question. Whole numbers make ties frequent.
fn question() -> impl Strategy<Value = (Vec<f64>, u32)> {
    (2..9_usize).prop_flat_map(|options| {
        let logits = prop::collection::vec((-4..4_i8).prop_map(f64::from), options);
        (logits, 1_u32..1 << options)
    })
}

fn table(questions: &[(Vec<f64>, u32)]) -> Table {
    let mut table = Table::new(9);
    for ((logits, right), key) in questions.iter().zip(0..) {
        let right = RightOptions::from_mask(*right).unwrap();
        push(&mut table, logits, right, None, key);
    }
    table
}

proptest! {
    /// The score of the option that decides is the least or the largest of the right options' scores,
    /// to the last bit, for every score and protocol; and a set covers if it holds that option.
    #[test]
    fn one_right_option_decides(
        questions in prop::collection::vec(question(), 2..30), seed in any::<u64>(), alpha in 0.01..0.99_f64,
    ) {
        let table = table(&questions);
        let all: Vec<usize> = (0..table.len()).collect();
        for covers in RULES {
            for protocol in PROTOCOLS {
                let view = View { protocol, seed, covers, ..View::default() };
                for scores in Scores::of_each(&table, &Nonconformity::ALL, &view) {
                    let calibrated = calibrate(&scores, &table, &all, alpha, Scheme::Split);
                    for row in 0..table.len() {
                        let right = table.right(row);
                        let of_right = right.iter().map(|option| scores.row(row)[option]);
                        let extreme = match covers {
                            Covers::Any => of_right.fold(f64::INFINITY, f64::min),
                            Covers::All => of_right.fold(f64::NEG_INFINITY, f64::max),
                        };
                        prop_assert_eq!(scores.of_answer(row).to_bits(), extreme.to_bits());
                        prop_assert_eq!(scores.correct(row), right.contains(scores.top(row)));
                        let set = calibrated.set(&scores, &table, row);
                        let holds_deciding = set.contains(scores.answer(row));
                        prop_assert_eq!(covers.holds(set, right), holds_deciding);
                    }
                }
            }
        }
    }

    /// The headline figures and those of an analysis agree, and a right option alone is the same under
    /// both rules.
    #[test]
    fn both_ways_to_the_figures_agree(
        questions in prop::collection::vec(question(), 8..60), seed in any::<u64>(),
    ) {
        let several = table(&questions);
        let alone: Vec<_> = questions
            .iter()
            .map(|(logits, right)| (logits.clone(), 1 << right.trailing_zeros()))
            .collect();
        let alone = table(&alone);
        for protocol in PROTOCOLS {
            let config = |covers| Config { protocol, alpha: 0.3, seed, covers, ..Config::default() };
            let bits = |covers| alone.evaluate(&config(covers)).map(|it| format!("{it:?}"));
            prop_assert_eq!(bits(Covers::Any), bits(Covers::All));
            for covers in RULES {
                let config = config(covers);
                let Ok(evaluation) = several.evaluate(&config) else { continue };
                let split = split_of(&several, &config).unwrap();
                let view = View { protocol, seed, covers, ..View::default() };
                for (score, headline) in [
                    (Nonconformity::Lac, evaluation.lac), (Nonconformity::Aps, evaluation.aps),
                ] {
                    let scores = Scores::of(&several, score, &view);
                    let calibrated =
                        calibrate(&scores, &several, &split.calibration, 0.3, Scheme::Split);
                    let sets = predict(&calibrated, &scores, &several, &split.test);
                    let metrics = set_metrics(&sets, &scores, &several, &split.calibration, 0.3);
                    prop_assert_eq!(metrics.coverage.to_bits(), headline.coverage.to_bits());
                    prop_assert_eq!(metrics.set_size.to_bits(), headline.set_size.to_bits());
                    prop_assert_eq!(metrics.acc.to_bits(), evaluation.acc.to_bits());
                }
            }
        }
    }

    /// Brier score and log loss are those of the same question with its right options as one.
    #[test]
    fn right_options_count_as_one_class(questions in prop::collection::vec(question(), 1..20)) {
        let mut merged = Table::new(9);
        for ((logits, right), key) in questions.iter().zip(0..) {
            let right = RightOptions::from_mask(*right).unwrap();
            let together: f64 = right.iter().map(|option| logits[option].exp()).sum();
            let wrong = (0..logits.len()).filter(|option| !right.contains(*option));
            let mut logits: Vec<f64> = wrong.map(|option| logits[option]).collect();
            // A question needs two options, and one that is practically impossible changes nothing.
            logits.extend([together.ln(), -700.0]);
            let place = logits.len() - 2;
            push(&mut merged, &logits, place, None, key);
        }
        let figures = |table: &Table| {
            let rows: Vec<usize> = (0..table.len()).collect();
            let errors = calibration_errors(table, &rows, &View::default(), 15).unwrap();
            (errors.brier, errors.log_loss)
        };
        let (several, one) = (figures(&table(&questions)), figures(&merged));
        prop_assert!((several.0 - one.0).abs() < 1e-9, "{several:?} {one:?}");
        prop_assert!((several.1 - one.1).abs() < 1e-9, "{several:?} {one:?}");
    }
}

#[test]
fn right_options_that_are_all_improbable_have_a_finite_loss() {
    let table = table(&[(vec![0.0, -900.0, -900.0, -2000.0], 0b1110)]);
    let errors = calibration_errors(&table, &[0], &View::default(), 15).unwrap();
    assert!((errors.log_loss - (900.0 - 2.0_f64.ln())).abs() < 1e-9);
    assert!((errors.brier - 2.0).abs() < 1e-9);
}

/// How the right options of a question come about.
#[derive(Debug, Clone, Copy)]
enum Law {
    /// Each option on its own, more likely where the model puts more, which may leave it almost all.
    Each,
    /// Most questions have one, drawn from the model's flattened probabilities; one in twelve has three.
    Rarely,
    /// As many as the question is hard, whatever the model believes.
    Unrelated,
    /// The two options that the model believes in least, in a third of the questions.
    Against,
    /// Like [`Self::Each`], with logits in coarse steps: ties.
    Steps,
}

const LAWS: [Law; 5] = [
    Law::Each,
    Law::Rarely,
    Law::Unrelated,
    Law::Against,
    Law::Steps,
];

impl Law {
    /// A sample of `n` questions with six options.
    fn sample(self, n: usize, rng: &mut Rng) -> Table {
        let mut table = Table::new(6);
        for _ in 0..n {
            let mut logits: Vec<f64> = (0..6).map(|_| 2.0 * rng.normal()).collect();
            if matches!(self, Self::Steps) {
                for x in &mut logits {
                    *x = (*x / 1.5).round() * 1.5;
                }
            }
            let right = self.right(&logits, rng);
            let key = rng.next();
            push(&mut table, &logits, right, None, key);
        }
        table
    }

    fn right(self, logits: &[f64], rng: &mut Rng) -> RightOptions {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        // Drawn with the probabilities of the flattened logits, by Gumbel's trick.
        let mut drawn = order.clone();
        let mut noisy = |x: f64| 0.6 * x - (-rng.open_unit().ln()).ln();
        let keys: Vec<f64> = logits.iter().map(|&x| noisy(x)).collect();
        drawn.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]));
        let chosen: Vec<usize> = match self {
            Self::Each | Self::Steps => {
                let mut each = drawn[..1].to_vec();
                for &option in &drawn[1..] {
                    if rng.unit() < 1.0 / (1.0 + (1.0 - logits[option]).exp()) {
                        each.push(option);
                    }
                }
                each
            }
            Self::Rarely => drawn[..if rng.unit() < 1.0 / 12.0 { 3 } else { 1 }].to_vec(),
            Self::Unrelated => {
                let count = 1 + (rng.unit() * 4.0) as usize;
                let shift = (rng.unit() * 6.0) as usize;
                (0..count).map(|i| (i + shift) % 6).collect()
            }
            Self::Against if rng.unit() < 1.0 / 3.0 => order[4..].to_vec(),
            Self::Against => drawn[..1].to_vec(),
        };
        RightOptions::of(chosen).unwrap()
    }
}

/// Mean and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// The whole procedure: a sample is drawn, one half of it calibrates, the other is measured. The seeds
/// are fixed: this tests our code, not our luck.
#[test]
fn coverage_is_as_promised_under_both_rules() {
    const SAMPLES: usize = 400;
    for alpha in [0.1, 0.3] {
        for law in LAWS {
            for protocol in PROTOCOLS {
                let mut rng = Rng(23);
                let mut coverage = [const { Vec::new() }; 4];
                for _ in 0..SAMPLES {
                    let table = law.sample(160, &mut rng);
                    for (rule, covers) in RULES.into_iter().enumerate() {
                        let config = Config {
                            protocol,
                            alpha,
                            covers,
                            ..Config::default()
                        };
                        let evaluation = table.evaluate(&config).unwrap();
                        coverage[2 * rule].push(evaluation.lac.coverage);
                        coverage[2 * rule + 1].push(evaluation.aps.coverage);
                    }
                }
                let names = ["any, LAC", "any, APS", "all, LAC", "all, APS"];
                for (name, coverage) in names.iter().zip(&coverage) {
                    let (mean, error) = mean(coverage);
                    println!(
                        "{law:?} {} α {alpha} {name}: {:.2} ± {:.2} %",
                        protocol.name(),
                        100.0 * mean,
                        100.0 * error
                    );
                    assert!(
                        mean >= 1.0 - alpha - 3.0 * error,
                        "{law:?} {protocol:?} {name}: {mean:.4}, standard error {error:.4}"
                    );
                }
            }
        }
    }
}

/// The check above can fail: a threshold for one right option is too low for all of them, and one that
/// takes the first in the list for the right one breaks either promise.
#[test]
fn the_threshold_of_another_rule_does_not_cover() {
    let mut rng = Rng(29);
    let mut shares = Vec::new();
    for _ in 0..200 {
        let table = Law::Each.sample(160, &mut rng);
        let (calibration, test): (Vec<usize>, Vec<usize>) = (0..160).partition(|row| row % 2 == 0);
        let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
        let calibrated = calibrate(&scores, &table, &calibration, 0.1, Scheme::Split);
        let sets = predict(&calibrated, &scores, &table, &test);
        let held = sets.rows.iter().zip(&sets.sets);
        let held = held.filter(|(row, set)| Covers::All.holds(**set, table.right(**row)));
        shares.push(held.count() as f64 / test.len() as f64);
    }
    let (mean, error) = mean(&shares);
    assert!(mean < 0.9 - 10.0 * error, "{mean} {error}");
}
