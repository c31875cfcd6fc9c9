//! Answer keys: the paper's layout with or without questions and choices.

use sureness_questions::answers;

#[test]
fn ids_and_answers_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    std::fs::write(
        &path,
        "\u{feff}[{\"id\": 7, \"answer\": \"D\"},\r\n{\"answer\": \"Z\", \"id\": -1}]",
    )
    .unwrap();
    let keys = answers::read(&path).unwrap();
    let seen: Vec<_> = keys
        .iter()
        .map(|key| (key.id, key.right.only().unwrap(), key.options))
        .collect();
    assert_eq!(seen, [(7, 3, None), (-1, 25, None)]);
    std::fs::write(&path, "[]").unwrap();
    let error = answers::read(&path).unwrap_err();
    assert!(
        error.to_string().ends_with("contains no questions"),
        "{error}"
    );
}

#[test]
fn faults_in_answer_keys_are_placed() {
    for (text, line, field, says) in [
        (
            "[\n{\"id\":1,\"answer\":\"A\"},\n{\"id\":1,\"answer\":\"B\"}]",
            3,
            "id",
            "duplicate id \"1\", first seen in item 1",
        ),
        (
            "[\n{\"id\":1,\"answer\":\"AB\"}]",
            2,
            "answer",
            "not one letter from A to Z",
        ),
        (
            "[{\"id\":1,\"answer\":\"a\"}]",
            1,
            "answer",
            "not one letter",
        ),
        (
            "[{\"id\":1,\n\"choices\":{\"A\":\"x\",\"B\":\"y\"},\"answer\":\"C\"}]",
            1,
            "answer",
            "but the options are A to B",
        ),
        (
            "[{\"id\":1,\"choices\":{\"A\":\"x\",\"D\":\"y\"},\"answer\":\"A\"}]",
            1,
            "choices",
            "the letters are A, D",
        ),
        (
            "[{\"id\":1,\"answer\":\"A\"},\n{\"id\":\"x\",\"answer\":\"A\"}]",
            2,
            "id",
            "expected a whole number, found a string",
        ),
        (
            "[{\"id\":1,\"answer\":\"A\"},\n{\"answer\":\"A\"}]",
            2,
            "id",
            "missing; found \"answer\"",
        ),
        (
            "[{\"id\":1,\"answer\":\"A\"},\n{\"id\":2,\"answer\":3}]",
            2,
            "answer",
            "expected a string, found a number",
        ),
        (
            "[{\"id\":1,\"answer\":\"A\",\"choices\":[\"x\"]}]",
            1,
            "choices",
            "expected an object from letter to text",
        ),
        (
            "[{\"id\":1,\"answer\":\"A\"}\n,{\"id\":2",
            2,
            "",
            "not valid JSON",
        ),
        (
            "{\"id\":1,\"answer\":\"A\"}",
            1,
            "",
            "expected a JSON array",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faulty.txt");
        std::fs::write(&path, text).unwrap();
        let error = answers::read(&path).unwrap_err();
        let message = error.to_string();
        assert_eq!(error.line, Some(line), "{message}");
        assert_eq!(
            error.field.as_deref().unwrap_or_default(),
            field,
            "{message}"
        );
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn the_abstention_options_of_an_answer_key_are_the_last_of_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    let item = r#"[{"id": 4, "answer": "B", "choices": {"A": "none of the above.", "C": "I don\u2019t know", "B": "x", "D": "None of the above"}}]"#;
    std::fs::write(&path, item).unwrap();
    let key = answers::read(&path).unwrap()[0];
    assert_eq!(
        (key.id, key.right.only().unwrap(), key.options),
        (4, 1, Some(4))
    );
    assert_eq!((key.dont_know, key.none_of_the_above), (Some(2), Some(3)));
}
