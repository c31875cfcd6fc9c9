//! Files that cannot be used at all, and the limits of what can.

use std::path::Path;

use crate::common::{load, load_text, plain};
use sureness_hint::Hint;

#[test]
fn whole_files_that_cannot_be_read() {
    let none = load(Path::new("no/such/file.csv"), &plain("mine")).unwrap_err();
    assert!(
        none.to_string()
            .contains("no/such/file.csv: cannot be read"),
        "{none}"
    );
    assert!(none.hint().contains("path"));

    for empty in ["", "\u{feff}", " \n\r\n", "[]", "question,A,B,answer\n"] {
        let error = load_text("x", empty, &plain("mine")).unwrap_err();
        assert!(
            error.to_string().ends_with("contains no questions"),
            "{error}"
        );
    }
    let latin = load_text(
        "x",
        b"question,A,B,answer\nCaf\xe9?,a,b,A\n",
        &plain("mine"),
    )
    .unwrap_err();
    assert!(
        latin.to_string().ends_with("line 2: is not UTF-8 text"),
        "{latin}"
    );

    let marked = r#"{"question":"q","options":["a","b"],"answer":0,"example":true}"#;
    let nothing = load_text("x", marked, &plain("mine")).unwrap_err();
    assert!(
        nothing.to_string().contains("has no questions to ask"),
        "{nothing}"
    );
}

#[test]
fn an_unknown_layout_names_its_fields() {
    let of_json = load_text("x", r#"{"prompt": "q"}"#, &plain("mine")).unwrap_err();
    let of_csv = load_text("x", "prompt;reply\na;b\n", &plain("mine")).unwrap_err();
    assert!(of_json.to_string().contains("\"prompt\""), "{of_json}");
    assert!(of_csv.to_string().contains("\"prompt;reply\""), "{of_csv}");
    let text = "sol1,sol2,label,aim\na,b,0,c\n";
    let near = load_text("x", text, &plain("mine")).unwrap_err();
    let words = "the nearest layout, piqa, also has \"goal\"";
    assert!(near.to_string().contains(words), "{near}");
    for error in [of_json, of_csv, near] {
        assert!(error.to_string().contains("unknown layout"), "{error}");
        assert!(error.hint().contains("--columns"), "{}", error.hint());
    }
}

#[test]
fn letters_end_at_z() {
    let row = |count: usize| {
        let options: Vec<_> = (0..count).map(|number| format!("\"o{number}\"")).collect();
        let options = options.join(",");
        format!(r#"{{"question":"q","options":[{options}],"answer":"o0"}}"#)
    };
    let mut options = plain("mine");
    assert!(load_text("x", row(26), &options).is_ok());
    let error = load_text("x", row(27), &options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("27 options, but a question has 2 to 26"),
        "{error}"
    );
    options.abstention = true;
    assert_eq!(
        load_text("x", row(24), &options).unwrap().questions[0]
            .options
            .len(),
        26
    );
    let error = load_text("x", row(25), &options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no letters for the two abstention"),
        "{error}"
    );
    assert!(error.hint().contains("24"));
}

#[test]
fn published_sets_may_repeat_an_option() {
    let row = "Q,a,a,c,d,D\n";
    let dataset = load_text("x_test.csv", row, &plain("qa")).unwrap();
    assert_eq!(dataset.questions[0].options, ["a", "a", "c", "d"]);
}
