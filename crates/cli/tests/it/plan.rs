//! `sureness plan` from outside: numbers from a reference model and from earlier runs, and refusals.

use std::path::Path;

use sureness_testkit::{says, shared};

use crate::command::{self, done, sureness};

/// Runs a plan that must succeed; returns stdout.
#[track_caller]
fn planned(folder: &Path, line: &str) -> String {
    done(folder, &format!("plan {line}")).0
}

/// Runs a plan that must be refused; returns stderr.
#[track_caller]
fn refused(folder: &Path, line: &str) -> String {
    command::refused(folder, &format!("plan {line}"))
}

/// The numbers in the row of this difference.
#[track_caller]
fn numbers(text: &str, difference: &str) -> Vec<f64> {
    let row = text
        .lines()
        .find_map(|line| line.strip_prefix(difference))
        .unwrap_or_else(|| panic!("there is no row {difference:?} in:\n{text}"));
    let cells = row.split_whitespace();
    cells
        .map(|cell| cell.replace(',', "").parse().unwrap())
        .collect()
}

/// The four models whose logits the paper's authors published, in one strategy each, in a store.
fn paper(folder: &Path) -> Option<()> {
    let paper = shared("")?.join("paper");
    let mut line = "import".to_owned();
    for model in ["falcon-7b", "internlm-7b", "Llama-2-7b-hf", "Yi-34B"] {
        let file = format!("logits/{model}_mmlu_10k_base_icl1.pkl");
        line = format!("{line} {}", paper.join(file).display());
    }
    let questions = paper.join("mmlu_10k.json");
    let output = sureness(
        folder,
        &format!("{line} --questions {}", questions.display()),
    );
    assert!(output.status.success(), "{output:?}");
    Some(())
}

#[test]
fn a_reference_model_is_planned_with() {
    let folder = tempfile::tempdir().unwrap();
    let text = planned(folder.path(), "--detect size=0.1 acc=0.02 uacc=0.02");
    says(
        &text,
        &[
            "with power 0.8 at confidence level 0.95",
            "Based on a reference model, not on a measurement: accuracy 60 %, 6 options, 3 strategies",
            "correlate by 0.3",
            "--calibration-ratio 0.",
            "3 strategies × 2 models",
        ],
    );
    for difference in ["set size 0.1", "accuracy 2 pp", "UAcc 2 pp"] {
        let [questions, calibration, tested, requests] = numbers(&text, difference)[..] else {
            panic!("{text}")
        };
        assert!((questions - calibration - tested).abs() < 0.5);
        assert!((requests - 6.0 * questions).abs() < 0.5);
        assert!(calibration >= 39.0 && tested >= 20.0, "{text}");
    }
    assert_eq!(
        text,
        planned(folder.path(), "--detect size=0.1,acc=2pp,uacc=0.02")
    );

    // Half the difference takes four times as many, and more power more.
    let of = |line: &str| numbers(&planned(folder.path(), line), "set size")[1];
    let [once, half, surer] = ["size=0.2", "size=0.1", "size=0.2 --power 0.95"]
        .map(|line| of(&format!("--detect {line}")));
    assert!((half / once - 4.0).abs() < 0.1, "{once} {half}");
    assert!((surer / once - 1.66).abs() < 0.05, "{once} {surer}");
    // Models that answer alike are easier to compare.
    let alike = of("--detect size=0.1 --correlation 0.65");
    assert!((half / alike - 2.0).abs() < 0.05, "{half} {alike}");
}

#[test]
fn a_large_difference_leaves_the_minimum() {
    let folder = tempfile::tempdir().unwrap();
    let text = planned(folder.path(), "--detect size=2.5 acc=0.5");
    says(
        &text,
        &[
            "accuracy 50 pp: set by the minimum for intervals, 39 calibration and 20 test questions",
            "set size 2.5: set by the minimum",
        ],
    );
    let all = numbers(&text, "accuracy 50 pp")[0];
    assert!((59.0..=61.0).contains(&all), "{text}");
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (line, parts) in [
        ("", &["--detect"][..]),
        ("--detect size=0", &["above 0, such as size=0.1"]),
        ("--detect size=-1", &["above 0"]),
        ("--detect size=2pp", &["set size takes options"]),
        ("--detect size=nan", &["above 0"]),
        ("--detect size", &["FIGURE=DIFFERENCE"]),
        (
            "--detect ece=0.1",
            &["unknown; the figures are acc, size and uacc"],
        ),
        (
            "--detect acc=2",
            &[
                "two models cannot differ by that much",
                "hint: give percentage points, such as 2pp, or a share, such as 0.02",
            ],
        ),
        (
            "--detect size=7",
            &["two models cannot differ", "sets have 1 to 6 options"],
        ),
        ("--detect size=0.1 --power 1", &["from 0.5 to below 1"]),
        ("--detect size=0.1 --level 95", &["between 0 and 1"]),
        ("--detect size=0.1 --error-rate 1.5", &["between 0 and 1"]),
        ("--detect size=0.1 --correlation 1", &["from 0 to below 1"]),
        (
            "--detect size=0.1 --accuracy 0.1",
            &["not above guessing", "hint: "],
        ),
        ("--detect size=0.1 --options 1", &["2..=26"]),
        (
            "--detect size=0.0000001",
            &["more than a billion", "hint: "],
        ),
        ("--detect size=0.1 --price-in 1", &["--from"]),
        (
            "--detect size=0.1 --from absent",
            &["absent does not exist", "hint: "],
        ),
        (
            "--detect size=0.1 --from absent --options 4",
            &["cannot be used with"],
        ),
        // Sets are full nearly always: so few wrong answers are allowed that all options are needed.
        (
            "--detect size=0.1 --error-rate 0.0001",
            &["all sets are full", "hint: "],
        ),
    ] {
        says(&refused(folder.path(), line), parts);
    }
}

#[test]
fn earlier_runs_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if paper(folder).is_none() {
        return;
    }
    // Two of them are paired.
    let text = planned(
        folder,
        "--detect size=0.1 acc=0.02 --from results#1 results#2",
    );
    says(
        &text,
        &[
            "Uses the measured paired difference.",
            "9,995 questions",
            "1 strategy × 2 models",
        ],
    );
    let paired = numbers(&text, "accuracy 2 pp");
    assert!((paired[3] - 2.0 * paired[0]).abs() < 0.5);

    // Of one model, with a correlation.
    let text = planned(folder, "--detect size=0.1 acc=0.02 --from results#1");
    says(&text, &["correlate by 0.3"]);
    let alone = numbers(&text, "accuracy 2 pp");
    assert!(
        alone[0] > 0.3 * paired[0] && alone[0] < 3.0 * paired[0],
        "{alone:?} {paired:?}"
    );

    // Of all four, the pair in the middle.
    let text = planned(folder, "--detect uacc=0.02 --from results");
    says(&text, &["paired difference of the median pair"]);

    says(
        &refused(folder, "--detect size=0.1 --from results --correlation 0.5"),
        &[
            "runs of several models measure it",
            "hint: omit --correlation",
        ],
    );
    says(
        &refused(folder, "--detect size=0.1 --from results#1 --price-in 1"),
        &["no token counts", "hint: "],
    );
}

#[test]
fn models_that_hardly_differ_do_not_make_a_plan_cheap() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    let key = (0..200).map(|id| format!(r#"{{"id": {id}, "answer": "{}"}}"#, ["A", "B"][id % 2]));
    let key: Vec<String> = key.collect();
    write("key.json", format!("[{}]", key.join(",")));
    for (name, other) in [("a", 0), ("b", 1)] {
        // Right on two questions in three; the models differ on one question in fifty.
        let logits = (0..200).map(|id| {
            let wrong = id % 3 == 0 || (other == 1 && id % 50 == 1);
            let mut logits = [0.1 * (id % 7) as f64, 0.2, 0.3, 0.4];
            logits[if wrong { 2 } else { id % 2 }] += 1.0 + 0.01 * (id % 11) as f64;
            format!("{}\n", serde_json::json!({ "id": id, "logits": logits }))
        });
        write(&format!("{name}_qa_base_icl1.jsonl"), logits.collect());
    }
    let line = "import a_qa_base_icl1.jsonl b_qa_base_icl1.jsonl --questions key.json";
    assert!(sureness(folder.path(), line).status.success());
    let text = planned(folder.path(), "--from results --detect acc=0.04");
    let [_, _, tested, _] = numbers(&text, "accuracy 4 pp")[..] else {
        panic!("{text}")
    };
    // Connor's number for models that differ on just 4 % of the questions.
    assert!(tested >= 193.0, "{text}");
}
