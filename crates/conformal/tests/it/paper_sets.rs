//! The published logits: LAC and APS sets against the published script's figures, and accuracy by
//! set size against the paper's Table 6.

use std::path::{Path, PathBuf};

use crate::rows::push;
use crate::sets::{bits, figures};
use serde_json::Value;
use sureness_conformal::{
    Arithmetic, Config, Covers, Nonconformity, Order, PredictionSet, Protocol, Scheme, Score,
    Scores, SetMetrics, SplitRule, Table, TieRule, View, calibrate, numpy_higher_threshold,
    predict, repeated_splits, set_metrics, softmax, split_of,
};

const PAPER: Config = Config {
    split: SplitRule::Ordered,
    protocol: Protocol::Paper,
    alpha: 0.1,
    calibration_ratio: 0.5,
    seed: 42,
    covers: Covers::Any,
    tempered: None,
};

/// The folder of material that tests may read, or `None` where it may be absent and is.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("SURENESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs ../shared");
    println!("skipped: ../shared is not here");
    None
}

/// Six float32 logits per question. These pickles are lists of small numpy arrays: their buffers
/// are found by the opcodes before them, which is enough for files that we know.
fn logits(path: &Path) -> Vec<[f32; 6]> {
    let bytes = std::fs::read(path).unwrap();
    // After the two bytes of PROTO, all is in frames: an opcode and a length of eight bytes each.
    let (mut opcodes, mut rest) = (Vec::new(), &bytes[2..]);
    while let [0x95, after @ ..] = rest {
        let (length, after) = after.split_at(8);
        let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
        opcodes.extend_from_slice(&after[..length]);
        rest = &after[length..];
    }
    // False (the array's order), then a short string of 24 bytes.
    let mark = [0x89, b'C', 24];
    let (mut rows, mut rest) = (Vec::new(), &opcodes[..]);
    while let Some(at) = rest.windows(3).position(|w| w == mark) {
        let (buffer, after) = rest[at + 3..].split_at(24);
        let value = |i: usize| f32::from_le_bytes(buffer[4 * i..][..4].try_into().unwrap());
        rows.push(std::array::from_fn(value));
        rest = after;
    }
    rows
}

fn answers(folder: &Path) -> Vec<(u64, usize)> {
    let text = std::fs::read_to_string(folder.join("paper/mmlu_10k.json")).unwrap();
    let items: Vec<Value> = serde_json::from_str(&text).unwrap();
    let answer = |item: &Value| usize::from(item["answer"].as_str().unwrap().as_bytes()[0] - b'A');
    items
        .iter()
        .map(|item| (item["id"].as_u64().unwrap(), answer(item)))
        .collect()
}

fn table(folder: &Path, model: &str, strategy: &str) -> Table {
    let file = format!("paper/logits/{model}_mmlu_10k_{strategy}_icl1.pkl");
    let logits = logits(&folder.join(file));
    assert_eq!(logits.len(), 10_000);
    let mut table = Table::new(6);
    for ((id, answer), logits) in answers(folder).into_iter().zip(logits) {
        // These were the few-shot examples.
        if ![1, 3, 5, 7, 9].contains(&id) {
            push(&mut table, &logits.map(f64::from), answer, None, id);
        }
    }
    table
}

/// The sets by the crate's older functions, in float32 throughout.
fn sets_in_f32(
    table: &Table,
    score: Score,
    calibration: &[usize],
    test: &[usize],
) -> Vec<PredictionSet> {
    let row = |index: usize| {
        let logits: Vec<f32> = table.row(index).logits.iter().map(|x| x as f32).collect();
        let (mut p, mut order) = (Vec::new(), Order::default());
        softmax(&logits, &mut p);
        order.sort(&p, TieRule::Paper);
        (p, order)
    };
    let mut scores: Vec<f32> = calibration
        .iter()
        .map(|&index| {
            let (p, order) = row(index);
            score.of(
                &p,
                &order,
                table.row(index).right.first(),
                Arithmetic::Script,
            )
        })
        .collect();
    let threshold = numpy_higher_threshold(&mut scores, PAPER.alpha);
    test.iter()
        .map(|&index| {
            let (p, order) = row(index);
            let mut set = score.set(&p, &order, threshold, Arithmetic::Script);
            if set.is_empty() {
                set.insert(order.top());
            }
            set
        })
        .collect()
}

fn published(table: &Table, score: Nonconformity) -> (SetMetrics, Vec<PredictionSet>) {
    let view = View {
        protocol: Protocol::Paper,
        ..View::default()
    };
    let scores = Scores::of(table, score, &view);
    let split = split_of(table, &PAPER).unwrap();
    let calibrated = calibrate(
        &scores,
        table,
        &split.calibration,
        PAPER.alpha,
        Scheme::Split,
    );
    let sets = predict(&calibrated, &scores, table, &split.test);
    let metrics = set_metrics(&sets, &scores, table, &split.calibration, PAPER.alpha);
    // The first of the repeated splits is the published one.
    let first = repeated_splits(&scores, 1, 0.5, PAPER.alpha, 42);
    let means = [first.acc, first.coverage, first.set_size, first.uacc];
    assert_eq!(bits(means.map(|spread| spread.mean)), figures(&metrics));
    (metrics, sets.sets)
}

#[test]
fn sets_and_figures_of_the_paper() {
    let Some(folder) = shared() else { return };
    let text = std::fs::read_to_string(folder.join("paper/expected_qa.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 12);
    for (name, expected) in expected {
        let (model, strategy) = name.split_once('/').unwrap();
        let table = table(&folder, model, strategy);
        let evaluation = table.evaluate(&PAPER).unwrap();
        let split = split_of(&table, &PAPER).unwrap();
        for (score, of_old, summary) in [
            (Nonconformity::Lac, Score::Lac, evaluation.lac),
            (Nonconformity::Aps, Score::Aps, evaluation.aps),
        ] {
            let (metrics, sets) = published(&table, score);
            let old = sets_in_f32(&table, of_old, &split.calibration, &split.test);
            assert!(sets == old, "{name} {score}: other sets");
            assert_eq!(
                figures(&metrics),
                bits([
                    evaluation.acc,
                    summary.coverage,
                    summary.set_size,
                    summary.uacc
                ])
            );
            for (field, value) in [
                ("set_size", metrics.set_size),
                ("coverage", metrics.coverage),
                ("uacc", metrics.uacc),
            ] {
                let want = expected[&format!("{score}_{field}")].as_f64().unwrap();
                assert!(
                    (value - want).abs() < 1e-6,
                    "{name} {score} {field}: {value}, not {want}"
                );
            }
            let want = expected["acc"].as_f64().unwrap();
            assert!((metrics.acc - want).abs() < 1e-6);
        }
    }
}

/// The paper's Table 6: accuracy of InternLM-7B on QA by set size, APS, mean over the strategies.
#[test]
fn accuracy_by_set_size_is_the_papers() {
    let Some(folder) = shared() else { return };
    let mut means = [0.0; 5];
    for strategy in ["base", "shared", "task"] {
        let (metrics, _) = published(&table(&folder, "internlm-7b", strategy), Nonconformity::Aps);
        for (size, mean) in (1..).zip(&mut means) {
            let stratum = metrics.strata.iter().find(|stratum| stratum.size == size);
            *mean += stratum.unwrap().accuracy / 3.0;
        }
    }
    for (mean, printed) in means.iter().zip([92.69, 82.21, 63.70, 41.71, 34.92]) {
        assert!((100.0 * mean - printed).abs() < 0.005 + 1e-9, "{means:?}");
    }
}
