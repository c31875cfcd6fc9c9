//! The many forms in which one question can be written.

use proptest::prelude::*;
use serde_json::{Value, json};
use sureness_questions::Question;
use sureness_testkit::shared;

use crate::common::{Plain, load, load_text, plain};

/// All rows of a file, whether asked or shown, by id.
fn rows(data: Plain) -> Vec<Question> {
    let mut rows = data.questions;
    rows.extend(data.examples);
    rows.sort_by_key(|row| row.id.parse::<usize>().unwrap_or(usize::MAX));
    rows
}

fn read(name: &str, text: &str) -> Vec<Question> {
    match load_text(name, text, &plain("own")) {
        Ok(data) => rows(data),
        Err(error) => panic!("{error}\n{text}"),
    }
}

/// The rows of a case from the folder of real data.
fn case(path: &str) -> Option<Vec<Question>> {
    let path = shared(&format!("cases/{path}"))?;
    Some(rows(load(&path, &plain("own")).unwrap()))
}

fn answers(rows: &[Question]) -> Vec<usize> {
    rows.iter().map(|row| row.right.only().unwrap()).collect()
}

#[test]
fn labels_that_are_numbers_leave_no_answers_counted_from_0() {
    let object = |answer: u8| {
        let options = r#"{"1": "w", "2": "x", "3": "y"}"#;
        format!(r#"{{"question": "q{answer}", "options": {options}, "answer": {answer}}}"#)
    };
    let list = object(0).replace(
        r#"{"1": "w", "2": "x", "3": "y"}"#,
        r#"[{"label": "1", "text": "w"}, {"label": "2", "text": "x"}]"#,
    );
    let csv = "question,option1,option2,answer\nq,a,b,1\nr,a,b,0\n";
    for (name, text) in [
        ("x.jsonl", format!("{}\n{}\n", object(1), object(0))),
        ("x.jsonl", format!("{}\n{list}\n", object(1))),
        ("x.csv", csv.to_owned()),
    ] {
        let error = load_text(name, &text, &plain("own")).unwrap_err();
        let line = if name == "x.csv" { 3 } else { 2 };
        assert_eq!(error.line, Some(line), "{error}");
        let message = error.to_string();
        assert!(message.contains("answers count from 0"), "{message}");
    }
    assert_eq!(answers(&read("x.jsonl", &object(3))), [2]);
}

#[test]
fn the_number_of_a_column_that_is_the_text_of_another_is_refused() {
    for (first, answer) in [(0, 2), (1, 3)] {
        let header: Vec<String> = (first..first + 3).map(|it| format!("choice{it}")).collect();
        let header = format!("question,{},answer", header.join(","));
        let text = format!("{header}\nq,2,3,1,{answer}\n");
        let error = load_text("x.csv", &text, &plain("own")).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("both the text of option"), "{message}");
        let agreed = format!("{header}\nq,1,2,3,B\nr,red,green,blue,{answer}\n");
        assert_eq!(answers(&read("x.csv", &agreed)), [1, 2]);
        let same = format!("{header}\nq,{first},7,8,{first}\n");
        assert_eq!(answers(&read("x.csv", &same)), [0]);
    }
}

#[test]
fn a_whole_number_may_be_a_fraction() {
    let json = read(
        "x.jsonl",
        "{\"id\": 7.0, \"question\": \"q\", \"options\": [\"a\", \"b\", \"c\"], \"answer\": 2.0}",
    );
    assert_eq!(
        (json[0].id.as_str(), json[0].right.only().unwrap()),
        ("7", 2)
    );
    let csv = "question,A,B,C,answer\nq,a,b,c,2.0\nr,1.0,2.0,3.0,2.0\n";
    // The text of option B, and the index of option C: nobody can tell which.
    assert!(load_text("x.csv", csv, &plain("own")).is_err());
    assert_eq!(
        read("x.csv", "question,A,B,answer\nq,a,b,1.0\n")[0]
            .right
            .only()
            .unwrap(),
        1
    );
    // A label that is a number goes first.
    let labels = "question,option1,option2,answer\nq,a,b,1.0\n";
    assert_eq!(read("x.csv", labels)[0].right.only().unwrap(), 0);
    let cosmos = r#"{"id":"x","context":"c","question":"q","answer0":"1","answer1":"2","answer2":"3","answer3":"4","label":3.0}"#;
    assert_eq!(read("x.jsonl", cosmos)[0].right.only().unwrap(), 3);

    let Some(rows) = case("float-answer/rows.jsonl") else {
        return;
    };
    assert_eq!(answers(&rows), [0, 1, 2, 3, 0, 1, 2, 3]);
}

#[test]
fn a_number_beside_a_list_is_an_index() {
    let row = r#"{"question":"q","choices":["1","2","0"],"answer":2}"#;
    assert_eq!(read("x.jsonl", row)[0].right.only().unwrap(), 2);
    let Some(rows) = case("hub-mmlu-number-options/rows.jsonl") else {
        return;
    };
    assert_eq!(rows.len(), 8);
    assert!(answers(&rows)[6..].iter().all(|&answer| answer == 2));
}

#[test]
fn mmlu_from_the_hub_may_repeat_an_option_and_names_its_subject() {
    let row = r#"{"question":"q","subject":"law","choices":["a","b","a"],"answer":2}"#;
    let read = read("x.jsonl", row);
    assert_eq!(
        (read[0].right.only().unwrap(), read[0].category.as_deref()),
        (2, Some("law"))
    );
    // An answer by its text would be either of the two.
    let own = row.replace("\"answer\":2", "\"answer\":\"a\"");
    assert!(load_text("x.jsonl", own, &plain("own")).is_err());

    let Some(rows) = case("hub-mmlu-repeated-option/rows.jsonl") else {
        return;
    };
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[6].right.only().unwrap(), 3);
    let rows = case("hub-mmlu-subject/rows.jsonl").unwrap();
    let of = |name| {
        rows.iter()
            .filter(move |row| row.category.as_deref() == Some(name))
    };
    assert_eq!((of("anatomy").count(), of("law").count()), (6, 6));
}

#[test]
fn a_category_goes_before_a_subject() {
    let json = r#"{"question":"q","category":"c","subject":"s","options":["a","b"],"answer":0}"#;
    assert_eq!(read("x.jsonl", json)[0].category.as_deref(), Some("c"));
    let csv = "question,Subject,A,B,answer\nq,s,a,b,A\n";
    assert_eq!(read("x.csv", csv)[0].category.as_deref(), Some("s"));
}

#[test]
fn nulls_at_the_end_are_no_options() {
    let Some(list) = case("null-option/rows.jsonl") else {
        return;
    };
    for other in ["rows_object.jsonl", "rows.csv"] {
        assert_eq!(case(&format!("null-option/{other}")).unwrap(), list);
    }
    assert!(list.iter().all(|row| row.options.len() == 4));
}

#[test]
fn a_passage_and_an_article_are_contexts() {
    for key in ["context", "passage", "article"] {
        let json =
            format!(r#"{{"question":"q","options":["a","b"],"answer":0,"{key}":"It rained."}}"#);
        let array = format!("[{json}]");
        let csv = format!("question,A,B,answer,{key}\nq,a,b,A,It rained.\n");
        for (name, text) in [("x.jsonl", json), ("x.json", array), ("x.csv", csv)] {
            let context = read(name, &text)[0].context.clone();
            assert_eq!(context.as_deref(), Some("It rained."), "{text}");
        }
    }
    // The first that holds something.
    let blank =
        r#"{"question":"q","options":["a","b"],"answer":0,"context":" ","article":"It rained."}"#;
    assert_eq!(
        read("x.jsonl", blank)[0].context.as_deref(),
        Some("It rained.")
    );

    for file in ["rows.jsonl", "rows_passage.jsonl", "rows.csv"] {
        let Some(rows) = case(&format!("passage-left-out/{file}")) else {
            return;
        };
        for (index, row) in rows.iter().enumerate() {
            let context = format!("Box {index} holds a long red bone.");
            assert_eq!(row.context, Some(context));
        }
    }
}

#[test]
fn nan_is_named_with_its_field() {
    let Some(path) = shared("cases/nan-in-jsonl/rows.jsonl") else {
        return;
    };
    let error = load(&path, &plain("own")).unwrap_err();
    assert_eq!(
        (error.line, error.field.as_deref()),
        (Some(4), Some("options"))
    );
    assert!(error.to_string().contains("NaN"), "{error}");
}

#[test]
fn an_array_of_rows_is_read_like_its_lines() {
    let Some(rows) = case("records-array/rows.json") else {
        return;
    };
    assert_eq!(answers(&rows), [0, 1, 2, 3, 0, 1, 2, 3]);
}

/// Question, options and the index of the right one.
type Row = (String, Vec<String>, usize);

fn row() -> impl Strategy<Value = Row> {
    let text = "[a-z][a-z \";,é]{0,8}[a-z]";
    (
        text,
        prop::collection::hash_set(text, 2..6),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(stem, options, answer)| {
            let options: Vec<_> = options.into_iter().collect();
            let answer = answer.index(options.len());
            (stem, options, answer)
        })
}

proptest! {
    /// However a table is written, the questions are the same.
    #[test]
    fn every_form_says_the_same(table in prop::collection::vec(row(), 1..5)) {
        let letter = |index| sureness_questions::letter(index).to_string();
        let json = |row: &dyn Fn(usize, &Row) -> Value| {
            let rows: Vec<_> = table.iter().enumerate().map(|(id, it)| row(id, it)).collect();
            rows
        };
        let listed = json(&|id, (stem, options, answer)| {
            json!({"id": id, "question": stem, "options": options, "answer": letter(*answer)})
        });
        let numbered = json(&|id, (stem, options, answer)| {
            let mut options: Vec<_> = options.iter().map(|text| json!(text)).collect();
            options.resize(options.len() + id, Value::Null);
            json!({"id": id as f64, "question": stem, "options": options, "answer": *answer as f64})
        });
        let labelled = json(&|id, (stem, options, answer)| {
            let pair = |(at, text)| json!({"label": letter(at), "text": text});
            let mut pairs: Vec<_> = options.iter().enumerate().map(pair).collect();
            pairs.reverse();
            json!({"id": id, "question": stem, "options": pairs, "answer": letter(*answer)})
        });
        let lines = |rows: &[Value]| {
            let rows: Vec<_> = rows.iter().map(Value::to_string).collect();
            rows.join("\n")
        };
        let expected = read("x.jsonl", &lines(&listed));
        for (row, (stem, options, answer)) in expected.iter().zip(&table) {
            prop_assert_eq!((&row.stem, &row.options, row.right.only().unwrap()), (stem, options, *answer));
        }
        for rows in [&listed, &numbered, &labelled] {
            prop_assert_eq!(&read("x.jsonl", &lines(rows)), &expected);
            prop_assert_eq!(&read("x.json", &serde_json::to_string_pretty(rows).unwrap()), &expected);
        }
        for separator in [",", ";", "\t"] {
            let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let mut csv = ["id", "Question", "A", "B", "C", "D", "E", "answer"].join(separator);
            for (id, (stem, options, answer)) in table.iter().enumerate() {
                let option = |at: usize| options.get(at).map(|text| cell(text)).unwrap_or_default();
                let mut cells = vec![id.to_string(), cell(stem)];
                cells.extend((0..5).map(option));
                cells.push(letter(*answer));
                csv.push('\n');
                csv.push_str(&cells.join(separator));
            }
            prop_assert_eq!(&read("x.csv", &csv), &expected);
        }
    }
}

#[test]
fn mmlu_may_be_separated_by_tabs() {
    let row = "Which, of these?\tRoot\tPetal\tPollen\tSeed\tB\n";
    let data = load_text("botany_test.csv", row, &plain("qa")).unwrap();
    assert_eq!(data.questions[0].stem, "Which, of these?");
    assert_eq!(data.questions[0].right.only().unwrap(), 1);
}
