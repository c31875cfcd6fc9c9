//! Errors for inputs that cannot be merged.

use super::{Case, ends_with, refused, script, text};

const RUN: &str = "run --model small --tasks qa --sample-size 12 --prompt-strategies base \
                   --allowed-failures 1";

#[test]
fn a_shard_is_one_of_so_many() {
    let case = Case::new(script());
    for bad in ["0/4", "5/4", "x", "1/0", "1", "1/2/3", "4+1/4"] {
        let output = case.ask(&format!("{RUN} --shard {bad}"), "out");
        ends_with(&output, 2);
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains("--shard") && stderr.contains(bad),
            "{stderr}"
        );
    }
    assert_eq!(case.server.counts().requests, 0);
}

#[test]
fn parts_of_different_runs_are_refused_with_both_names() {
    let case = Case::new(script());
    ends_with(&case.ask(&format!("{RUN} --shard 1/2"), "one"), 0);
    let other = |flags: &str, name: &str| {
        let line = format!("{} --shard 2/2", RUN.replace("--sample-size 12", ""));
        ends_with(&case.ask(&format!("{line} {flags}"), name), 0);
    };
    let small = "--sample-size 12";
    other("--sample-size 14", "questions");
    other(&format!("{small} --protocol paper"), "protocol");
    other(&format!("{small} --chat"), "chat");
    other(&format!("{small} --shots 2"), "shots");
    other(&format!("{small} --no-abstention"), "abstention");
    for (name, what) in [
        ("questions", "--sample-size"),
        ("protocol", "evaluation"),
        ("chat", "--chat"),
        ("shots", "questions or few-shot examples"),
        ("abstention", "abstention"),
    ] {
        refused(
            &case.merge(&format!("out one {name}")),
            2,
            &["one", name, what],
        );
        // Missing parts are not the reason.
        refused(
            &case.merge(&format!("out {name} one --allow-missing")),
            2,
            &[what],
        );
    }
    assert!(!case.path("out").exists());
}

#[test]
fn parts_of_different_models_or_numbers_are_refused() {
    let case = Case::new(script());
    ends_with(&case.ask(&format!("{RUN} --shard 1/2"), "one"), 0);
    let large = RUN.replace("--model small", "--model large");
    ends_with(&case.ask(&format!("{large} --shard 2/2"), "large"), 0);
    refused(
        &case.merge("out one large"),
        2,
        &[
            "one and large are not of the same model",
            "answers of large",
        ],
    );
    // The same model name, asked in another way.
    ends_with(
        &case.ask(&format!("{RUN} --shard 2/2 --top-logprobs 7"), "other"),
        0,
    );
    refused(
        &case.merge("out one other"),
        2,
        &["one and other", "small is not the same"],
    );
    ends_with(&case.ask(&format!("{RUN} --shard 2/3"), "thirds"), 0);
    refused(
        &case.merge("out one thirds"),
        2,
        &["one and thirds", "of 2 shards", "of 3"],
    );

    // A folder that holds the merge of another run.
    ends_with(&case.ask(&format!("{RUN} --shard 2/2"), "two"), 0);
    ends_with(&case.merge("out one two --allowed-failures 1"), 0);
    refused(
        &case.merge("out large --allow-missing"),
        2,
        &["large and out are not of the same model"],
    );
    refused(
        &case.merge("out thirds --allow-missing"),
        2,
        &["thirds", "out"],
    );
}

#[test]
fn what_is_no_shard_is_refused() {
    let case = Case::new(script());
    ends_with(&case.ask(RUN, "whole"), 0);
    refused(
        &case.merge("out whole"),
        2,
        &["whole does not contain a shard of a run"],
    );
    refused(&case.merge("out nowhere"), 2, &["nowhere"]);
    std::fs::create_dir(case.path("empty")).unwrap();
    refused(
        &case.merge("out empty"),
        2,
        &["empty does not contain sureness.sqlite"],
    );
    std::fs::write(case.path("empty/sureness.sqlite"), "no database").unwrap();
    refused(&case.merge("out empty"), 2, &["empty"]);
    std::fs::write(case.path("empty/sureness.sqlite"), "").unwrap();
    refused(
        &case.merge("out empty"),
        2,
        &["none of the inputs contains a run yet"],
    );
    ends_with(&case.ask(&format!("{RUN} --shard 1/1"), "one"), 0);
    refused(
        &case.merge("one one"),
        2,
        &["one is both the output and an input"],
    );
    ends_with(&case.merge("out"), 2);
}
