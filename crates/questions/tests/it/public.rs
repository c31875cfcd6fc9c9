//! Layouts of public data sets: ten made-up questions in each, as JSON lines and as Parquet.

use std::path::PathBuf;

use sureness_hint::Hint;
use sureness_questions::{Format, Layout, LoadOptions};
use sureness_testkit::{says, shared};

use crate::common::{Plain, data, load, load_text, plain};

fn file(layout: &Layout, end: &str) -> PathBuf {
    data("layouts").join(format!("{}.{end}", layout.name))
}

/// The questions of a file in the order of the rows, few-shot examples among them.
fn all(path: &std::path::Path, format: Option<Format>) -> Plain {
    let options = LoadOptions {
        format,
        ..plain("own")
    };
    let mut read = load(path, &options).unwrap_or_else(|error| panic!("{error}"));
    read.questions.append(&mut read.examples);
    let stems: Vec<_> = expected().into_iter().map(|(stem, ..)| stem).collect();
    read.questions.sort_by_key(|question| {
        let place = stems.iter().position(|stem| *stem == question.stem);
        place.unwrap_or_else(|| panic!("{:?}", question.stem))
    });
    read
}

/// Stem, category, context, options and the right one of the ten questions, from the layout that
/// changes none of them.
fn expected() -> Vec<(String, String, Vec<String>, usize)> {
    let text = std::fs::read_to_string(data("layouts/mmlu-hub.jsonl")).unwrap();
    let rows = text.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let options = row["choices"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect();
        let answer = row["answer"].as_u64().unwrap() as usize;
        (
            text(&row["question"]),
            text(&row["subject"]),
            options,
            answer,
        )
    });
    rows.collect()
}

/// The layouts that are told by their columns. Rows with both targets are `truthfulqa`.
fn told_apart() -> impl Iterator<Item = &'static Layout> {
    Layout::all().filter(|layout| layout.name != "truthfulqa-mc2")
}

#[test]
fn every_layout_gives_the_questions_that_its_file_holds() {
    for layout in told_apart() {
        let read = all(&file(layout, "jsonl"), Some(Format::Public(layout)));
        assert_eq!(read.questions.len(), 10, "{}", layout.name);
        for (question, (_, category, options, right)) in read.questions.iter().zip(expected()) {
            let context = format!("{}, {question:?}", layout.name);
            let answer = &question.options[question.right.only().unwrap()];
            let (options, right) = match layout.name {
                "boolq" | "boolq-superglue" => {
                    let options = vec!["Yes".to_owned(), "No".to_owned()];
                    (options, usize::from(right >= 2))
                }
                "pubmedqa" => {
                    let options = ["yes", "no", "maybe"].map(str::to_owned).to_vec();
                    (options, [0, 1, 2, 1][right])
                }
                "halueval-qa" => {
                    let wrong = options[usize::from(right == 0)].clone();
                    (vec![options[right].clone(), wrong], 0)
                }
                "winogrande" | "piqa" => (options[..2].to_vec(), right % 2),
                "social-iqa" | "bbq" => (options[..3].to_vec(), right % 3),
                _ => (options, right),
            };
            assert_eq!(*answer, options[right], "{context}");
            let shuffled = ["gpqa", "truthfulqa", "sciq", "halueval-qa"].contains(&layout.name);
            if shuffled {
                let mut sorted = [question.options.clone(), options];
                for options in &mut sorted {
                    options.sort();
                }
                assert_eq!(sorted[0], sorted[1], "{context}");
            } else {
                assert_eq!(question.options, options, "{context}");
            }
            if let Some(found) = &question.category {
                assert_eq!(*found, category, "{context}");
            }
            let has_text = ["rc", "ci"].contains(&layout.task);
            assert_eq!(question.context.is_some(), has_text, "{context}");
        }
    }
}

#[test]
fn parquet_gives_the_same_and_is_told_by_its_columns() {
    for layout in told_apart() {
        let path = file(layout, "parquet");
        assert_eq!(
            Format::detect(&path).unwrap(),
            Format::Public(layout),
            "{}",
            layout.name
        );
        let [text, parquet] = [file(layout, "jsonl"), path]
            .map(|path| all(&path, Some(Format::Public(layout))).questions);
        assert_eq!(text, parquet, "{}", layout.name);
    }
}

#[test]
fn json_lines_are_told_as_well_and_keep_the_generic_layout_where_they_have_it() {
    for layout in told_apart() {
        let path = file(layout, "jsonl");
        let format = Format::detect(&path).unwrap();
        let generic = [
            "mmlu-hub",
            "mmlu-pro",
            "race",
            "quality",
            "supergpqa",
            "medqa",
        ];
        if generic.contains(&layout.name) {
            assert_eq!(format, Format::Jsonl, "{}", layout.name);
            let [own, public] = [None, Some(Format::Public(layout))].map(|format| {
                let questions = all(&path, format).questions;
                let content = questions
                    .into_iter()
                    .map(|question| question.content_digest());
                content.collect::<Vec<_>>()
            });
            assert_eq!(own, public, "{}", layout.name);
        } else {
            assert_eq!(format, Format::Public(layout), "{}", layout.name);
        }
    }
}

#[test]
fn shuffled_options_stand_in_every_place_and_depend_on_the_seed() {
    let layout = Layout::by_name("truthfulqa").unwrap();
    let of_seed = |seed| {
        let options = LoadOptions {
            seed,
            ..plain("own")
        };
        let read = load(&file(layout, "jsonl"), &options).unwrap();
        let rows = read.questions.iter().chain(&read.examples);
        rows.map(|row| row.right.only().unwrap())
            .collect::<Vec<_>>()
    };
    let drawn = of_seed(0);
    assert_eq!(drawn, of_seed(0));
    assert_ne!(drawn, of_seed(1));
    assert!((0..4).all(|place| drawn.contains(&place)), "{drawn:?}");
}

fn refused(layout: &str, text: &str, words: &[&str]) {
    let options = LoadOptions {
        format: Format::by_name(layout),
        ..plain("own")
    };
    let error = load_text("x.jsonl", text, &options).unwrap_err();
    says(&format!("{error}\nhint: {}", error.hint()), words);
}

#[test]
fn rows_that_cannot_be_asked_are_refused_with_their_place() {
    let medmcqa = |cop: &str| {
        let row = r#"{"question":"q","opa":"a","opb":"b","opc":"c","opd":"d","cop":0}"#;
        format!("{row}\n{}", row.replace("\"cop\":0", cop))
    };
    refused(
        "medmcqa",
        &medmcqa("\"cop\":4"),
        &[
            "line 2, field \"cop\"",
            "the answer is \"4\"",
            "\"0\", \"1\", \"2\", \"3\"",
        ],
    );
    refused(
        "medmcqa",
        &medmcqa("\"cop\":-1"),
        &["line 2", "no answer", "validation"],
    );
    refused(
        "mmlu-redux",
        r#"{"question":"q","choices":["a","b"],"answer":0,"error_type":"multiple_correct_answers"}"#,
        &[
            "line 1, field \"error_type\"",
            "multiple_correct_answers",
            "error_type.isin([\"ok\", \"multiple_correct_answers\"])",
        ],
    );
    refused(
        "agieval",
        r#"{"query":"q","choices":["(A)a","(B)b"],"gold":[0,1]}"#,
        &["field \"gold\"", "the indices of both as well as marks"],
    );
    refused(
        "truthfulqa",
        r#"{"question":"q","mc1_targets":{"choices":["a","b"],"labels":[0,0]}}"#,
        &["field \"mc1_targets.labels\"", "no right option"],
    );
    refused(
        "boolq",
        r#"{"question":"q","passage":"p","answer":"perhaps"}"#,
        &["field \"answer\"", "true or false"],
    );
    // Faulty rows of MMLU-Redux are not read by another layout either.
    let text =
        r#"{"question":"q","choices":["a","b"],"answer":0,"error_type":"wrong_groundtruth"}"#;
    let error = load_text("x.jsonl", text, &plain("own")).unwrap_err();
    says(&error.to_string(), &["error_type", "wrong_groundtruth"]);
}

#[test]
fn an_unknown_layout_names_its_fields_and_the_nearest_one() {
    let error = load_text(
        "x.jsonl",
        r#"{"prompt":"q","distractor1":"a","distractor2":"b","correct_answer":"c"}"#,
        &plain("own"),
    );
    let error = error.unwrap_err();
    says(
        &format!("{error}\nhint: {}", error.hint()),
        &[
            "\"prompt\", \"distractor1\"",
            "nearest layout, sciq, also has",
            "\"distractor3\"",
            "--columns",
        ],
    );
}

#[test]
fn a_layout_is_told_by_its_answers_too() {
    let row = |label: &str| {
        format!(
            r#"{{"context":"c","question":"q","answers":["a","b"],"label":{label},"id_string":"x"}}"#
        )
    };
    let error = load_text("x.jsonl", row("\"B\""), &plain("own")).unwrap_err();
    says(
        &error.to_string(),
        &["reclor has these columns, but other values"],
    );
    let two = [row("1"), row("1").replace("\"q\"", "\"r\"")]
        .join("\n")
        .replacen("\"x\"", "\"y\"", 1);
    assert!(load_text("x.jsonl", two, &plain("own")).is_ok());
}

#[test]
fn the_guide_lists_every_layout_with_its_data_sets_and_columns() {
    let guide = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for layout in Layout::all() {
        let begin = format!("| `{}` |", layout.name);
        let row = guide.lines().find(|line| line.starts_with(&begin));
        let row = row.unwrap_or_else(|| panic!("{begin}"));
        for hub in layout.hub {
            assert!(row.contains(&format!("`{hub}`")), "{row}");
        }
        let asked: Vec<_> = layout.ask.iter().map(|split| split.name()).collect();
        assert!(row.contains(&format!("| {} |", asked.join(", "))), "{row}");
        let checked = ["2026-11-28", "2026-11-29"];
        let is_dated = checked.iter().any(|date| layout.checked.ends_with(date));
        assert!(is_dated, "{}", layout.name);
    }
}

#[test]
fn arc_of_the_hub() {
    let Some(path) = shared("cases/arc-hub-layout/rows.jsonl") else {
        return;
    };
    let read = load(&path, &plain("own")).unwrap();
    let rows: Vec<_> = read.questions.iter().chain(&read.examples).collect();
    assert_eq!(rows.len(), 10);
    assert!(rows.iter().all(|row| row.right.only().unwrap() == 2));
}
