//! Parts of a run of open questions: each has the figures of its questions, and merged they have those
//! of a whole run that takes their answers from the cache.

use std::collections::HashSet;
use std::process::Output;

use serde_json::Value;
use sureness_faultserver::{FaultServer, Healthy, Script, Words};
use sureness_store::Reader;
use sureness_testkit::{Case, ends_with, results_in, says, text};

use super::{EXAMPLES, TASK, case, case_of, judge};

const COUNT: usize = 60;
const SIX: &str = "--samples 6";

fn ask(case: &Case, line: &str, folder: &str) {
    let line = format!("run --chat --answers sampled {line}");
    let mut command = case.asking(&line, folder);
    command.env("SURENESS_API_KEY", "sk-model");
    command.env("SURENESS_JUDGE_API_KEY", "sk-judge");
    ends_with(&command.output().unwrap(), 0);
}

/// Asks both halves of a run, and the whole with their answers.
fn ask_all(case: &Case, more: &str) {
    let line = format!("{TASK} {more}");
    for index in 1..=2 {
        ask(
            case,
            &format!("{line} --shard {index}/2"),
            &format!("shards/{index}"),
        );
    }
    ask(
        case,
        &format!("{line} --cache-from shards/1 shards/2"),
        "whole",
    );
}

fn merge(case: &Case, more: &str) -> Output {
    let line = format!("merge merged shards {more}");
    case.sureness(&line).output().unwrap()
}

/// The figures of the group.
fn figures(case: &Case, folder: &str) -> Value {
    results_in(&case.path(folder))["models"][0]["groups"][0].take()
}

/// Writes the questions that a run did not ask into a file of their own.
fn write_rest(case: &Case, folder: &str) {
    let reader = Reader::open(&case.path(folder).join("sureness.sqlite")).unwrap();
    let mut asked = HashSet::new();
    reader
        .rows(1, 0, |row| _ = asked.insert(row.question.id))
        .unwrap();
    let all = std::fs::read_to_string(case.path("trivia.jsonl")).unwrap();
    let rest = all.lines().filter(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        !asked.contains(&row["id"].to_string())
    });
    let rest: Vec<&str> = rest.collect();
    assert!(!asked.is_empty() && rest.len() + asked.len() == COUNT + EXAMPLES);
    std::fs::write(case.path("rest.jsonl"), rest.join("\n")).unwrap();
}

#[test]
fn shards_of_open_questions_are_the_whole_run() {
    for samples in [SIX, "--samples auto --samples-most 24"] {
        let case = case(COUNT, 0.0, Words::default());
        ask_all(&case, samples);
        let output = merge(&case, "");
        ends_with(&output, 0);
        says(&text(&output.stdout), &["Open questions"]);
        let whole = figures(&case, "whole");
        assert!(whole["open"]["semantic_entropy"].as_f64().unwrap() > 0.0);
        assert_eq!(figures(&case, "merged"), whole);
    }
}

#[test]
fn a_shard_has_the_figures_of_its_questions() {
    let case = case(COUNT, 0.0, Words::default());
    ask_all(&case, SIX);
    write_rest(&case, "shards/2");
    let task = TASK.replace("trivia.jsonl", "rest.jsonl");
    ask(
        &case,
        &format!("{task} {SIX} --cache-from shards/1"),
        "part",
    );
    let part = figures(&case, "part");
    assert_eq!(figures(&case, "shards/1")["open"], part["open"]);
    let line = "analyze shards/1 --output-dir out --formats json";
    ends_with(&case.sureness(line).output().unwrap(), 0);
    let document = std::fs::read_to_string(case.path("out/report.json")).unwrap();
    says(&document, &[&part["open"]["semantic_entropy"].to_string()]);
}

#[test]
fn a_merge_whose_data_have_moved_says_where_to_name_them() {
    let case = case(COUNT, 0.0, Words::default());
    ask_all(&case, SIX);
    std::fs::rename(case.path("trivia.jsonl"), case.path("moved.jsonl")).unwrap();
    let output = merge(&case, "");
    ends_with(&output, 1);
    let stderr = text(&output.stderr);
    let reason = "accepted answers of 60 of 60 questions of trivia";
    says(&stderr, &[reason, "--data trivia=PATH", "hint: "]);
    let output = merge(&case, "--data trivia=moved.jsonl");
    ends_with(&output, 0);
    says(&text(&output.stderr), &["0 new questions"]);
    assert_eq!(figures(&case, "merged"), figures(&case, "whole"));
}

#[test]
fn what_a_judge_said_of_the_shards_is_what_it_said_of_the_whole() {
    let script = Script {
        server: Healthy {
            key: Some("sk-model".to_owned()),
            open: Some(judge::sayings()),
            words: Some(Words::default()),
            ..Healthy::default()
        },
        ..Script::default()
    };
    let case = case_of(script, judge::COUNT);
    let judge: FaultServer = judge::judge(true, Vec::new());
    let base = judge.base();
    let judged = format!("{SIX} --judge judge-model --judge-base {base}");
    ask_all(&case, &judged);
    ends_with(&merge(&case, ""), 0);
    let whole = figures(&case, "whole");
    assert_eq!(figures(&case, "merged"), whole);
    assert!(whole["judged"]["same"].as_u64().unwrap() > 30, "{whole}");
    assert_eq!(whole["judged"]["undecided"], 0);
}
