//! `--cluster`: which questions belong together, and what is written down of it.

use std::collections::HashSet;
use std::path::Path;

use sureness_faultserver::Script;
use sureness_store::Reader;

use super::{Case, SHORT, ends_with, results_in, text};

/// Twelve questions about four passages, and twelve others with one duplicate.
fn own() -> String {
    let questions = "tests/fixtures/v0.1.0/questions.jsonl";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(questions);
    format!(
        "run --data own={} --prompt-strategies base --progress none",
        path.display()
    )
}

/// How many clusters a run's questions are in.
fn clusters(case: &Case, run: i64) -> usize {
    let reader = Reader::open(&case.results().join("sureness.sqlite")).unwrap();
    let mut clusters = HashSet::new();
    let visit = |row: sureness_store::StoredRow| {
        clusters.insert(row.question.cluster.unwrap());
    };
    reader.rows(run, 0, visit).unwrap();
    clusters.len()
}

#[test]
fn clusters_are_kept_and_written_down_where_they_are_named() {
    let case = Case::new(Script::healthy());
    let mut asked = None;
    for (run, (flag, expected)) in (1..).zip([
        ("", 4 + 11),
        ("--cluster none", 24),
        ("--cluster category", 2),
        ("--cluster id", 24),
        ("--cluster auto", 4 + 11),
    ]) {
        ends_with(&case.run(&format!("{} --recheck 0 {flag}", own())), 0);
        assert_eq!(clusters(&case, run), expected, "{flag}");
        let settings = &results_in(&case.results())["settings"];
        let named = flag.strip_prefix("--cluster ").filter(|it| *it != "auto");
        assert_eq!(settings["cluster"].as_str(), named, "{flag}");
        // They move no answer.
        let questions = case.questions().len();
        assert_eq!(*asked.get_or_insert(questions), questions, "{flag}");
    }
}

#[test]
fn a_column_that_cannot_tell_is_refused_before_anything_is_asked() {
    let case = Case::new(Script::healthy());
    let own = own();
    for (line, says) in [
        // Half of the questions are about no passage.
        (format!("{own} --cluster passage"), "\"passage\": missing"),
        (format!("{own} --cluster paragraph"), "\"context\""),
        (format!("run {SHORT} --cluster passage"), "\"level\""),
    ] {
        let output = case.run(&line);
        ends_with(&output, 2);
        let stderr = text(&output.stderr);
        for words in [says, "error: ", "hint: "] {
            assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
        }
    }
    assert!(case.questions().is_empty());
    ends_with(&case.run(&format!("run {SHORT} --cluster level")), 0);
}

#[test]
fn an_import_keeps_categories_and_no_other_column() {
    let case = Case::new(Script::healthy());
    let own = own();
    let path = own.split(['=', ' ']).nth(3).unwrap();
    let import = format!("data import own {path}");
    ends_with(&case.sureness(&import).output().unwrap(), 0);
    let run = "run --tasks own --prompt-strategies base --progress none --cluster";
    let output = case.run(&format!("{run} passage"));
    ends_with(&output, 2);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("keeps no column \"passage\""), "{stderr}");
    assert!(stderr.contains("--data own=PATH"), "{stderr}");
    ends_with(&case.run(&format!("{run} category")), 0);
    assert_eq!(clusters(&case, 1), 2);
}
