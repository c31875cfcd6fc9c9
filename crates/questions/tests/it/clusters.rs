//! Questions are in the cluster that the loader is told: by text, by category, by a column, or
//! each in its own.

use crate::common::{data, load_dataset, one_of_each, plain};
use sureness_hint::Hint;
use sureness_questions::{ClusterBy, DataError, Dataset, Format, LoadOptions, load};

const JSONL: &str = r#"{"id": "0", "question": "x?", "options": ["a", "b"], "answer": "A", "example": true}
{"id": "1", "category": "n", "passage": 7, "context": "It rained.", "question": "Why?", "options": ["a", "b"], "answer": "A"}
{"id": "2", "category": "m", "passage": "7 ", "context": "It rained. ", "question": "Who?", "options": ["c", "d"], "answer": "A"}
{"id": "3", "category": "n", "passage": "8", "question": "Where?", "options": ["e", "f"], "answer": "A"}
{"id": "4", "category": "m", "passage": "8", "question": "Where?", "options": ["f", "e"], "answer": "B"}
"#;

const CSV: &str = "id,category,Passage,context,question,A,B,answer,example\n\
                   0,n,,,x?,a,b,A,true\n\
                   1,n,7,It rained.,Why?,a,b,A,\n\
                   2,m,7,It rained.,Who?,c,d,A,\n\
                   3,n,8,,Where?,e,f,A,\n\
                   4,m,8,,Where?,f,e,B,\n";

fn by(name: &str) -> LoadOptions {
    LoadOptions {
        cluster: name.parse().unwrap(),
        ..plain("own")
    }
}

/// Number of each question's cluster, in the order in which they come.
fn numbers(dataset: &Dataset) -> Vec<usize> {
    let mut seen = Vec::new();
    (0..dataset.questions.len())
        .map(|index| {
            let cluster = dataset.questions.cluster_digest(index).unwrap();
            let known = seen.iter().position(|other| *other == cluster);
            known.unwrap_or_else(|| {
                seen.push(cluster);
                seen.len() - 1
            })
        })
        .collect()
}

fn refused(name: &str, content: &str, options: &LoadOptions) -> DataError {
    load_dataset(name, content, options).unwrap_err()
}

#[test]
fn clusters_are_those_that_are_asked_for() {
    for (name, content) in [("own.jsonl", JSONL), ("own.csv", CSV)] {
        let of = |cluster| numbers(&load_dataset(name, content, &by(cluster)).unwrap());
        assert_eq!(of("auto"), [0, 0, 1, 1], "{name}");
        assert_eq!(of("category"), [0, 1, 0, 1], "{name}");
        assert_eq!(of("none"), [0, 1, 2, 3], "{name}");
        assert_eq!(of("id"), [0, 1, 2, 3], "{name}");
        let column = if name == "own.csv" {
            "Passage"
        } else {
            "passage"
        };
        assert_eq!(of(column), [0, 0, 1, 1], "{name}");
    }
    // A number and the text of it are one value, in whatever file.
    let of = |name, content, column: &str| {
        let dataset = load_dataset(name, content, &by(column)).unwrap();
        dataset.questions.cluster_digest(0).unwrap()
    };
    assert_eq!(of("own.jsonl", JSONL, "id"), of("own.csv", CSV, "id"));
    assert_ne!(of("own.jsonl", JSONL, "id"), of("own.jsonl", JSONL, "auto"));
}

#[test]
fn a_sample_keeps_the_clusters() {
    let mut dataset = load_dataset("own.jsonl", JSONL, &by("passage")).unwrap();
    let clusters = |dataset: &Dataset| {
        let of = |index| {
            let (digests, question) = dataset.questions.read(index).unwrap();
            (question.id, digests.cluster)
        };
        (0..dataset.questions.len()).map(of).collect::<Vec<_>>()
    };
    let before = clusters(&dataset);
    dataset.sample(2, 1).unwrap();
    let after = clusters(&dataset);
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|question| before.contains(question)));
}

#[test]
fn a_column_that_is_not_there_is_answered_with_those_that_are() {
    let error = refused("own.jsonl", JSONL, &by("passages"));
    assert_eq!(
        (error.line, error.field.as_deref()),
        (Some(2), Some("passages"))
    );
    assert!(error.to_string().contains("\"passage\""), "{error}");
    assert!(error.hint() != "");
    let error = refused("own.csv", CSV, &by("passages"));
    assert_eq!(
        (error.line, error.field.as_deref()),
        (Some(1), Some("passages"))
    );
    assert!(error.to_string().contains("\"Passage\""), "{error}");

    for (text, says) in [
        (JSONL.replace("\"8\"", "\" \""), "empty"),
        (
            JSONL.replace("\"8\"", "[8]"),
            "expected a string or a number",
        ),
        (JSONL.replace("\"8\"", "null"), "null, but a value"),
    ] {
        let error = refused("own.jsonl", &text, &by("passage"));
        assert_eq!(error.line, Some(4));
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = refused("own.csv", &CSV.replace(",8,", ",,"), &by("Passage"));
    assert_eq!(error.line, Some(5));
    let error = refused("own.csv", &CSV.replace("4,m", "4,"), &by("category"));
    assert_eq!(
        (error.line, error.field.as_deref()),
        (Some(6), Some("category"))
    );
    assert!(error.hint().contains("--cluster"), "{error}");
}

#[test]
fn layouts_of_others_have_columns_where_they_are_named() {
    for (format, bytes) in one_of_each() {
        let text = String::from_utf8(bytes).unwrap();
        let options = |cluster: &str| LoadOptions {
            format: Some(format),
            ..by(cluster)
        };
        assert!(load_dataset("x", &text, &options("none")).is_ok());
        let column = match format {
            Format::Jsonl | Format::Csv => continue,
            Format::Mmlu => {
                let error = refused("x", &text, &options("subject"));
                assert!(error.to_string().contains("have no names"), "{error}");
                assert!(error.hint().contains("category"));
                continue;
            }
            Format::CosmosQaCsv | Format::CosmosQaJsonl => "context",
            Format::HellaSwag => "activity_label",
            Format::HaluEvalDialogue => "knowledge",
            Format::HaluEvalSummarization => "document",
            _ => "question",
        };
        let dataset = load_dataset("x", &text, &options(column));
        assert!(
            dataset.is_ok(),
            "{}: {}",
            format.name(),
            dataset.unwrap_err()
        );
        let error = refused("x", &text, &options("no such"));
        assert!(error.to_string().contains(column), "{error}");
    }
}

#[test]
fn the_subject_is_mmlus_category() {
    let options = LoadOptions {
        cluster: ClusterBy::Category,
        ..plain("qa")
    };
    let dataset = load(&data("mmlu"), &options).unwrap();
    let subjects: Vec<_> = dataset
        .questions
        .iter()
        .map(|q| q.unwrap().category)
        .collect();
    let clusters = numbers(&dataset);
    for (one, a) in subjects.iter().zip(&clusters) {
        for (other, b) in subjects.iter().zip(&clusters) {
            assert_eq!(one == other, a == b);
        }
    }
}
