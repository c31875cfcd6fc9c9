//! Data sets as Parquet, as folders, patterns and named columns, asked through the binary.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sureness_faultserver::Script;
use sureness_testkit::{Case, ends_with, says, text};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../questions/tests/data")
        .join(name)
}

/// Runs `sureness LINE` in the case's folder; what it prints.
fn done(case: &Case, line: &str, code: i32) -> String {
    let output = case.sureness(line).output().unwrap();
    ends_with(&output, code);
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn mmlu_of_the_hub_takes_the_answers_of_its_csv_files() {
    let case = Case::new(Script::healthy());
    let prompts = |name: &str| {
        let before = case.questions().len();
        let line = format!(
            "run --data qa={} --prompt-strategies base",
            fixture(name).display()
        );
        let output = case.run(&line);
        ends_with(&output, 0);
        let split = text(&output.stderr).contains("(split test)");
        assert_eq!(split, name == "mmlu_hub", "{}", text(&output.stderr));
        case.questions()
            .split_off(before)
            .into_iter()
            .collect::<BTreeSet<_>>()
    };
    let csv = prompts("mmlu");
    assert!(csv.len() > 3);
    // But for the recheck of a few, all answers are there.
    let hub = prompts("mmlu_hub");
    assert!(hub.is_subset(&csv));
    let results = sureness_testkit::results_in(&case.results());
    assert_eq!(results["models"][0]["timing"]["asked"], 0);
}

#[test]
fn a_pattern_and_named_columns_are_asked() {
    let case = Case::new(Script::healthy());
    for (name, rows) in [
        (
            "a.csv",
            "ask,one,two,key\nIs it so?,yes,no,1\nIs it wet?,yes,no,2\n",
        ),
        (
            "b.csv",
            "ask,one,two,key\nIs it dry?,yes,no,2\nIs it old?,yes,no,1\n",
        ),
    ] {
        std::fs::write(case.path(name), rows).unwrap();
    }
    let said = done(&case, "data check *.csv", 2);
    says(&said, &["unknown layout", "\"ask\"", "--columns"]);
    let columns = "--columns question=ask,options=one+two,answer=key,first=1";
    let said = done(&case, &format!("data check *.csv {columns}"), 0);
    says(&said, &["columns", "files", "2", "A. yes"]);

    let run = format!("run --data own=*.csv --prompt-strategies base {columns}");
    let output = case.run(&run);
    ends_with(&output, 0);
    assert!(
        case.questions()
            .iter()
            .any(|prompt| prompt.contains("Is it dry?"))
    );

    for (flags, words) in [
        ("--columns question=ask", "options is missing"),
        (
            "--columns own=question=ask,options=one+two,answer=key --data-format own=csv",
            "both",
        ),
    ] {
        let output = case.run(&format!("run --data own=*.csv {flags}"));
        ends_with(&output, 2);
        says(&text(&output.stderr), &[words, "hint: "]);
    }
}

#[test]
fn an_import_of_parquet_is_asked_like_the_file() {
    let case = Case::new(Script::healthy());
    let bbq = fixture("layouts/bbq.parquet");
    let said = done(&case, &format!("data check {}", bbq.display()), 0);
    says(
        &said,
        &["bbq, detected", "an option of its own that abstains"],
    );
    done(&case, &format!("data import bias {}", bbq.display()), 0);
    ends_with(&case.run("run --tasks bias --prompt-strategies base"), 0);
    let questions = case.questions();
    assert!(!questions.is_empty());
    assert!(
        questions
            .iter()
            .all(|prompt| !prompt.contains("I don't know"))
    );
}

#[test]
fn faults_name_file_row_and_column_before_anything_is_asked() {
    let case = Case::new(Script::healthy());
    let whole = std::fs::read(fixture("layouts/arc.parquet")).unwrap();
    std::fs::write(case.path("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    for (data, words) in [
        (
            fixture("layouts/out_of_range.parquet"),
            [
                "row 9812, field \"answer\"",
                "hint: give the option's letter",
            ],
        ),
        (
            case.path("cut.parquet"),
            ["cut.parquet: the Parquet file is cut off", "hint: "],
        ),
        (
            case.path("no*.parquet"),
            ["no files of questions", "hint: "],
        ),
    ] {
        let output = case.run(&format!("run --data own={}", data.display()));
        ends_with(&output, 2);
        says(&text(&output.stderr), &words);
    }
    assert!(case.server.log().is_empty());
}
