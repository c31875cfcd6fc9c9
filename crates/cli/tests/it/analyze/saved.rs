//! Which files of saved logits an analysis takes, and under which answer key.

use super::bad_input::{logits_of, small};
use super::*;

fn says(stderr: &str, parts: &[&str]) {
    sureness_testkit::says(stderr, parts);
}

/// Two strategies of one task under the key `questions.json`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a_mmlu_base_icl1.jsonl", "a_mmlu_task_icl1.jsonl"] {
        small(folder.path(), name, &"ABCD".repeat(20), logits_of);
    }
    folder
}

fn with<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "analyze",
        "a_mmlu_base_icl1.jsonl",
        "a_mmlu_task_icl1.jsonl",
    ];
    let rest = ["--questions", "questions.json", "--modes", "basic"];
    [&args[..], &rest, flags].concat()
}

#[test]
fn a_task_or_strategy_that_names_nothing_is_told() {
    let folder = folder();
    for flags in [["--tasks", "zzz"], ["--prompt-strategies", "zzz"]] {
        says(
            &refused(folder.path(), with(&flags)),
            &[
                "nothing is left to analyse",
                "the tasks are qa",
                "the strategies base, task_specific",
            ],
        );
    }
    let (_, stderr) = succeeds(folder.path(), with(&["--tasks", "qa", "zzz"]));
    says(&stderr, &["warning: --tasks zzz names nothing here"]);
    let data = "question,A,B,C,D,answer\nWhat?,1,2,3,4,A\nWho?,1,2,3,4,B\n";
    std::fs::write(folder.path().join("own.csv"), data).unwrap();
    let (_, stderr) = succeeds(folder.path(), with(&["--data", "zzz=own.csv"]));
    says(&stderr, &["warning: --data zzz=… names nothing here"]);
    // Names of a task and of a strategy in other forms.
    let (base, stderr) = succeeds(
        folder.path(),
        with(&["--tasks", "mmlu", "--prompt-strategies", "task"]),
    );
    assert!(base.contains("task_specific"), "{base}");
    assert!(!stderr.contains("names nothing"), "{stderr}");
}

#[test]
fn a_file_that_is_not_selected_is_not_judged() {
    let folder = folder();
    std::fs::write(
        folder.path().join("a_emotion_base_icl1.jsonl"),
        "not logits",
    )
    .unwrap();
    let mut args = with(&["--tasks", "qa"]);
    args.push("--");
    args.push("a_emotion_base_icl1.jsonl");
    succeeds(folder.path(), args);
}

#[test]
fn a_key_of_another_data_set_is_refused_or_marked() {
    let folder = folder();
    let rename =
        |from: &str, to: &str| std::fs::rename(folder.path().join(from), folder.path().join(to));
    rename("questions.json", "emotion_10k_4.json").unwrap();
    let line = "analyze a_mmlu_base_icl1.jsonl --questions emotion_10k_4.json --modes basic";
    says(
        &refused(folder.path(), line.split(' ')),
        &["these are logits of mmlu", "--any-questions"],
    );
    let insisted = format!("{line} --any-questions");
    let (stdout, stderr) = succeeds(folder.path(), insisted.split(' '));
    says(&stderr, &["warning: ", "no more than by guessing"]);
    // These logits know nothing of the answers, which stands above all figures.
    let place = |words: &str| stdout.find(words).unwrap_or_else(|| panic!("{stdout}"));
    assert!(
        place("• Warning: a_mmlu") < place("is right on"),
        "{stdout}"
    );
}

#[test]
fn ids_to_drop_that_name_nothing_are_told() {
    let folder = folder();
    let (_, stderr) = succeeds(folder.path(), with(&["--drop-ids", "100,7"]));
    says(
        &stderr,
        &["warning: --drop-ids: the id 7 names no question"],
    );
}

/// `--output json` has each figure of `report.json` once, under the same names.
#[test]
fn the_flat_list_has_the_figures_of_the_document() {
    let folder = folder();
    let (printed, _) = succeeds(folder.path(), with(&["--output", "json"]));
    let list: Value = serde_json::from_str(&printed).unwrap();
    succeeds(
        folder.path(),
        with(&["--output-dir", "out", "--formats", "json"]),
    );
    let document = std::fs::read_to_string(folder.path().join("out/report.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let figures = list["figures"].as_array().unwrap();
    let cells = document["sections"].as_array().unwrap().iter();
    let cells = cells.flat_map(|section| section["tables"].as_array().unwrap());
    let cells = cells.flat_map(|table| table["rows"].as_array().unwrap());
    let cells = cells.flat_map(|row| row.as_array().unwrap());
    let values: Vec<&Value> = cells
        .filter_map(|cell| cell["figure"].get("value"))
        .collect();
    let flat: Vec<&Value> = figures.iter().map(|figure| &figure["value"]).collect();
    assert_eq!(flat, values);
    let acc = figures
        .iter()
        .find(|figure| figure["figure"] == "acc")
        .unwrap();
    assert!(acc["model"].is_string() && acc["low"].is_number(), "{acc}");
    refused(
        folder.path(),
        with(&["--output", "json", "--output-dir", "out"]),
    );
}
