//! Requests and answers in text: a batch that vLLM 0.32.0 ran (`vllm run-batch`), its offline outputs,
//! and changes of both. `tests/data/exchange/vllm.py` wrote the files.

mod letter;
mod which;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sureness_importers::{Format, Imported, Options, import};
use sureness_questions::{LoadOptions, Task, load};

use super::common::{Folder, data};

const REQUESTS: &str = "exchange/requests.jsonl";
const RESULTS: &str = "exchange/results.jsonl";

fn rows(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(data(name)).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
    rows.collect()
}

/// A file of JSON lines.
fn written(folder: &Folder, name: &str, rows: &[Value]) -> PathBuf {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    folder.write(name, lines.join("\n"))
}

fn with_questions(path: &Path) -> Options {
    Options {
        questions: Some(path.to_owned()),
        ..Options::default()
    }
}

fn questions() -> Options {
    with_questions(&data("exchange/questions.jsonl"))
}

#[track_caller]
fn one(paths: &[PathBuf], options: &Options) -> Imported {
    let imports = import(paths, options).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(imports.groups.len(), 1);
    imports.groups.into_iter().next().unwrap()
}

#[track_caller]
fn refused(paths: &[PathBuf], options: &Options) -> String {
    let errors = import(paths, options).expect_err("was imported");
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn scores(import: &Imported) -> Vec<Option<Vec<f64>>> {
    let rows = import.rows.iter();
    rows.map(|row| row.scores.as_ref().ok().map(|it| it.logprobs.clone()))
        .collect()
}

#[test]
fn a_real_batch_has_the_questions_of_the_data_set() {
    let import = one(&[data(RESULTS), data(REQUESTS)], &questions());
    assert_eq!(import.to_string(), "smollm2, questions, batch");
    assert_eq!(import.format, Format::Batch);
    assert_eq!((import.rows.len(), import.answered()), (8, 7));
    assert_eq!(import.settings["temperature"], "0");
    assert!(import.warnings.is_empty(), "{:?}", import.warnings);
    assert!(
        import
            .notes
            .iter()
            .any(|note| note.contains("no accuracy to compare with"))
    );
    let sky = import
        .rows
        .iter()
        .find(|row| row.question.id == "sky")
        .unwrap();
    let known = sky.scores.as_ref().unwrap();
    assert_eq!(
        known.logprobs[0].to_bits(),
        (-0.822_464_346_885_681_2_f64).to_bits()
    );
    assert_eq!(
        known.logprobs[1].to_bits(),
        (-1.572_464_346_885_681_2_f64).to_bits()
    );
    assert_eq!(known.observed, [true; 4]);
    // vLLM was asked at temperature 0: the letter that it wrote is the likeliest.
    for row in rows(RESULTS) {
        let written = row.pointer("/response/body/choices/0/message/content");
        let Some(written) = written.and_then(Value::as_str) else {
            continue;
        };
        let id = row["custom_id"].as_str().unwrap();
        let read = import
            .rows
            .iter()
            .find(|row| row.question.id == id)
            .unwrap();
        let top = read.scores.as_ref().unwrap().top();
        assert_eq!(sureness_questions::letter(top).to_string(), written, "{id}");
    }
    let failed = import.rows.iter().find(|row| row.scores.is_err()).unwrap();
    assert_eq!(failed.question.id, "note");
    let reason = failed.scores.as_ref().unwrap_err().to_string();
    assert!(reason.contains("greater than max allowed: 20"), "{reason}");
    // The same questions as in a run without abstention options.
    let options = LoadOptions {
        abstention: false,
        ..LoadOptions::new(Task::custom("own"))
    };
    let set = load(&data("exchange/questions.jsonl"), &options).unwrap();
    let mut all = set.questions.to_vec().unwrap();
    all.extend(set.examples);
    for row in &import.rows {
        let question = all.iter().find(|it| it.id == row.question.id).unwrap();
        assert_eq!(row.question.content, question.content_digest());
        assert_eq!(row.question.category, question.category);
    }
}

#[test]
fn right_answers_may_stand_in_the_requests_or_alone() {
    let folder = Folder::new();
    let expected = one(&[data(RESULTS), data(REQUESTS)], &questions());
    let answers = rows("exchange/questions.jsonl");
    let mut requests = rows(REQUESTS);
    for (request, question) in requests.iter_mut().zip(&answers) {
        request["body"]["metadata"] = json!({"answer": question["answer"]});
    }
    let named = Options {
        task: Some("quiz".to_owned()),
        ..Options::default()
    };
    let requests = written(&folder, "own.jsonl", &requests);
    let import = one(&[data(RESULTS), requests], &named);
    assert_eq!(scores(&import), scores(&expected));
    assert_eq!(import.accuracy(), expected.accuracy());

    let key: Vec<String> = answers
        .iter()
        .map(|row| {
            format!(
                "{},{}",
                row["id"].as_str().unwrap(),
                row["answer"].as_str().unwrap()
            )
        })
        .collect();
    let csv = folder.write("key.csv", format!("custom_id,answer\n{}", key.join("\n")));
    let import = one(&[data(RESULTS), data(REQUESTS)], &with_questions(&csv));
    assert_eq!(import.task, "key");
    assert_eq!(scores(&import), scores(&expected));
    assert_eq!(import.accuracy(), expected.accuracy());
    let csv = folder.write("short.csv", "id,answer\nsky,B\n");
    let said = refused(&[data(RESULTS), data(REQUESTS)], &with_questions(&csv));
    assert!(
        said.contains("field \"custom_id\": id legs is not in"),
        "{said}"
    );
}

#[test]
fn the_letters_of_the_prompt_decide() {
    let folder = Folder::new();
    let expected = one(&[data(RESULTS), data(REQUESTS)], &questions());
    // The data set has the options the other way round, and other ids.
    let turned: Vec<Value> = rows("exchange/questions.jsonl")
        .into_iter()
        .map(|mut row| {
            row["options"].as_array_mut().unwrap().reverse();
            let letter = row["answer"].as_str().unwrap().as_bytes()[0];
            row["answer"] = json!(char::from(b'A' + b'D' - letter).to_string());
            row["id"] = json!(format!("x/{}", row["id"].as_str().unwrap()));
            row
        })
        .collect();
    let turned = written(&folder, "turned.jsonl", &turned);
    let import = one(&[data(RESULTS), data(REQUESTS)], &with_questions(&turned));
    assert!(
        import
            .rows
            .iter()
            .all(|row| row.question.id.starts_with("x/"))
    );
    for (ours, theirs) in scores(&import).into_iter().zip(scores(&expected)) {
        let ours = ours.map(|mut ours| {
            ours.reverse();
            ours
        });
        assert_eq!(ours, theirs);
    }
    let notes = import.notes.join("\n");
    assert!(
        notes.contains("8 of 8 prompts show the options in another order"),
        "{notes}"
    );
}

#[test]
fn options_inside_a_line_and_added_abstention_options_are_found() {
    let folder = Folder::new();
    let expected = one(&[data(RESULTS), data(REQUESTS)], &questions());
    let change = |name: &str, of: &dyn Fn(&str) -> String| {
        let mut requests = rows(REQUESTS);
        for request in &mut requests {
            let text = &mut request["body"]["messages"][1]["content"];
            *text = json!(of(text.as_str().unwrap()));
        }
        let requests = written(&folder, name, &requests);
        one(&[data(RESULTS), requests], &questions())
    };
    let import = change("inline.jsonl", &|text| text.replace('\n', " "));
    assert_eq!(scores(&import), scores(&expected));
    let import = change("more.jsonl", &|text| {
        format!("{text}\nE. I don't know\nF. None of the above\nAnswer:")
    });
    assert_eq!(import.rows[0].question.options, 6);
    assert_eq!(import.rows[0].question.dont_know, Some(4));
    assert_eq!(import.accuracy(), expected.accuracy());
    let short = import.rows[0].scores.as_ref().unwrap();
    assert_eq!(short.observed, [true, true, true, true, false, false]);
}

#[test]
fn prompts_of_other_questions_are_refused() {
    let folder = Folder::new();
    let mut others = rows("exchange/questions.jsonl");
    others[2]["question"] = json!("What does water become when it freezes?");
    let others = written(&folder, "others.jsonl", &others);
    let files = [data(RESULTS), data(REQUESTS)];
    let said = refused(&files, &with_questions(&others));
    assert!(
        said.contains("line 3, field \"custom_id\": the prompt of ice does not show"),
        "{said}"
    );
    let mut others = rows("exchange/questions.jsonl");
    others[2]["options"][3] = json!("Gold");
    let others = written(&folder, "options.jsonl", &others);
    let said = refused(&files, &with_questions(&others));
    assert!(
        said.contains("does not show the options of question ice"),
        "{said}"
    );
    let mut requests = rows(REQUESTS);
    requests[2]["body"]["metadata"] = json!({"answer": "B"});
    let requests = written(&folder, "contradicted.jsonl", &requests);
    let said = refused(&[data(RESULTS), requests], &questions());
    assert!(said.contains("id ice has the answer B, but A in"), "{said}");
}

#[test]
fn results_without_requests_are_trusted_aloud_or_refused() {
    let import = one(&[data(RESULTS)], &questions());
    assert_eq!(import.answered(), 7);
    let warnings = import.warnings.join("\n");
    assert!(
        warnings.contains("8 of 8 questions come without their prompts"),
        "{warnings}"
    );
    let named = Options {
        task: Some("quiz".to_owned()),
        ..Options::default()
    };
    let said = refused(&[data(RESULTS)], &named);
    assert!(
        said.contains("line 1, field \"custom_id\": the prompt is missing"),
        "{said}"
    );
    let said = refused(&[data(RESULTS), data(REQUESTS)], &named);
    assert!(said.contains("no right answers"), "{said}");
    let said = refused(&[data(REQUESTS)], &questions());
    assert!(
        said.contains("contains the requests of a batch, but not their results"),
        "{said}"
    );
    let said = refused(&[data(RESULTS), data(REQUESTS)], &Options::default());
    assert!(said.contains("the task's name is missing"), "{said}");
}

#[test]
fn requests_that_were_repeated_and_left_out_are_told() {
    let folder = Folder::new();
    let mut results = rows(RESULTS);
    // The last request failed, and was answered in a second batch.
    let mut again = results[0].clone();
    again["custom_id"] = json!("note");
    let again = written(&folder, "again.jsonl", &[again]);
    let import = one(&[data(RESULTS), again, data(REQUESTS)], &questions());
    assert_eq!((import.rows.len(), import.answered()), (8, 8));
    let notes = import.notes.join("\n");
    assert!(notes.contains("answered later, skipped: 1"), "{notes}");

    results.truncate(5);
    let import = one(
        &[written(&folder, "few.jsonl", &results), data(REQUESTS)],
        &questions(),
    );
    assert_eq!((import.rows.len(), import.planned), (5, Some(8)));
    assert!(
        import
            .notes
            .join("\n")
            .contains("5 of the 8 requests have a result")
    );

    results.push(results[0].clone());
    let twice = written(&folder, "twice.jsonl", &results);
    let said = refused(&[twice, data(REQUESTS)], &questions());
    assert!(
        said.contains(
            "line 6, field \"custom_id\": duplicate id sky, first seen in line 1 of twice.jsonl"
        ),
        "{said}"
    );
    let mut requests = rows(REQUESTS);
    let text = &mut requests[1]["custom_id"];
    *text = json!("sky");
    let requests = written(&folder, "requests.jsonl", &requests);
    let said = refused(&[data(RESULTS), requests], &questions());
    assert!(
        said.contains("line 2, field \"custom_id\": duplicate id sky"),
        "{said}"
    );
}

#[test]
fn answers_of_several_models_are_several_imports() {
    let folder = Folder::new();
    let mut results = rows(RESULTS);
    results.pop();
    for row in rows(RESULTS).iter().take(7) {
        let mut row = row.clone();
        row["response"]["body"]["model"] = json!("other");
        results.push(row);
    }
    let both = written(&folder, "both.jsonl", &results);
    let imports = import(&[both, data(REQUESTS)], &questions())
        .unwrap()
        .groups;
    let names: Vec<&str> = imports.iter().map(|it| it.model.name.as_str()).collect();
    assert_eq!(names, ["smollm2", "other"]);
    let mut failed = rows(RESULTS).pop().unwrap();
    failed["custom_id"] = json!("note");
    results.push(failed);
    let both = written(&folder, "failed.jsonl", &results);
    let said = refused(&[both, data(REQUESTS)], &questions());
    assert!(
        said.contains("line 15: the failed request names no model"),
        "{said}"
    );
}

#[test]
fn answers_whose_letter_is_elsewhere_are_reasons() {
    let folder = Folder::new();
    let mut results = rows(RESULTS);
    let top = json!([{"token": "The", "logprob": -0.5}, {"token": "A", "logprob": -2.0}]);
    let first = "/response/body/choices/0/logprobs";
    *results[0].pointer_mut(first).unwrap() =
        json!({"content": [{"token": "The", "logprob": -0.5, "top_logprobs": top}]});
    *results[1].pointer_mut(first).unwrap() = Value::Null;
    let mut requests = rows(REQUESTS);
    requests[2]["body"]["echo"] = json!(true);
    requests[3]["body"]["logit_bias"] = json!({"330": 100});
    let files = [
        written(&folder, "results.jsonl", &results),
        written(&folder, "requests.jsonl", &requests),
    ];
    let import = one(&files, &questions());
    let reasons: Vec<String> = import
        .rows
        .iter()
        .take(3)
        .map(|row| {
            row.scores
                .as_ref()
                .map_or_else(ToString::to_string, |_| "answered".to_owned())
        })
        .collect();
    assert!(reasons[0].contains("The"), "{reasons:?}");
    assert!(reasons[1].contains("no log-probabilities"), "{reasons:?}");
    assert!(reasons[2].contains("echo"), "{reasons:?}");
    assert!(import.warnings.join("\n").contains("logit_bias"));
    for row in &mut results {
        if let Some(logprobs) = row.pointer_mut(first) {
            *logprobs = Value::Null;
        }
    }
    results.pop();
    let none = written(&folder, "none.jsonl", &results);
    let said = refused(&[none, data(REQUESTS)], &questions());
    assert!(said.contains("no sample has log-probabilities"), "{said}");
}

#[test]
fn a_batch_of_completions_is_read_in_their_shape() {
    let files = [
        data("exchange/completion_results.jsonl"),
        data("exchange/completion_requests.jsonl"),
    ];
    let import = one(&files, &questions());
    assert_eq!((import.rows.len(), import.answered()), (8, 8));
    // The prompt's few-shot examples have options of their own; the last question counts.
    assert_eq!(import.rows[0].question.id, "sky");
    for row in &import.rows {
        assert_eq!(row.scores.as_ref().unwrap().top(), 2);
    }
    assert_eq!(import.accuracy(), Some(0.25));
}
