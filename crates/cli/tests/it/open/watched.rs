//! Open questions on the live page.

use serde_json::Value;
use sureness_faultserver::{Capacity, Words};
use sureness_testkit::{Process, results_in, wait_for};

use super::{TASK, case_of, open, script};
use crate::view::serve;

#[test]
fn figures_of_open_questions_are_there_while_the_run_goes_on() {
    let slow = script(60, 0.1, Words::default()).capacity(Capacity {
        base_ms: 150,
        ..Capacity::default()
    });
    let case = case_of(slow, 60);
    std::fs::create_dir(case.results()).unwrap();
    let page = serve(&case, "results --data trivia=trivia.jsonl");
    let run = format!("run --chat --answers sampled --samples 8 --max-workers 2 {TASK}");
    let run = Process::spawn(&mut case.command(&run));
    page.first_run();
    let look = || -> Value {
        let whole: Value = serde_json::from_str(&page.get("/run/0/1/results.json").body).unwrap();
        whole
    };
    let mut provisional = 0;
    wait_for(
        || "the run never ended".to_owned(),
        || {
            let whole = look();
            let has_figures = open(&whole["results"])["acc"].is_number();
            provisional += usize::from(has_figures && whole["provisional"] == true);
            whole["state"] == "finished"
        },
    );
    assert!(provisional > 0, "no figures before the end");
    drop(run);
    assert_eq!(open(&look()["results"]), open(&results_in(&case.results())));
    let page = page.get("/run/0/1").body;
    assert!(page.contains("entropy"), "{page}");
}
