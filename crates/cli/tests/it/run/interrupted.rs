//! Runs that end early lose nothing and ask nothing twice.

use std::collections::HashMap;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sureness_faultserver::{Capacity, Fault, Routes, Rule, Script};
use sureness_testkit::PATIENCE;

use super::{Case, cached_in, ends_with, figures, text};

/// Slow enough to be stopped in the middle.
fn slow() -> Script {
    Script::healthy().capacity(Capacity {
        base_ms: 20,
        ..Capacity::default()
    })
}

const RUN: &str = "run --tasks qa rc --sample-size 60 --prompt-strategies base task_specific \
                   --max-workers 2 --batch-size 2 --progress none";
const QUESTIONS: usize = 240;
const IN_FLIGHT: usize = 4;

fn spawn(case: &Case, line: &str) -> Child {
    let mut command = case.command(line);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for a condition while the run continues.
fn wait_for(child: &mut Child, come_about: impl Fn() -> bool) {
    let began = Instant::now();
    while !come_about() {
        assert!(began.elapsed() < PATIENCE, "nothing happens");
        assert!(child.try_wait().unwrap().is_none(), "ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The run as a process, with so many prompts answered.
fn started(case: &Case, line: &str, answered: u64) -> Child {
    let enough = case.server.counts().prompts_answered + answered;
    let mut child = spawn(case, line);
    wait_for(&mut child, || {
        case.server.counts().prompts_answered >= enough
    });
    child
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}

/// Waits for the run to end by itself; returns its output.
fn end(child: Child) -> Output {
    let began = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(began.elapsed() < PATIENCE, "it did not stop");
    output
}

/// A number below `limit`; the next one is another, and the same in every run.
fn draw(state: &mut u64, limit: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1);
    (*state >> 33) % limit
}

#[test]
fn a_run_killed_at_twenty_random_moments_ends_with_the_same_figures() {
    const KILLS: usize = 20;
    let whole = Case::new(slow());
    ends_with(&whole.run(RUN), 0);

    let case = Case::new(slow());
    let mut chance = 15;
    for kill in 0..KILLS {
        // While the process starts and makes or opens its file, or while it asks and keeps.
        let mut child = if kill % 4 == 0 {
            spawn(&case, RUN)
        } else {
            started(&case, RUN, draw(&mut chance, 16))
        };
        std::thread::sleep(Duration::from_micros(draw(&mut chance, 40_000)));
        assert!(child.try_wait().unwrap().is_none(), "ended too early");
        child.kill().unwrap();
        child.wait().unwrap();
        case.server.wait_until_idle(PATIENCE);
    }
    let before = case.questions().len();
    ends_with(&case.run(RUN), 0);
    assert_eq!(figures(&case), figures(&whole));
    let (asked, cached) = (case.questions().len(), cached_in(&case.results()));
    // Answers in the file at the last kill are not asked again.
    assert_eq!(asked - before, QUESTIONS - cached);
    // Each kill may cost the answers that were on their way: from the server, or to the disk,
    // where a busy machine takes a moment. No other.
    let again = asked - QUESTIONS;
    assert!(again <= KILLS * 2 * IN_FLIGHT, "{again} asked again");
    // The moments were such that something was at stake.
    assert!(
        again > KILLS / 2 && cached > QUESTIONS / 3,
        "{again} {cached}"
    );
}

#[test]
fn a_request_to_stop_keeps_what_is_in_flight_and_says_how_to_go_on() {
    for name in ["-INT", "-TERM"] {
        let case = Case::new(slow());
        let child = started(&case, RUN, 30);
        signal(&child, name);
        let output = end(child);
        ends_with(&output, 130);
        let stderr = text(&output.stderr);
        let advice = "the same command asks only the rest";
        assert!(stderr.contains(advice), "{name}: {stderr}");
        // The answers by then are in the results.
        assert!(case.results().join("results.json").exists());
        case.server.wait_until_idle(PATIENCE);
        ends_with(&case.run(RUN), 0);
        // This time nothing was thrown away, so nothing is asked twice.
        assert_eq!(case.questions().len(), QUESTIONS, "{name}");
    }
}

#[test]
fn a_second_one_does_not_wait_for_a_server_that_says_nothing() {
    for threads in ["", "--use-threads"] {
        // Of a batch, some could have been answered before the others hang.
        let single = RUN.replace(
            "--max-workers 2 --batch-size 2",
            "--max-workers 4 --batch-size 1",
        );
        let line = format!("{single} {threads}");
        let case = Case::new(slow());
        let mut child = started(&case, &line, 30);
        let silent = Script::with(Rule::always(Fault::NeverStarts));
        case.server.set_script(silent);
        // Until what was on its way has been answered and kept, and all others hang.
        let answered = || case.server.counts().prompts_answered;
        let mut before = 0;
        while before < answered() {
            before = answered();
            std::thread::sleep(Duration::from_millis(300));
        }
        signal(&child, "-INT");
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "it did not wait");
        signal(&child, "-INT");
        let output = end(child);
        ends_with(&output, 130);
        let stderr = text(&output.stderr);
        for words in ["Press Ctrl-C again", "asks only the rest"] {
            assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
        }

        case.server.set_script(slow());
        ends_with(&case.run(&line), 0);
        // Whatever had been answered was kept.
        let mut counts: HashMap<String, usize> = HashMap::new();
        for question in case.questions() {
            *counts.entry(question).or_default() += 1;
        }
        assert_eq!(counts.len(), QUESTIONS);
        let again: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
        assert_eq!(again.len(), IN_FLIGHT);
        for (question, _) in again {
            assert_eq!(case.server.prompt_counts(question).answered, 1);
        }
    }
}

#[test]
fn before_the_first_question_there_is_nothing_to_wait_for() {
    let silent = Rule::always(Fault::NeverStarts).on(Routes::Any);
    let case = Case::new(Script::with(silent));
    let mut child = spawn(&case, RUN);
    wait_for(&mut child, || case.server.counts().requests > 0);
    signal(&child, "-TERM");
    let output = end(child);
    ends_with(&output, 130);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("Interrupted."), "{stderr}");
}
