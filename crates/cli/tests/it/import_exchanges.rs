//! `sureness import` of requests and answers in text: batches, vLLM's outputs, promptfoo's results.

use std::path::Path;

use sureness_testkit::says;

use crate::command;

/// Copies of the importers' real files.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../importers/tests/data/exchange");
    for file in files {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// The cells of the line that begins with a model's name.
fn row(stdout: &str, model: &str) -> Vec<String> {
    let row = stdout.lines().find(|line| line.starts_with(model));
    let row = row.unwrap_or_else(|| panic!("{stdout}"));
    row.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_batch_is_imported_once_and_analysed() {
    let folder = folder(&["requests.jsonl", "results.jsonl", "questions.jsonl"]);
    let line = "import requests.jsonl results.jsonl --questions questions.jsonl --task quiz";
    let (stdout, stderr) = command::done(folder.path(), line);
    let cells = row(&stdout, "smollm2");
    assert_eq!(cells[..5], ["smollm2", "quiz", "batch", "8", "7"]);
    says(
        &stderr,
        &[
            "the file states no accuracy to compare with",
            "1 question has no answer, such as note: ",
            "greater than max allowed",
        ],
    );
    let (_, stderr) = command::done(folder.path(), line);
    says(&stderr, &["already imported as run 1"]);
}

#[test]
fn a_folder_with_files_of_each_kind_is_told_apart() {
    let folder = folder(&[
        "completion_requests.jsonl",
        "completion_results.jsonl",
        "offline_chat.jsonl",
        "promptfoo.json",
    ]);
    let questions = self::folder(&["questions.jsonl"]);
    let questions = questions.path().join("questions.jsonl");
    let line = format!("import . --questions {} --task quiz", questions.display());
    let (stdout, stderr) = command::done(folder.path(), &line);
    for kind in ["batch", "vllm", "promptfoo"] {
        assert!(stdout.lines().any(|line| line.contains(kind)), "{stdout}");
    }
    says(
        &stderr,
        &["skipped promptfoo.json: of plain, promptfoo kept"],
    );
}

#[test]
fn what_a_batch_lacks_is_said_with_a_hint() {
    let folder = folder(&["requests.jsonl", "results.jsonl", "questions.jsonl"]);
    for (line, words) in [
        (
            "import results.jsonl --task quiz",
            &[
                "results.jsonl, line 1",
                "the prompt is missing",
                "hint: name the file of requests",
            ][..],
        ),
        (
            "import requests.jsonl results.jsonl --task quiz",
            &[
                "results.jsonl, line 1",
                "no right answers",
                "metadata of each request",
            ],
        ),
        (
            "import requests.jsonl --questions questions.jsonl",
            &[
                "requests of a batch, but not their results",
                "hint: name the file of results",
            ],
        ),
        (
            "import results.jsonl --questions missing.jsonl",
            &["missing.jsonl", "hint: "],
        ),
    ] {
        says(&command::refused(folder.path(), line), words);
    }
    assert!(!folder.path().join("results").exists());
}
