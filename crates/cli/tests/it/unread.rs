//! Keys and columns of questions that are not read are named.

use assert_cmd::Command;
use sureness_faultserver::Script;
use sureness_testkit::{Case, ends_with, says, shared, text};

const ROWS: &str = "question,A,B,answer,level,passage\n\
                    Is water wet?,yes,no,A,1,Rain fell.\n\
                    Is fire cold?,yes,no,B,1,Rain fell.\n\
                    Is ice warm?,yes,no,B,2,Rain fell.\n\
                    Is snow white?,yes,no,A,2,Rain fell.\n";

/// What `sureness data` prints about a file, and its exit code.
fn data(line: &str, folder: &std::path::Path) -> (String, Option<i32>) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .env("SURENESS_HOME", folder)
        .current_dir(folder)
        .arg("data")
        .args(line.split(' '))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

#[test]
fn data_check_and_import_and_a_run_name_them() {
    let case = Case::new(Script::healthy());
    std::fs::write(case.path("own.csv"), ROWS).unwrap();
    let (said, code) = data("check own.csv", case.folder.path());
    assert_eq!(code, Some(0));
    says(&said, &["not read", "\"level\"", "Context: Rain fell."]);
    assert!(!said.contains("\"passage\""), "{said}");
    let (said, _) = data("import own own.csv", case.folder.path());
    says(&said, &["note: not read from the data: \"level\""]);

    let line = format!(
        "run --data own={} --prompt-strategies base",
        case.path("own.csv").display()
    );
    let output = case.run(&line);
    ends_with(&output, 0);
    let said = text(&output.stderr);
    says(&said, &["note: not read from the data: \"level\" of own"]);
    assert_eq!(said.matches("not read").count(), 1, "{said}");
    assert!(
        case.questions()
            .iter()
            .any(|prompt| prompt.contains("Rain fell."))
    );
}

#[test]
fn a_column_that_the_built_in_questions_lack_is_looked_for_in_a_file() {
    let case = Case::new(Script::healthy());
    let output = case.run("run --tasks rc --cluster passage");
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &[
            "--cluster passage",
            "hint: name the file that has it with --data rc=PATH",
        ],
    );
    assert!(case.questions().is_empty());
}

#[test]
fn each_case_is_read_or_refused_in_words_that_fit() {
    let Some(cases) = shared("cases") else { return };
    let home = tempfile::tempdir().unwrap();
    for (file, expected, words) in [
        ("arc-hub-layout/rows.jsonl", 0, &["arc, detected"][..]),
        ("float-answer/rows.jsonl", 0, &["is valid"]),
        ("hub-mmlu-number-options/rows.jsonl", 0, &["is valid"]),
        (
            "hub-mmlu-repeated-option/rows.jsonl",
            0,
            &["equal options", "in 1 question"],
        ),
        (
            "hub-mmlu-subject/rows.jsonl",
            0,
            &["categories", "anatomy", "law"],
        ),
        (
            "nan-in-jsonl/rows.jsonl",
            2,
            &["line 4, field \"options\": NaN", "hint: "],
        ),
        ("null-option/rows.jsonl", 0, &["4 each"]),
        ("null-option/rows_object.jsonl", 0, &["4 each"]),
        ("passage-left-out/rows.jsonl", 0, &["Context: Box"]),
        ("passage-left-out/rows_passage.jsonl", 0, &["Context: Box"]),
        ("passage-left-out/rows.csv", 0, &["Context: Box"]),
        ("records-array/rows.json", 0, &["jsonl, detected"]),
    ] {
        let (said, code) = data(
            &format!("check {}", cases.join(file).display()),
            home.path(),
        );
        assert_eq!(code, Some(expected), "{file}: {said}");
        says(&said, words);
    }
}
