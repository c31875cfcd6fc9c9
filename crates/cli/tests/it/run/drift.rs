//! A server whose model changes under its name: cached answers are checked before they are used.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use sureness_faultserver::{Capacity, Fault, FaultServer, Rule, Script};

use super::{Case, SHORT, ends_with, figures, results_in, text};

/// The server's model is so many nats away from the usual one.
fn drifted(nats: f64) -> Script {
    let mut script = Script::healthy();
    script.server.drift = nats;
    script
}

/// The recheck of the last run.
fn recheck(case: &Case) -> Value {
    results_in(&case.results())["models"][0]["recheck"].take()
}

fn run(case: &Case, flags: &str) -> Output {
    case.run(&format!("run {SHORT} {flags}"))
}

/// A finished run; the server's log is empty.
fn answered() -> Case {
    let case = Case::new(Script::healthy());
    ends_with(&run(&case, ""), 0);
    assert_eq!(recheck(&case), Value::Null);
    assert_eq!(case.questions().len(), 48);
    case.server.clear_log();
    case
}

#[track_caller]
fn says(output: &Output, words: &[&str]) {
    sureness_testkit::says(&text(&output.stderr), words);
}

#[test]
fn a_model_that_answers_as_before_is_seen_to() {
    let case = answered();
    let output = run(&case, "");
    ends_with(&output, 0);
    says(
        &output,
        &[
            "0 asked in",
            "48 from cache, answered less than a minute ago",
            "recheck of 20 cached answers: no change; 0 of 20",
            "It took 20 requests and ",
        ],
    );
    assert_eq!(case.questions().len(), 20);
    let found = recheck(&case);
    assert_eq!(found["outcome"], "unchanged");
    assert_eq!(
        (&found["questions"], &found["compared"]),
        (&20.into(), &20.into())
    );
    assert_eq!(found["largest_difference"], 0.0);
    assert!(found["prompt_tokens"].as_u64().unwrap() > 1_000);
    let timing = &results_in(&case.results())["models"][0]["timing"];
    assert_eq!(
        (&timing["asked"], &timing["cached"]),
        (&0.into(), &48.into())
    );

    // Figures that move a little are those of the same model.
    case.server.set_script(drifted(0.1));
    ends_with(&run(&case, "--recheck 10"), 0);
    assert_eq!(case.questions().len(), 30);
    let moved = recheck(&case)["largest_difference"].as_f64().unwrap();
    assert!((0.01..0.25).contains(&moved), "{moved}");

    ends_with(&run(&case, "--recheck 0"), 0);
    assert_eq!(case.questions().len(), 30);
    assert_eq!(recheck(&case), Value::Null);
    ends_with(&run(&case, "--recheck 3"), 2);
}

/// Makes the answers of one task older, as if this had happened at another time.
fn age(case: &Case, task: usize, hours: u32) {
    let script = format!(
        "import sqlite3, sys\n\
         store = sqlite3.connect(sys.argv[1])\n\
         store.execute('UPDATE answers SET answered_at = answered_at - {hours} * 3600000 \
         WHERE id IN (SELECT reply FROM items WHERE grp = {task})')\n\
         store.commit()\n"
    );
    let store = case.results().join("sureness.sqlite");
    let mut python = std::process::Command::new("python3");
    let output = python.args(["-c", &script]).arg(store).output().unwrap();
    ends_with(&output, 0);
}

#[test]
fn answers_from_the_cache_are_told_with_their_age() {
    let case = answered();
    age(&case, 0, 23);
    age(&case, 1, 23);
    let output = run(&case, "");
    ends_with(&output, 0);
    says(&output, &["48 from cache, answered 23 hours ago"]);
    let timing = results_in(&case.results())["models"][0]["timing"].take();
    let at = |which: &str| timing["cached_answered_at"][which].as_i64().unwrap();
    assert!((0..60_000).contains(&(at("newest") - at("oldest"))));

    age(&case, 1, 100);
    let output = run(&case, "--recheck 0");
    ends_with(&output, 0);
    says(&output, &["48 from cache, answered 23 hours to 5 days ago"]);
    case.server.set_script(drifted(3.0));
    let output = run(&case, "");
    ends_with(&output, 1);
    says(&output, &["(answered 23 hours to 5 days ago)"]);
}

#[test]
fn a_model_that_has_changed_ends_the_run_and_leaves_all_as_it_was() {
    let case = answered();
    let before = std::fs::read(case.results().join("results.json")).unwrap();
    case.server.set_script(drifted(3.0));
    for flags in ["", "--on-change fail", "--use-threads --recheck 40"] {
        case.server.clear_log();
        let output = run(&case, flags);
        ends_with(&output, 1);
        says(
            &output,
            &[
                "error: fault-model: the model behind this name has changed",
                "answered less than a minute ago",
                "rechecked questions moved by more than 0.250 nats",
                "noise floor 0.000",
                "hint: ",
                "--on-change ask",
            ],
        );
        // Each once, and once more for the noise floor.
        let asked = if flags.contains("40") { 80 } else { 40 };
        assert_eq!(case.questions().len(), asked);
        let after = std::fs::read(case.results().join("results.json")).unwrap();
        assert_eq!(before, after);
    }
    // The model is back.
    case.server.set_script(Script::healthy());
    ends_with(&run(&case, ""), 0);
    assert_eq!(recheck(&case)["outcome"], "unchanged");
}

#[test]
fn a_model_that_has_changed_can_be_asked_anew() {
    let case = answered();
    let old = figures(&case);
    case.server.set_script(drifted(3.0));
    let output = run(&case, "--on-change ask");
    ends_with(&output, 0);
    says(
        &output,
        &[
            "warning: fault-model: the model",
            "48 asked in",
            " 0 from cache",
        ],
    );
    assert_eq!(case.questions().len(), 40 + 48);
    assert_eq!(recheck(&case)["outcome"], "asked_anew");
    assert_ne!(figures(&case)[0]["groups"], old[0]["groups"]);

    // From now on these are the cached answers.
    let new = figures(&case);
    ends_with(&run(&case, ""), 0);
    assert_eq!(recheck(&case)["outcome"], "unchanged");
    assert_eq!(figures(&case)[0]["groups"], new[0]["groups"]);
    let anew = Case::new(drifted(3.0));
    ends_with(&run(&anew, ""), 0);
    assert_eq!(figures(&anew)[0]["groups"], new[0]["groups"]);
}

#[test]
fn cached_answers_of_a_model_that_has_changed_can_be_kept_and_the_result_says_so() {
    let case = answered();
    let old = figures(&case);
    case.server.set_script(drifted(3.0));
    let output = run(&case, "--on-change keep");
    ends_with(&output, 0);
    let note = "the model has changed since it gave the cached answers";
    says(
        &output,
        &["0 asked in", "48 from cache", &format!("note: {note}")],
    );
    assert_eq!(recheck(&case)["outcome"], "kept");
    for (old, new) in [0, 1].map(|g| {
        (
            old[0]["groups"][g].clone(),
            figures(&case)[0]["groups"][g].clone(),
        )
    }) {
        assert_eq!(old["evaluation"], new["evaluation"]);
        assert!(new["note"].as_str().unwrap().contains(note));
    }
}

#[test]
fn a_run_that_goes_on_is_not_rechecked() {
    let slow = |nats| {
        drifted(nats).capacity(Capacity {
            base_ms: 20,
            ..Capacity::default()
        })
    };
    let case = Case::new(slow(0.0));
    let line = format!("run {SHORT} --max-workers 2 --give-up-after 0.5");
    let interrupted = |line: &str, enough: u64| {
        let enough = case.server.counts().prompts_answered + enough;
        let child = case
            .command(line)
            .stderr(std::process::Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        while case.server.counts().prompts_answered < enough {
            assert!(child.try_wait().unwrap().is_none(), "ended too early");
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
        assert!(sent.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        case.server.wait_until_idle(Duration::from_secs(10));
    };
    interrupted(&line, 20);
    let output = case.run(&line);
    ends_with(&output, 0);
    says(&output, &["from cache, answered less than a minute ago"]);
    assert!(!text(&output.stderr).contains("recheck"));
    assert_eq!(case.questions().len(), 48);

    // Neither is one that asks everything anew because the model has changed: it goes on, and old
    // answers are not mixed with new ones, whatever the flags.
    case.server.set_script(slow(3.0));
    interrupted(&format!("{line} --on-change ask"), 40 + 30);
    let asked = case.questions().len();
    ends_with(&case.run(&line), 0);
    assert_eq!(recheck(&case), Value::Null);
    assert!(case.questions().len() - asked < 48 - 20);
    let anew = Case::new(drifted(3.0));
    ends_with(&run(&anew, ""), 0);
    assert_eq!(figures(&case)[0]["groups"], figures(&anew)[0]["groups"]);
}

#[test]
fn answers_from_other_folders_are_checked_as_well() {
    let case = answered();
    let other = case.folder.path().join("other");
    case.server.set_script(drifted(3.0));
    let line = format!("run {SHORT} --cache-from {}", case.results().display());
    let output = case.asking(&line, &other).output().unwrap();
    ends_with(&output, 1);
    assert!(!other.join("results.json").exists());
    let output = case
        .asking(&format!("{line} --on-change ask"), &other)
        .output()
        .unwrap();
    ends_with(&output, 0);
    says(&output, &["48 asked in"]);
}

#[test]
fn more_questions_than_before_are_not_mixed_with_answers_of_another_model() {
    let case = answered();
    case.server.set_script(drifted(3.0));
    let larger = "run --tasks qa rc --sample-size 40 --prompt-strategies base --progress none";
    let output = case.run(larger);
    ends_with(&output, 1);
    says(&output, &["20 of 20 rechecked"]);
}

#[test]
fn questions_that_fail_when_they_are_asked_again_say_nothing_and_that_is_told() {
    let refuse = |limit| {
        let fault = Fault::Status {
            status: 400,
            message: "not this one".to_owned(),
        };
        Script::with(Rule::containing("Answer:", fault).limit(limit))
    };
    let case = answered();
    case.server.set_script(refuse(18));
    let output = run(&case, "");
    ends_with(&output, 0);
    says(
        &output,
        &[
            "whether the model has changed is unknown",
            "not this one",
            "48 from cache",
        ],
    );
    let found = recheck(&case);
    assert_eq!(
        (&found["outcome"], &found["compared"]),
        (&"unknown".into(), &2.into())
    );

    case.server.set_script(refuse(8));
    ends_with(&run(&case, ""), 0);
    let found = recheck(&case);
    assert_eq!(
        (&found["outcome"], &found["compared"]),
        (&"unchanged".into(), &12.into())
    );
}

#[test]
fn each_model_is_rechecked_before_any_is_asked() {
    let named = |nats| {
        let mut script = drifted(nats);
        script.server.check_model = false;
        script
    };
    let case = Case::new(named(0.0));
    let line = format!("compare --models small large {SHORT}");
    ends_with(&case.run(&line), 0);
    let before = std::fs::read(case.results().join("results.json")).unwrap();
    case.server.set_script(named(3.0));
    let output = case.run(&line);
    ends_with(&output, 1);
    says(
        &output,
        &["small: the model behind", "large: the model behind"],
    );
    let after = std::fs::read(case.results().join("results.json")).unwrap();
    assert_eq!(before, after);

    ends_with(&case.run(&format!("{line} --on-change ask")), 0);
    let results = results_in(&case.results());
    for model in 0..2 {
        assert_eq!(results["models"][model]["recheck"]["outcome"], "asked_anew");
    }
}

#[test]
fn a_server_that_cannot_be_reached_loses_nothing() {
    let case = answered();
    let server = FaultServer::start(Script::healthy()).unwrap();
    drop(server);
    case.server.pause();
    ends_with(&run(&case, "--connect-timeout 1"), 2);
    case.server.resume().unwrap();
    ends_with(&run(&case, ""), 0);
}
