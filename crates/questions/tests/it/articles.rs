//! Files with several questions per article, as the authors of RACE and `QuALITY` published them, and
//! files whose rows unpack without end.

use std::fs;
use std::io::Write;

use sureness_hint::Hint;
use sureness_testkit::says;

use crate::common::{load, load_text, plain};

#[test]
fn files_of_race_hold_an_article_each() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..2 {
        let text = format!(
            r#"{{"answers":["B","A"],"options":[["a","b"],["c","d"]],"questions":["q{n}?","r{n}?"],"article":"Text {n}.","id":"high{n}.txt"}}"#
        );
        fs::write(folder.path().join(format!("{n}.txt")), text).unwrap();
    }
    let read = load(&folder.path().join("*.txt"), &plain("rc")).unwrap();
    let mut rows: Vec<_> = read.questions.iter().chain(&read.examples).collect();
    rows.sort_by_key(|row| &row.id);
    let expected = [("q0?", "b"), ("r0?", "c"), ("q1?", "b"), ("r1?", "c")];
    let found = rows
        .iter()
        .map(|row| (&*row.stem, &*row.options[row.right.first()]));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!(rows[3].context.as_deref(), Some("Text 1."));

    let short = r#"{"answers":["B"],"options":[["a","b"],["c","d"]],"questions":["q?","r?"],"article":"T."}"#;
    let error = load_text("x.txt", short, &plain("rc")).unwrap_err();
    says(
        &error.to_string(),
        &[
            "line 1, field \"answers\"",
            "one value per question",
            "another length",
        ],
    );
}

#[test]
fn articles_of_quality_hold_several_questions() {
    let question = |n: usize| {
        format!(
            r#"{{"question":"q{n}?","question_unique_id":"7_{n}","options":["a","b","c","d"],"gold_label":{n}}}"#
        )
    };
    let text = format!(
        r#"{{"article_id":"7","article":"Long.","questions":[{},{},{}]}}"#,
        question(1),
        question(2),
        question(4)
    );
    let read = load_text("QuALITY.v1.0.1.htmlstripped.dev", &text, &plain("rc")).unwrap();
    let mut rows: Vec<_> = read.questions.iter().chain(&read.examples).collect();
    rows.sort_by_key(|row| &row.id);
    let found: Vec<_> = rows
        .iter()
        .map(|row| (&*row.id, row.right.first()))
        .collect();
    assert_eq!(found, [("7_1", 0), ("7_2", 1), ("7_4", 3)]);
    let zero = text.replace("\"gold_label\":2", "\"gold_label\":0");
    let error = load_text("x.jsonl", zero, &plain("rc")).unwrap_err();
    says(&error.to_string(), &["line 1, field \"gold_label\""]);
}

/// Rows of a table, then one that never ends, as Zstandard: 300 MiB in some kilobytes.
fn endless(fill: &[u8]) -> Vec<u8> {
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    packed
        .write_all(b"question,A,B,answer\nq,x,y,A\nr,x,y,\"")
        .unwrap();
    for _ in 0..300 {
        packed
            .write_all(&fill.repeat((1 << 20) / fill.len()))
            .unwrap();
    }
    packed.finish().unwrap()
}

#[test]
fn a_cell_that_unpacks_without_end_is_refused() {
    for fill in [&b"x"[..], b"\n"] {
        let packed = endless(fill);
        assert!(packed.len() < 1 << 20);
        let error = load_text("x.csv.zst", packed, &plain("own")).unwrap_err();
        says(
            &format!("{error}\nhint: {}", error.hint()),
            &[
                "x.csv.zst, line 3: unpacks to a line, a row",
                "a quote that is not closed",
            ],
        );
    }
}
