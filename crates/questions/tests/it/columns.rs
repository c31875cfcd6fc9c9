//! Layouts of one's own, whose columns are named.

use sureness_hint::Hint;
use sureness_questions::{Columns, LoadOptions};
use sureness_testkit::says;

use crate::common::{data, load, load_text, plain};

fn with(columns: &str) -> LoadOptions {
    LoadOptions {
        columns: Some(columns.parse().unwrap()),
        ..plain("own")
    }
}

/// The right option of the first row.
fn right(text: &str, columns: &str) -> String {
    let rows = [text, &text.replace("\"q\"", "\"r\"")].join("\n");
    let read = load_text("x", rows, &with(columns)).unwrap_or_else(|error| panic!("{error}"));
    let row = read.questions.iter().find(|row| row.stem == "q");
    let row = row.or_else(|| read.examples.iter().find(|row| row.stem == "q"));
    row.unwrap().options[row.unwrap().right.only().unwrap()].clone()
}

#[test]
fn options_and_answers_come_in_every_shape() {
    for (row, columns) in [
        (
            r#"{"p":"q","o":["a","b"],"k":1}"#,
            "question=p,options=o,answer=k",
        ),
        (
            r#"{"p":"q","o":["a","b"],"k":"B"}"#,
            "question=p,options=o,answer=k",
        ),
        (
            r#"{"p":"q","o":["a","b"],"k":"b"}"#,
            "question=p,options=o,answer=k",
        ),
        (
            r#"{"p":"q","o":["a","b"],"k":"2"}"#,
            "question=p,options=o,answer=k,first=1",
        ),
        (
            r#"{"p":"q","o":["a","b"],"k":2}"#,
            "question=p,options=o,answer=k,first=1",
        ),
        (
            r#"{"p":"q","x":"a","y":"b","z":null,"k":1.0}"#,
            "question=p,options=x+y+z,answer=k",
        ),
        (
            r#"{"p":"q","o":{"text":["a","b"],"label":["1","2"]},"k":"2"}"#,
            "question=p,options=o,answer=k",
        ),
        (
            r#"{"p":"q","o":{"A":"a","B":"b"},"k":"B"}"#,
            "question=p, options=o, answer=k",
        ),
        (
            r#"{"p":"q","o":[{"label":"x","text":"a"},{"label":"y","text":"b"}],"k":"y"}"#,
            "question=p,options=o,answer=k",
        ),
        (
            r#"{"p":"q","in":{"o":["a","b"]},"k":1}"#,
            "question=p,options=in.o,answer=k",
        ),
    ] {
        assert_eq!(right(row, columns), "b", "{row} {columns}");
    }
}

#[test]
fn a_table_and_parquet_are_read_alike() {
    let csv = "ask,one,two,key,area\nq,a,b,2,x\nr,a,b,1,y\ns,a,b,1,y\n";
    let columns = "question=ask,options=one+two,answer=key,first=1,category=area";
    let read = load_text("x.csv", csv, &with(columns)).unwrap();
    assert_eq!(read.questions.len() + read.examples.len(), 3);
    let parquet = data("layouts/mmlu-hub.parquet");
    let columns = "question=question,options=choices,answer=answer,category=subject";
    let mapped = load(&parquet, &with(columns)).unwrap();
    let known = load(&parquet, &plain("own")).unwrap();
    let content = |read: &crate::common::Plain| -> Vec<_> {
        read.questions
            .iter()
            .map(sureness_questions::Question::content_digest)
            .collect()
    };
    assert_eq!(content(&mapped), content(&known));
}

#[test]
fn faults_are_placed() {
    for (row, columns, words) in [
        (
            r#"{"p":"q","o":["a","b"],"k":0}"#,
            "question=p,options=o,answer=k,first=1",
            ["field \"k\"", "count from 0"],
        ),
        (
            r#"{"p":"q","o":["a","b"],"k":3}"#,
            "question=p,options=o,answer=k,first=1",
            ["field \"k\"", "the answer is 3"],
        ),
        (
            r#"{"p":"q","o":["a","b"],"k":2}"#,
            "question=p,options=o,answer=k",
            ["field \"k\"", "the answer is 2"],
        ),
        (
            r#"{"p":"q","o":["a","b"]}"#,
            "question=p,options=o,answer=k",
            ["field \"k\": missing", "found \"p\", \"o\""],
        ),
        (
            r#"{"p":"q","o":["a","b"],"k":1}"#,
            "question=p,options=o,answer=k,context=c",
            ["field \"c\": missing", "found"],
        ),
        (
            r#"{"p":"q","o":"a or b","k":1}"#,
            "question=p,options=o,answer=k",
            ["field \"o\"", "an array"],
        ),
    ] {
        let error = load_text("x", row, &with(columns)).unwrap_err();
        says(&format!("{error}\n{}", error.hint()), &words);
    }
}

#[test]
fn a_column_that_is_missing_is_answered_with_all_that_there_are() {
    let parquet = data("layouts/mmlu-hub.parquet");
    let error = load(
        &parquet,
        &with("question=prompt,options=choices,answer=answer"),
    )
    .unwrap_err();
    says(
        &error.to_string(),
        &[
            "row 1, field \"prompt\": missing",
            "\"question\", \"subject\", \"choices\", \"answer\"",
        ],
    );
}

#[test]
fn columns_that_make_no_sense_are_refused() {
    for (text, words) in [
        ("question=p,options=o", "answer is missing"),
        (
            "question=p,options=o,answer=",
            "no column is given for answer",
        ),
        ("question=p,question=o,answer=k", "question is given twice"),
        (
            "prompt=p",
            "\"prompt\" is not one of question, options, answer",
        ),
        ("question", "not of the form KEY=COLUMN"),
        ("question=p,options=o,answer=k,first=2", "first is 0 or 1"),
    ] {
        let error = text.parse::<Columns>().unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn an_option_that_no_row_has_is_refused() {
    let columns = "question=p,options=x+y+Z,answer=k";
    for row in [
        r#"{"p":"q","x":"a","y":"b","z":"c","k":"A"}"#,
        r#"{"p":"q","x":"a","y":"b","z":"c","k":"C"}"#,
    ] {
        let rows = [row, &row.replace("\"q\"", "\"r\"")].join("\n");
        let error = load_text("x", rows, &with(columns)).unwrap_err();
        says(&error.to_string(), &["line 1", "\"Z\""]);
    }
    let table = "p,x,y,z,k\nq,a,b,c,A\nr,a,b,c,B\n";
    let error = load_text("x", table, &with(columns)).unwrap_err();
    says(&error.to_string(), &["\"Z\""]);
    // One row may have fewer options than another.
    let rows = [
        r#"{"p":"q","x":"a","y":"b","k":"A"}"#,
        r#"{"p":"r","x":"a","y":"b","Z":"c","k":"C"}"#,
    ];
    let read = load_text("x", rows.join("\n"), &with(columns)).unwrap();
    assert_eq!(read.questions.len() + read.examples.len(), 2);
}
