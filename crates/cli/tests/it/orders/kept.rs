//! Answers that are there are not asked for again, and parts are the whole.

use std::collections::HashMap;

use sureness_testkit::{Process, figures_in, text, wait_for};

use super::*;

const COUNT: u64 = 120;

/// How often the server was asked each prompt.
fn repeats(case: &Case) -> HashMap<String, usize> {
    let mut repeats = HashMap::new();
    for prompt in case.questions() {
        *repeats.entry(prompt).or_default() += 1;
    }
    repeats
}

fn figures(case: &Case, folder: &str) -> String {
    let found = figures_in(&case.path(folder), &["provenance", "timing"]);
    serde_json::to_string_pretty(&found).unwrap()
}

#[test]
fn a_run_in_four_orders_asks_three_after_one_without() {
    let case = case(script(COUNT), COUNT);
    ends_with(&case.run(&format!("run {OWN}")), 0);
    let before = results_in(&case.results());
    assert_eq!(case.questions().len() as u64, COUNT);
    case.server.clear_log();
    let line = format!("run {OWN} --recheck 0");
    ends_with(&case.run(&format!("{line} --orders 3")), 0);
    assert_eq!(case.questions().len() as u64, 2 * COUNT);
    case.server.clear_log();
    ends_with(&case.run(&format!("{line} --orders 4")), 0);
    assert_eq!(case.questions().len() as u64, COUNT);
    let results = results_in(&case.results());
    assert_eq!(results["models"][0]["timing"]["cached"], 3 * COUNT);
    // Order 1 is the question as it is.
    assert_eq!(
        results["models"][0]["groups"][0],
        before["models"][0]["groups"][0]
    );
    case.server.clear_log();
    let dry = case.run(&format!("{line} --orders 4 --dry-run"));
    ends_with(&dry, 0);
    assert!(case.questions().is_empty());
    ends_with(&case.run(&format!("{line} --orders 1")), 0);
    assert!(case.questions().is_empty());
    assert!(!figures(&case, "results").contains("\"orders\""));
}

#[test]
fn a_killed_run_goes_on_and_asks_nothing_twice() {
    let case = case(slow(COUNT), COUNT);
    let line = format!("run {OWN} --orders 4 --max-workers 2 --batch-size 1");
    for answered in [70, 150, 300] {
        let enough = case.server.counts().prompts_answered + answered / 2;
        let process = Process::spawn(&mut case.command(&line));
        wait_for(
            || format!("{:?}", case.server.counts()),
            || case.server.counts().prompts_answered >= enough,
        );
        process.kill();
    }
    case.server.wait_until_idle(sureness_testkit::PATIENCE);
    let listed = case.sureness("runs results --output json").output();
    let listed: Value = serde_json::from_slice(&listed.unwrap().stdout).unwrap();
    let kept = listed[0]["answered"].as_u64().unwrap();
    assert!(kept > 100, "{listed}");
    case.server.clear_log();
    ends_with(&case.run(&line), 0);
    // What the store has is not asked again, and each prompt of the rest once.
    let repeats = repeats(&case);
    assert_eq!(repeats.len() as u64, 4 * COUNT - kept);
    assert!(repeats.values().all(|count| *count == 1), "{repeats:?}");
    let whole = super::case(script(COUNT), COUNT);
    ends_with(&whole.run(&format!("run {OWN} --orders 4")), 0);
    assert_eq!(figures(&case, "results"), figures(&whole, "results"));
}

#[test]
fn shards_become_the_whole_run_byte_for_byte() {
    for orders in ["--orders 4", "--orders auto"] {
        let case = case(script(COUNT), COUNT);
        let line = format!("run {OWN} {orders}");
        ends_with(&case.asking(&line, "whole").output().unwrap(), 0);
        for shard in 1..=3 {
            let part = format!("{line} --shard {shard}/3");
            let output = case.asking(&part, format!("shards/{shard}")).output();
            ends_with(&output.unwrap(), 0);
        }
        ends_with(&case.sureness("merge merged shards").output().unwrap(), 0);
        assert_eq!(
            figures(&case, "merged"),
            figures(&case, "whole"),
            "{orders}"
        );
        let csv = |folder: &str| std::fs::read(case.path(folder).join("results.csv")).unwrap();
        assert_eq!(csv("merged"), csv("whole"), "{orders}");
        assert_eq!(
            tables(&case, "merged", "")["order-letters"],
            tables(&case, "whole", "")["order-letters"]
        );
    }
}

#[test]
fn options_that_refer_to_each_other_are_asked_once_and_counted() {
    let case = case(script(COUNT), COUNT);
    let mut lines = std::fs::read_to_string(case.path("own.jsonl")).unwrap();
    for number in [20, 40, 60] {
        lines = lines.replace(&format!("\"entry {number}-3\""), "\"Both A and B\"");
    }
    std::fs::write(case.path("own.jsonl"), lines).unwrap();
    let line = format!("run {OWN} --orders 4").replace("none", "plain");
    let output = case.run(&line);
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("in 3 of 120 questions, options refer to each other"),
        "{stderr}"
    );
    assert_eq!(case.questions().len() as u64, 4 * COUNT - 9);
    let results = results_in(&case.results());
    let groups = results["models"][0]["groups"].as_array().unwrap();
    // Every order has all questions, and so have all together.
    assert!(groups.iter().all(|group| group["answered"] == COUNT));
    let tables = tables(&case, "results", "");
    close(value(&tables["order-changes"][0]["fixed"]), 3.0);
    close(value(&tables["order-changes"][0]["n"]), (COUNT - 3) as f64);
}

#[test]
fn single_orders_are_analysed_where_they_are_named() {
    let case = case(script(COUNT), COUNT);
    ends_with(&case.run(&format!("run {OWN} --orders 4")), 0);
    let analyze = |flags: &str| {
        let line = format!("analyze results --modes basic {flags}");
        let output = case.sureness(&line).output().unwrap();
        ends_with(&output, 0);
        text(&output.stdout)
    };
    let all = analyze("");
    assert!(
        all.contains("base/averaged") && !all.contains("base/2"),
        "{all}"
    );
    let two = analyze("--prompt-strategies base base/3");
    assert!(
        two.contains("base/3") && !two.contains("base/averaged"),
        "{two}"
    );
    let number = numbers(&case)[0];
    let line = format!("show results {number}");
    let shown = case.sureness(&line).output().unwrap();
    ends_with(&shown, 0);
    let shown = text(&shown.stdout);
    // The second order begins with the second option, and its prompt is the one that was sent.
    let options = format!("A. entry {number}-1\nB. entry {number}-2");
    assert!(shown.contains(&options), "{shown}");
    assert!(!shown.contains("have changed since"), "{shown}");
}
