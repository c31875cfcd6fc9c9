//! `sureness import` of many files, and the way from a table through an analysis back to a table.

use std::path::Path;

use serde_json::json;
use sureness_testkit::says;

use crate::command::{self, done};

/// Runs an import that must be refused without writing anything; returns stderr.
#[track_caller]
fn refused(folder: &Path, line: &str) -> String {
    let stderr = command::refused(folder, line);
    assert!(!folder.join("results").exists(), "written: {stderr}");
    stderr
}

/// Samples of questions with texts as options, or of questions to be answered freely.
fn write_samples(folder: &Path, task: &str, generates: bool) {
    let line = |id: usize| {
        let scores = if generates {
            json!(["yes"])
        } else {
            json!([["-1.5", "False"], ["-2.5", "False"]])
        };
        json!({"doc_id": id, "doc": {"question": format!("{task} {id}?"), "choices": ["no", "yes"]},
            "target": "0", "acc": 1.0, "filtered_resps": scores,
            "arguments": {"gen_args_0": {"arg_0": "Q", "arg_1": " no"},
                          "gen_args_1": {"arg_0": "Q", "arg_1": " yes"}}})
    };
    let lines: Vec<String> = (0..4).map(|id| line(id).to_string()).collect();
    std::fs::write(
        folder.join(format!("samples_{task}_x.jsonl")),
        lines.join("\n"),
    )
    .unwrap();
}

#[test]
fn notes_that_say_the_same_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for task in 0..6 {
        write_samples(folder, &format!("task{task}"), task > 3);
    }
    let (stdout, stderr) = done(folder, "import . --model m");
    says(&stdout, &["task0", "task3"]);
    assert!(!stdout.contains("task4"), "{stdout}");
    says(
        &stderr,
        &[
            "note: skipped samples_task4_x.jsonl, samples_task5_x.jsonl: the answer is text",
            "note: m, task0, lm-eval and 3 others: log-likelihoods are of whole continuations",
        ],
    );
    assert_eq!(stderr.matches("note: ").count(), 2, "{stderr}");
}

#[test]
fn names_of_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_samples(folder, "one", false);
    write_samples(folder, "two", false);
    for (flags, said) in [
        ("--drop-ids 9", "error: --drop-ids: no question is called 9"),
        ("--tasks three", "error: --tasks: no task is called three"),
        ("--skip on", "hint: choose among names such as one, two"),
        ("--skip *", "error: nothing is left to import"),
    ] {
        says(
            &refused(folder, &format!("import . --model m {flags}")),
            &[said],
        );
    }
    let line = "import . --model m --tasks one --drop-ids 0,one/1";
    let (stdout, stderr) = done(folder, line);
    assert!(!stdout.contains("two"), "{stdout}");
    says(&stderr, &["left out 2 questions (--drop-ids)"]);
}

/// Two models on the same questions with ids that are texts.
fn two_models(prefix: &str, sign: f64) -> String {
    let header = format!("model,task,strategy,id,answer,{prefix}A,{prefix}B,{prefix}C\n");
    let rows = (0..80).flat_map(|id| {
        ["small", "large"].map(|model| {
            let answer = ["A", "B", "C"][id % 3];
            let miss = id % if model == "small" { 2 } else { 5 } == 0;
            let top = (id + usize::from(miss)) % 3;
            let scores = [0, 1, 2].map(|option| {
                let value = if option == top { 0.25 } else { 1.5 };
                (sign * (value + (id * (option + 1)) as f64 / 97.0)).to_string()
            });
            format!("{model},quiz,base,q{id},{answer},{}\n", scores.join(","))
        })
    });
    header + &rows.collect::<String>()
}

#[test]
fn what_an_analysis_writes_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("logits.csv"), two_models("", -1.0)).unwrap();
    done(folder, "import logits.csv --output-dir a");
    done(
        folder,
        "analyze a --output-dir a --formats parquet --modes basic",
    );
    let (stdout, _) = done(folder, "import a/questions.parquet --output-dir b");
    says(&stdout, &["small", "large", "80"]);
    done(
        folder,
        "analyze b --output-dir b --formats parquet --modes basic",
    );
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(bytes("a/questions.parquet"), bytes("b/questions.parquet"));
    let has = |name: &str, column: &[u8]| {
        let bytes = bytes(name);
        bytes.windows(column.len()).any(|part| part == column)
    };
    assert!(has("a/questions.parquet", b"logit_A") && !has("a/questions.parquet", b"logprob_A"));

    // Scores of the exported file are those of the table, whichever names the rows have.
    let figures = |file: &str| {
        let line = format!("score --logits {file} --protocol standard --output json");
        let scored: serde_json::Value = serde_json::from_str(&done(folder, &line).0).unwrap();
        let mut files = scored["files"].as_array().unwrap().clone();
        files.sort_by_key(|file| file["model"].to_string());
        for file in &mut files {
            file.as_object_mut().unwrap().remove("file");
        }
        files
    };
    assert_eq!(figures("a/questions.parquet"), figures("logits.csv"));
    assert_eq!(figures("logits.csv").len(), 2);
}

#[test]
fn logits_and_log_probabilities_keep_columns_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logits = two_models("", -1.0);
    let others = two_models("logprob_", -3.0)
        .replace("small", "third")
        .replace("large", "fourth");
    std::fs::write(folder.join("logits.csv"), logits).unwrap();
    std::fs::write(folder.join("others.csv"), others).unwrap();
    done(folder, "import logits.csv others.csv --output-dir a");
    done(
        folder,
        "analyze a --insist --output-dir a --formats parquet --modes basic",
    );
    let (stdout, _) = done(folder, "import a/questions.parquet --output-dir b");
    for model in ["small", "large", "third", "fourth"] {
        says(&stdout, &[model]);
    }
    done(
        folder,
        "analyze b --insist --output-dir b --formats parquet --modes basic",
    );
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(bytes("a/questions.parquet"), bytes("b/questions.parquet"));
}
