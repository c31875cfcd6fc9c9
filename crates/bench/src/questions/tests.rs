//! Which data set a task gets.

use std::fs;

use sureness_questions::{Bank, Question};

use super::library::ImportSource;
use super::*;

/// Without the abstention options.
fn four() -> QuestionSettings {
    QuestionSettings {
        abstention: false,
        ..QuestionSettings::default()
    }
}

fn imported(library: &Library, id: &str, options: &[&str]) -> Dataset {
    let question = |id: &str| Question {
        accepted: Vec::new(),
        id: id.to_owned(),
        category: Some("é \"x\"\n".to_owned()),
        context: None,
        stem: "Which?".to_owned(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        right: 1.into(),
    };
    let dataset = Dataset {
        task: named_task(id),
        source: String::new(),
        questions: Bank::of(&[question("1"), question("2")]).unwrap(),
        examples: vec![question("3")],
        split: None,
        unread: sureness_questions::Unread::default(),
        left_out: 0,
        unshown: 0,
    };
    let source = ImportSource {
        name: "own.csv".to_owned(),
        examples_name: None,
        format: sureness_questions::Format::Csv,
        blake3: "00".to_owned(),
    };
    library.store(&dataset, source).unwrap();
    dataset
}

#[test]
fn an_import_comes_back_as_it_was_and_goes_before_the_pack() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(&folder.path().join("data"));
    let of = |task: &str| dataset_from(&library, task, &four()).unwrap();
    assert_eq!(of("qa").source, "built-in pack");

    // Equal options occur in published data sets and are kept.
    let stored = imported(&library, "qa", &["same", "same"]);
    let read = of("mmlu");
    assert!(
        read.source.starts_with("own.csv, imported 2"),
        "{}",
        read.source
    );
    let questions = |dataset: &Dataset| dataset.questions.to_vec().unwrap();
    assert_eq!(questions(&read), questions(&stored));
    assert_eq!(read.examples, stored.examples);
    let six = dataset_from(&library, "qa", &QuestionSettings::default()).unwrap();
    assert!(
        questions(&six)
            .iter()
            .chain(&six.examples)
            .all(|q| q.options.len() == 4)
    );

    assert!(library.remove("qa").unwrap());
    assert!(!library.remove("qa").unwrap());
    assert_eq!(of("qa").source, "built-in pack");
}

#[test]
fn a_changed_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(folder.path());
    imported(&library, "own", &["yes", "no"]);
    let path = folder.path().join("own.jsonl");
    let text = fs::read_to_string(&path).unwrap().replace("\"B\"", "\"A\"");
    fs::write(&path, text).unwrap();
    let error = dataset_from(&library, "own", &QuestionSettings::default()).unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("has changed") && text.contains("--remove own"),
        "{text}"
    );
}

#[test]
fn no_room_for_the_abstention_options_is_reported_when_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(folder.path());
    let options: Vec<_> = (0..25).map(|index| index.to_string()).collect();
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    imported(&library, "wide", &options);
    assert!(dataset_from(&library, "wide", &four()).is_ok());
    let error = dataset_from(&library, "wide", &QuestionSettings::default()).unwrap_err();
    assert!(
        format!("{error:?}").contains("question 3: 25 options"),
        "{error:?}"
    );
}

#[test]
fn a_column_that_the_built_in_questions_lack_is_looked_for_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = QuestionSettings {
        cluster: ClusterBy::Column("passage".to_owned()),
        ..QuestionSettings::default()
    };
    let error = dataset_from(&Library::at(folder.path()), "rc", &settings).unwrap_err();
    let text = format!("{error:?}");
    for words in ["--cluster passage", "built-in", "--data rc=PATH"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn unknown_tasks_are_answered_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(folder.path());
    imported(&library, "tax-law", &["yes", "no"]);
    let error = dataset_from(&library, "tax", &QuestionSettings::default()).unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("qa, rc, ci, drs, ds, tax-law"), "{text}");
}
