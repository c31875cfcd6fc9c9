//! The questions in logs of other tools, to be asked again.

use sureness_hint::Hint;
use sureness_questions::Format;
use sureness_testkit::{says, shared};

use crate::common::{load, load_text, plain};

fn sample(id: usize, doc: &str, filter: &str) -> String {
    format!(r#"{{"doc_id":{id},"doc":{doc},"target":"0","resps":[],"filter":"{filter}"}}"#)
}

#[test]
fn each_question_of_a_log_is_read_once_in_its_own_layout() {
    let doc = |n| {
        format!(
            r#"{{"goal":"q{n}","sol1":"a","sol2":"b","label":{}}}"#,
            n % 2
        )
    };
    let rows: Vec<_> = (0..4)
        .flat_map(|n| ["strict", "loose"].map(|filter| sample(n, &doc(n), filter)))
        .collect();
    let name = "samples_piqa_2026-11-28T00-04-54.637174.jsonl";
    for text in [rows.join("\n"), format!("[{}]", rows.join(","))] {
        let read = load_text(name, text, &plain("own")).unwrap();
        let mut rows: Vec<_> = read.questions.iter().chain(&read.examples).collect();
        rows.sort_by_key(|row| &row.id);
        let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["piqa/0", "piqa/1", "piqa/2", "piqa/3"]);
        assert!(
            rows.iter()
                .enumerate()
                .all(|(n, row)| row.right.only().unwrap() == n % 2)
        );
    }
}

#[test]
fn two_logs_of_one_task_are_not_two_sets_of_questions() {
    let folder = tempfile::tempdir().unwrap();
    let doc = r#"{"question":"q","choices":["a","b"],"answer":1,"subject":"x"}"#;
    for time in ["1", "2"] {
        let path = folder.path().join(format!("samples_x_{time}.jsonl"));
        std::fs::write(path, sample(3, doc, "none")).unwrap();
    }
    let error = load(&folder.path().join("samples_*.jsonl"), &plain("own")).unwrap_err();
    says(
        &format!("{error} {}", error.hint()),
        &[
            "samples_x_2.jsonl, line 1",
            "duplicate id \"x/3\"",
            "samples_x_1.jsonl, line 1",
        ],
    );
}

#[test]
fn samples_of_inspect_are_asked_once_whatever_the_epochs() {
    let sample = |id: usize, epoch: usize, input: &str| {
        format!(
            r#"{{"id":{id},"epoch":{epoch},"input":{input},"choices":["a","b"],"target":"B","scores":{{}}}}"#
        )
    };
    let rows = [
        sample(1, 1, r#""q1""#),
        sample(1, 2, r#""q1""#),
        sample(
            2,
            1,
            r#"[{"role":"system","content":"s"},{"role":"user","content":"q2"}]"#,
        ),
        sample(2, 2, r#""q2""#),
    ];
    for (begin, between) in [("{", ","), ("{\n", ",\n")] {
        let log = format!(
            "{begin}\"version\": 2, \"status\": \"success\", \"eval\": {{}}, \"samples\": [{}]}}",
            rows.join(between)
        );
        let read = load_text("log.json", &log, &plain("own")).unwrap();
        let rows = read.questions.iter().chain(&read.examples);
        let mut stems: Vec<_> = rows
            .map(|row| {
                (
                    row.id.as_str(),
                    row.stem.as_str(),
                    row.right.only().unwrap(),
                )
            })
            .collect();
        stems.sort_unstable();
        assert_eq!(stems, [("1", "q1", 1), ("2", "q2", 1)]);
        let several = log.replace(
            r#""s"},{"role":"user""#,
            r#""s"},{"role":"user","content":"x"},{"role":"user""#,
        );
        let error = load_text("log.json", several, &plain("own")).unwrap_err();
        says(
            &error.to_string(),
            &["field \"input\"", "one message of a user"],
        );
    }
}

#[test]
fn real_logs_of_inspect() {
    let Some(logs) = shared("cases/logs/inspect") else {
        return;
    };
    let read = load(&logs.join("plain.json"), &plain("own")).unwrap();
    assert!(read.questions.len() + read.examples.len() >= 8);
    assert!(read.questions.iter().all(|row| row.options.len() == 4));
}

#[test]
fn real_logs() {
    let Some(logs) = shared("cases/logs/lm-eval") else {
        return;
    };
    let pattern = logs.join("limited/samples_tmmlu_*_2026-11-28T00-04-54.637174.jsonl");
    let read = load(&pattern, &plain("qa")).unwrap();
    assert_eq!(read.questions.len() + read.examples.len(), 160);
    assert!(read.questions.iter().all(|row| row.category.is_some()));
    for (name, layout) in [("arc", "arc"), ("tfqa_mc1", "truthfulqa")] {
        let path = logs.join(format!(
            "mixed/samples_t{name}_2026-11-28T00-27-59.039531.jsonl"
        ));
        assert_eq!(
            Format::by_name(layout),
            Some(Format::detect(&path).unwrap())
        );
        let read = load(&path, &plain("own")).unwrap();
        assert_eq!(read.questions.len() + read.examples.len(), 20, "{name}");
    }
}
