//! Requests and answers in text: a batch that vLLM 0.32.0 ran (`vllm run-batch`), its offline outputs,
//! and changes of both. `tests/data/exchange/vllm.py` wrote the files.

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

#[test]
fn questions_with_the_same_options_are_told_apart_by_their_texts() {
    let folder = Folder::new();
    let stems = ["Is it wet?", "Is it wet? Is it cold?", "Is snow white?"];
    let set: Vec<Value> = stems
        .iter()
        .zip(["A", "B", "A"])
        .map(|(stem, answer)| json!({"question": stem, "options": ["Yes", "No"], "answer": answer}))
        .collect();
    let set = written(&folder, "set.jsonl", &set);
    let real = rows(RESULTS).remove(0);
    let batch = |name: &str, prompt: &dyn Fn(&str) -> String| {
        let mut rows = Vec::new();
        for (index, stem) in stems.iter().enumerate() {
            let id = format!("request-{index}");
            let prompt = json!([{"role": "user", "content": prompt(stem)}]);
            rows.push(json!({"custom_id": id, "body": {"messages": prompt}}));
            let mut result = real.clone();
            result["custom_id"] = json!(id);
            rows.push(result);
        }
        written(&folder, name, &rows)
    };
    let lines = batch("lines.jsonl", &|stem| format!("{stem}\nA. Yes\nB. No"));
    let import = one(&[lines], &with_questions(&set));
    let ids: Vec<&str> = import.rows.iter().map(|row| &*row.question.id).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    let other = batch("other.jsonl", &|stem| format!("{stem}\nA. Yes\nB. Maybe"));
    let said = refused(&[other], &with_questions(&set));
    assert!(said.contains("id request-0 is not in"), "{said}");
}

/// A batch with an answer per prompt, whose letter is `A`.
fn answered(folder: &Folder, name: &str, prompts: &[(&str, String)]) -> PathBuf {
    let top = json!([{"token": "A", "logprob": -0.25}, {"token": "B", "logprob": -2.0}]);
    let content = json!([{"token": "A", "logprob": -0.25, "top_logprobs": top}]);
    let body = json!({"model": "m", "choices": [{"logprobs": {"content": content}}]});
    let lines = prompts.iter().flat_map(|(id, prompt)| {
        let messages = json!([{"role": "user", "content": prompt}]);
        [
            json!({"custom_id": id, "body": {"messages": messages}}),
            json!({"custom_id": id, "response": {"body": body}}),
        ]
    });
    written(folder, name, &lines.collect::<Vec<_>>())
}

fn ids(import: &Imported) -> Vec<&str> {
    import.rows.iter().map(|row| &*row.question.id).collect()
}

#[test]
fn questions_with_one_text_are_told_apart_by_their_backgrounds() {
    let folder = Folder::new();
    let backgrounds = ["Rex barks.", "Rex is a cat.", "Rex barks. Rex is a cat."];
    let set = backgrounds
        .iter()
        .zip(["0", "1", "2"])
        .map(|(background, id)| {
            json!({"id": id, "context": background, "question": "Does it follow that Rex is a dog?",
            "options": ["yes", "no"], "answer": "A"})
        });
    let set = with_questions(&written(&folder, "set.jsonl", &set.collect::<Vec<_>>()));
    let asked = |background: &str| {
        format!("{background}\nDoes it follow that Rex is a dog?\nA. yes\nB. no\nAnswer:")
    };
    // The ids are those of other questions, of none, or right.
    for names in [["1", "2", "0"], ["x", "y", "z"], ["0", "1", "2"]] {
        let prompts: Vec<_> = names.into_iter().zip(backgrounds.map(asked)).collect();
        let import = one(&[answered(&folder, "batch.jsonl", &prompts)], &set);
        assert_eq!(ids(&import), ["0", "1", "2"], "{names:?}");
    }
    // Without backgrounds the ids alone are left, or nothing.
    let short = |id| [(id, asked(""))];
    let import = one(&[answered(&folder, "short.jsonl", &short("1"))], &set);
    assert_eq!(ids(&import), ["1"]);
    let said = refused(&[answered(&folder, "none.jsonl", &short("x"))], &set);
    assert!(said.contains("shows both the question"), "{said}");
    // Inside a line, too.
    let prompt = "Rex is a cat. Does it follow that Rex is a dog? A) yes B) no".to_owned();
    let import = one(&[answered(&folder, "line.jsonl", &[("2", prompt)])], &set);
    assert_eq!(ids(&import), ["1"]);
}

#[test]
fn examples_in_the_prompt_are_not_asked() {
    let folder = Folder::new();
    let stems = [
        "Is 0 even?",
        "Is the sum of two odd numbers an odd number?",
        "0 even?",
    ];
    let set = stems.map(|stem| json!({"question": stem, "options": ["yes", "no"], "answer": "A"}));
    let set = with_questions(&written(&folder, "set.jsonl", &set));
    let asked = |stem: &str| format!("{stem}\nA. yes\nB. no\nAnswer:");
    let prompt = format!("{} B\n\n{}", asked(stems[1]), asked(stems[0]));
    for id in ["x", "1", "2", "3"] {
        let batch = answered(&folder, "batch.jsonl", &[(id, prompt.clone())]);
        assert_eq!(ids(&one(&[batch], &set)), ["1"], "{id}");
    }
}

#[test]
fn a_request_with_several_prompts_has_no_answer() {
    let folder = Folder::new();
    let path = answered(&folder, "batch.jsonl", &[("sky", String::new())]);
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let sky = "What colour is a clear sky at noon?\nA. Green\nB. Blue\nC. Black\nD. Orange";
    lines[0]["body"] = json!({"prompt": [sky, sky]});
    let import = one(&[written(&folder, "two.jsonl", &lines)], &questions());
    let reason = import.rows[0].scores.as_ref().unwrap_err().to_string();
    assert!(
        reason.contains("the request has several prompts"),
        "{reason}"
    );
}

#[test]
fn a_layout_without_a_question_is_known_by_its_background() {
    let folder = Folder::new();
    let set = folder.write(
        "hellaswag.jsonl",
        json!({"ind": 11, "activity_label": "Baking", "ctx_a": "A woman kneads dough.", "ctx_b": "she",
            "ctx": "A woman kneads dough. she", "label": 1,
            "endings": ["throws it out.", "shapes a loaf.", "drinks it.", "paints it."]})
        .to_string(),
    );
    let prompt = "Finish the text.\nA woman kneads dough. she\nA. throws it out.\nB. shapes a loaf.\n\
                  C. drinks it.\nD. paints it.\nAnswer:";
    let request = json!({"custom_id": "x", "body": {"prompt": prompt}});
    let mut result = rows(RESULTS).remove(0);
    result["custom_id"] = json!("x");
    let both = written(&folder, "both.jsonl", &[request, result]);
    let import = one(&[both], &with_questions(&set));
    assert_eq!(
        (
            &*import.rows[0].question.id,
            import.rows[0].question.right.first()
        ),
        ("11", 1)
    );
}

/// The tokens of a chat's answer, each as likely as it can be.
fn list(tokens: &[&str]) -> Value {
    let tokens = tokens.iter().map(|text| {
        let top = json!([{"token": text, "logprob": -0.01}]);
        json!({"token": text, "logprob": -0.01, "top_logprobs": top})
    });
    tokens.collect()
}

#[test]
fn the_letter_lies_in_the_answers_text() {
    let folder = Folder::new();
    let read = |body: Value| {
        let row = json!({"custom_id": "1", "response": {"status_code": 200, "body": body}});
        let request = json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": "m", "metadata": {"answer": "B"},
                "messages": [{"role": "user", "content": "Which?\nA. red\nB. green\nC. blue"}]}});
        let results = written(&folder, "results.jsonl", &[row]);
        let requests = written(&folder, "requests.jsonl", &[request]);
        let options = Options {
            task: Some("t".to_owned()),
            ..Options::default()
        };
        let import = one(&[results, requests], &options);
        import.rows[0]
            .scores
            .as_ref()
            .map(sureness_importers::RowScores::top)
            .ok()
    };
    let chat = |content: Value, tokens: &[&str]| {
        read(
            json!({"model": "m", "choices": [{"index": 0, "message": {"content": content},
            "logprobs": {"content": list(tokens)}}]}),
        )
    };
    assert_eq!(chat(json!("B"), &["B", "<|im_end|>"]), Some(1));
    // Thoughts that the server took out, with and without an answer behind them.
    assert_eq!(chat(json!("B"), &["Is it ", "C", "? No.\n", "B"]), Some(1));
    assert_eq!(chat(json!(null), &["Answer: ", "C"]), None);
    assert_eq!(chat(json!("Answer: B"), &["Answer: ", "C"]), None);
    let denied = &["Answer: ", "B", ".\nIncorrect answer: ", "C"];
    assert_eq!(
        chat(json!("Answer: B.\nIncorrect answer: C"), denied),
        Some(1)
    );
    let told = &["B", "\n\nExplanation: the answer: ", "C", " would be wrong"];
    let text = json!("B\n\nExplanation: the answer: C would be wrong");
    assert_eq!(chat(text, told), Some(1));
    // The answer with index 0, and the last message.
    let answer = |index: u32, text: &str| json!({"index": index, "message": {"content": text}, "logprobs": {"content": list(&[text])}});
    let two = json!({"model": "m", "choices": [answer(1, "C"), answer(0, "B")]});
    assert_eq!(read(two), Some(1));
    let message = |text: &str| json!({"type": "message", "content": [{"type": "output_text", "text": text, "logprobs": list(&[text])}]});
    let two = json!({"model": "m", "output": [message("A"), {"type": "reasoning"}, message("B")]});
    assert_eq!(read(two), Some(1));
}

#[test]
fn tokens_asked_for_by_id_bound_others_by_what_is_left() {
    let folder = Folder::new();
    let mut request = rows(REQUESTS).remove(0);
    let mut result = rows(RESULTS).remove(0);
    let mut bound = |by_id: bool| {
        if by_id {
            request["body"]["logprob_token_ids"] = json!([1, 2]);
        }
        let top = json!([{"token": "A", "logprob": -1.0}, {"token": "B", "logprob": -5.0}]);
        let choice = &mut result["response"]["body"]["choices"][0];
        choice["message"]["content"] = json!("A");
        choice["logprobs"] =
            json!({"content": [{"token": "A", "logprob": -1.0, "top_logprobs": top}]});
        let paths = [
            written(&folder, "requests.jsonl", std::slice::from_ref(&request)),
            written(&folder, "results.jsonl", std::slice::from_ref(&result)),
        ];
        let import = one(&paths, &questions());
        let scores = import.rows[0].scores.as_ref().unwrap();
        let mut bounds = scores.logprobs.iter().zip(&scores.observed);
        *bounds.find(|(_, observed)| !**observed).unwrap().0
    };
    assert!((bound(false) + 5.0).abs() < 1e-12);
    let left = (1.0 - (-1.0_f64).exp() - (-5.0_f64).exp()).ln();
    assert!((bound(true) - left).abs() < 1e-12);
}
