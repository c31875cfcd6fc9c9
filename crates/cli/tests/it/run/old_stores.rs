//! Stores of version 0.1.0 and from before records had types: they open, an unfinished run goes on as it
//! was begun, a finished one stays what it was, and shards merge.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use sureness_conformal::SplitRule;
use sureness_faultserver::Script;
use sureness_store::{Reader, RunInfo, StoredRow};

use super::{Case, cached_in, ends_with, figures, figures_in, results_in, text};

/// The command that the fixtures were made with.
const RUN: &str = "run --tasks own --data own=questions.jsonl --prompt-strategies base \
                   task_specific --max-workers 2 --batch-size 1 --progress plain";
const QUESTIONS: usize = 48;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A server, and a folder with a fixture as results and its questions.
fn case_of(fixture: &str) -> Case {
    let case = Case::new(Script::healthy());
    std::fs::create_dir(case.results()).unwrap();
    let store = fixtures().join(fixture).join("sureness.sqlite");
    std::fs::copy(store, case.results().join("sureness.sqlite")).unwrap();
    let questions = fixtures().join("v0.1.0/questions.jsonl");
    std::fs::copy(questions, case.folder.path().join("questions.jsonl")).unwrap();
    case
}

fn run(case: &Case, line: &str) -> Output {
    let mut command = case.command(line);
    command.current_dir(case.folder.path()).output().unwrap()
}

fn reader(case: &Case) -> Reader {
    Reader::open(&case.results().join("sureness.sqlite")).unwrap()
}

fn rows(case: &Case, run: i64) -> Vec<StoredRow> {
    let mut rows = Vec::new();
    for group in 0..2 {
        let visit = |row| rows.push(row);
        reader(case).rows(run, group, visit).unwrap();
    }
    rows
}

fn split_of(run: &RunInfo) -> SplitRule {
    run.settings.run().unwrap().evaluation.split
}

#[test]
fn they_are_analysed_as_they_are() {
    for fixture in ["v0.1.0/finished", "v0.1.0/interrupted"] {
        let case = case_of(fixture);
        let store = case.results().join("sureness.sqlite");
        let before = std::fs::read(&store).unwrap();
        let mut command = case.sureness("analyze");
        let output = command.arg(case.results()).output().unwrap();
        ends_with(&output, 0);
        assert!(text(&output.stdout).contains("fault-model"), "{fixture}");
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains("split by the rule of version 0.1.0"),
            "{stderr}"
        );
        assert!(before == std::fs::read(&store).unwrap(), "it was touched");
        assert!(
            rows(&case, 1)
                .iter()
                .all(|row| row.question.cluster.is_none())
        );
    }
}

#[test]
fn an_unfinished_run_goes_on_under_its_own_rule() {
    let case = case_of("v0.1.0/interrupted");
    let answered = rows(&case, 1)
        .iter()
        .filter(|row| row.scores.is_some())
        .count();
    assert!((1..QUESTIONS).contains(&answered));
    let output = run(&case, RUN);
    ends_with(&output, 0);
    assert_eq!(cached_in(&case.results()), answered);
    assert_eq!(case.questions().len(), QUESTIONS - answered);
    let stderr = text(&output.stderr);
    for words in ["begun by version 0.1.0", "Split rule: hash (version 0.1.0)"] {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }

    // It is still the one run, and has the figures of one that was never interrupted.
    let runs = reader(&case).runs().unwrap();
    assert_eq!(runs.len(), 1);
    assert!(runs[0].finished_at.is_some());
    assert_eq!(split_of(&runs[0]), SplitRule::Hash);
    let of_lac = |mut figures: Value| {
        // APS sums are exact since then, and there are fields that version 0.1.0 did not have.
        let groups = figures[0]["groups"].take();
        let groups = groups.as_array().cloned().unwrap_or_default();
        let each = groups.into_iter().map(|mut group| {
            let evaluation = &mut group["evaluation"];
            for key in ["aps", "e_rate", "f_rate"] {
                evaluation.as_object_mut().unwrap().remove(key);
            }
            evaluation["lac"]
                .as_object_mut()
                .unwrap()
                .remove("empty_rate");
            group.as_object_mut().unwrap().remove("note");
            group
        });
        each.collect::<Vec<Value>>()
    };
    let finished = figures_in(&fixtures().join("v0.1.0/finished"));
    assert_eq!(of_lac(figures(&case)), of_lac(finished));

    // Now the clusters are known: those about one passage have one.
    let mut clusters: HashMap<[u8; 32], Vec<String>> = HashMap::new();
    for row in rows(&case, 1) {
        let cluster = row.question.cluster.unwrap();
        clusters.entry(cluster).or_default().push(row.question.id);
    }
    let passage = |ids: &&Vec<String>| ids[0].starts_with("tower-");
    assert_eq!(clusters.values().find(passage).unwrap().len(), 3 * 2);
    // Four passages and eleven questions, one of them twice.
    assert_eq!(clusters.len(), 4 + 11);
}

#[test]
fn a_finished_run_stays_and_the_same_command_starts_another_under_the_present_rule() {
    let case = case_of("v0.1.0/finished");
    let output = run(&case, &format!("{RUN} --recheck 0"));
    ends_with(&output, 0);
    assert_eq!(case.questions().len(), 0, "every answer is there");
    let stderr = text(&output.stderr);
    for words in ["run 1, finished by version 0.1.0", "Split rule: ordered"] {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }
    assert_eq!(
        results_in(&case.results())["settings"]["evaluation"]["split"],
        "ordered"
    );
    let runs = reader(&case).runs().unwrap();
    let rules: Vec<_> = runs.iter().map(split_of).collect();
    assert_eq!(rules, [SplitRule::Hash, SplitRule::Ordered]);

    // Printed once: the newest run is now of this version.
    let again = run(&case, RUN);
    ends_with(&again, 0);
    assert!(!text(&again.stderr).contains("finished by version 0.1.0"));
}

#[test]
fn the_papers_protocol_has_no_rule_to_write_down() {
    let case = case_of("v0.1.0/finished");
    let output = run(&case, &format!("{RUN} --protocol paper"));
    ends_with(&output, 0);
    let results = results_in(&case.results());
    assert_eq!(results["settings"]["evaluation"]["protocol"], "paper");
    assert!(results["settings"]["evaluation"]["split"].is_null());
    assert!(!text(&output.stderr).contains("Split rule"));
}

#[test]
fn an_unfinished_run_with_an_untyped_record_goes_on() {
    let case = case_of("untyped/interrupted");
    let given = rows(&case, 1);
    let answered = given.iter().filter(|row| row.scores.is_some()).count();
    assert!((1..QUESTIONS).contains(&answered));
    ends_with(&run(&case, RUN), 0);
    assert_eq!(case.questions().len(), QUESTIONS - answered);
    let runs = reader(&case).runs().unwrap();
    assert_eq!(runs.len(), 1, "the same command has the same digest");
    assert!(runs[0].finished_at.is_some());
}

#[test]
fn a_finished_run_with_an_untyped_record_is_found_again() {
    let case = case_of("untyped/finished");
    ends_with(&run(&case, &format!("{RUN} --recheck 0")), 0);
    assert_eq!(case.questions().len(), 0);
    let runs = reader(&case).runs().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0].settings, runs[1].settings);
}

#[test]
fn a_shard_with_an_untyped_record_merges_with_a_new_one() {
    let case = case_of("untyped/shard");
    let other = case.folder.path().join("other");
    let line = format!("{RUN} --shard 2/2 --cluster none");
    let mut command = case.asking(&line, &other);
    ends_with(
        &command.current_dir(case.folder.path()).output().unwrap(),
        0,
    );
    let shards = [case.results(), other].map(|path| path.display().to_string());
    let merged = case
        .sureness("merge whole")
        .args(shards)
        .current_dir(case.folder.path())
        .output()
        .unwrap();
    ends_with(&merged, 0);
    let whole = results_in(&case.folder.path().join("whole"));
    assert_eq!(whole["models"][0]["complete"], true);
    assert_eq!(whole["settings"]["cluster"], "none");
    assert!(whole["settings"]["shard"].is_null());
}
