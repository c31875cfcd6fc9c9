//! The gate's exit codes and formats.

use std::path::Path;
use std::process::Output;

use sureness_testkit::says;

use super::{Rng, file, json, write_key, write_model};
use crate::command::{refused, sureness};

const QUESTIONS: usize = 2000;

fn gate(folder: &Path, base: &str, candidate: &str, flags: &str) -> Output {
    let line = format!(
        "gate {} {} --questions key.json --drop-ids none {flags}",
        file(base),
        file(candidate)
    );
    sureness(folder, &line)
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn every_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, QUESTIONS);
    write_model(folder, "base", QUESTIONS, 1, |id| id % 100 < 70);
    // The same answers, but for two in a hundred.
    write_model(folder, "same", QUESTIONS, 1, |id| id % 100 < 70);
    write_model(folder, "worse", QUESTIONS, 1, |id| id % 100 < 68);
    // One worse in fifty, one better in fifty.
    write_model(folder, "other", QUESTIONS, 1, |id| {
        (2..72).contains(&(id % 100))
    });

    let pass = gate(
        folder,
        "base",
        "same",
        "--margin acc=1pp,size=0.1,uacc=1pp,coverage=5pp,ece=2pp",
    );
    assert_eq!(code(&pass), 0, "{pass:?}");
    says(
        &out(&pass),
        &[
            "Pass: same is no worse than base",
            "UAcc",
            "coverage",
            "ECE",
        ],
    );

    let worse = gate(folder, "base", "worse", "");
    assert_eq!(code(&worse), 3, "{worse:?}");
    says(
        &out(&worse),
        &["Worse: worse is worse than base in accuracy", "−2.00 pp"],
    );

    let undecided = gate(folder, "base", "other", "--margin acc=0.5pp");
    assert_eq!(code(&undecided), 4, "{undecided:?}");
    says(&out(&undecided), &["Undecided"]);
    assert_eq!(
        code(&gate(
            folder,
            "base",
            "other",
            "--margin acc=0.5pp --undecided pass"
        )),
        0
    );
    assert_eq!(
        code(&gate(
            folder,
            "base",
            "other",
            "--margin acc=0.5pp --undecided fail"
        )),
        3
    );

    let found = json(&out(&gate(folder, "base", "worse", "--output json")));
    assert_eq!(found["verdict"], "worse");
    assert_eq!(found["questions"], QUESTIONS);
    assert!((found["checks"][0]["candidate"].as_f64().unwrap() - 0.68).abs() < 1e-9);
    says(
        &out(&gate(folder, "base", "worse", "--output markdown")),
        &["| Figure", "| worse"],
    );
    let xml = out(&gate(
        folder,
        "base",
        "worse",
        "--margin acc=1pp,size=0.5 --output junit",
    ));
    says(
        &xml,
        &[
            "<testsuites>",
            "tests=\"2\" failures=\"1\" errors=\"0\"",
            "<failure message=",
        ],
    );
}

#[test]
fn no_interval_goes_beyond_what_figures_can_differ_by() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 60);
    write_model(folder, "base", 60, 1, |_| true);
    write_model(folder, "wrong", 60, 2, |_| false);
    let output = gate(folder, "base", "wrong", "--output json");
    assert_eq!(code(&output), 3, "{output:?}");
    let [low, high] = [0, 1].map(|end| {
        json(&out(&output))["checks"][0]["interval"][end]
            .as_f64()
            .unwrap()
    });
    assert!(
        low.abs() <= 1.0 && low < -0.9 && high < -0.8,
        "{low} {high}"
    );

    write_key(folder, 30);
    write_model(folder, "base", 30, 1, |_| true);
    write_model(folder, "wrong", 30, 2, |_| false);
    says(
        &out(&gate(folder, "base", "wrong", "")),
        &["(too few questions or clusters)"],
    );
}

#[test]
fn chance_is_called_worse_in_few_draws() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, QUESTIONS);
    let mut worse = 0;
    for draw in 0..40 {
        // Both are right with probability 0.7, and agree in most questions.
        let mut rng = Rng(1000 + draw);
        let answers: Vec<[bool; 2]> = (0..QUESTIONS)
            .map(|_| {
                let both = rng.unit() < 0.7;
                [(); 2].map(|()| {
                    if rng.unit() < 0.15 {
                        rng.unit() < 0.7
                    } else {
                        both
                    }
                })
            })
            .collect();
        write_model(folder, "base", QUESTIONS, draw, |id| answers[id][0]);
        write_model(folder, "candidate", QUESTIONS, draw + 1, |id| {
            answers[id][1]
        });
        let output = gate(folder, "base", "candidate", "--margin acc=1pp,size=0.1");
        assert!([0, 3, 4].contains(&code(&output)), "{output:?}");
        worse += usize::from(code(&output) == 3);
    }
    // 2.5 % are expected at most.
    assert!(worse <= 4, "{worse} of 40");
}

#[test]
fn bad_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 100);
    write_model(folder, "a", 100, 1, |id| id % 2 == 0);
    write_model(folder, "few", 60, 2, |id| id % 2 == 0);
    let (a, few) = (file("a"), file("few"));
    let end = "--questions key.json --drop-ids none";
    for (line, parts) in [
        (format!("gate {a} {few} {end}"), &["hint: "][..]),
        (
            format!("gate {a} missing.jsonl {end}"),
            &["missing.jsonl does not exist"],
        ),
        (format!("gate {a},{few} {a} {end}"), &["hint: "]),
        (format!("gate {a} {a} {end} --margin acc=1"), &["acc=1pp"]),
        (
            format!("gate {a} {a} {end} --margin acc=1pp,acc=2pp"),
            &["names acc twice"],
        ),
        (
            format!("gate {a} {a} {end} --margin mce=1pp"),
            &["unknown metric"],
        ),
    ] {
        says(&refused(folder, &line), parts);
    }
}

/// The ready-made files for pipelines: their commands run, and end with a gate's exit code.
#[test]
fn the_commands_of_the_pipelines_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, QUESTIONS);
    write_model(folder, "one", QUESTIONS, 1, |id| id % 100 < 70);
    for run in ["base", "candidate"] {
        let line = format!(
            "import {} --questions key.json --drop-ids none --output-dir {run}",
            file("one")
        );
        crate::command::done(folder, &line);
    }
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/ci");
    let mut ran = 0;
    for name in ["github-gate.yml", "gitlab-gate.yml"] {
        let text = std::fs::read_to_string(deploy.join(name)).unwrap();
        for line in text.lines().filter(|line| line.contains("sureness gate ")) {
            let (_, line) = line.split_once("sureness ").unwrap();
            let line = line
                .split(" > ")
                .next()
                .unwrap()
                .split(" >> ")
                .next()
                .unwrap();
            let output = sureness(folder, line);
            assert_eq!(code(&output), 0, "{name}: {line}: {output:?}");
            assert!(!output.stdout.is_empty(), "{name}: {line}");
            ran += 1;
        }
    }
    assert_eq!(ran, 4);
}
