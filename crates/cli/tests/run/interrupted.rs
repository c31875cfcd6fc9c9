//! Runs that end early lose nothing and ask nothing twice.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sureness_faultserver::{Capacity, Script};

use super::{Case, ends_with, text};

/// Slow enough to be stopped in the middle.
fn slow() -> Script {
    Script::healthy().capacity(Capacity {
        base_ms: 20,
        ..Capacity::default()
    })
}

const RUN: &str = "run --tasks qa rc --sample-size 60 --prompt-strategies base task_specific \
                   --max-workers 2 --batch-size 2 --progress none";
const IN_FLIGHT: u64 = 4;

/// The run as a process, with so many questions answered.
fn started(case: &Case, answered: u64) -> Child {
    let mut child = case
        .command(RUN)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    let enough = case.server.counts().prompts_answered + answered;
    while case.server.counts().prompts_answered < enough {
        assert!(Instant::now() < patience, "nothing happens");
        assert!(child.try_wait().unwrap().is_none(), "ended too early");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_killed_run_goes_on_where_it_was_and_ends_with_the_same_figures() {
    let whole = Case::new(slow());
    ends_with(&whole.run(RUN), 0);

    let case = Case::new(slow());
    // At several moments of the same run, each time after a few more answers.
    for answered in [1, 17, 40, 5] {
        let mut child = started(&case, answered);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    case.server.settle(Duration::from_secs(5));
    ends_with(&case.run(RUN), 0);
    assert_eq!(case.figures(), whole.figures());
    // Each kill may cost the answers that were on their way: from the server, or to the disk,
    // where a busy machine takes a moment. No other.
    let mut counts = HashMap::new();
    for question in case.questions() {
        *counts.entry(question).or_insert(0_u64) += 1;
    }
    assert_eq!(counts.len(), 240);
    let again: u64 = counts.values().map(|n| n - 1).sum();
    assert!(again <= 4 * 2 * IN_FLIGHT, "{again} asked again");
}

#[test]
fn ctrl_c_keeps_what_is_in_flight_and_says_how_to_go_on() {
    let case = Case::new(slow());
    let child = started(&case, 30);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    ends_with(&output, 130);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("the same command asks only the rest"),
        "{stderr}"
    );
    // What was answered by then is in the results.
    assert!(case.results().join("results.json").exists());
    case.server.settle(Duration::from_secs(5));
    ends_with(&case.run(RUN), 0);
    // This time nothing was thrown away, so nothing is asked twice.
    assert_eq!(case.questions().len(), 240);
}
