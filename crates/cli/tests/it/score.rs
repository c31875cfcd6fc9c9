//! `sureness score` from outside: the published figures, and what it says to bad input.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use sureness_testkit::{says, shared};

mod bad_input;
mod keys;
mod published;

/// Runs `sureness score` in `folder`.
fn score<S: AsRef<str>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Output {
    let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
    Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .current_dir(folder)
        .arg("score")
        .args(args.collect::<Vec<_>>())
        .output()
        .unwrap()
}

/// Runs a command that must succeed; returns stdout.
fn scored<S: AsRef<str>>(folder: &Path, args: impl IntoIterator<Item = S>) -> String {
    let output = score(folder, args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must be refused, with nothing on stdout; returns stderr.
fn refused<S: AsRef<str>>(folder: &Path, args: impl IntoIterator<Item = S>) -> String {
    let output = score(folder, args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty(), "figures in spite of: {stderr}");
    stderr
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A folder with a small answer key and logits that can be made wrong.
struct Case(tempfile::TempDir);

impl Case {
    /// `key.json` with ids 0 to 39, the answers A to D in turn.
    fn new() -> Self {
        let case = Self(tempfile::tempdir().unwrap());
        case.write("key.json", &key(0..40, |id| ["A", "B", "C", "D"][id % 4]));
        case
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }
}

/// The command line for a case's answer key with all its ids.
fn key_args(line: &str) -> Vec<String> {
    let line = format!("--questions key.json --drop-ids none {line}");
    line.split_whitespace().map(str::to_owned).collect()
}

fn key(ids: impl Iterator<Item = usize>, answer: impl Fn(usize) -> &'static str) -> String {
    let items = ids.map(|id| format!(r#"{{"id": {id}, "answer": "{}"}}"#, answer(id)));
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// One JSONL row per id; the option whose turn it is has the highest of `width` scores.
fn jsonl(ids: impl Iterator<Item = usize>, width: usize) -> String {
    ids.fold(String::new(), |mut text, id| {
        let row = (0..width).map(|at| if at == id % 4 { "2.5" } else { "-0.25" });
        let row = row.collect::<Vec<_>>().join(",");
        writeln!(text, r#"{{"id": {id}, "logits": [{row}]}}"#).unwrap();
        text
    })
}

#[test]
fn formats_of_the_same_values_give_the_same_figures() {
    let case = Case::new();
    case.write("m_d_base.jsonl", &jsonl(0..40, 6));
    let mut csv = "id,A,B,C,D,E,F\n".to_owned();
    for id in 0..40 {
        let row = (0..6).map(|at| if at == id % 4 { "2.5" } else { "-0.25" });
        writeln!(csv, "{id},{}", row.collect::<Vec<_>>().join(",")).unwrap();
    }
    case.write("m_d_task.csv", &csv);
    for protocol in ["paper", "standard"] {
        let line = format!(
            "--protocol {protocol} --output json --logits m_d_base.jsonl m_d_task.csv --alpha 0.2"
        );
        let result = json(&scored(case.path(), key_args(&line)));
        let files = result["files"].as_array().unwrap();
        assert_eq!(files[0]["strategy"], "base");
        assert_eq!(files[1]["strategy"], "task");
        for figure in ["n_test", "acc", "lac", "aps"] {
            assert_eq!(files[0][figure], files[1][figure], "{figure}");
        }
        assert_eq!(files[0]["acc"], 1.0);
        assert_eq!(files[0]["lac"]["set_size"], 1.0);
    }
}

#[test]
fn standard_figures_do_not_depend_on_the_order_of_the_rows() {
    let case = Case::new();
    let rows = jsonl(0..40, 6).replace("[2.5,", "[-1,");
    let mut reversed: Vec<&str> = rows.lines().collect();
    reversed.reverse();
    case.write("a_d_base.jsonl", &rows);
    case.write("b_d_base.jsonl", &reversed.join("\n"));
    let files = |protocol: &str| {
        let line =
            format!("--protocol {protocol} --output json --logits a_d_base.jsonl b_d_base.jsonl");
        let result = json(&scored(case.path(), key_args(&line)));
        [0, 1].map(|at| {
            let mut file = result["files"][at].clone();
            let names = file.as_object_mut().unwrap();
            names.remove("file").and(names.remove("model")).unwrap();
            file
        })
    };
    let [a, b] = files("standard");
    assert_eq!(a, b);
    // The paper's split goes by position: here the order is seen.
    let [a, b] = files("paper");
    assert_ne!(a, b);
}

#[test]
fn the_standard_protocol_sees_full_precision() {
    let case = Case::new();
    // In 32 bits the two scores are the same, and the paper's answer is then the first.
    let rows = (0..40).fold(String::new(), |mut text, id| {
        writeln!(text, r#"{{"id": {id}, "logits": [1.0, 1.0000000001]}}"#).unwrap();
        text
    });
    case.write("m.jsonl", &rows);
    case.write("key.json", &key(0..40, |_| "B"));
    for (protocol, acc) in [("paper", 0.0), ("standard", 1.0)] {
        let line = format!("--protocol {protocol} --output json --logits m.jsonl");
        let result = json(&scored(case.path(), key_args(&line)));
        assert_eq!(result["files"][0]["acc"], acc, "{protocol}");
        assert!(result["files"][0]["strategy"].is_null());
        assert!(result["files"][0]["dataset"].is_null());
    }
}

#[test]
fn abstention_is_found_by_text_and_else_by_position() {
    let case = Case::new();
    // The model always takes option A, or option E.
    let rows = |top: usize| {
        (0..40).fold(String::new(), |mut text, id| {
            let row: Vec<_> = (0..6)
                .map(|at| (2 * u8::from(at == top)).to_string())
                .collect();
            writeln!(text, r#"{{"id": {id}, "logits": [{}]}}"#, row.join(",")).unwrap();
            text
        })
    };
    case.write("first.jsonl", &rows(0));
    case.write("fifth.jsonl", &rows(4));
    let choices = r#"{"A": "I don't know", "B": "b", "C": "None of the above", "D": "d", "E": "e", "F": "f"}"#;
    let key =
        key(0..40, |_| "B").replace("\"answer\"", &format!("\"choices\": {choices}, \"answer\""));
    case.write("choices.json", &key);
    for (questions, expected) in [("key.json", [0.0, 1.0]), ("choices.json", [1.0, 0.0])] {
        let line = format!(
            "--questions {questions} --drop-ids none --output json --logits first.jsonl fifth.jsonl"
        );
        let result = json(&scored(case.path(), line.split(' ')));
        for (at, rate) in expected.into_iter().enumerate() {
            assert_eq!(
                result["files"][at]["e_rate"], rate,
                "{questions}, file {at}"
            );
            assert_eq!(result["files"][at]["f_rate"], 0.0);
        }
    }
    // Left out, "I don't know" cannot be the top answer; the others keep their meaning.
    let line = "--questions choices.json --drop-ids none --drop-options A --output json --logits fifth.jsonl";
    let result = json(&scored(case.path(), line.split(' ')));
    assert_eq!(result["files"][0]["e_rate"], 0.0);
    assert_eq!(result["files"][0]["acc"], 0.0);
}

#[test]
fn dropped_ids_may_be_absent_everywhere() {
    let case = Case::new();
    // Few-shot examples: in the key but never asked, or asked but not in the key.
    case.write("m.jsonl", &jsonl((2..40).chain([100]), 6));
    let line = "--questions key.json --drop-ids 0,1,100,200 --output json --logits m.jsonl";
    let result = json(&scored(case.path(), line.split(' ')));
    let file = &result["files"][0];
    let n = file["n_calibration"].as_u64().unwrap() + file["n_test"].as_u64().unwrap();
    assert_eq!(n, 38);
}

#[test]
fn rows_that_are_left_out_unasked_are_told() {
    let case = Case::new();
    case.write("m.jsonl", &jsonl(0..40, 6));
    let line = "--questions key.json --logits m.jsonl";
    let output = score(case.path(), line.split(' '));
    let stderr = String::from_utf8(output.stderr).unwrap();
    says(
        &stderr,
        &[
            "note: rows with the ids 1, 3, 5, 7, 9 are left out",
            "--drop-ids none",
        ],
    );
    let output = score(case.path(), key_args("--logits m.jsonl"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("left out"), "{stderr}");
}

#[test]
fn too_few_rows_give_full_sets_and_say_so() {
    let case = Case::new();
    case.write("key.json", &key(0..8, |id| ["A", "B", "C", "D"][id % 4]));
    case.write("m.jsonl", &jsonl(0..8, 6));
    let args = key_args("--protocol paper --output json --logits m.jsonl");
    let output = score(case.path(), args);
    assert!(output.status.success());
    let result = json(std::str::from_utf8(&output.stdout).unwrap());
    for score in ["lac", "aps"] {
        let set = &result["files"][0][score];
        assert!(set["qhat"].is_null());
        assert_eq!(
            (&set["set_size"], &set["coverage"]),
            (&6.0.into(), &1.0.into())
        );
    }
    says(
        std::str::from_utf8(&output.stderr).unwrap(),
        &[
            "m.jsonl",
            "the calibration set has 4 questions, too few",
            "alpha 0.1",
            "takes 9",
        ],
    );

    case.write("key.json", &key(0..1, |_| "A"));
    case.write("m.jsonl", &jsonl(0..1, 6));
    let args = key_args("--protocol paper --logits m.jsonl");
    says(
        &refused(case.path(), args),
        &[
            "m.jsonl: 1 question leaves the calibration set empty",
            "hint: ",
        ],
    );
}

#[test]
fn a_file_given_twice_counts_twice_and_is_noted() {
    let case = Case::new();
    case.write("m.jsonl", &jsonl(0..40, 6));
    let output = score(
        case.path(),
        key_args("--logits m.jsonl ./m.jsonl m.jsonl --output json"),
    );
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("note: ./m.jsonl and 1 other: given before"),
        "{stderr}"
    );
    let figures = json(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(figures["files"].as_array().unwrap().len(), 3);
}

#[test]
fn files_keep_the_order_in_which_they_are_given() {
    let case = Case::new();
    let names: Vec<_> = (0..40)
        .rev()
        .map(|at| format!("m{at}_d_base.jsonl"))
        .collect();
    for name in &names {
        case.write(name, &jsonl(0..40, 6));
    }
    let line = format!("--output csv --logits {}", names.join(" "));
    let csv = scored(case.path(), key_args(&line));
    let given: Vec<_> = csv
        .lines()
        .skip(1)
        .map(|l| l.split(',').next().unwrap())
        .collect();
    assert_eq!(given, names);
}
