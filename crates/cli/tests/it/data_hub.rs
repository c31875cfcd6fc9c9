//! Data sets of the hub by name, asked through the binary.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use sureness_faultserver::Script;
use sureness_testkit::{Case, HubServer, ends_with, results_in, says, text};

const SET: &str = "own/mmlu";
const CARD: &str = "---\nconfigs:\n- config_name: all\n  data_files:\n  - split: test\n    path: \
                    all/test-*\n  - split: dev\n    path: all/dev-*\n- config_name: odd\n  \
                    data_files: odd.jsonl\n---\n";

/// A hub with MMLU in the layout of `cais/mmlu`, and a fault server.
fn both() -> Option<(HubServer, Case)> {
    let odd = "{\"colour\": 1}\n";
    let hub = HubServer::with(SET, &[("README.md", CARD), ("odd.jsonl", odd)])?;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../questions/tests/data/mmlu_hub");
    for split in ["test", "dev"] {
        let name = format!("{split}-00000-of-00001.parquet");
        let bytes = fs::read(fixtures.join(&name)).unwrap();
        hub.put(SET, HubServer::COMMIT, &format!("all/{name}"), &bytes);
    }
    Some((hub, Case::new(Script::healthy())))
}

fn with_hub(command: &mut Command, hub: &HubServer) {
    command
        .env("HF_ENDPOINT", &hub.endpoint)
        .env("HF_HUB_CACHE", hub.cache());
}

/// Runs `sureness LINE`; what it prints.
#[track_caller]
fn done(hub: &HubServer, case: &Case, line: &str, code: i32) -> String {
    let mut command = case.sureness(line);
    with_hub(&mut command, hub);
    let output = command.output().unwrap();
    ends_with(&output, code);
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_run_fetches_its_questions_and_records_their_commit() {
    let Some((hub, case)) = both() else {
        return;
    };
    let source = format!("hf:own/mmlu@{}:all/test", HubServer::COMMIT);
    let run = |name: &str, folder: &str, offline: bool| {
        let line = format!("run --data qa={name} --prompt-strategies base");
        let mut command = case.asking(&line, case.path(folder));
        with_hub(&mut command, &hub);
        if offline {
            command.env("HF_HUB_OFFLINE", "1");
        }
        ends_with(&command.output().unwrap(), 0);
        let results = results_in(&case.path(folder));
        let task = &results["settings"]["tasks"][0];
        assert_eq!(task["source"], json!(source), "{task}");
        task["digest"].clone()
    };
    let digest = run("hf:own/mmlu:all", "fetched", false);
    let requests = hub.requests().len();
    assert_eq!(run("hf:own/mmlu:all", "cached", true), digest);
    assert_eq!(run(&source, "commit", true), digest);
    assert_eq!(hub.requests().len(), requests, "offline");
    // Of the questions, and of the few-shot examples.
    assert!(
        case.questions()
            .iter()
            .all(|prompt| prompt.matches("Answer:").count() > 1)
    );
}

#[test]
fn a_data_set_is_fetched_checked_and_listed() {
    let Some((hub, case)) = both() else {
        return;
    };
    let fetched = done(&hub, &case, "data fetch own/mmlu:all", 0);
    let files = ["test-00000-of-00001.parquet", "dev-00000-of-00001.parquet"];
    says(
        &fetched,
        &[
            HubServer::COMMIT,
            ":all/test: 1 file of questions, 1 file of few-shot",
            files[0],
            files[1],
        ],
    );
    let checked = done(&hub, &case, "data check hf:own/mmlu:all", 0);
    says(
        &checked,
        &[
            "mmlu-hub, detected",
            "1 of split test; 1 with few-shot examples",
            HubServer::COMMIT,
        ],
    );
    let checked = done(&hub, &case, "data check hf:own/mmlu:all/dev", 0);
    says(&checked, &["1 of split dev", ":all/dev"]);
    says(
        &done(&hub, &case, "data list", 0),
        &[
            "OTHER DATA SET",
            "hf:own/mmlu",
            "main (",
            "sureness data fetch",
        ],
    );
}

#[test]
fn a_data_set_is_imported_with_its_commit() {
    let Some((hub, case)) = both() else {
        return;
    };
    let run = |line: &str, code: i32| done(&hub, &case, line, code);
    let source = format!("hf:own/mmlu@{}:all/test", HubServer::COMMIT);
    says(
        &run("data import exam hf:own/mmlu:all", 0),
        &[&format!("task exam now uses {source}:"), "few-shot example"],
    );
    says(
        &run("data list", 0),
        &["exam ", "/test (mmlu-hub), imported"],
    );
    let origin = fs::read_to_string(case.path("home").join("data/exam.json")).unwrap();
    let origin: serde_json::Value = serde_json::from_str(&origin).unwrap();
    assert_eq!(
        (&origin["source"], &origin["format"]),
        (&json!(source), &json!("mmlu-hub"))
    );
    says(
        &run("data import other hf:own/mmlu:odd", 2),
        &["odd.jsonl", "hint: "],
    );
}

#[test]
fn the_known_data_sets_are_listed_with_what_is_here_of_each() {
    let card = "---\nconfigs:\n- config_name: all\n  data_files:\n  - split: test\n    path: all/test-*\n---\n";
    let Some(hub) = HubServer::with("cais/mmlu", &[("README.md", card)]) else {
        return;
    };
    let case = Case::new(Script::healthy());
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../questions/tests/data/mmlu_hub");
    let name = "test-00000-of-00001.parquet";
    let bytes = fs::read(fixtures.join(name)).unwrap();
    hub.put(
        "cais/mmlu",
        HubServer::COMMIT,
        &format!("all/{name}"),
        &bytes,
    );
    let row = |set: &str| {
        let listed = done(&hub, &case, "data list", 0);
        let row = listed.lines().find(|line| line.starts_with(set));
        let cells = row.unwrap_or_else(|| panic!("{listed}")).split_whitespace();
        cells.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        row("hf:cais/mmlu "),
        ["hf:cais/mmlu", "mmlu-hub", "qa", "-", "-"]
    );
    done(&hub, &case, "data import qa hf:cais/mmlu", 0);
    let cells = row("hf:cais/mmlu ");
    assert_eq!(cells[3], "main");
    assert_eq!(cells.last().unwrap(), "qa");
    assert_eq!(row("hf:allenai/ai2_arc ")[1..], ["arc", "qa", "-", "-"]);
    assert_eq!(row("files  ")[0], "files");
}

#[test]
fn a_stalled_download_ends_the_run_before_anything_is_asked() {
    let Some((hub, case)) = both() else {
        return;
    };
    let file = "all/test-00000-of-00001.parquet";
    hub.describe(
        SET,
        json!({"faults": {file: {"stall": 100, "times": 1, "seconds": 30}}}),
    );
    let line = "run --api-base http://127.0.0.1:9 --data qa=hf:own/mmlu:all";
    let mut command = case.sureness(line);
    with_hub(&mut command, &hub);
    let output = command
        .env("HF_HUB_DOWNLOAD_TIMEOUT", "1")
        .output()
        .unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &[
            file,
            "sent nothing for 1 s",
            "hint: ",
            "HF_HUB_DOWNLOAD_TIMEOUT",
        ],
    );
    // What arrived is taken up, not for the whole.
    says(
        &done(&hub, &case, "data fetch own/mmlu:all", 0),
        &["1 file of questions"],
    );
    assert!(hub.requests().join("\n").contains("bytes=100-"));
    let mut command = case.sureness(line);
    with_hub(&mut command, &hub);
    let output = command
        .env("HF_HUB_DOWNLOAD_TIMEOUT", "soon")
        .output()
        .unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["HF_HUB_DOWNLOAD_TIMEOUT is not", "hint: "],
    );
}

#[test]
fn what_the_hub_lacks_is_said_before_anything_is_asked() {
    let Some((hub, case)) = both() else {
        return;
    };
    for (name, words) in [
        (
            "hf:own/mmlu",
            &["which configuration", "hint: choose among all, odd"][..],
        ),
        (
            "hf:own/mmlu:law",
            &["no configuration \"law\"", "hint: choose among all, odd"],
        ),
        (
            "hf:own/mmlu:all/train",
            &["no split \"train\"", "hint: choose among test, dev"],
        ),
        ("hf:own/mmlu@v2:all", &["no revision v2", "hint: "]),
        (
            "hf:own/nothing",
            &["own/nothing", "no such data set", "hint: "],
        ),
        (
            "hf:own/mmlu:all/test[:5]",
            &[
                "\"test[:5]\" cannot be the name of a split",
                "--sample-size",
            ],
        ),
        ("hf:own/mmlu:odd", &["odd.jsonl", "hint: "]),
    ] {
        let said = done(
            &hub,
            &case,
            &format!("run --api-base http://127.0.0.1:9 --data qa={name}"),
            2,
        );
        says(&said, words);
    }
    hub.describe(SET, json!({"gated": "auto"}));
    let said = done(&hub, &case, "data fetch hf:own/mmlu:all", 2);
    says(
        &said,
        &["restricted", "hint: accept the conditions on", "HF_TOKEN"],
    );
    let said = done(&hub, &case, "data import qa hf:own/mmlu:all", 2);
    says(&said, &["restricted", "hint: accept the conditions on"]);
}

#[test]
fn a_cache_that_may_lack_splits_or_shards_does_not_choose() {
    let rows = |name: &str| {
        let row = |n: i32| {
            format!(
                "{{\"question\": \"{name} {n}?\", \"options\": [\"a\", \"b\"], \"answer\": 0}}\n"
            )
        };
        (0..20)
            .map(row)
            .fold(String::new(), |text, row| text + &row)
    };
    let shards = ["test-00000-of-00002.jsonl", "test-00001-of-00002.jsonl"];
    let [first, second, train] = ["first", "second", "train"].map(rows);
    let files = [
        (shards[0], &*first),
        (shards[1], &*second),
        ("train.jsonl", &*train),
    ];
    let Some(hub) = HubServer::with("own/plain", &files) else {
        return;
    };
    let case = Case::new(Script::healthy());
    let offline = |line: &str, code: i32| {
        let mut command = case.sureness(line);
        with_hub(&mut command, &hub);
        let output = command.env("HF_HUB_OFFLINE", "1").output().unwrap();
        ends_with(&output, code);
        text(&output.stdout) + &text(&output.stderr)
    };
    done(&hub, &case, "data fetch hf:own/plain:default/train", 0);
    says(
        &offline("data check hf:own/plain", 2),
        &["which split", "hint: choose among train"],
    );
    says(
        &offline("data check hf:own/plain:default/train", 0),
        &["plain (plain)", "questions          15"],
    );
    let fetched = done(&hub, &case, "data fetch hf:own/plain", 0);
    says(&offline("data check hf:own/plain", 0), &["2 of split test"]);
    let lost = fetched
        .lines()
        .find(|line| line.ends_with(shards[1]))
        .unwrap();
    fs::remove_file(lost).unwrap();
    says(
        &offline("data check hf:own/plain", 2),
        &[shards[1], "missing"],
    );
}
