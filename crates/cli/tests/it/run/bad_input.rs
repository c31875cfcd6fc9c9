//! Whatever is wrong is said before the first question, with advice, and nothing is lost.

use std::path::Path;

use sureness_faultserver::Script;

use super::{Case, SHORT, ends_with, text};

/// The run is refused with these words; no question is asked.
#[track_caller]
fn refused(case: &Case, line: &str, words: &[&str]) {
    let output = case.run(line);
    ends_with(&output, 2);
    let stderr = text(&output.stderr);
    for words in words.iter().chain(&["error: ", "hint: "]) {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert!(case.questions().is_empty());
}

fn script(change: impl FnOnce(&mut sureness_faultserver::Healthy)) -> Script {
    let mut script = Script::healthy();
    change(&mut script.server);
    script
}

#[test]
fn a_server_that_is_not_there() {
    let case = Case::new(Script::healthy());
    case.server.pause();
    refused(
        &case,
        &format!("run {SHORT}"),
        &["cannot reach", "--api-base"],
    );
}

#[test]
fn a_wrong_key_or_none() {
    let case = Case::new(script(|s| s.key = Some("right".to_owned())));
    refused(&case, &format!("run {SHORT}"), &["401", "SURENESS_API_KEY"]);
    let wrong = format!("run {SHORT} --api-key wrong-0815");
    refused(&case, &wrong, &["401", "key"]);
    assert!(!text(&case.run(&wrong).stderr).contains("wrong-0815"));
    ends_with(&case.run(&format!("run {SHORT} --api-key right")), 0);
}

#[test]
fn a_wrong_model_is_answered_with_the_right_ones() {
    let case = Case::new(Script::healthy());
    refused(
        &case,
        &format!("run {SHORT} --model gpt-9"),
        &["gpt-9", "fault-model"],
    );
}

#[test]
fn a_server_without_log_probabilities() {
    let case = Case::new(script(|s| s.logprobs = false));
    refused(
        &case,
        &format!("run {SHORT}"),
        &["log-probabilities", "vLLM"],
    );
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let case = Case::new(Script::healthy());
    // Even root cannot make folders there.
    let folder = Path::new("/proc/sureness");
    let mut command = case.asking(&format!("run {SHORT}"), folder);
    let output = command.output().unwrap();
    ends_with(&output, 2);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("/proc/sureness"), "{stderr}");
    assert_eq!(case.server.counts().requests, 0);

    std::fs::write(case.results(), "a file").unwrap();
    refused(&case, &format!("run {SHORT}"), &["results"]);
}

#[test]
fn questions_that_cannot_be_read() {
    let case = Case::new(Script::healthy());
    let path = case.folder.path().join("mine.csv");
    let of = |text: &str| {
        std::fs::write(&path, text).unwrap();
        format!(
            "run --tasks mine --data mine={} --progress none",
            path.display()
        )
    };
    let no_column = of("question,A,B\nWhich?,a,b\n");
    refused(&case, &no_column, &["mine.csv", "answer"]);
    let wrong_letter = of("question,A,B,answer\nWhich?,a,b,C\n");
    refused(&case, &wrong_letter, &["mine.csv", "line 2", "answer", "C"]);
    assert_eq!(case.server.counts().requests, 0);
}

#[test]
fn prompts_longer_than_the_context() {
    let case = Case::new(script(|s| s.context_words = Some(60)));
    let output = case.run(&format!("run {SHORT}"));
    ends_with(&output, 1);
    let stderr = text(&output.stderr);
    for words in ["context", "--shots"] {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }
}

#[test]
fn a_wrong_use_of_the_commands() {
    let case = Case::new(Script::healthy());
    refused(
        &case,
        &format!("compare --models one {SHORT}"),
        &["at least two"],
    );
    refused(&case, &format!("single --models a b {SHORT}"), &["compare"]);
    let unknown = "run --tasks nonsense --progress none";
    refused(&case, unknown, &["nonsense", "qa"]);
}
