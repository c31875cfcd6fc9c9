//! Rows with the content of others, and rows that name the right option twice.

use std::fs;

use sureness_hint::Hint;
use sureness_questions::load;
use sureness_testkit::says;

use crate::common::{load_dataset, load_text, plain};

fn row(n: usize, subject: &str) -> String {
    format!(
        r#"{{"question":"q{n}","subject":"{subject}","choices":["a{n}","b{n}"],"answer":{}}}"#,
        n % 2
    )
}

#[test]
fn a_twin_of_an_example_is_not_asked_and_repeats_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    for (name, subject) in [("all", "all"), ("law", "law")] {
        let rows: Vec<_> = (0..20).map(|n| row(n, subject)).collect();
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("x.jsonl"), rows.join("\n")).unwrap();
    }
    let read = load(&folder.path().join("*/x.jsonl"), &plain("qa")).unwrap();
    assert_eq!(read.examples.len(), 5);
    assert_eq!(read.left_out, 5);
    assert_eq!(read.questions.len(), 30);
    assert_eq!(read.questions.repeats().unwrap(), 15);
    let asked = read.questions.to_vec().unwrap();
    for example in &read.examples {
        assert!(asked.iter().all(|question| question.stem != example.stem));
    }
    let mut stems: Vec<_> = read.examples.iter().map(|it| &it.stem).collect();
    stems.sort();
    stems.dedup();
    assert_eq!(stems.len(), 5);
    let clusters = (0..30).map(|index| read.questions.cluster_digest(index).unwrap());
    let clusters: std::collections::HashSet<_> = clusters.collect();
    assert_eq!(clusters.len(), 15);
}

#[test]
fn one_question_over_and_over_is_asked_without_examples() {
    let rows = vec![row(1, "x"); 6].join("\n");
    let read = load_dataset("x.jsonl", rows, &plain("qa")).unwrap();
    assert_eq!((read.examples.len(), read.questions.len()), (0, 6));
    assert_eq!(read.questions.repeats().unwrap(), 5);
}

#[test]
fn two_statements_of_the_answer_must_agree() {
    let good = r#"{"question":"p","options":["x","y","z"],"answer":"B","answer_index":1}"#;
    let pro = r#"{"question_id":1,"category":"c","question":"q","options":["x","y","z"],"answer":"C","answer_index":1}"#;
    let cases = [
        (
            "x.jsonl",
            format!("{good}\n{pro}"),
            "answer_index",
            "1 names option B",
        ),
        (
            "x.jsonl",
            format!("{good}\n{}", pro.replace(":1}", ":7}")),
            "answer_index",
            "7 names none of the options",
        ),
        (
            "x.jsonl",
            format!(
                "{good}\n{}",
                pro.replace("\"answer_index\":1", "\"answer_text\":\"y\"")
            ),
            "answer_text",
            "\"y\" names option B",
        ),
        (
            "x.csv",
            "question,A,B,C,answer,answer_index\nq,x,y,z,C,1\n".to_owned(),
            "answer_index",
            "\"1\" names option B",
        ),
        (
            "x.jsonl",
            format!(
                "\n{}",
                r#"{"question":"q","options":{"A":"x","B":"y","C":"z"},"answer":"y","answer_idx":"C"}"#
            ),
            "answer_idx",
            "\"answer\" names option B",
        ),
    ];
    for (name, text, field, said) in cases {
        let error = load_text(name, &text, &plain("own")).unwrap_err();
        let field = format!("line 2, field \"{field}\"");
        let text = format!("{error}\nhint: {}", error.hint());
        says(&text, &[&field, said, "names option C", "counts from 0"]);
    }
    let other = r#"{"question":"q","options":["x","y"],"answer":"A","answer_text":"x, in short"}"#;
    assert!(load_text("x.jsonl", format!("{good}\n{other}"), &plain("own")).is_ok());
}
