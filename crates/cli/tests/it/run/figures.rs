//! The output and the files of a run.

use sureness_faultserver::{Fault, Rule, Script};

use super::{Case, SHORT, ends_with, figures, text};

#[test]
fn a_run_shows_a_table_and_writes_its_results() {
    let case = Case::new(Script::healthy());
    let output = case.run(
        "run --tasks qa rc --sample-size 80 --prompt-strategies base task_specific --progress none",
    );
    ends_with(&output, 0);
    insta::assert_snapshot!("table", text(&output.stdout));
    // Nothing but the table goes to stdout.
    assert!(text(&output.stderr).contains("results.json"));
    assert_eq!(case.questions().len(), 320);

    let csv = std::fs::read_to_string(case.results().join("results.csv")).unwrap();
    insta::assert_snapshot!("results_csv", csv);
    insta::assert_json_snapshot!("results_json", figures(&case));
}

#[test]
fn threads_batches_and_lists_change_nothing() {
    let plain = Case::new(Script::healthy());
    ends_with(&plain.run(&format!("run {SHORT}")), 0);
    for flags in [
        "--use-threads",
        "--use-threads --max-workers 1 --batch-size 1",
        "--batch-size 7 --max-workers 16",
        "--batch-size 7 --list-prompts",
    ] {
        let other = Case::new(Script::healthy());
        ends_with(&other.run(&format!("run {SHORT} {flags}")), 0);
        assert_eq!(without_model(&other), without_model(&plain), "{flags}");
    }
}

/// The figures alone: how a model was asked is part of its identity.
fn without_model(case: &Case) -> Vec<serde_json::Value> {
    let figures = figures(case);
    let models = figures.as_array().unwrap();
    models.iter().map(|model| model["groups"].clone()).collect()
}

#[test]
fn a_known_answer_is_not_asked_again_whatever_the_mix_of_tasks() {
    let case = Case::new(Script::healthy());
    ends_with(&case.run(&format!("run {SHORT}")), 0);
    assert_eq!(case.questions().len(), 48);
    case.server.clear_log();
    let other = "run --tasks rc qa ci --sample-size 24 --prompt-strategies base --batch-size 3 \
                 --recheck 0 --progress none";
    ends_with(&case.run(other), 0);
    assert_eq!(case.questions().len(), 24);
}

#[test]
fn models_are_put_side_by_side() {
    let mut script = Script::healthy();
    script.server.check_model = false;
    let case = Case::new(script);
    let output = case.run(&format!("compare --models small large {SHORT}"));
    ends_with(&output, 0);
    insta::assert_snapshot!("comparison", text(&output.stdout));
}

#[test]
fn the_flags_may_stand_in_front() {
    let case = Case::new(Script::healthy());
    let output = case.run(&format!(
        "--max-workers 2 {SHORT} single --model fault-model"
    ));
    ends_with(&output, 0);
}

#[test]
fn failures_beyond_the_allowed_share_are_told_and_give_another_code() {
    let script = || {
        Script::with(
            Rule::containing(
                "Answer:",
                Fault::Status {
                    status: 400,
                    message: "not this one".to_owned(),
                },
            )
            .limit(3),
        )
    };
    let case = Case::new(script());
    let output = case.run(&format!("run {SHORT}"));
    ends_with(&output, 1);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("3 of 48"), "{stderr}");
    assert!(stderr.contains("rejected"), "{stderr}");
    // The others were answered, and the failed ones are asked again.
    ends_with(&case.run(&format!("run {SHORT} --recheck 0")), 0);
    assert_eq!(case.questions().len(), 48 + 3);

    let tolerant = Case::new(script());
    ends_with(
        &tolerant.run(&format!("run {SHORT} --allowed-failures 0.1")),
        0,
    );
}

#[test]
fn the_key_is_kept_nowhere() {
    let mut script = Script::healthy();
    script.server.key = Some("sk-very-secret-0815".to_owned());
    let case = Case::new(script);
    let log = case.folder.path().join("log.jsonl");
    let mut command = case.command(&format!("run {SHORT} --verbose"));
    let output = command
        .env("SURENESS_API_KEY", "sk-very-secret-0815")
        .arg("--log-file")
        .arg(&log)
        .output()
        .unwrap();
    ends_with(&output, 0);
    let mut places = vec![output.stdout, output.stderr, std::fs::read(&log).unwrap()];
    for entry in std::fs::read_dir(case.results()).unwrap() {
        places.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(places.len() > 5, "{}", places.len());
    for place in places {
        assert!(!text(&place).contains("very-secret"));
    }
}
