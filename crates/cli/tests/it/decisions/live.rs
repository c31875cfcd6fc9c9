//! Models that are asked until it is settled which is better.
#![cfg(unix)]

use std::process::Stdio;

use sureness_faultserver::{Healthy, Script};
use sureness_testkit::{Case, Process, results_in, says, text, wait_for};

/// Questions of the data set.
pub(super) const QUESTIONS: usize = 600;
/// Two names for one model, which are equal in every figure.
const LINE: &str = "compare --any-model --models one two --data own=own.jsonl --prompt-strategies base --shots 0 \
                    --progress none --until settled --margin acc=20pp,size=1 --seed 3";

/// A server that answers to any model's name.
pub(super) fn any_model() -> Script {
    Script {
        server: Healthy {
            check_model: false,
            ..Healthy::default()
        },
        ..Script::default()
    }
}

pub(super) fn case(script: Script) -> Case {
    let case = Case::new(script);
    let row = |id: usize| {
        let options = ["w", "x", "y", "z"].map(|o| format!("entry {id}{o}"));
        let answer = ["A", "B", "C", "D"][id % 4];
        let question = format!("Which item has the number {id}?");
        serde_json::json!({"id": id, "question": question, "options": options, "answer": answer})
            .to_string()
    };
    let rows: Vec<String> = (0..QUESTIONS).map(row).collect();
    std::fs::write(case.path("own.jsonl"), rows.join("\n")).unwrap();
    case
}

pub(super) fn asked(case: &Case) -> usize {
    let questions = case.questions();
    questions
        .iter()
        .filter(|it| it.contains("Which item"))
        .count()
}

#[test]
fn equal_models_are_asked_until_that_is_settled_and_no_further() {
    let case = case(any_model());
    let output = case.run(LINE);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(
        &text(&output.stdout),
        &[
            "WARNING: the run stops as soon as a comparison is settled",
            "every comparison is settled",
            "equal within the margin",
        ],
    );
    let results = results_in(&case.results());
    let settled = &results["settled"];
    assert_eq!(settled["stopped"], "settled");
    let took = settled["asked"]["one"].as_u64().unwrap();
    assert_eq!(settled["asked"]["two"], took);
    assert!(took < QUESTIONS as u64 / 2, "{settled}");
    for pair in settled["pairs"].as_array().unwrap() {
        assert_eq!(pair["verdict"], "equal", "{pair}");
        // Five of the questions are kept as few-shot examples.
        assert_eq!(
            pair["of"].as_u64().unwrap() as usize,
            QUESTIONS - 5,
            "{pair}"
        );
        let [low, high] = [0, 1].map(|end| pair["interval"][end].as_f64().unwrap());
        assert!(low <= 0.0 && 0.0 <= high, "{pair}");
    }
    // The probes and the noise floor aside, one request for each question that it took.
    assert!(
        asked(&case) as u64 <= 2 * took + 10,
        "{} for {took}",
        asked(&case)
    );
    let groups = &results["models"][0]["groups"][0];
    assert_eq!(
        (&groups["planned"], &groups["answered"]),
        (&took.into(), &took.into())
    );
    assert_eq!(results["settings"]["until"]["metrics"]["acc"], 0.2);

    // The same command asks nothing again, and comes to the same.
    let before = asked(&case);
    let again = case.run(&format!("{LINE} --recheck 0"));
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(
        asked(&case) <= before + 10,
        "{} after {before}",
        asked(&case)
    );
    assert_eq!(results_in(&case.results())["settled"], *settled);

    // An analysis says what its figures rest on.
    let analysed = case.sureness("analyze results").output().unwrap();
    assert!(analysed.status.success(), "{}", text(&analysed.stderr));
    says(&text(&analysed.stderr), &["stopped early (--until)"]);
    // The answers that are there, played, come to the same verdicts.
    let played = case
        .sureness("compare --logits results --until settled --margin acc=20pp,size=1 --seed 3 --output json")
        .output()
        .unwrap();
    assert!(played.status.success(), "{}", text(&played.stderr));
    let played = super::json(&text(&played.stdout));
    assert!(
        played["pairs"]
            .as_array()
            .unwrap()
            .iter()
            .all(|pair| pair["verdict"] != "a")
    );
}

#[test]
fn a_kill_on_the_way_changes_no_verdict_and_asks_nothing_twice() {
    let mut script = any_model();
    script.capacity.base_ms = 10;
    let case = case(script);
    let whole = case.asking(LINE, "whole").output().unwrap();
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    let whole = results_in(&case.path("whole"))["settled"].clone();
    let before = asked(&case);
    let line = format!("{LINE} --max-workers 4 --recheck 0");
    let mut command = case.asking(&line, "killed");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let run = Process::spawn(&mut command);
    wait_for(|| "answers".to_owned(), || asked(&case) > before + 60);
    run.kill();
    let resumed = case.asking(&line, "killed").output().unwrap();
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert_eq!(results_in(&case.path("killed"))["settled"], whole);
    let took = whole["asked"]["one"].as_u64().unwrap() as usize;
    // Beyond one request each, those in flight or not yet written at the kill, and the probes.
    let requests = asked(&case) - before;
    assert!(
        (2 * took..=2 * took + 48).contains(&requests),
        "{requests} for {took}"
    );
}

#[test]
fn bad_input_is_refused_before_anything_is_asked() {
    let case = case(any_model());
    let own = "--data own=own.jsonl --progress none --until settled";
    for (line, parts) in [
        (
            format!("compare --models one two {own} --shard 1/2"),
            &["--shard", "hint: "][..],
        ),
        (
            format!("single --model one --any-model {own}"),
            &[
                "--until settled compares models, and there is one",
                "hint: ",
            ],
        ),
        (
            format!("compare --models one {own}"),
            &["at least two models"],
        ),
        (
            format!("compare --models one two {own} --margin acc=1"),
            &["acc=1pp"],
        ),
        (
            format!("compare --models one two {own} --metric coverage"),
            &["cannot settle coverage"],
        ),
    ] {
        let output = case.run(&line);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{line}: {}",
            text(&output.stderr)
        );
        says(&text(&output.stderr), parts);
        assert_eq!(asked(&case), 0, "{line}");
    }
}
