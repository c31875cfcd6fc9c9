//! Prints what this crate makes of two models' answers, as JSON, for `scripts/verify/compare.py` to
//! hold against other packages.
//!
//! ```text
//! verify A.csv B.csv
//! ```
//!
//! Both files have a header and then one question per line, the same ones in the same order:
//! `key,category,answer,logit,logit,…`, where `answer` is the index of the right option.

use std::error::Error;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sureness_conformal::{
    Nonconformity, Resampling, Row, RowDraws, Scheme, Scores, Split, Table, View,
    benjamini_hochberg, bootstrap, calibrate, calibration_errors, check_coverage,
    confidence_intervals, detectable_accuracy_difference, detectable_mean_difference, entropy,
    hash_split, holm, mcnemar, numpy_higher_threshold, predict, selective, set_metrics, uacc,
    wilson,
};

const ALPHA: f64 = 0.1;
const BINS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [a, b] = paths.as_slice() else {
        return Err("usage: verify A.csv B.csv".into());
    };
    let (a, b) = (read(a)?, read(b)?);
    if a.keys() != b.keys() {
        return Err("the files are about different questions".into());
    }
    let split = hash_split(a.keys(), 0.5, 42);
    let figures = json!({
        "alpha": ALPHA,
        "bins": BINS,
        "calibration": split.calibration,
        "test": split.test,
        "a": model(&a, &split),
        "b": model(&b, &split),
        "pair": pair(&a, &b, &split),
        "intervals": intervals(),
        "coverage_law": coverage_law(),
        "multiple": multiple(),
        "power": power(),
    });
    serde_json::to_writer(std::io::stdout().lock(), &figures)?;
    Ok(())
}

fn read(path: &str) -> Result<Table, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut lines = text.lines();
    let options = lines.next().map_or(0, |header| header.split(',').count());
    let mut table = Table::new(options.saturating_sub(3));
    for line in lines {
        let mut fields = line.split(',');
        let (key, category, answer) = (fields.next(), fields.next(), fields.next());
        let logits = fields.map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let hash = blake3::hash(key.unwrap_or_default().as_bytes());
        let row = Row {
            key: hash.as_bytes(),
            cluster: None,
            logits: (&logits).into(),
            right: answer.unwrap_or_default().parse::<usize>()?.into(),
            dont_know: None,
            none_of_the_above: None,
        };
        table.push(
            *hash.as_bytes(),
            &row,
            category.and_then(|it| it.parse().ok()),
        )?;
    }
    Ok(table)
}

/// What is said of one model, over its test rows.
fn model(table: &Table, split: &Split) -> Value {
    let view = View::default();
    let test = &split.test;
    let lac = Scores::of(table, Nonconformity::Lac, &view);
    let draws = RowDraws::new(table.select(test).clusters(), &Resampling::default());
    json!({
        "top": (0..table.len()).map(|row| lac.top(row)).collect::<Vec<_>>(),
        "calibration": calibration_errors(table, test, &view, BINS),
        "selective": selective(table, test, &view),
        "entropy": entropy(table, test, &view),
        "intervals": confidence_intervals(table, test, &view, BINS, &draws),
        "bootstrap": bootstrapped(&outcomes(table, split)),
        "scores": scores(table, split),
    })
}

/// For each nonconformity score by name: `scores` of all options of all rows, `qhat` by the exact
/// rank and by the published script's, and `sets` of the test rows by the first, before empty ones
/// are filled, as options' bits; `metrics` counts them after that. A randomised score adds `u`, its random number for each row.
fn scores(table: &Table, split: &Split) -> Value {
    let mut by_name = Map::new();
    for score in Nonconformity::ALL {
        let scores = Scores::of(table, score, &View::default());
        let mut calibration: Vec<f64> = split
            .calibration
            .iter()
            .map(|&row| scores.of_answer(row))
            .collect();
        let calibrated = calibrate(&scores, table, &split.calibration, ALPHA, Scheme::Split);
        let filled = predict(&calibrated, &scores, table, &split.test);
        let sets = split.test.iter().map(|&row| {
            let set = calibrated.set(&scores, table, row);
            set.iter().map(|option| 1_u32 << option).sum::<u32>()
        });
        let mut figures = json!({
            "scores": (0..table.len()).map(|row| scores.row(row)).collect::<Vec<_>>(),
            "qhat": calibrated.qhat(),
            "qhat_script": numpy_higher_threshold(&mut calibration, ALPHA).value(),
            "sets": sets.collect::<Vec<_>>(),
            "metrics": set_metrics(&filled, &scores, table, &split.calibration, ALPHA),
        });
        if score.is_randomized() {
            figures["u"] = json!(random_numbers(table));
        }
        by_name.insert(score.name(), figures);
    }
    Value::Object(by_name)
}

/// The random number of each row: what randomised APS makes of the top option is its product with
/// that option's probability.
fn random_numbers(table: &Table) -> Vec<f64> {
    let scores = Scores::of(table, Nonconformity::ApsRandomized, &View::default());
    (0..table.len())
        .map(|row| scores.row(row)[scores.top(row)] / scores.top_probability(row))
        .collect()
}

/// What became of one test row with its LAC set, filled if it was empty.
#[derive(Serialize)]
struct Outcome {
    correct: bool,
    covered: bool,
    size: usize,
    options: usize,
}

fn outcomes(table: &Table, split: &Split) -> Vec<Outcome> {
    let scores = Scores::of(table, Nonconformity::Lac, &View::default());
    let calibrated = calibrate(&scores, table, &split.calibration, ALPHA, Scheme::Split);
    let sets = predict(&calibrated, &scores, table, &split.test);
    let rows = sets.rows.iter().zip(&sets.sets);
    rows.map(|(&row, set)| Outcome {
        correct: scores.correct(row),
        covered: set.contains(scores.answer(row)),
        size: set.len(),
        options: scores.options(row),
    })
    .collect()
}

/// Accuracy, coverage, set size and UAcc of these rows.
fn figures(outcomes: &[Outcome], rows: &[usize]) -> [f64; 4] {
    let mean = |of: fn(&Outcome) -> usize| {
        let sum: usize = rows.iter().map(|&row| of(&outcomes[row])).sum();
        sum as f64 / rows.len() as f64
    };
    let (acc, size) = (mean(|row| row.correct.into()), mean(|row| row.size));
    let coverage = mean(|row| row.covered.into());
    [
        acc,
        coverage,
        size,
        uacc(acc, mean(|row| row.options), size),
    ]
}

fn bootstrapped(outcomes: &[Outcome]) -> Value {
    let [acc, coverage, set_size, uacc] = [0, 1, 2, 3].map(|figure| {
        bootstrap(outcomes.len(), &Resampling::default(), |rows| {
            figures(outcomes, rows)[figure]
        })
    });
    json!({ "acc": acc, "coverage": coverage, "set_size": set_size, "uacc": uacc })
}

fn pair(a: &Table, b: &Table, split: &Split) -> Value {
    let (a, b) = (outcomes(a, split), outcomes(b, split));
    let correct = |rows: &[Outcome]| rows.iter().map(|row| row.correct).collect::<Vec<_>>();
    json!({ "mcnemar": mcnemar(&correct(&a), &correct(&b)), "a": a, "b": b })
}

/// `[successes, n, level, low, high]`.
fn intervals() -> Vec<Value> {
    let mut rows = Vec::new();
    for n in [1, 7, 100, 5000] {
        for successes in [0, 1, n / 3, n - 1, n] {
            for level in [0.8, 0.95, 0.999] {
                let (low, high) = wilson(successes, n, level);
                rows.push(json!([successes, n, level, low, high]));
            }
        }
    }
    rows
}

fn coverage_law() -> Vec<Value> {
    let mut rows = Vec::new();
    for (n_calibration, n_test) in [(50, 20), (99, 1000), (999, 500), (5000, 4993)] {
        for alpha in [0.05, 0.1, 0.25] {
            let expected = (n_test as f64 * (1.0 - alpha)) as usize;
            for covered in [expected - n_test / 20, expected, expected + n_test / 25] {
                let check = check_coverage(covered, n_test, n_calibration, alpha);
                rows.push(json!({
                    "covered": covered,
                    "n_test": n_test,
                    "n_calibration": n_calibration,
                    "alpha": alpha,
                    "check": check,
                }));
            }
        }
    }
    rows
}

fn multiple() -> Value {
    // Some small, some equal, some that cross when they are multiplied.
    let p: Vec<f64> = (0..40_u32)
        .map(|i| {
            f64::from((i * 37 + 11) % 41).powi(3) / 68_921.0 / if i % 5 == 0 { 50.0 } else { 1.0 }
        })
        .collect();
    json!({ "holm": holm(&p), "benjamini_hochberg": benjamini_hochberg(&p), "p": p })
}

fn power() -> Value {
    let accuracy = [200, 1000, 5000].map(|n| {
        let difference = detectable_accuracy_difference(n, 0.3, 0.05, 0.8);
        json!([n, 0.3, 0.05, 0.8, difference])
    });
    let mean = [200, 5000].map(|n| {
        let difference = detectable_mean_difference(n, 1.2, 0.05, 0.9);
        json!([n, 1.2, 0.05, 0.9, difference])
    });
    json!({ "accuracy": accuracy, "mean": mean })
}
