//! `sureness import` from outside: what it writes, says and refuses.

use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};
use sureness_record::Recorded;
use sureness_store::Reader;
use sureness_testkit::{says, shared};

use crate::command;

/// Runs an import that must succeed; returns stdout and stderr.
#[track_caller]
fn imported(folder: &Path, line: &str) -> (String, String) {
    command::done(folder, &format!("import {line}"))
}

/// Runs an import that must be refused without writing anything; returns stderr.
#[track_caller]
fn refused(folder: &Path, line: &str) -> String {
    let stderr = command::refused(folder, &format!("import {line}"));
    assert!(!folder.join("results").exists(), "written: {stderr}");
    let (errors, hints) = (stderr.matches("error: "), stderr.matches("hint: "));
    assert_eq!(errors.count(), hints.count(), "{stderr}");
    stderr
}

/// Samples of lm-evaluation-harness: 20 questions, every fourth of them wrong.
fn samples(top: f64) -> String {
    (0..20).fold(String::new(), |text, id| {
        let right = id % 4 != 3;
        let answer = usize::from(!right);
        let line = json!({
            "doc_id": id, "doc": {"question": format!("Q{id}?"), "choices": ["x", "y"]},
            "target": answer.to_string(), "acc": if right { 1.0 } else { 0.0 },
            "arguments": {"gen_args_0": {"arg_0": "Q", "arg_1": " A"},
                          "gen_args_1": {"arg_0": "Q", "arg_1": " B"}},
            "filtered_resps": [[top.to_string(), "True"], ["-2.5", "False"]],
        });
        format!("{text}{line}\n")
    })
}

fn write(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn results(task: &str, accuracy: f64) -> String {
    let results = json!({
        "results": {task: {"acc,none": accuracy}}, "n-shot": {task: 5}, "model_name": "org/small",
        "lm_eval_version": "0.4.13"});
    results.to_string()
}

#[test]
fn samples_become_a_run_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "out/samples_yes_1.jsonl", &samples(-0.25));
    write(folder, "out/results_1.json", &results("yes", 0.75));
    let (stdout, stderr) = imported(folder, "out");
    says(
        &stdout,
        &["in file", "org/small", "yes", "5-shot", "20", "75.00 %"],
    );
    says(&stderr, &["Next: sureness analyze results"]);
    assert!(!stderr.contains("warning"), "{stderr}");

    let reader = Reader::open(&folder.join("results/sureness.sqlite")).unwrap();
    let runs = reader.runs().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].model.name, "org/small");
    assert_eq!(runs[0].model.backend, "import");
    assert_eq!(runs[0].groups, [("yes".to_owned(), "5-shot".to_owned())]);
    let Recorded::Import(import) = &runs[0].settings else {
        panic!("{:?}", runs[0].settings);
    };
    let source = &import.groups[0].source;
    assert_eq!(source["format"], "lm-eval");
    assert_eq!(source["files"][0]["name"], "samples_yes_1.jsonl");
    let mut right = 0;
    reader
        .rows(1, 0, |row| {
            let scores = row.scores.unwrap();
            right += usize::from(
                (scores.logprobs[1] > scores.logprobs[0]) == (row.question.right.contains(1)),
            );
        })
        .unwrap();
    assert_eq!(right, 15);

    // Again: known. Another task of the same model joins the run.
    let (_, stderr) = imported(folder, "out");
    says(
        &stderr,
        &["note: org/small: already imported as run 1; nothing was written"],
    );
    assert_eq!(reader.runs().unwrap().len(), 1);
    write(folder, "out/samples_no_2.jsonl", &samples(-0.5));
    write(folder, "out/results_2.json", &results("no", 0.75));
    let (_, stderr) = imported(folder, "out");
    says(&stderr, &["note: org/small: added 1 group to run 1"]);
    assert_eq!(reader.runs().unwrap()[0].groups.len(), 2);
}

#[test]
fn another_accuracy_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let changed = samples(-0.25).replacen("\"acc\":1.0", "\"acc\":0.0", 1);
    write(folder, "samples_yes_1.jsonl", &changed);
    write(folder, "results_1.json", &results("yes", 0.7));
    let (_, stderr) = imported(folder, "samples_yes_1.jsonl");
    says(
        &stderr,
        &[
            "warning: org/small, yes, 5-shot: the accuracy is 75.00 % here and 70.00 % in the file; the first question that differs is 0",
        ],
    );
}

#[test]
fn names_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "s.jsonl", &samples(-0.25));
    let line = "s.jsonl --model m --task t --strategy s --format lm-eval --output-dir out";
    imported(folder, line);
    // Flags may stand before the subcommand as well.
    let output = Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .current_dir(folder)
        .args("--output-dir out --model m import s.jsonl --task t --strategy s".split(' '))
        .output()
        .unwrap();
    says(
        &String::from_utf8(output.stderr).unwrap(),
        &["already imported as run 1"],
    );
    let reader = Reader::open(&folder.join("out/sureness.sqlite")).unwrap();
    let run = reader.run(1).unwrap();
    assert_eq!(
        (&*run.model.name, run.groups),
        ("m", vec![("t".to_owned(), "s".to_owned())])
    );
}

#[test]
fn bad_input_is_refused_and_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "samples_cut_1.jsonl", &samples(-0.25)[..700]);
    write(folder, "samples_nan_1.jsonl", &samples(f64::NAN));
    let text = samples(-0.25).replace("[[\"-0.25\",\"True\"],[\"-2.5\",\"False\"]]", "[\"yes\"]");
    write(folder, "samples_gen_1.jsonl", &text);
    write(folder, "other.txt", "hello");
    write(folder, "m.csv", "id,A,B\n1,2,3\n");
    for (line, parts) in [
        (
            "samples_cut_1.jsonl --model m",
            ["samples_cut_1.jsonl, line ", "not valid JSON: EOF"],
        ),
        (
            "samples_nan_1.jsonl --model m",
            [
                "line 1, field \"resps\": option A",
                "has no finite log-likelihood",
            ],
        ),
        (
            "samples_gen_1.jsonl --model m",
            ["line 1, field \"filtered_resps\"", "a generative task"],
        ),
        (
            "samples_gen_1.jsonl absent.eval",
            ["absent.eval: cannot be read", "model's name is missing"],
        ),
        (
            "other.txt",
            ["other.txt: has an unknown format", "docs/import.md"],
        ),
        (
            "m.csv --task t",
            ["m.csv: the file has no right answers", "--questions"],
        ),
        (
            "m.csv --task t --questions absent.json",
            ["absent.json: cannot be read", "check the path"],
        ),
    ] {
        says(&refused(folder, line), &parts);
    }
}

#[test]
fn the_papers_pickles_become_one_run_per_model() {
    let Some(shared) = shared("") else { return };
    let folder = tempfile::tempdir().unwrap();
    let paper = shared.join("paper").canonicalize().unwrap();
    let line = format!("{0}/logits --questions {0}/mmlu_10k.json", paper.display());
    let (stdout, _) = imported(folder.path(), &line);
    says(&stdout, &["Yi-34B", "qa", "task_specific", "9,995"]);
    let reader = Reader::open(&folder.path().join("results/sureness.sqlite")).unwrap();
    let runs = reader.runs().unwrap();
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run.groups.len() == 3));
    let expected: Value =
        serde_json::from_slice(&std::fs::read(paper.join("expected_qa.json")).unwrap()).unwrap();
    let run = runs.iter().find(|run| run.model.name == "Yi-34B").unwrap();
    for (index, (_, strategy)) in run.groups.iter().enumerate() {
        let mut rows = Vec::new();
        reader.rows(run.id, index, |row| rows.push(row)).unwrap();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| sureness_conformal::Row {
                key: &row.question.content,
                cluster: None,
                logits: (&row.scores.as_ref().unwrap().logprobs).into(),
                right: row.question.right,
                dont_know: row.question.dont_know,
                none_of_the_above: row.question.none_of_the_above,
            })
            .collect();
        let config = sureness_conformal::Config {
            protocol: sureness_conformal::Protocol::Paper,
            ..sureness_conformal::Config::default()
        };
        let found = sureness_conformal::evaluate(&rows, &config).unwrap();
        let short = strategy.split('_').next().unwrap();
        let expected = &expected[format!("Yi-34B/{short}")];
        for (name, value) in [
            ("acc", found.acc),
            ("lac_set_size", found.lac.set_size),
            ("lac_coverage", found.lac.coverage),
            ("aps_set_size", found.aps.set_size),
            ("aps_coverage", found.aps.coverage),
            ("e_rate", found.e_rate),
            ("f_rate", found.f_rate),
        ] {
            let published = expected[name].as_f64().unwrap();
            assert!(
                (value - published).abs() < 1e-9,
                "{strategy}, {name}: {value}, {published}"
            );
        }
    }
}

#[test]
fn flags_for_saved_logits_are_said_to_have_no_effect_on_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "out/samples_t_2026-11-25T00-00-00.jsonl",
        &samples(-0.1),
    );
    imported(folder, "out --model m --strategy base");
    let flags = "--drop-options A --questions q.json --any-questions --drop-ids 3";
    let line = format!("analyze results --modes basic {flags}");
    let (_, stderr) = command::done(folder, &line);
    for flag in [
        "--drop-options",
        "--questions",
        "--any-questions",
        "--drop-ids",
    ] {
        says(
            &stderr,
            &[&format!(
                "{flag} has no effect: it applies to files of saved logits"
            )],
        );
    }
}
