//! Several runs in one folder, and what a run says about itself.

use std::collections::BTreeSet;

use serde_json::Value;
use sureness_faultserver::{Capacity, Script};
use sureness_testkit::{Case, ends_with, results_in, text};

const LARGE: &str = "run --tasks qa --sample-size 60 --prompt-strategies base --progress none";
const SMALL: &str = "run --tasks qa --sample-size 24 --prompt-strategies base --error-rate 0.2 \
                     --progress none";

/// A folder with a large run, then a small one.
fn two_runs() -> Case {
    let case = Case::new(Script::healthy());
    ends_with(&case.run(LARGE), 0);
    let output = case.run(SMALL);
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("Next: sureness report "), "{stderr}");
    case
}

fn read(case: &Case, name: &str) -> String {
    std::fs::read_to_string(case.results().join(name)).unwrap()
}

#[test]
fn another_run_in_the_folder_loses_no_results() {
    let case = two_runs();
    for end in ["json", "csv"] {
        let newest = read(&case, &format!("results.{end}"));
        assert_eq!(newest, read(&case, &format!("results-2.{end}")));
        assert_ne!(newest, read(&case, &format!("results-1.{end}")));
    }
    let first: Value = serde_json::from_str(&read(&case, "results-1.json")).unwrap();
    assert_eq!(first["models"][0]["groups"][0]["planned"], 60);
    assert_eq!(first["provenance"]["version"], env!("CARGO_PKG_VERSION"));

    let output = case
        .sureness("runs results --output json")
        .output()
        .unwrap();
    ends_with(&output, 0);
    let runs: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (run, (number, questions)) in runs.as_array().unwrap().iter().zip([(1, 60), (2, 24)]) {
        assert_eq!(run["run"], format!("results#{number}"));
        assert_eq!(run["number"], number);
        assert_eq!(
            (&run["questions"], &run["answered"]),
            (&questions.into(), &questions.into())
        );
        assert_eq!(run["finished"], true);
        let results: Value =
            serde_json::from_str(&read(&case, &format!("results-{number}.json"))).unwrap();
        assert_eq!(run["figures"], results["models"][0]["mean"]);
        assert_eq!(run["command"], results["provenance"]["command"]);
        assert!(run["started_at"].as_str().unwrap().ends_with('Z'));
    }
    let output = case.sureness("runs results").output().unwrap();
    ends_with(&output, 0);
    let table = text(&output.stdout);
    for words in [
        "results#1",
        "results#2",
        "fault-model",
        "finished",
        "2026-",
        "60",
        "Coverage %",
    ] {
        assert!(table.contains(words), "no {words} in:\n{table}");
    }
}

#[test]
fn runs_of_one_model_are_shown_under_given_names() {
    let case = two_runs();
    let models = |runs: &[&str]| {
        let mut command = case.sureness("analyze --modes basic --output json");
        let output = command.args(runs).output().unwrap();
        ends_with(&output, 0);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let figures = found["figures"].as_array().unwrap();
        let names = figures.iter().filter_map(|row| row["model"].as_str());
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let given = ["all of them=results#1", "a few=results#2"];
    assert_eq!(
        models(&given),
        ["a few", "all of them"].map(str::to_owned).into()
    );
    assert_eq!(models(&["results#2"]), ["fault-model".to_owned()].into());
    for (run, message) in [
        ("a=nowhere", "nowhere does not exist"),
        (
            "a=results/results.csv",
            "only output folders of runs can be given a name",
        ),
    ] {
        let output = case.sureness("analyze").arg(run).output().unwrap();
        ends_with(&output, 2);
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains(message) && stderr.contains("hint: "),
            "{stderr}"
        );
    }
}

#[test]
fn an_analysis_names_the_runs_that_it_leaves_out() {
    let case = two_runs();
    let output = case
        .sureness("analyze --modes basic results")
        .output()
        .unwrap();
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    for words in [
        "warning: these are the figures of run 2 of fault-model, the newest in results, with 24 answers; run 1 has 60",
        "note: results: taking run 2 of fault-model, the newest (24 answers, ",
        "leaving out run 1 (60 answers)",
    ] {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }
    // Before all findings.
    let stdout = text(&output.stdout);
    let first = stdout.find("• Warning: these are the figures of run 2");
    assert!(
        first.is_some() && first < stdout.find("\n• ").map(|at| at + 2),
        "{stdout}"
    );

    let output = case
        .sureness("analyze results#1 --modes basic")
        .output()
        .unwrap();
    assert!(!text(&output.stderr).contains("run 2"));
}

#[test]
fn results_say_when_and_how_they_were_made_without_secrets() {
    let mut script = Script::healthy();
    script.server.key = Some("sk-very-secret-0815".to_owned());
    let case = Case::new(script);
    let mut command = case.command(LARGE);
    command.args(["--api-key", "sk-very-secret-0815"]);
    ends_with(&command.output().unwrap(), 0);
    let provenance = &results_in(&case.results())["provenance"];
    let line = provenance["command"].as_str().unwrap();
    assert!(line.starts_with("sureness run --tasks qa "), "{line}");
    assert!(line.contains("--api-key '***'"), "{line}");
    let date = provenance["date"].as_str().unwrap();
    assert!(date.ends_with('Z') && date.len() == 20, "{date}");

    let page = case
        .sureness("report results -o page.html")
        .output()
        .unwrap();
    ends_with(&page, 0);
    let page = std::fs::read_to_string(case.path("page.html")).unwrap();
    assert!(page.contains(date) && page.contains("sureness run --tasks qa "));
    assert!(page.contains("sureness report results -o page.html"));
    assert!(!page.contains("very-secret"));
}

#[test]
fn results_of_another_program_are_not_replaced() {
    let case = Case::new(Script::healthy());
    std::fs::create_dir(case.results()).unwrap();
    std::fs::write(case.results().join("results.json"), r#"{"results": {}}"#).unwrap();
    let output = case.run(LARGE);
    ends_with(&output, 2);
    assert!(text(&output.stderr).contains("results.json does not hold results of sureness"));
    assert_eq!(case.questions().len(), 0);
    assert_eq!(read(&case, "results.json"), r#"{"results": {}}"#);
}

#[test]
fn results_without_a_file_of_their_own_get_one() {
    let case = Case::new(Script::healthy());
    ends_with(&case.run(LARGE), 0);
    let before = read(&case, "results.json");
    std::fs::remove_file(case.results().join("results-1.json")).unwrap();
    ends_with(&case.run(SMALL), 0);
    assert_eq!(read(&case, "results-1.json"), before);
}

#[test]
fn the_log_names_the_questions() {
    let case = Case::new(Script::healthy());
    ends_with(
        &case.run(&format!("{LARGE} --batch-size 2 --log-file log.jsonl")),
        0,
    );
    let log = std::fs::read_to_string(case.path("log.jsonl")).unwrap();
    let attempts = log
        .lines()
        .filter(|line| line.contains(r#""message":"attempt""#));
    let mut ids = BTreeSet::new();
    for line in attempts {
        let line: Value = serde_json::from_str(line).unwrap();
        let questions = line["questions"].as_str().unwrap();
        assert_eq!(
            questions.split(", ").count() as u64,
            line["count"].as_u64().unwrap()
        );
        ids.extend(questions.split(", ").map(str::to_owned));
    }
    assert_eq!(ids.len(), 60, "{ids:?}");
    let output = case
        .sureness("analyze results --output-dir a --formats parquet")
        .output();
    ends_with(&output.unwrap(), 0);
}

/// A server of one slot has a request in flight whenever anything is shown, but for the end.
#[test]
fn in_flight_is_what_is_in_flight() {
    let slow = Capacity {
        base_ms: 250,
        ..Capacity::default()
    };
    for (flags, limit) in [("--max-workers 1", 1), ("--max-workers 3", 3)] {
        let case = Case::new(Script::healthy().capacity(slow.clone()));
        let line = "run --tasks qa --sample-size 24 --prompt-strategies base --progress json";
        let output = case.run(&format!("{line} {flags}"));
        ends_with(&output, 0);
        let stderr = text(&output.stderr);
        let lines = stderr.lines().filter(|line| line.starts_with('{'));
        let events: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let running = events
            .iter()
            .filter(|event| event["done"] != event["planned"]);
        let mut shown = 0;
        for event in running {
            let in_flight = event["in_flight"].as_u64().unwrap();
            assert!(in_flight <= event["limit"].as_u64().unwrap(), "{event}");
            assert!(in_flight <= limit, "{event}");
            shown += usize::from(in_flight > 0);
        }
        assert!(shown > 0, "never anything in flight:\n{stderr}");
    }
}

#[test]
fn a_model_named_twice_is_refused() {
    let case = Case::new(Script::healthy());
    let output = case.run("compare --models fault-model fault-model --tasks qa");
    ends_with(&output, 2);
    assert!(text(&output.stderr).contains("fault-model is named twice"));
    assert_eq!(case.questions().len(), 0);
}
