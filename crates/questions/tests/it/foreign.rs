//! Files and layouts that are not read end in a hint that names the way out.

use std::fs;

use sureness_hint::Hint;
use sureness_questions::{Format, LoadOptions};
use sureness_testkit::{says, shared};

use crate::common::{load, load_text, plain};

fn refused(text: impl AsRef<[u8]>, words: &[&str]) {
    for format in [None, Some(Format::Jsonl)] {
        let options = LoadOptions {
            format,
            ..plain("own")
        };
        let error = load_text("x.jsonl", &text, &options).unwrap_err();
        says(&format!("{error}\nhint: {}", error.hint()), words);
    }
}

#[test]
fn layouts_of_the_hub() {
    let arc = r#"{"id":"x","question":"q","choices":{"text":["a","b"],"label":["1","2"]},"answerKey":"1"}"#;
    let words = [
        "line 1, field \"choices\"",
        "ARC",
        "hint: write {\"question\"",
        "jq",
    ];
    refused(arc, &words);
    refused(format!("[{arc}]"), &words);
    refused(arc.replace("\"question\"", "\"question_stem\""), &words);
    refused(
        r#"{"id":"x","question":{"stem":"q","choices":[{"text":"a","label":"A"}]},"answerKey":"A"}"#,
        &["field \"question\"", "ARC", "jq"],
    );
    refused(
        r#"{"question":"q","opa":"a","opb":"b","opc":"c","opd":"d","cop":0}"#,
        &["MedMCQA", "\"question\", \"options\" and \"answer\"", "cop"],
    );
    refused(
        r#"{"question":"q","mc1_targets":{"choices":["a","b"],"labels":[1,0]}}"#,
        &["TruthfulQA", "\"options\"", "shuffle"],
    );
    let Some(path) = shared("cases/arc-hub-layout/rows.jsonl") else {
        return;
    };
    let error = load(&path, &plain("own")).unwrap_err();
    says(&format!("{error}\n{}", error.hint()), &words[..2]);
}

#[test]
fn files_that_are_not_text() {
    for (begin, words) in [
        (b"PAR1\x15\x04\x15\x00".as_slice(), ["Parquet", "to_json"]),
        (b"ARROW1\0\0", ["Arrow", "to_json"]),
        (b"\x1f\x8b\x08\0\0\0\0\0", ["gzip", "gunzip"]),
        (b"\x28\xb5\x2f\xfd\x24\0", ["Zstandard", "unzstd"]),
        (
            b"PK\x03\x04\x14\0",
            ["spreadsheet", "save the spreadsheet as CSV"],
        ),
    ] {
        refused(begin, &words);
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("test-00000-of-00001.parquet"), b"PAR1").unwrap();
    let error = load(folder.path(), &plain("own")).unwrap_err();
    says(
        &format!("{error}\n{}", error.hint()),
        &["a folder of Parquet files", "to_json"],
    );
}

#[test]
fn a_missing_field_is_asked_for_in_the_form_that_is_read() {
    refused(
        r#"{"question":"q","correct_answer":"a","distractor1":"b"}"#,
        &[
            "field \"options\": missing",
            "a list of texts, or an object",
        ],
    );
    let csv = load_text(
        "x.csv",
        "question,choices,answer\nq,\"['a', 'b']\",0\n",
        &plain("own"),
    );
    let error = csv.map(|_| ()).unwrap_err();
    says(
        &format!("{error}\n{}", error.hint()),
        &["line 1, field \"A\"", "a column of its own"],
    );
}
