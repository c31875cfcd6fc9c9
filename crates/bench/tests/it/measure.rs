//! The example that measures a GGUF model.

use std::process::Command;

const QUESTIONS: &str = include_str!("questions.jsonl");

#[test]
fn the_example_measures_a_gguf_model() {
    if cfg!(not(feature = "llama")) {
        return eprintln!("skipped: built without the feature llama");
    }
    let Some(model) = std::env::var_os("SURENESS_TEST_GGUF") else {
        return sureness_testkit::skip("SURENESS_TEST_GGUF does not name a GGUF file");
    };
    // Cargo builds examples next to the folder of test programs.
    let tests = std::env::current_exe().unwrap();
    let example = tests
        .parent()
        .unwrap()
        .with_file_name("examples")
        .join("measure");
    let folder = tempfile::tempdir().unwrap();
    let questions = folder.path().join("questions.jsonl");
    std::fs::write(&questions, QUESTIONS).unwrap();
    let output = Command::new(example)
        .args([model, questions.into(), folder.path().join("out").into()])
        .output()
        .unwrap();
    let text = sureness_testkit::text(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        sureness_testkit::text(&output.stderr)
    );
    // Five of the twelve questions are the few-shot examples.
    sureness_testkit::says(
        &text,
        &["7 of 7 answered", "accuracy 0.", "set size ", "coverage "],
    );
}
