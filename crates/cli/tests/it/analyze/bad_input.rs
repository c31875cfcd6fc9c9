//! Errors for input that cannot be analysed.

use std::fmt::Write as _;

use super::*;

fn says(stderr: &str, parts: &[&str]) {
    sureness_testkit::says(stderr, parts);
    sureness_testkit::says(stderr, &["hint: "]);
}

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::write(folder.join(name), content).unwrap();
}

/// A questions file with these answers and a file of logits for them.
pub(super) fn small(folder: &Path, name: &str, answers: &str, logits: impl Fn(usize) -> [f64; 6]) {
    let questions: Vec<Value> = answers
        .chars()
        .enumerate()
        .map(|(id, answer)| serde_json::json!({ "id": id + 100, "answer": answer.to_string() }))
        .collect();
    write(
        folder,
        "questions.json",
        &serde_json::to_string(&questions).unwrap(),
    );
    let lines: Vec<String> = (0..answers.len())
        .map(|id| serde_json::json!({ "id": id + 100, "logits": logits(id) }).to_string())
        .collect();
    write(folder, name, &lines.join("\n"));
}

pub(super) fn logits_of(id: usize) -> [f64; 6] {
    std::array::from_fn(|option| ((id * 7 + option * 13) % 11) as f64 / 3.0)
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    says(
        &refused(folder.path(), ["analyze", "nothing"]),
        &["nothing does not exist"],
    );
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    says(
        &refused(folder.path(), ["analyze", "empty"]),
        &["empty does not contain a run", "--output-dir"],
    );
    write(
        folder.path(),
        "notes.sqlite",
        "not a database, but long enough to be taken for one",
    );
    let stderr = refused(folder.path(), ["analyze", "notes.sqlite"]);
    says(&stderr, &["notes.sqlite"]);
}

#[test]
fn logits_need_their_questions() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path(), "m_qa_base_icl1.jsonl", "ABCDAB", logits_of);
    let stderr = refused(folder.path(), ["analyze", "m_qa_base_icl1.jsonl"]);
    says(&stderr, &["m_qa_base_icl1.jsonl", "--questions"]);
    let twice = [
        "analyze",
        "m_qa_base_icl1.jsonl",
        "m_qa_base_icl1.jsonl",
        "--questions",
        "questions.json",
    ];
    says(
        &refused(folder.path(), twice),
        &["already has answers to qa in base"],
    );
    let other = [
        "analyze",
        "m_qa_base_icl1.jsonl",
        "--questions",
        "questions.json",
        "--models",
        "gpt",
    ];
    says(
        &refused(folder.path(), other),
        &["no model name contains \"gpt\"", "choose among m"],
    );
}

#[test]
fn one_question_is_too_few() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path(), "m_qa_base_icl1.jsonl", "A", logits_of);
    let stderr = refused(
        folder.path(),
        [
            "analyze",
            "m_qa_base_icl1.jsonl",
            "--questions",
            "questions.json",
        ],
    );
    says(&stderr, &["nothing can be evaluated", "set empty"]);
}

#[test]
fn nan_and_missing_labels_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path(), "m_qa_base_icl1.jsonl", "ABCDAB", logits_of);
    write(
        folder.path(),
        "n_qa_base_icl1.csv",
        "id,A,B,C,D,E,F\n100,1,2,3,nan,5,6\n",
    );
    let args = [
        "analyze",
        "n_qa_base_icl1.csv",
        "--questions",
        "questions.json",
    ];
    says(&refused(folder.path(), args), &["n_qa_base_icl1.csv"]);
    write(folder.path(), "few.json", r#"[{"id": 100, "answer": "A"}]"#);
    let args = ["analyze", "m_qa_base_icl1.jsonl", "--questions", "few.json"];
    says(&refused(folder.path(), args), &["not in few.json"]);
    write(
        folder.path(),
        "twice.jsonl",
        "{\"id\": 100, \"logits\": [1, 2]}\n{\"id\": 100, \"logits\": [1, 2]}\n",
    );
    let args = ["analyze", "twice.jsonl", "--questions", "questions.json"];
    says(&refused(folder.path(), args), &["100"]);
}

#[test]
fn levels_beyond_the_draws_and_formats_without_a_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path(), "m_qa_base_icl1.jsonl", "ABCDAB", logits_of);
    let refused = |line: &str| {
        let line = format!("analyze m_qa_base_icl1.jsonl --questions questions.json {line}");
        super::refused(folder.path(), line.split(' ').collect::<Vec<_>>())
    };
    says(
        &refused("--level 0.999"),
        &["takes 4,000 replicates", "add --replicates 4000"],
    );
    says(&refused("--level 0.9999999"), &["lower the --level"]);
    let stderr = refused("--formats csv");
    sureness_testkit::says(&stderr, &["--output-dir"]);
}

/// All answers equal, all probabilities tied, a class without calibration rows: defined results.
#[test]
fn degenerate_runs_have_defined_results() {
    let folder = tempfile::tempdir().unwrap();
    small(
        folder.path(),
        "same_qa_base_icl1.jsonl",
        &"A".repeat(60),
        |_| [0.0; 6],
    );
    let (stdout, _) = succeeds(
        folder.path(),
        [
            "analyze",
            "same_qa_base_icl1.jsonl",
            "--questions",
            "questions.json",
            "--modes",
            "all",
        ],
    );
    assert!(stdout.contains("same"), "{stdout}");
    assert!(
        !stdout.contains("NaN") && !stdout.contains("inf "),
        "{stdout}"
    );
}

#[test]
fn models_of_different_questions_share_none() {
    let folder = tempfile::tempdir().unwrap();
    small(
        folder.path(),
        "a_qa_base_icl1.jsonl",
        &"ABCD".repeat(20),
        logits_of,
    );
    small(
        folder.path(),
        "b_rc_base_icl1.jsonl",
        &"ABCD".repeat(20),
        logits_of,
    );
    let (stdout, _) = succeeds(
        folder.path(),
        [
            "analyze",
            "a_qa_base_icl1.jsonl",
            "b_rc_base_icl1.jsonl",
            "--questions",
            "questions.json",
            "--modes",
            "comparative",
        ],
    );
    assert!(
        stdout.contains("no answered question in common"),
        "{stdout}"
    );
}

#[test]
fn files_are_chosen_by_task_and_strategy_like_runs() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a_qa_base_icl1.jsonl", "a_qa_task_icl1.jsonl"] {
        small(folder.path(), name, &"ABCD".repeat(20), logits_of);
    }
    let with = |flags: &[&'static str]| {
        let args = ["analyze", "a_qa_base_icl1.jsonl", "a_qa_task_icl1.jsonl"];
        let rest = ["--questions", "questions.json", "--modes", "basic"];
        [&args[..], &rest, flags].concat()
    };
    let (all, _) = succeeds(folder.path(), with(&[]));
    assert!(all.contains("task_specific"), "{all}");
    let (base, _) = succeeds(folder.path(), with(&["--prompt-strategies", "base"]));
    assert!(!base.contains("task_specific"), "{base}");
    let stderr = refused(folder.path(), with(&["--tasks", "rc"]));
    says(&stderr, &["nothing is left to analyse"]);
}

/// Holm's correction over 120 pairs leaves models apart that are far apart.
#[test]
fn many_models_that_differ_have_ranks_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let answers = "ABCD".repeat(100);
    let mut args = vec!["analyze".to_owned()];
    for model in 0..16_usize {
        // The models are right on the first 20, 40, … of each 400 questions, scattered.
        let name = format!("m{model:02}_qa_base_icl1.jsonl");
        small(folder.path(), &name, &answers, |id| {
            let right = (id * 37) % 400 < 20 * (model + 1);
            let top = if right { id % 4 } else { (id + 1) % 4 };
            std::array::from_fn(|option| if option == top { 3.0 } else { 0.0 })
        });
        args.push(name);
    }
    args.extend(["--questions", "questions.json", "--modes", "comparative"].map(str::to_owned));
    args.extend(["--output-dir", "out", "--formats", "json"].map(str::to_owned));
    args.extend(["--splits", "2", "--replicates", "100"].map(str::to_owned));
    succeeds(folder.path(), &args);
    let text = std::fs::read_to_string(folder.path().join("out/report.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let board = table(&document, "leaderboard");
    let rows = board["rows"].as_array().unwrap();
    assert_eq!(rows[0][1]["text"], "m15");
    let first_and_last = [0, 15].map(|row| rows[row][0]["text"].as_str().unwrap());
    // The calibration half sets each threshold, and its luck is in every difference: neighbours are not
    // told apart, but the ends are.
    assert_eq!(first_and_last, ["1–5", "16"]);
}

#[test]
fn an_output_folder_that_cannot_be_written_to_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    small(
        folder.path(),
        "m_qa_base_icl1.jsonl",
        &"ABCD".repeat(20),
        logits_of,
    );
    write(folder.path(), "taken", "a file");
    let args = [
        "analyze",
        "m_qa_base_icl1.jsonl",
        "--questions",
        "questions.json",
        "--output-dir",
        "taken",
    ];
    says(&refused(folder.path(), args), &["cannot write to taken"]);
}

#[test]
fn right_answers_are_no_abstentions() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut table, mut scores, mut key) = (String::new(), String::new(), Vec::new());
    for id in 1000..1120 {
        let letter = char::from(b"ABCDEF"[id % 6]);
        let mut logits = ["0"; 6];
        logits[id % 6] = "3";
        let logits = logits.join(",");
        let _ = writeln!(table, "{id},{letter},{logits}");
        let _ = writeln!(scores, "{id},{logits}");
        key.push(serde_json::json!({"id": id, "answer": letter.to_string()}));
    }
    write(
        folder,
        "own.csv",
        &format!("id,answer,A,B,C,D,E,F\n{table}"),
    );
    write(folder, "saved.csv", &format!("id,A,B,C,D,E,F\n{scores}"));
    write(folder, "key.json", &serde_json::to_string(&key).unwrap());
    for line in [
        "score --logits own.csv --output json",
        "score --logits saved.csv --questions key.json --output json",
    ] {
        let (stdout, _) = succeeds(folder, line.split(' '));
        let figures: Value = serde_json::from_str(&stdout).unwrap();
        let group = &figures["files"][0];
        assert_eq!(
            (&group["e_rate"], &group["f_rate"]),
            (&0.0.into(), &0.0.into()),
            "{stdout}"
        );
    }
}

#[test]
fn a_run_counts_once_and_missing_categories_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut table = "id,answer,category,A,B,C\n".to_owned();
    for id in 0..120 {
        let category = ["law", "art", ""][id % 3];
        let _ = writeln!(table, "{id},A,{category},{},0,1", id % 7);
    }
    write(folder, "saved.csv", &table);
    succeeds(
        folder,
        ["import", "saved.csv", "--task", "qa", "--output-dir", "r"],
    );
    for again in ["r", "other=r", "./r"] {
        let message = refused(folder, ["gate", "r", again]);
        says(&message, &[&format!("{again} is named twice")]);
    }
    let (_, stderr) = succeeds(
        folder,
        ["analyze", "r", "--modes", "basic", "--cluster", "category"],
    );
    sureness_testkit::says(&stderr, &["40 of 120 questions of qa have no category"]);
    let (text, _) = succeeds(folder, ["analyze", "r", "--modes", "subjects"]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    sureness_testkit::says(&text, &["test questions without a category are left out"]);
}
