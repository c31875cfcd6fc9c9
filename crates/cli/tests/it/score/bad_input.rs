//! Bad input: exit code 2, a message that names file and id, no figures.

use super::{Case, jsonl, key_args, refused, says, shared};

#[test]
fn everything_wrong_is_reported_at_once() {
    let case = Case::new();
    case.write("good.jsonl", &jsonl(0..40, 6));
    case.write("part.jsonl", &jsonl(0..30, 6));
    case.write("other.jsonl", &jsonl(10..52, 6));
    case.write("narrow.jsonl", &jsonl(0..40, 3));
    case.write("columns.csv", "question,A,B\n1,2,3\n");
    let args =
        key_args("--logits good.jsonl part.jsonl other.jsonl narrow.jsonl columns.csv absent.pkl");
    let stderr = refused(case.path(), args);
    says(
        &stderr,
        &[
            "error: part.jsonl: id 30 of key.json and 9 others are missing",
            "error: other.jsonl: id 40 and 11 others are not in key.json",
            "error: other.jsonl: id 0 of key.json and 9 others are missing",
            "error: narrow.jsonl: id 3 has the answer D in key.json, but only 3 scores; so have 9 others",
            "error: columns.csv, line 1: column `id` is missing",
            "error: absent.pkl: cannot be read",
        ],
    );
    assert!(!stderr.contains("good.jsonl"), "{stderr}");
    let errors = stderr.matches("error: ").count();
    assert_eq!(errors, stderr.matches("hint: ").count(), "{stderr}");
}

#[test]
fn a_wrong_questions_file_is_refused() {
    let case = Case::new();
    case.write("m.jsonl", &jsonl(0..40, 6));
    case.write(
        "two.json",
        r#"[{"id": 1, "answer": "A"}, {"id": 1, "answer": "B"}]"#,
    );
    case.write("letter.json", r#"[{"id": 1, "answer": "yes"}]"#);
    case.write("object.json", r#"{"id": 1}"#);
    let choices = r#"[{"id": 0, "choices": {"A": "a", "B": "b"}, "answer": "A"}]"#;
    case.write("choices.json", choices);
    for (questions, parts) in [
        ("two.json", &["two.json", "\"id\""] as &[&str]),
        ("letter.json", &["letter.json", "answer", "yes"]),
        ("object.json", &["object.json"]),
        ("absent.json", &["absent.json", "cannot be read"]),
        (
            "choices.json",
            &[
                "m.jsonl: id 0 has 6 scores, but 2 options in choices.json",
                "m.jsonl: id 1 and 38 others are not in choices.json",
            ],
        ),
    ] {
        let line = format!("--questions {questions} --drop-ids none --logits m.jsonl");
        says(&refused(case.path(), line.split(' ')), parts);
    }
    // Both the questions and the logits are wrong, and both are reported.
    let line = "--questions absent.json --logits absent.pkl";
    let stderr = refused(case.path(), line.split(' '));
    says(&stderr, &["error: absent.json", "error: absent.pkl"]);
}

#[test]
fn options_that_cannot_be_left_out_are_named() {
    let case = Case::new();
    case.write("m.jsonl", &jsonl(0..40, 4));
    for (letters, parts) in [
        (
            "D",
            "id 3 has the answer D, which --drop-options leaves out; so have 9 others",
        ),
        (
            "E",
            "has the options A to D, so that --drop-options cannot leave out E",
        ),
        ("B,C,D", "--drop-options leaves 1 of 4 options"),
        ("EF", "\"EF\" is not a letter"),
    ] {
        let args = key_args(&format!("--drop-options {letters} --logits m.jsonl"));
        says(&refused(case.path(), args), &[parts]);
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let case = Case::new();
    case.write("m.jsonl", &jsonl(0..40, 6));
    for (flags, part) in [
        ("--error-rate 1", "--error-rate"),
        ("--error-rate 0", "--error-rate"),
        ("--alpha=-0.1", "--error-rate"),
        ("--error-rate NaN", "--error-rate"),
        ("--calibration-ratio 1.5", "--calibration-ratio"),
        ("--protocol papers", "--protocol"),
        ("--seed 4294967296 --protocol paper", "up to 4294967295"),
        ("--output html", "--output"),
    ] {
        let args = key_args(&format!("{flags} --logits m.jsonl"));
        says(&refused(case.path(), args), &[part]);
    }
    let args = "--questions key.json --drop-ids 1,,2 --logits m.jsonl";
    says(
        &refused(case.path(), args.split(' ')),
        &["--drop-ids", "an id is empty"],
    );
}

#[test]
fn a_truncated_pickle_is_refused() {
    let Some(shared) = shared("") else { return };
    let case = Case::new();
    let name = "internlm-7b_mmlu_10k_base_icl1.pkl";
    let whole = std::fs::read(shared.join("paper/logits").join(name)).unwrap();
    std::fs::write(case.path().join(name), &whole[..whole.len() / 2]).unwrap();
    let args = key_args(&format!("--logits {name}"));
    let stderr = refused(case.path(), args);
    says(&stderr, &[name, "cut off", "hint: "]);
}

#[test]
fn a_pickle_that_wants_to_run_code_is_refused_and_not_run() {
    let case = Case::new();
    // os.system("touch ran"), as pickle protocol 0 writes it.
    case.write("evil.pkl", "cos\nsystem\n(S'touch ran'\ntR.");
    let stderr = refused(case.path(), key_args("--logits evil.pkl"));
    says(&stderr, &["evil.pkl", "os.system", "not run", "hint: "]);
    assert!(!case.path().join("ran").exists());
}

#[test]
fn a_table_without_an_option_cannot_leave_it_out() {
    let case = Case::new();
    let rows = (0..40).map(|id| format!("{id},{},{}\n", ["A", "B"][id % 2], id % 3));
    let table: String = rows.map(|row| row.replace('\n', ",1\n")).collect();
    case.write("m_qa_base_icl1.csv", &format!("id,answer,A,B\n{table}"));
    let line = "--logits m_qa_base_icl1.csv --drop-options Z";
    says(
        &refused(case.path(), line.split(' ')),
        &["the table has the options A to B, so that --drop-options cannot leave out Z"],
    );
}
