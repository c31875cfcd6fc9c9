//! What is told of data before anything is asked: rows that repeat others, data of tasks that are not
//! asked, options that abstain, and logs that are archives.

use std::path::Path;

use sureness_faultserver::Script;
use sureness_testkit::{Case, ends_with, says, text};

fn row(n: usize) -> String {
    format!(
        "{{\"question\":\"q{n}\",\"options\":[\"a{n}\",\"b{n}\"],\"answer\":{}}}\n",
        n % 2
    )
}

#[test]
fn repeated_rows_are_told_and_twins_of_examples_are_not_asked() {
    let case = Case::new(Script::healthy());
    for name in ["all", "law"] {
        let folder = case.folder.path().join("sets").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let rows: String = (0..12).map(row).collect();
        std::fs::write(folder.join("x.jsonl"), rows).unwrap();
    }
    let output = case.run("run --data own=sets/*/x.jsonl --prompt-strategies base");
    ends_with(&output, 0);
    let words = [
        "7 of 14 questions have the content of another",
        "left out 5 rows with the content of a few-shot example",
    ];
    says(&text(&output.stderr), &words);
    let output = case.sureness("data check sets/*/x.jsonl").output().unwrap();
    ends_with(&output, 0);
    says(&text(&output.stdout), &["repeated rows", "left out"]);
}

#[test]
fn data_of_a_task_that_is_not_asked_are_refused() {
    let case = Case::new(Script::healthy());
    std::fs::write(case.folder.path().join("x.jsonl"), row(1)).unwrap();
    for flags in ["--data own=x.jsonl", "--data-format own=jsonl"] {
        let output = case.run(&format!("run --tasks qa {flags}"));
        ends_with(&output, 2);
        let words = ["task own", "--tasks does not name it", "add own to --tasks"];
        says(&text(&output.stderr), &words);
    }
    assert_eq!(case.server.counts().requests, 0);
}

#[test]
fn an_option_that_says_unknown_counts_as_an_abstention() {
    let case = Case::new(Script::healthy());
    let row = |n: usize| {
        format!(
            "{{\"context\":\"c{n}\",\"question\":\"q{n}\",\"ans0\":\"x\",\"ans1\":\"Not enough \
             info\",\"ans2\":\"y\",\"label\":1,\"category\":\"Age\"}}\n"
        )
    };
    let rows: Vec<_> = (0..60).map(row).collect();
    std::fs::write(case.folder.path().join("bbq.jsonl"), rows.concat()).unwrap();
    let output = case.sureness("data check bbq.jsonl").output().unwrap();
    ends_with(&output, 0);
    says(
        &text(&output.stdout),
        &["bbq, detected", "its words in 55 of 55"],
    );
    let output = case.run("run --data rc=bbq.jsonl --prompt-strategies base");
    ends_with(&output, 0);
    says(
        &text(&output.stderr),
        &["of its own says that the answer is unknown"],
    );
    let results = sureness_testkit::results_in(&case.results());
    let task = &results["models"][0]["tasks"][0];
    // Here the unknown is always right: whoever chooses it abstains and is right.
    assert!(
        task["e_rate"].as_f64().is_some_and(|rate| rate > 0.0),
        "{task}"
    );
    assert_eq!(task["e_rate"], task["mean"]["acc"], "{task}");
}

#[test]
fn the_questions_of_an_archive_of_inspect_are_asked() {
    let case = Case::new(Script::healthy());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../importers/tests/data/inspect");
    let asked = |name: &str| {
        let before = case.questions().len();
        let line = format!(
            "run --data own={} --prompt-strategies base",
            folder.join(name).display()
        );
        ends_with(&case.run(&line), 0);
        case.questions().split_off(before)
    };
    let archive = asked("anatomy.eval");
    assert!(!archive.is_empty());
}
