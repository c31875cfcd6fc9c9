//! A run is watched while it goes on.

use serde_json::Value;
use sureness_faultserver::{Healthy, Script};
use sureness_testkit::{Case, Process, ends_with, results_in, says, wait_for};

use super::{RUN, Served, serve, slow, start};

/// The figures of an event are those of the results file, to the last digit.
#[track_caller]
fn assert_final(event: &Value, results: &Value) {
    assert_eq!(event["provisional"], false);
    assert_eq!(event["state"], "finished");
    let model = &results["models"][0];
    assert!(model["mean"]["acc"].is_number());
    assert_eq!(event["mean"].to_string(), model["mean"].to_string());
    assert_eq!(
        event["intervals"].to_string(),
        model["intervals"].to_string()
    );
    let html = event["html"]["figures"].as_str().unwrap();
    assert!(!html.contains("Provisional"), "{html}");
}

fn answered(event: &Value) -> usize {
    // `<dd class="value">123</dd><dd>of 300, 41.0 %`.
    let status = event["html"]["status"].as_str().unwrap();
    let (before, _) = status.split_once("</dd><dd>of 300").unwrap();
    let number = before.rsplit('>').next().unwrap();
    number.parse().unwrap()
}

/// The figures of an unfinished run are those that `sureness runs` computes.
fn assert_equal_to_the_list(case: &Case, page: &Served) {
    let output = case
        .sureness("runs results --output json")
        .output()
        .unwrap();
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let answered = &listed[0]["answered"];
    let figures = listed[0]["figures"].to_string();
    wait_for(
        || format!("never as in the list: {figures}"),
        || {
            let body = page.get("/run/0/1/results.json").body;
            let whole: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(whole["provisional"], true);
            let model = &whole["results"]["models"][0];
            assert_eq!(model["complete"], false);
            let mean = model["mean"].to_string();
            whole["answered"] == *answered && mean == figures
        },
    );
}

#[test]
fn a_run_is_watched_through_a_kill_to_its_last_figures() {
    let case = Case::new(slow());
    std::fs::create_dir(case.results()).unwrap();
    let page = serve(&case, "results");
    let first = Process::spawn(&mut case.command(RUN));
    page.first_run();
    let mut events = page.events();

    let mut seen = 0;
    while seen < 60 {
        let event = events.next().unwrap();
        assert_eq!(event["provisional"], true);
        assert_eq!(event["state"], "running");
        assert!(answered(&event) >= seen);
        seen = answered(&event);
    }
    first.kill();
    assert_equal_to_the_list(&case, &page);
    ends_with(&case.run(RUN), 0);

    let mut provisional = 0;
    let last = events.find(|event| {
        provisional += usize::from(event["provisional"] == true);
        event["state"] == "finished"
    });
    assert!(provisional > 0);
    let results = results_in(&case.results());
    assert_final(&last.unwrap(), &results);
    assert_eq!(results["models"][0]["run"], 1, "the killed run went on");

    let answer = page.get("/run/0/1/results.json");
    let whole: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(whole["provisional"], false);
    assert_eq!(whole["results"].to_string(), results.to_string());
}

#[test]
fn verdicts_are_shown_as_they_are_settled() {
    // Two names for one model: the margins are wide enough for both to count as equal before the end.
    let server = Healthy {
        check_model: false,
        ..Healthy::default()
    };
    let case = Case::new(Script { server, ..slow() });
    let line = "compare --any-model --models one two --tasks qa rc drs --shots 0 --prompt-strategies base \
                --until settled --margin acc=25pp,size=1.5 --seed 5 --max-workers 4 --progress none --view";
    let run = start(&mut case.command(line), "Page: ");
    run.first_run();
    let settled = |event: &Value| event["html"]["settled"].as_str().unwrap().to_owned();
    let all: Vec<String> = run.events().map(|event| settled(&event)).collect();
    assert_eq!(run.process.end(), 0);
    let so_far = all.iter().find(|html| html.contains("Verdicts so far"));
    says(
        so_far.unwrap(),
        &["comparisons are open", "however often you look", ">open<"],
    );
    says(
        all.last().unwrap(),
        &["every comparison is settled", "equal within the margin"],
    );
    assert!(!case.results().join("live.json").exists());
}

#[test]
fn a_run_shows_itself_and_tells_its_end() {
    let case = Case::new(slow());
    let mut command = case.command(&format!("{RUN} --view"));
    let run = start(&mut command, "Page: ");
    assert!(run.url.ends_with("/latest"), "{}", run.url);
    run.first_run();
    let last = run.events().last().unwrap();
    assert_eq!(run.process.end(), 0);
    assert_eq!(last["last"], true);
    assert_final(&last, &results_in(&case.results()));
}

#[test]
fn an_interrupted_run_says_that_it_is_not_finished() {
    let case = Case::new(slow());
    let mut command = case.command(&format!("{RUN} --view"));
    let run = start(&mut command, "Page: ");
    run.first_run();
    let mut events = run.events();
    assert_eq!(events.next().unwrap()["last"], false);
    run.process.signal("-INT");
    let last = events.last().unwrap();
    assert_eq!(run.process.end(), 130);
    assert_eq!(last["last"], true);
    assert_eq!(last["state"], "silent");
    assert_eq!(last["provisional"], true);
}
