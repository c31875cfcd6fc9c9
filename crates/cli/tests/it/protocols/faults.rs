//! What becomes of answers that are refused, cut, empty, filtered or broken.

use serde_json::Value;
use sureness_faultserver::{Fault, Point, Rule, Unsaid};
use sureness_testkit::{Case, ends_with, results_in, says, text};

use super::{PRICES, costs, count, is_broken, now_and_then, played, playing, requests};
use crate::sampled::{OWN, case};

/// Questions of a case, and answers to each.
const QUESTIONS: u64 = 20;
const SAMPLES: u64 = 6;

/// How an answer counts.
#[derive(Clone, Copy, PartialEq)]
enum Counts {
    Refused,
    Cut,
    Unreadable,
}

use Counts::{Cut, Refused, Unreadable};

/// Each outcome with how it counts in completions, chat, Responses and Messages.
const TABLE: [(Unsaid, [Counts; 4]); 6] = [
    (Unsaid::Refusal, [Refused; 4]),
    (Unsaid::Cut, [Cut; 4]),
    (Unsaid::Empty, [Unreadable; 4]),
    (Unsaid::Filtered, [Refused; 4]),
    (Unsaid::Thinking, [Cut; 4]),
    // Of a list of no answers, it is the filter that is known for it; of one empty answer, nothing.
    (Unsaid::Withheld, [Refused, Refused, Unreadable, Unreadable]),
];

fn line(api: &str) -> String {
    format!(
        "run --answers sampled --api {api} --samples {SAMPLES} --retry-delay 0.01 --max-retries 20 \
         --allowed-failures 0.5 {PRICES} {OWN}"
    )
}

fn asked(rule: Rule, api: &str) -> (Case, Value) {
    let case = case(playing(rule), QUESTIONS);
    let output = case.run(&line(api));
    assert!(output.status.success(), "{api}: {}", text(&output.stderr));
    let results = results_in(&case.results());
    assert_eq!(count(&results, "answers"), QUESTIONS * SAMPLES, "{api}");
    // By chance, no answer to a question may choose an option.
    let failures = &results["models"][0]["groups"][0]["failures"];
    let mut kinds = failures.as_object().into_iter().flat_map(|all| all.keys());
    assert!(kinds.all(|kind| kind == "none_chosen"), "{failures}");
    (case, results)
}

/// Plays every row of the table in one protocol.
fn goes_through_the_table(api: &str, column: usize) {
    for (how, expected) in TABLE {
        let (case, results) = asked(now_and_then(30, vec![Fault::Unsaid { how }]), api);
        let requests = requests(&case);
        let unsaid = played(&requests, |_| true);
        let what = format!("{api}, {how:?}: {}", crate::sampled::drawn(&results));
        assert!(unsaid > 10, "{what}");
        for (counted, name) in [
            (Refused, "refused"),
            (Cut, "cut"),
            (Unreadable, "unreadable"),
        ] {
            let wanted = if expected[column] == counted {
                unsaid
            } else {
                0
            };
            assert_eq!(count(&results, name), wanted, "{what}: {name}");
        }
        let all = QUESTIONS * SAMPLES;
        assert_eq!(count(&results, "chosen"), all - unsaid, "{what}");
        assert_eq!(requests.len() as u64, all, "{what}: nothing is asked twice");
        costs(&results, &requests, &what);
    }
}

#[test]
fn completions_that_say_nothing_are_outcomes() {
    goes_through_the_table("completions", 0);
}

#[test]
fn chats_that_say_nothing_are_outcomes() {
    goes_through_the_table("chat", 1);
}

#[test]
fn responses_that_say_nothing_are_outcomes() {
    goes_through_the_table("responses", 2);
}

#[test]
fn messages_that_say_nothing_are_outcomes() {
    goes_through_the_table("messages", 3);
}

#[test]
fn a_filter_of_prompts_refuses_in_the_models_place() {
    for api in super::PROTOCOLS {
        let (case, results) = asked(now_and_then(30, vec![Fault::ContentFilter]), api);
        let requests = requests(&case);
        let filtered = played(&requests, |_| true);
        assert!(filtered > 10, "{api}");
        assert_eq!(count(&results, "refused"), filtered, "{api}");
        assert_eq!(requests.len() as u64, QUESTIONS * SAMPLES, "{api}");
        costs(&results, &requests, api);
    }
}

#[test]
fn answers_that_break_off_are_asked_for_again() {
    let in_body = Point::InBody;
    let faults = [
        Fault::Reset { at: in_body },
        Fault::Hangup { at: in_body },
        Fault::TruncatedJson,
        Fault::Unsaid {
            how: Unsaid::Broken,
        },
    ];
    for api in super::PROTOCOLS {
        let (case, results) = asked(now_and_then(20, faults.to_vec()), api);
        let requests = requests(&case);
        let broken = played(&requests, |_| true);
        assert!(broken > 10, "{api}");
        assert_eq!(count(&results, "chosen"), QUESTIONS * SAMPLES, "{api}");
        let all = requests.len() as u64;
        assert_eq!(all, QUESTIONS * SAMPLES + broken, "{api}: each once more");
        // What the server tells of the tokens of a broken answer cannot be kept with any answer.
        let (_, whole): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|entry| entry.fault.as_ref().is_some_and(is_broken));
        costs(&results, &whole, api);
    }
}

#[test]
fn a_question_that_is_always_filtered_fails_with_its_reason() {
    for api in super::PROTOCOLS {
        let rule = Rule::containing("the number 20?", Fault::ContentFilter);
        let case = case(playing(rule), QUESTIONS);
        let output = case.run(&line(api));
        ends_with(&output, 0);
        let results = results_in(&case.results());
        let failures = &results["models"][0]["groups"][0]["failures"]["none_chosen"];
        assert_eq!(failures["count"], 1, "{api}: {results}");
        says(
            failures["example"].as_str().unwrap(),
            &[
                "question 20",
                "none of 6 answers chooses an option (6 refused)",
            ],
        );
        let shown = case.sureness("show results 20").output().unwrap();
        says(&text(&shown.stdout), &["content management policy"]);
    }
}

#[test]
fn letters_that_a_filter_withholds_fail_with_its_reason() {
    for flags in ["", "--chat", "--list-prompts --batch-size 8"] {
        let rule = Rule::containing("the number 20?", Fault::ContentFilter);
        let case = case(playing(rule), QUESTIONS);
        let output = case.run(&format!("run {flags} --allowed-failures 0.2 {OWN}"));
        ends_with(&output, 0);
        let results = results_in(&case.results());
        let failures = &results["models"][0]["groups"][0]["failures"]["filtered"];
        assert_eq!(failures["count"], 1, "{results}");
        says(failures["hint"].as_str().unwrap(), &["the filter"]);
    }
}
