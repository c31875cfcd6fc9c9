//! Texts of questions on the page of a run, whose store holds none.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use sureness_faultserver::Script;

use super::{Case, SHORT, ends_with, text};

/// `sureness report` in the case's folder.
fn report(case: &Case, line: &str) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .env_clear()
        .env("SURENESS_HOME", case.folder.path().join("home"))
        .current_dir(case.folder.path())
        .args(["report", "results", "--splits", "5", "--replicates", "100"])
        .args(line.split_whitespace())
        .output()
        .unwrap()
}

fn page(case: &Case) -> String {
    std::fs::read_to_string(case.folder.path().join("report.html")).unwrap()
}

/// Forty questions, the texts of which would like to be markup.
fn write_questions(path: &Path) {
    let lines: Vec<String> = (0..40)
        .map(|id| {
            json!({
                "id": format!("q{id}"), "question": format!("Stem {id} </script><b>bold</b>?"),
                "context": format!("Passage {id}"),
                "options": ["first", "second", "<img src=x onerror=alert(1)>"], "answer": id % 3,
            })
            .to_string()
        })
        .collect();
    std::fs::write(path, lines.join("\n")).unwrap();
}

#[test]
fn questions_of_the_pack_are_shown_with_their_texts() {
    let case = Case::new(Script::healthy());
    ends_with(&case.run(&format!("run {SHORT}")), 0);
    ends_with(&report(&case, ""), 0);
    let page = page(&case);
    let stems = page.matches("\"s\":\"").count();
    assert!(stems >= 20, "{stems} questions have a stem");
    // Asked with the two abstention options, and shown with them.
    assert!(page.contains("\"None of the above\"]"));
    assert!(
        !page.contains("Questions without text"),
        "all texts are found"
    );
}

/// The page without its own date and command, which end the settings.
fn without_provenance(page: &str) -> String {
    let (before, rest) = page.rsplit_once("<dt>provenance</dt>").unwrap();
    let (provenance, after) = rest.split_once("</section>").unwrap();
    assert!(provenance.contains("sureness report "), "{provenance}");
    format!("{before}{after}")
}

#[test]
fn texts_come_from_where_the_run_had_them_or_from_where_the_flag_says() {
    let case = Case::new(Script::healthy());
    let file = case.folder.path().join("own.jsonl");
    write_questions(&file);
    let run = format!(
        "run --tasks own --data own={} --no-abstention --prompt-strategies base --progress none",
        file.display()
    );
    ends_with(&case.run(&run), 0);

    // It is still where it was.
    ends_with(&report(&case, ""), 0);
    let found = page(&case);
    assert!(found.contains("Stem 1") && found.contains("Passage 1"));
    assert!(
        found.contains("[\"first\",\"second\",\"\\u003cimg"),
        "three options, no markup"
    );
    assert!(!found.contains("<b>bold") && !found.contains("<img src=x"));

    // The file is gone: the page says so, with a hint.
    let moved = case.folder.path().join("elsewhere.jsonl");
    std::fs::rename(&file, &moved).unwrap();
    ends_with(&report(&case, ""), 0);
    let without = page(&case);
    assert!(!without.contains("Stem 1"));
    assert!(without.contains("Questions without text") && without.contains("--data TASK=PATH"));

    // The flag says where it is; other questions are never shown for these.
    ends_with(
        &report(&case, "--data own=elsewhere.jsonl --data-format own=jsonl"),
        0,
    );
    assert_eq!(without_provenance(&page(&case)), without_provenance(&found));
    std::fs::write(
        &moved,
        std::fs::read_to_string(&moved)
            .unwrap()
            .replace("Stem", "Other"),
    )
    .unwrap();
    ends_with(&report(&case, "--data own=elsewhere.jsonl"), 0);
    assert!(!page(&case).contains("Other 1"));

    for (line, says) in [
        ("--data own=nowhere.jsonl", "nowhere.jsonl"),
        ("--data own", "must be of the form TASK=PATH"),
        ("--data-format own=jsonl", "but no questions"),
        (
            "--data own=elsewhere.jsonl --data-format own=paper",
            "elsewhere.jsonl",
        ),
    ] {
        let output = report(&case, line);
        ends_with(&output, 2);
        assert!(
            text(&output.stderr).contains(says),
            "{line}: {}",
            text(&output.stderr)
        );
    }
}
