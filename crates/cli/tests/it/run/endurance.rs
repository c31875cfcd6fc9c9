//! Servers that throttle, stall and die; caches and progress.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use sureness_faultserver::{Capacity, Fault, FaultServer, RetryAfter, Rule, Script};

use super::{Case, SHORT, ends_with, figures, text};

fn slow() -> Script {
    Script::healthy().capacity(Capacity {
        base_ms: 20,
        ..Capacity::default()
    })
}

/// Runs `line`, and does `then` when the server has answered 20 questions.
fn meanwhile(case: &Case, line: &str, then: impl FnOnce()) -> std::process::Output {
    let mut command = case.command(line);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while case.server.counts().prompts_answered < 20 {
        assert!(Instant::now() < patience, "nothing happens");
        std::thread::sleep(Duration::from_millis(5));
    }
    then();
    child.wait_with_output().unwrap()
}

#[test]
fn an_outage_pauses_the_run() {
    let case = Case::new(slow());
    let line = format!("run {SHORT} --max-workers 2 --max-retries 1 --retry-delay 0.1");
    let output = meanwhile(&case, &line, || {
        case.server.pause();
        std::thread::sleep(Duration::from_secs(2));
        case.server.resume().unwrap();
    });
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    assert_eq!(stderr.matches("Waiting for up to").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("is back").count(), 1, "{stderr}");
    assert_eq!(figures(&case)[0]["groups"][0]["answered"], 24);
}

#[test]
fn an_outage_without_end_is_given_up_and_nothing_is_lost() {
    let case = Case::new(slow());
    let line = format!("run {SHORT} --max-workers 2 --give-up-after 1");
    let output = meanwhile(&case, &line, || case.server.pause());
    ends_with(&output, 1);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("gave up after"), "{stderr}");
    assert!(stderr.contains("asks only the rest"), "{stderr}");
    case.server.resume().unwrap();
    let before = case.server.counts().prompts_answered;
    ends_with(&case.run(&line), 0);
    let probes = 4;
    assert!(case.server.counts().prompts_answered - before <= 48 - 16 + probes);
}

#[test]
fn throttled_questions_are_asked_again() {
    let case = Case::new(Script::with(Rule::chance(
        0.3,
        7,
        [
            Fault::TooManyRequests {
                retry_after: RetryAfter::Seconds(0.05),
                quota: false,
            },
            Fault::InternalError,
        ],
    )));
    let line = format!("run {SHORT} --retry-delay 0.05 --max-retries 20");
    ends_with(&case.run(&line), 0);
    let healthy = Case::new(Script::healthy());
    ends_with(&healthy.run(&format!("run {SHORT}")), 0);
    assert_eq!(figures(&case), figures(&healthy));
    assert!(case.questions().len() > 48);
}

#[test]
fn several_servers_share_the_work_and_one_may_die() {
    let case = Case::new(slow());
    let second = FaultServer::start(slow()).unwrap();
    let line = format!("run {SHORT} --max-workers 2 --api-base {}", second.base());
    let output = meanwhile(&case, &line, || second.pause());
    ends_with(&output, 0);
    let (one, two) = (
        case.server.counts().prompts_answered,
        second.counts().prompts_answered,
    );
    assert!(one > two && two > 5, "{one} {two}");

    // Another model does not help.
    let mut script = Script::healthy();
    script.server.model = "another".to_owned();
    let other = FaultServer::start(script).unwrap();
    let output = case.run(&format!("run {SHORT} --api-base {}", other.base()));
    ends_with(&output, 2);
    assert!(text(&output.stderr).contains("do not serve the same model"));
}

#[test]
fn the_cache_can_be_ignored_and_shared() {
    let case = Case::new(Script::healthy());
    ends_with(&case.run(&format!("run {SHORT}")), 0);
    let first = figures(&case);
    ends_with(&case.run(&format!("run {SHORT} --no-cache")), 0);
    assert_eq!(case.questions().len(), 96);

    let other = case.folder.path().join("other");
    let line = format!(
        "run {SHORT} --recheck 0 --cache-from {}",
        case.results().display()
    );
    ends_with(&case.asking(&line, &other).output().unwrap(), 0);
    assert_eq!(case.questions().len(), 96);
    assert!(other.join("results.json").exists());
    let line = format!("run {SHORT} --cache-from no-such-folder");
    ends_with(&case.asking(&line, &other).output().unwrap(), 2);
    assert_eq!(figures(&case)[0]["groups"], first[0]["groups"]);
}

#[test]
fn a_rate_limit_of_ones_own_is_kept() {
    let case = Case::new(Script::healthy());
    // 16 questions, 20 a second: the last one cannot go out before 0.7 s.
    let line =
        "run --tasks qa --sample-size 16 --prompt-strategies base --delay 0.05 --progress none";
    let started = Instant::now();
    ends_with(&case.run(line), 0);
    assert!(started.elapsed() >= Duration::from_millis(700));
}

#[test]
fn progress_is_told_to_programs() {
    let case = Case::new(slow());
    let line = SHORT.replace("--progress none", "--progress json");
    let output = case.run(&format!("run {line} --max-workers 1"));
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    let objects: Vec<Value> = stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let last = objects.last().unwrap();
    assert_eq!(last["event"], "finished");
    assert_eq!((&last["planned"], &last["done"]), (&48.into(), &48.into()));
    assert_eq!(last["groups"][1]["task"], "rc");
}

#[test]
fn a_long_run_tells_how_much_its_figures_move() {
    let case = Case::new(Script::healthy());
    let line = "run --tasks qa rc --prompt-strategies base --progress none";
    let output = case.run(line);
    ends_with(&output, 0);
    assert_eq!(figures(&case)[0]["noise"]["questions"], 20);
    assert_eq!(figures(&case)[0]["noise"]["largest_difference"], 0.0);
    assert!(text(&output.stderr).contains("noise floor"));
    // A run that asks nothing has nothing to measure.
    ends_with(&case.run(line), 0);
    assert_eq!(figures(&case)[0]["noise"], Value::Null);
}
