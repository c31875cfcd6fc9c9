//! Not all parts are there.

use super::{Case, ends_with, refused, results_in, script, shard, slow, text};

const RUN: &str = "run --model small --tasks qa --sample-size 60 --prompt-strategies base \
                   --allowed-failures 0.2 --max-workers 2";

#[test]
fn missing_shards_are_named_and_nothing_is_written() {
    let case = Case::new(script());
    for index in [1, 3, 4] {
        let output = case.ask(&format!("{RUN} --shard {index}/6"), &shard(index));
        ends_with(&output, 0);
    }
    let output = case.merge("merged shards");
    refused(
        &output,
        1,
        &["small: 3 of 6 shards are missing: 2, 5, 6", "--shard 2/6"],
    );
    assert!(!case.path("merged").exists());

    let output = case.merge("merged shards --allow-missing --allowed-failures 0.2");
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("these are missing: 2, 5, 6"), "{stderr}");
    let model = &results_in(&case.path("merged"))["models"][0];
    assert_eq!(model["complete"], false);
    assert!(
        model["groups"][0]["note"]
            .as_str()
            .unwrap()
            .contains("of the run's 60 questions")
    );
}

#[test]
fn questions_that_a_shard_did_not_get_to_are_reported() {
    let case = Case::new(slow());
    ends_with(&case.ask(&format!("{RUN} --shard 1/2"), &shard(1)), 0);
    case.kill_in_the_middle(&format!("{RUN} --shard 2/2"), &shard(2), 10);
    refused(
        &case.merge("merged shards/1 shards/2"),
        1,
        &["1 of 2 shards are missing: 2 (shards/2 is unfinished)"],
    );
    let output = case.merge("merged shards --allow-missing --allowed-failures 0.2");
    ends_with(&output, 0);
    let model = &results_in(&case.path("merged"))["models"][0];
    let group = &model["groups"][0];
    let count = |value: &serde_json::Value| value.as_u64().unwrap();
    let unasked = count(&group["failures"]["not_asked"]["count"]);
    assert!(unasked > 0);
    assert_eq!(count(&group["planned"]), 60);
    assert_eq!(model["complete"], false);
    // The answers before the kill are merged.
    assert!(count(&group["answered"]) + unasked <= 60);
}

#[test]
fn failures_of_one_input_give_way_to_answers_of_another() {
    let case = Case::new(script());
    ends_with(&case.ask(RUN, "whole"), 0);
    // The server refuses more in the beginning.
    let broken = super::Rule::containing(
        "Answer:",
        super::Fault::Status {
            status: 400,
            message: "not now".to_owned(),
        },
    );
    case.server.set_script({
        let mut script = super::Script::with(broken);
        script.server.check_model = false;
        script
    });
    let tolerant = RUN.replace("--allowed-failures 0.2", "--allowed-failures 1");
    ends_with(&case.ask(&format!("{tolerant} --shard 1/2"), "first/1"), 0);
    case.server.set_script(script());
    for index in 1..=2 {
        ends_with(
            &case.ask(&format!("{RUN} --shard {index}/2"), &shard(index)),
            0,
        );
    }
    ends_with(
        &case.merge("merged first --allow-missing --allowed-failures 1"),
        0,
    );
    ends_with(&case.merge("merged first shards --allowed-failures 0.2"), 0);
    let groups = |name: &str| results_in(&case.path(name))["models"][0]["groups"].clone();
    let answered = |name: &str| groups(name)[0]["answered"].clone();
    assert_eq!(answered("merged"), answered("whole"));
}
