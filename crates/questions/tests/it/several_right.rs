//! Questions with several right options, in every shape that names them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use sureness_hint::Hint;
use sureness_questions::{Bank, Format, Layout, LoadOptions, Question, RightOptions, answers};
use sureness_testkit::says;

use crate::common::{load_dataset, load_text, plain};

fn right(options: &[usize]) -> RightOptions {
    RightOptions::of(options.iter().copied()).unwrap()
}

/// The texts of the right options.
fn texts(question: &Question) -> BTreeSet<&str> {
    let right = question.right.iter();
    right
        .map(|option| question.options[option].as_str())
        .collect()
}

fn of_layout(name: &str) -> LoadOptions {
    LoadOptions {
        format: Some(Format::Public(Layout::by_name(name).unwrap())),
        ..plain("own")
    }
}

/// The first row of a file whose second row is one with a single right option.
fn first(name: &str, row: &Value, other: &Value, options: &LoadOptions) -> Question {
    let read = load_text(name, format!("{row}\n{other}\n"), options);
    let mut read = read.unwrap_or_else(|error| panic!("{error}\n{row}"));
    read.questions.extend(read.examples);
    read.questions
        .remove(read.questions.iter().position(|it| it.stem == "q").unwrap())
}

#[test]
fn lists_name_indices_letters_labels_texts_and_marks() {
    let other = json!({"question": "r", "options": ["x", "y"], "answer": "A"});
    for (answer, expected) in [
        (json!([0, 2]), vec![0, 2]),
        (json!(["A", "C"]), vec![0, 2]),
        (json!(["a", "green"]), vec![0, 1]),
        (json!([1]), vec![1]),
        (json!("A, C"), vec![0, 2]),
        (json!("B;C"), vec![1, 2]),
        (json!([1, 0, 1]), vec![0, 2]),
        (json!([true, true, true]), vec![0, 1, 2]),
        (json!([2.0, 1.0]), vec![1, 2]),
    ] {
        for field in ["answer", "answers"] {
            let row = json!({"question": "q", "options": ["red", "green", "blue"], field: answer});
            if field == "answers" && !answer.is_array() {
                continue;
            }
            let read = first("x.jsonl", &row, &other, &plain("own"));
            assert_eq!(read.right, right(&expected), "{row}");
        }
        let columns = LoadOptions {
            columns: Some(
                "question=question,options=options,answer=answer"
                    .parse()
                    .unwrap(),
            ),
            ..plain("own")
        };
        let row = json!({"question": "q", "options": ["red", "green", "blue"], "answer": answer});
        assert_eq!(
            first("x.jsonl", &row, &other, &columns).right,
            right(&expected),
            "{row}"
        );
    }
    let csv = "question,A,B,C,answer\nq,a,b,c,\"A,B\"\nr,a,b,c,C\n";
    let read = load_text("x.csv", csv, &plain("own")).unwrap();
    let rows = read.questions.iter().chain(&read.examples);
    let found: BTreeSet<_> = rows.map(|row| row.right.to_string()).collect();
    assert_eq!(found, ["A, B", "C"].map(str::to_owned).into());
}

#[test]
fn what_can_be_read_in_two_ways_or_not_at_all_is_refused() {
    for (options, answer, told) in [
        (
            json!(["a", "b"]),
            json!([0, 1]),
            "indices of both as well as marks",
        ),
        (
            json!(["a", "b"]),
            json!([1, 0]),
            "indices of both as well as marks",
        ),
        (json!(["a", "b"]), json!([]), "no right option"),
        (json!(["a", "b", "c"]), json!([0, 0, 0]), "no right option"),
        (json!(["a", "b", "c"]), json!([2, 2]), "has C twice"),
        (json!(["a", "b", "c"]), json!(["A", 0]), "has A twice"),
        (json!(["a", "b", "c"]), json!([0, 3]), "the answer is 3"),
        (
            json!(["a", "b", "c"]),
            json!([true]),
            "1 marks of right and wrong for 3 options",
        ),
        (
            json!({"B": "b", "A": "a"}),
            json!([true, false]),
            "the options have labels",
        ),
        (json!(["a", "b", "c"]), json!([[0], [1]]), "found an array"),
        (
            json!(["a", "b", "c"]),
            json!("A, D"),
            "the answer is \"A, D\"",
        ),
    ] {
        let row = json!({"question": "q", "options": options, "answer": answer});
        let error = load_text("x.jsonl", row.to_string(), &plain("own")).unwrap_err();
        says(&error.to_string(), &["line 1, field \"answer\"", told]);
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn rows_of_redux_with_several_right_answers_name_them() {
    let options = of_layout("mmlu-redux");
    let other =
        json!({"question": "r", "choices": ["x", "y", "z"], "answer": 1, "error_type": "ok"});
    let row = |kind: &str, correct: Value| {
        json!({"question": "q", "choices": ["a", "b", "c", "d"], "answer": 3, "error_type": kind,
               "correct_answer": correct})
    };
    for (written, expected) in [
        ("A, C", [0, 2]),
        ("0,2", [0, 2]),
        ("(B or D)", [1, 3]),
        ("1 and 3", [1, 3]),
    ] {
        let row = row("multiple_correct_answers", written.into());
        assert_eq!(
            first("x.jsonl", &row, &other, &options).right,
            right(&expected)
        );
    }
    for (kind, correct, told) in [
        (
            "multiple_correct_answers",
            json!("the first two"),
            "\"the first two\" does not list several",
        ),
        (
            "multiple_correct_answers",
            json!("A"),
            "does not list several of the options A to D",
        ),
        (
            "multiple_correct_answers",
            json!("A, E"),
            "does not list several",
        ),
        (
            "multiple_correct_answers",
            Value::Null,
            "only rows with \"ok\" or \"multiple",
        ),
        (
            "wrong_groundtruth",
            json!("A"),
            "\"wrong_groundtruth\", but only",
        ),
        (
            "no_correct_answer",
            Value::Null,
            "\"no_correct_answer\", but only",
        ),
    ] {
        let error = load_text("x.jsonl", row(kind, correct).to_string(), &options).unwrap_err();
        says(&error.to_string(), &["line 1", told]);
    }
}

#[test]
fn gold_lists_of_agieval_are_read() {
    let row = |stem: &str, gold: Value| json!({"query": stem, "choices": ["(A)a", "(B)b", "(C)c"], "gold": gold});
    let options = of_layout("agieval");
    let read = first(
        "x.jsonl",
        &row("q", json!([0, 2])),
        &row("r", json!([1])),
        &options,
    );
    assert_eq!(
        (read.right, read.options[2].as_str()),
        (right(&[0, 2]), "c")
    );
}

#[test]
fn examples_have_one_right_answer_and_the_others_are_counted() {
    let row = |id: usize, answer: Value| json!({"id": id, "question": format!("q{id}"), "options": ["a", "b", "c"], "answer": answer});
    let rows = |several: usize| -> String {
        let row = |id| {
            row(
                id,
                if id < several {
                    json!([0, 1])
                } else {
                    json!(id % 3)
                },
            )
        };
        (0..30).map(|id| row(id).to_string() + "\n").collect()
    };
    let dataset = load_dataset("x.jsonl", rows(20), &plain("own")).unwrap();
    assert_eq!((dataset.examples.len(), dataset.unshown), (5, 0));
    assert!(
        dataset
            .examples
            .iter()
            .all(|example| example.right.only().is_some())
    );
    assert_eq!(dataset.questions.with_several_right(), 20);
    // None is left to show, and all are asked.
    let dataset = load_dataset("x.jsonl", rows(30), &plain("own")).unwrap();
    assert_eq!((dataset.examples.len(), dataset.questions.len()), (0, 30));

    let folder = tempfile::tempdir().unwrap();
    let examples = folder.path().join("examples.jsonl");
    let shown: String = (100..110)
        .map(|id| row(id, if id < 103 { json!([0, 1]) } else { json!(0) }).to_string() + "\n")
        .collect();
    std::fs::write(&examples, shown).unwrap();
    let options = LoadOptions {
        examples: Some(examples),
        ..plain("own")
    };
    let dataset = load_dataset("x.jsonl", rows(20), &options).unwrap();
    assert_eq!((dataset.examples.len(), dataset.unshown), (7, 3));
}

#[test]
fn answer_keys_may_list_several() {
    let read = |answer: Value| {
        let text = json!([{"id": 1, "answer": answer}]).to_string();
        answers::read_bytes("key.json".as_ref(), text.into_bytes())
    };
    let keys = |answer: Value| read(answer).unwrap()[0].right;
    assert_eq!(keys(json!("C")), right(&[2]));
    assert_eq!(keys(json!(["A", "D"])), right(&[0, 3]));
    assert_eq!(keys(json!("A, D")), right(&[0, 3]));
    for bad in [json!([]), json!(["A", "A"]), json!(["A", "?"]), json!("A,")] {
        assert!(read(bad).is_err());
    }
}

proptest! {
    /// Wherever the options of mc2 are shuffled to, the right ones are those that the file marks; with
    /// abstention options behind them; in a bank and back; and a digest of their own.
    #[test]
    fn right_options_move_with_their_texts(
        labels in prop::collection::vec(prop::collection::vec(0..2_u8, 2..9), 1..20),
        seed in any::<u64>(),
        abstention in any::<bool>(),
    ) {
        let marked: Vec<Vec<u8>> = labels.into_iter().filter(|it| it.contains(&1)).collect();
        prop_assume!(!marked.is_empty());
        let rows: String = marked.iter().enumerate().map(|(id, labels)| {
            let choices: Vec<String> = (0..labels.len()).map(|at| format!("{id} {at}")).collect();
            let row = json!({"question": format!("q{id}"),
                "mc2_targets": {"choices": choices, "labels": labels}});
            row.to_string() + "\n"
        }).collect();
        let options = LoadOptions { seed, abstention, ..of_layout("truthfulqa-mc2") };
        let read = load_text("x.jsonl", rows, &options).unwrap();
        let all: Vec<&Question> = read.questions.iter().chain(&read.examples).collect();
        for question in &all {
            let id: usize = question.stem[1..].parse().unwrap();
            let expected = marked[id].iter().enumerate().filter(|(_, label)| **label == 1);
            let expected: Vec<String> = expected.map(|(at, _)| format!("{id} {at}")).collect();
            prop_assert_eq!(texts(question), expected.iter().map(String::as_str).collect());
            let extended = (**question).clone().with_abstention();
            prop_assert_eq!(extended.right, question.right);
            prop_assert_eq!(extended.content_digest(), question.content_digest());
            if question.right.only().is_none() {
                for option in question.right.iter() {
                    let one = Question { right: option.into(), ..(**question).clone() };
                    prop_assert_ne!(one.content_digest(), question.content_digest());
                }
            }
        }
        let bank = Bank::of(all.iter().copied()).unwrap();
        prop_assert_eq!(bank.to_vec().unwrap(), all.iter().map(|it| (*it).clone()).collect::<Vec<_>>());
    }
}

#[test]
fn a_second_statement_names_one_of_several_or_all() {
    let row = |again: &str| {
        format!(r#"{{"question":"q","options":["x","y","z"],"answer":["A","C"],{again}}}"#)
    };
    let other = r#"{"question":"p","options":["x","y","z"],"answer":"B","answer_index":[1]}"#;
    for good in [
        r#""answer_index":0"#,
        r#""answer_index":[2,0]"#,
        r#""answer_index":[1,0,1]"#,
        r#""answer_letter":"A, C""#,
        r#""answer_text":["x","z"]"#,
        r#""answer_text":"x and z""#,
    ] {
        let read = load_text("x.jsonl", format!("{other}\n{}", row(good)), &plain("own"));
        assert!(read.is_ok(), "{good}: {read:?}");
    }
    for (bad, named) in [
        (
            r#""answer_index":1"#,
            "1 names option B, but \"answer\" names options A, C",
        ),
        (r#""answer_index":[0,1]"#, "names options A, B"),
        (r#""answer_letter":"A, B, C""#, "names options A, B, C"),
        (r#""answer_index":7"#, "7 names none of the options"),
    ] {
        let text = format!("{other}\n{}", row(bad));
        let said = load_text("x.jsonl", text, &plain("own"))
            .unwrap_err()
            .to_string();
        assert!(said.contains(named), "{said}");
    }
    // One right option beside a list of two.
    let two = r#"{"question":"q","options":["x","y","z"],"answer":"A","answer_index":[0,2]}"#;
    let said = load_text("x.jsonl", two, &plain("own"))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("names options A, C, but \"answer\" names option A"),
        "{said}"
    );
}
