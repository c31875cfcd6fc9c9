//! Each layout, read from a small file of our own.

use crate::common::{Plain, data, load, load_text, one_of_each, plain};
use sureness_questions::{Format, LoadOptions, Question, pack};

fn all(dataset: &Plain) -> Vec<&Question> {
    let mut rows: Vec<_> = dataset.questions.iter().chain(&dataset.examples).collect();
    rows.sort_by_key(|question| &question.id);
    rows
}

fn right(question: &Question) -> &str {
    &question.options[question.right.only().unwrap()]
}

#[test]
fn every_layout_is_detected_from_its_content() {
    for (format, content) in one_of_each() {
        let folder = tempfile::tempdir().unwrap();
        // The name says nothing.
        let path = folder.path().join("data");
        std::fs::write(&path, content).unwrap();
        assert_eq!(Format::detect(&path).unwrap(), format);
        assert_eq!(
            Format::by_name(&format.name().replace('-', "_").to_uppercase()),
            Some(format)
        );
    }
    assert_eq!(Format::detect(&data("mmlu")).unwrap(), Format::Mmlu);
    assert_eq!(Format::by_name("xml"), None);
}

#[test]
fn own_json_lines() {
    let dataset = load(&data("own.jsonl"), &plain("mine")).unwrap();
    let answers: Vec<_> = dataset.questions.iter().map(right).collect();
    let expected = ["Blue", "It is, so it floats.", "4", "Wren", "Alder"];
    assert_eq!(answers, expected);
    assert_eq!(dataset.questions[0].id, "sky");
    assert_eq!(dataset.questions[0].category.as_deref(), Some("nature"));
    assert_eq!(dataset.questions[1].id, "2");
    assert_eq!(dataset.questions[2].context, None, "blanks are no context");
    assert_eq!(dataset.examples.len(), 1, "the row that is marked");
    assert_eq!(right(&dataset.examples[0]), "Trout");
}

#[test]
fn own_csv_with_mark_and_carriage_returns() {
    let dataset = load(&data("own.csv"), &plain("mine")).unwrap();
    let rows = all(&dataset);
    let answers: Vec<_> = rows.iter().map(|row| right(row)).collect();
    assert_eq!(answers, ["Ice", "Coal", "8", "Lead"]);
    assert_eq!(
        rows[1].context.as_deref(),
        Some("A kettle,\r\nfull and hot")
    );
    assert_eq!(
        rows[1].options.len(),
        2,
        "an empty cell at the end is no option"
    );
    assert_eq!(rows[2].context, None);
    assert_eq!(dataset.examples.len(), 2, "at most half is set aside");
}

#[test]
fn option_columns_have_many_names() {
    for (names, answer) in [
        ("A,B,C", "B"),
        ("a,b,c", "b"),
        ("optiona,optionb,optionc", "B"),
        ("Option 1,Option 2,Option 3", "2"),
        ("option0,option1,option2", "1"),
        ("choice_1,choice_2,choice_3", "2"),
        ("choice1,choice2,choice3", "two"),
        ("choice_a,choice_b,choice_c", "1"),
    ] {
        let text =
            format!("answer,question,{names}\n{answer},Q1,one,two,three\n{answer},Q2,one,two,\n");
        let dataset = load_text("x.csv", text, &plain("mine")).unwrap();
        let rows = all(&dataset);
        assert!(rows.iter().all(|row| right(row) == "two"), "{names}");
        assert!(rows.iter().any(|row| row.options.len() == 2), "{names}");
    }
}

#[test]
fn a_label_wins_over_a_letter_and_a_letter_over_a_text() {
    for (options, answer, expected) in [
        (r#"["B", "A"]"#, r#""A""#, "B"),
        (r#"["b", "a"]"#, r#""a""#, "a"),
        (r#"["x", "y"]"#, r#""b""#, "y"),
        (r#"["x", "y"]"#, "0", "x"),
        (r#"{"1": "x", "2": "y"}"#, "1", "x"),
        (r#"{"1": "x", "2": "y"}"#, r#""2""#, "y"),
        (r#"{"B": "x", "A": "y"}"#, r#""B""#, "x"),
        (r#"{"b": "x", "a": "y"}"#, r#""A""#, "y"),
        (r#"{"yes": "x", "no": "y"}"#, r#""B""#, "y"),
        (r#"{"yes": "x", "no": "y"}"#, r#""No""#, "y"),
    ] {
        let row = format!(r#"{{"question": "Q", "options": {options}, "answer": {answer}}}"#);
        let dataset = load_text("x.jsonl", &row, &plain("mine")).unwrap();
        assert_eq!(right(&dataset.questions[0]), expected, "{row}");
    }
    let row = r#"{"question": "Q", "options": {"B": "x", "A": "y"}, "answer": "B"}"#;
    let dataset = load_text("x.jsonl", row, &plain("mine")).unwrap();
    assert_eq!(
        dataset.questions[0].options,
        ["y", "x"],
        "letters are put in order"
    );
}

#[test]
fn mmlu_folder() {
    let dataset = load(&data("mmlu"), &plain("qa")).unwrap();
    let ids: Vec<_> = dataset
        .questions
        .iter()
        .map(|row| row.id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["botany/1", "botany/2", "botany/3", "tools/1", "tools/2"]
    );
    let answers: Vec<_> = dataset.questions.iter().map(right).collect();
    assert_eq!(answers, ["Root", "Light", "Spruce", "A bubble", "Hammer"]);
    assert_eq!(dataset.questions[4].category.as_deref(), Some("tools"));
    // The dev row that the test split repeats is no few-shot example.
    assert_eq!(dataset.examples.len(), 4);
    assert!(
        dataset
            .examples
            .iter()
            .all(|row| !row.stem.contains("conifer"))
    );
    assert_ne!(dataset.examples[0].category, dataset.examples[1].category);
}

#[test]
fn mmlu_in_other_places() {
    let folder = tempfile::tempdir().unwrap();
    let dev = folder.path().join("data/dev");
    let val = folder.path().join("data/val");
    for split in [&dev, &val] {
        std::fs::create_dir_all(split).unwrap();
    }
    std::fs::copy(data("mmlu/dev/tools_dev.csv"), dev.join("tools_dev.csv")).unwrap();
    std::fs::copy(data("mmlu/val/botany_val.csv"), val.join("botany_val.csv")).unwrap();
    std::fs::write(val.join("._botany_val.csv"), "not a table").unwrap();
    let dataset = load(folder.path(), &plain("qa")).unwrap();
    assert_eq!((dataset.questions.len(), dataset.examples.len()), (1, 2));

    let one_split = load(&data("mmlu/test"), &plain("qa")).unwrap();
    assert_eq!(
        (one_split.questions.len(), one_split.examples.len()),
        (3, 2)
    );
    let one_file = load(&data("mmlu/test/botany_test.csv"), &plain("qa")).unwrap();
    assert_eq!(all(&one_file).len(), 3);
    assert!(all(&one_file)[0].id.starts_with("botany/"));
}

#[test]
fn cosmosqa_says_the_same_in_both_layouts() {
    let csv = load(&data("cosmosqa.csv"), &plain("rc")).unwrap();
    let jsonl = load(&data("cosmosqa.jsonl"), &plain("rc")).unwrap();
    for dataset in [&csv, &jsonl] {
        let answers: Vec<_> = all(dataset).into_iter().map(right).collect();
        let expected = [
            "There was no path to walk on .",
            "She wanted nobody to read them .",
        ];
        assert_eq!(answers, expected);
    }
}

#[test]
fn hellaswag_with_either_kind_of_label_and_context() {
    let dataset = load(&data("hellaswag.jsonl"), &plain("ci")).unwrap();
    let rows = all(&dataset);
    let answers: Vec<_> = rows.iter().map(|row| row.right.only().unwrap()).collect();
    assert_eq!(answers, [2, 0, 1, 3]);
    let context = "A boy turns his bicycle upside down. then he";
    assert_eq!(rows[1].context.as_deref(), Some(context));
    assert_eq!(rows[2].category.as_deref(), Some("Playing chess"));
    assert_eq!(rows[0].id, "11");
}

#[test]
fn halueval_pairs_become_four_options() {
    for (file, task, contents) in [
        ("halueval_dialogue.jsonl", "drs", 5),
        ("halueval_summarization.jsonl", "ds", 4),
    ] {
        let text = std::fs::read_to_string(data(file)).unwrap();
        let dataset = load(&data(file), &plain(task)).unwrap();
        let rows = all(&dataset);
        assert_eq!(rows.len(), contents);
        for (row, line) in rows.iter().zip(text.lines()) {
            let pair: serde_json::Value = serde_json::from_str(line).unwrap();
            let field = |names: [&str; 2]| {
                let value = names.iter().find_map(|name| pair[*name].as_str());
                value.unwrap().to_owned()
            };
            assert_eq!(right(row), field(["right_response", "right_summary"]));
            let wrong = field(["hallucinated_response", "hallucinated_summary"]);
            assert!(row.options.contains(&wrong));
            let distinct: std::collections::HashSet<_> = row.options.iter().collect();
            assert_eq!(distinct.len(), 4);
            assert!(
                row.options
                    .iter()
                    .all(|option| text.contains(option.as_str()))
            );
        }
    }
}

#[test]
fn the_paper_sets_its_examples_apart_by_id() {
    for (task, expected) in [
        ("qa", ["1", "3", "5", "7", "9"]),
        ("drs", ["5", "7", "9", "1", "3"]),
        ("ds", ["9", "1", "3", "5", "7"]),
    ] {
        let dataset = load(&data("paper.json"), &plain(task)).unwrap();
        let examples: Vec<_> = dataset.examples.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(examples, expected);
        let asked: Vec<_> = dataset
            .questions
            .iter()
            .map(|row| row.id.as_str())
            .collect();
        assert_eq!(asked, ["0", "2", "4", "6", "8", "10", "11"]);
        assert_eq!(
            dataset.questions[1].context.as_deref(),
            Some("There are 2 apples.")
        );
    }
}

#[test]
fn abstention_options_are_added_where_asked_and_never_twice() {
    for (format, content) in one_of_each() {
        let mut options = LoadOptions {
            format: Some(format),
            ..plain("qa")
        };
        let without = load_text("x", &content, &options).unwrap();
        options.abstention = true;
        let with = load_text("x", &content, &options).unwrap();
        let own = if format == Format::Paper { 0 } else { 2 };
        for (bare, full) in all(&without).iter().zip(all(&with)) {
            assert_eq!(full.options.len(), bare.options.len() + own, "{format:?}");
            assert_eq!(full.dont_know(), Some(full.options.len() - 2));
            assert_eq!(full.none_of_the_above(), Some(full.options.len() - 1));
            assert_eq!(full.content_digest(), bare.content_digest());
        }
    }
}

#[test]
fn a_file_of_worked_examples_takes_the_place_of_all_others() {
    let options = LoadOptions {
        examples: Some(data("own.csv")),
        ..plain("mine")
    };
    let dataset = load(&data("own.jsonl"), &options).unwrap();
    assert_eq!(dataset.questions.len(), 5);
    assert_eq!(dataset.examples.len(), 4);
    assert!(dataset.examples.iter().all(|row| row.id.starts_with('q')));

    // A question that is also an example is not asked.
    let one = r#"{"question": "What colour is a clear sky at noon?", "options": ["Blue", "Green"], "answer": 0}"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.jsonl");
    std::fs::write(&path, one).unwrap();
    let options = LoadOptions {
        examples: Some(path),
        ..plain("mine")
    };
    let dataset = load(&data("own.jsonl"), &options).unwrap();
    assert!(dataset.questions.iter().all(|row| row.id != "sky"));
    assert_eq!(dataset.questions.len(), 4);
}

#[test]
fn the_pack_has_or_has_not_the_abstention_options() {
    let bare = pack::dataset("qa", false).unwrap();
    let full = pack::dataset("qa", true).unwrap();
    assert_eq!(bare.source, "built-in pack");
    assert_eq!(
        bare.questions.get(0).unwrap().options.len() + 2,
        full.questions.get(0).unwrap().options.len()
    );
}

#[test]
fn the_examples_in_the_documentation_are_read() {
    let page = include_str!("../../../../docs/data.md");
    let mut found = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        let Some((kind, text)) = block.split_once('\n') else {
            continue;
        };
        // HaluEval's two lines belong to two files, and one line is too few to draw from.
        if kind.is_empty() || text.contains("hallucinated") {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block");
        std::fs::write(&path, text).unwrap();
        load(&path, &plain("mine")).unwrap_or_else(|error| panic!("{error}\n{text}"));
        found.push(Format::detect(&path).unwrap());
    }
    let expected = [
        Format::Jsonl,
        Format::Csv,
        Format::Mmlu,
        Format::CosmosQaCsv,
        Format::CosmosQaJsonl,
        Format::HellaSwag,
        Format::Paper,
    ];
    assert_eq!(found, expected);
}
