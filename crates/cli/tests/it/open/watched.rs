//! Open questions on the live page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde_json::Value;
use sureness_faultserver::{Asked, Fault, Rule, Words};
use sureness_testkit::{Process, ends_with, results_in, wait_for};

use super::{TASK, case_of, open, script};
use crate::view::serve;

#[test]
fn figures_of_open_questions_are_there_while_the_run_goes_on() {
    // Stalls at three quarters of the run, so that no page is too slow to see it unfinished.
    let stalled = Arc::new(AtomicBool::new(true));
    let (asked_for, stalls) = (AtomicUsize::new(0), stalled.clone());
    let late = move |_: &Asked| asked_for.fetch_add(1, Relaxed) >= 360 && stalls.load(Relaxed);
    let forever = Fault::Delay {
        ms: 3_600_000,
        up_to_ms: None,
    };
    let words = Words {
        at_once: Some(1),
        ..Words::default()
    };
    let stalling = script(60, 0.1, words).rule(Rule::matching(late, forever));
    let case = case_of(stalling, 60);
    std::fs::create_dir(case.results()).unwrap();
    let page = serve(&case, "results --data trivia=trivia.jsonl");
    let words = format!("run --chat --answers sampled --samples 8 --max-workers 2 {TASK}");
    let first = Process::spawn(&mut case.command(&words));
    page.first_run();
    let looks = |what: &str, found: &dyn Fn(&Value) -> bool| {
        wait_for(
            || format!("never {what}"),
            || {
                std::thread::sleep(Duration::from_millis(50));
                let body = page.get("/run/0/1/results.json").body;
                found(&serde_json::from_str(&body).unwrap())
            },
        );
    };
    looks("half of it", &|whole| {
        whole["answered"].as_u64() > Some(240)
    });
    first.kill();
    stalled.store(false, Relaxed);
    // Read at once, since nobody writes any more.
    looks("figures before the end", &|whole| {
        whole["provisional"] == true && open(&whole["results"])["acc"].is_number()
    });
    ends_with(&case.run(&words), 0);
    let last = open(&results_in(&case.results())).clone();
    looks("the last figures", &|whole| {
        whole["state"] == "finished" && *open(&whole["results"]) == last
    });
    assert!(page.get("/run/0/1").body.contains("entropy"));
}
