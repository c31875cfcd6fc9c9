//! Files that are not read end in a hint that names the way out.

use sureness_hint::Hint;
use sureness_questions::{Format, LoadOptions};
use sureness_testkit::says;

use crate::common::{load_text, plain};

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
fn files_that_are_not_text() {
    for (begin, words) in [
        (b"ARROW1\0\0".as_slice(), ["Arrow", "to_json"]),
        (
            b"PK\x03\x04\x14\0",
            ["spreadsheet", "save the spreadsheet as CSV"],
        ),
        (b"PAR1\x15\x04\x15\x00", ["cut off", "download"]),
        (b"\x1f\x8b\x08\0\0\0\0\0", ["gzip", "whole"]),
        (b"\x28\xb5\x2f\xfd\x24\0", ["Zstandard", "whole"]),
    ] {
        refused(begin, &words);
    }
}

#[test]
fn a_missing_field_is_asked_for_in_the_form_that_is_read() {
    let text = r#"{"question":"q","answer":"b","distractor1":"b"}"#;
    let error = load_text("x.jsonl", text, &plain("own")).unwrap_err();
    says(
        &format!("{error}\n{}", error.hint()),
        &[
            "the nearest layout, jsonl, also has \"options\"",
            "--columns",
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
