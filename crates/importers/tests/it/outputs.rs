//! Outputs of vLLM's offline engine (0.32.0) and results of promptfoo (0.121.20), as both wrote them, and
//! changes of them. `tests/data/exchange/README.md` says how the files came about.

use std::path::PathBuf;

use serde_json::{Value, json};
use sureness_importers::{Format, Options};
use sureness_scorers::ScoreError;

use super::common::{Folder, data, named, noted, refused, with};

fn vllm(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(data(&format!("exchange/{name}"))).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
    rows.collect()
}

fn quiz() -> Options {
    Options {
        task: Some("quiz".to_owned()),
        ..named("smollm2")
    }
}

fn questions() -> Options {
    Options {
        questions: Some(data("exchange/questions.jsonl")),
        ..named("smollm2")
    }
}

fn written(folder: &Folder, name: &str, rows: &[Value]) -> PathBuf {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    folder.write(name, lines.join("\n"))
}

#[test]
fn vllm_outputs_with_answers_need_nothing_else() {
    let path = data("exchange/offline_chat.jsonl");
    let import = with(
        &path,
        &Options {
            model: None,
            ..quiz()
        },
    )
    .remove(0);
    assert_eq!(import.to_string(), "smollm2, quiz, vllm");
    assert_eq!(import.format, Format::Vllm);
    assert_eq!((import.rows.len(), import.answered()), (8, 8));
    // The model's written letters are A, A, A, B, A, A, A, D; the right ones B, C, A, D, B, C, A, D.
    let tops: Vec<usize> = import
        .rows
        .iter()
        .map(|row| row.scores.as_ref().unwrap().top())
        .collect();
    assert_eq!(tops, [0, 0, 0, 1, 0, 0, 0, 3]);
    assert_eq!(import.accuracy(), Some(3.0 / 8.0));
    let known = with(&path, &questions()).remove(0);
    assert_eq!(known.accuracy(), import.accuracy());
    assert_eq!(known.rows[0].question.id, "sky");
    let same = |import: &sureness_importers::Imported| -> Vec<_> {
        import
            .rows
            .iter()
            .map(|row| row.scores.as_ref().unwrap().clone())
            .collect()
    };
    assert_eq!(same(&known), same(&import));
}

#[test]
fn both_kinds_of_vllm_logprobs_give_the_same_scores() {
    let folder = Folder::new();
    // The completion's first token ends it; its letters are unlikely. A letter in its place is read.
    let letter = |rows: Vec<Value>| -> Vec<Value> {
        rows.into_iter()
            .map(|row| {
                let text = row.to_string().replace("<|im_end|>", " B");
                let text = text.replace("\"text\":\"\"", "\"text\":\" B\"");
                serde_json::from_str(&text).unwrap()
            })
            .collect()
    };
    let objects = written(&folder, "objects.jsonl", &letter(vllm("offline.jsonl")));
    let flat = written(&folder, "flat.jsonl", &letter(vllm("offline_flat.jsonl")));
    let read = |path| with(path, &questions()).remove(0);
    let (objects, flat) = (read(&objects), read(&flat));
    assert_eq!((objects.answered(), flat.answered()), (8, 8));
    for (ours, theirs) in objects.rows.iter().zip(&flat.rows) {
        assert_eq!(
            ours.scores.as_ref().unwrap(),
            theirs.scores.as_ref().unwrap()
        );
    }
    let untouched = read(&data("exchange/offline.jsonl"));
    assert_eq!(untouched.answered(), 0);
    let error = untouched.rows[0].scores.as_ref().unwrap_err();
    assert!(matches!(error, ScoreError::NoOptionSeen { .. }), "{error}");
}

#[test]
fn vllm_outputs_that_lack_something_are_refused() {
    let folder = Folder::new();
    let path = data("exchange/offline.jsonl");
    let say = |path: &PathBuf, options: &Options| refused(path, options);
    let said = say(&path, &quiz());
    assert!(
        said.contains("line 1: the file has no right answers"),
        "{said}"
    );
    let said = say(
        &path,
        &Options {
            model: None,
            ..quiz()
        },
    );
    assert!(
        said.contains("line 1: the model's name is missing"),
        "{said}"
    );
    let mut rows = vllm("offline_chat.jsonl");
    rows[1]["prompt"] = Value::Null;
    let said = say(&written(&folder, "prompt.jsonl", &rows), &quiz());
    assert!(
        said.contains("line 2, field \"id\": the prompt is missing"),
        "{said}"
    );
    let mut rows = vllm("offline_chat.jsonl");
    rows[2]["prompt"] = json!("Is ice cold?");
    let said = say(&written(&folder, "letters.jsonl", &rows), &quiz());
    assert!(
        said.contains("line 3: the prompt shows no options with letters"),
        "{said}"
    );
    let mut rows = vllm("offline_chat.jsonl");
    rows[3]["answer"] = json!("E");
    let said = say(&written(&folder, "answer.jsonl", &rows), &quiz());
    assert!(
        said.contains("line 4: the answer E is not one of the 4 options"),
        "{said}"
    );
    let mut rows = vllm("offline_chat.jsonl");
    for row in &mut rows {
        row["outputs"][0]["logprobs"] = Value::Null;
    }
    let said = say(&written(&folder, "none.jsonl", &rows), &quiz());
    assert!(said.contains("no sample has log-probabilities"), "{said}");
}

#[test]
fn promptfoo_has_its_own_verdicts() {
    let imports = noted(&data("exchange/promptfoo.json"), &Options::default());
    // promptfoo's own provider keeps too little, and is left out.
    let notes = imports.notes.join("\n");
    assert!(
        notes.contains("of plain, promptfoo kept the log-probability of each written token alone"),
        "{notes}"
    );
    let [import] = &imports.groups[..] else {
        panic!("{} imports", imports.groups.len());
    };
    assert_eq!(import.to_string(), "smollm2, letters, promptfoo");
    assert_eq!(import.settings["promptfoo version"], "0.121.20");
    assert_eq!((import.rows.len(), import.answered()), (4, 4));
    let sky = import.rows[0].scores.as_ref().unwrap();
    assert_eq!(
        sky.logprobs[0].to_bits(),
        (-0.530_177_414_417_266_8_f64).to_bits()
    );
    assert_eq!(sky.observed, [true, false, true, true]);
    let check = import.check.as_ref().unwrap();
    assert!(check.agrees(), "{check:?}");
    assert_eq!(import.accuracy(), Some(check.theirs));
}

/// The real file's rows of the provider that keeps the whole answer.
fn kept(change: impl Fn(usize, &mut Value)) -> Value {
    let text = std::fs::read_to_string(data("exchange/promptfoo.json")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let rows = file
        .pointer_mut("/results/results")
        .unwrap()
        .as_array_mut()
        .unwrap();
    rows.retain(|row| row["provider"]["label"] == "smollm2");
    for (index, row) in rows.iter_mut().enumerate() {
        change(index, row);
    }
    file
}

#[test]
fn promptfoo_may_ask_several_models_at_one_address() {
    let folder = Folder::new();
    let address = || json!({"id": "http://host/v1", "label": ""});
    let list = |file: &mut Value| file["results"]["results"].as_array_mut().unwrap().clone();
    let with_rows = |rows: &[Value]| {
        let mut file = kept(|_, _| {});
        file["results"]["results"] = json!(rows);
        folder.write("rows.json", file.to_string())
    };
    let options = Options {
        task: Some("quiz".to_owned()),
        ..Options::default()
    };
    let counts = |rows: &[Value]| {
        let imports = with(&with_rows(rows), &options).into_iter();
        let counts = imports.map(|it| (it.model.name.clone(), it.rows.len(), it.answered()));
        counts.collect::<Vec<_>>()
    };
    let mut rows = list(&mut kept(|_, row| row["provider"] = address()));
    // A failure names no model; with one model it is that one's.
    rows[0]["response"] = json!({"error": "HTTP 500"});
    assert_eq!(counts(&rows), [("smollm2".to_owned(), 4, 3)]);
    let mut others = list(&mut kept(|_, row| {
        row["provider"] = address();
        row["response"]["raw"]["model"] = json!("another");
    }));
    let failed = std::mem::replace(&mut rows[0], others[0].clone());
    others.remove(0);
    rows.extend(others);
    let found = [("another", 4, 4), ("smollm2", 3, 3)]
        .map(|(name, n, answered)| (name.into(), n, answered));
    assert_eq!(counts(&rows), found);
    rows.push(failed);
    let said = refused(&with_rows(&rows), &options);
    assert!(said.contains("the failed request names no model"), "{said}");
}

#[test]
fn promptfoo_files_come_in_several_shapes() {
    let folder = Folder::new();
    let expected = with(&data("exchange/promptfoo.json"), &Options::default()).remove(0);
    let rows = |file: &Value| file["results"]["results"].as_array().unwrap().clone();
    let lines = written(&folder, "lines.jsonl", &rows(&kept(|_, _| {})));
    let import = with(&lines, &quiz()).remove(0);
    assert_eq!(import.accuracy(), expected.accuracy());
    assert!(import.check.unwrap().agrees());

    // A list of messages as the prompt, and the answer as text.
    let chat = kept(|_, row| {
        let text = row["prompt"]["raw"].clone();
        let messages =
            json!([{"role": "system", "content": "A. x\nB. y"}, {"role": "user", "content": text}]);
        row["prompt"]["raw"] = json!(messages.to_string());
        row["response"]["raw"] = json!(row["response"]["raw"].to_string());
    });
    let import = with(
        &folder.write("chat.json", chat.to_string()),
        &Options::default(),
    )
    .remove(0);
    let scores = |import: &sureness_importers::Imported| -> Vec<_> {
        import
            .rows
            .iter()
            .map(|row| row.scores.as_ref().unwrap().clone())
            .collect()
    };
    assert_eq!(scores(&import), scores(&expected));

    // No assertion names the option; the variable and the verdict on the whole remain.
    let other = kept(|_, row| {
        row["gradingResult"]["componentResults"][0]["assertion"]["type"] = json!("javascript");
    });
    let import = with(
        &folder.write("other.json", other.to_string()),
        &Options::default(),
    )
    .remove(0);
    assert!(import.check.unwrap().agrees());

    let repeated = kept(|index, row| {
        if index == 1 {
            row["prompt"]["raw"] = json!(
                "What colour is a clear sky at noon?\nA. Green\nB. Blue\nC. Black\nD. Orange"
            );
        }
    });
    let import = with(
        &folder.write("repeated.json", repeated.to_string()),
        &Options::default(),
    )
    .remove(0);
    assert_eq!(import.rows.len(), 3);
    assert!(
        import
            .notes
            .join("\n")
            .contains("repeated answers, of which the first counts: 1")
    );
}

#[test]
fn a_verdict_that_differs_is_told() {
    let folder = Folder::new();
    let wrong = kept(|index, row| {
        if index == 2 {
            let part = &mut row["gradingResult"]["componentResults"][0];
            part["pass"] = json!(!part["pass"].as_bool().unwrap());
        }
    });
    let import = with(
        &folder.write("wrong.json", wrong.to_string()),
        &Options::default(),
    )
    .remove(0);
    let check = import.check.unwrap();
    assert!(!check.agrees());
    assert_eq!(check.first_difference.as_deref(), Some("2"));
}

#[test]
fn promptfoo_files_without_option_probabilities_say_why() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(data("exchange/promptfoo.json")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let rows = file
        .pointer_mut("/results/results")
        .unwrap()
        .as_array_mut()
        .unwrap();
    rows.retain(|row| row["provider"]["label"] == "plain");
    let path = folder.write("plain.json", file.to_string());
    let said = refused(&path, &Options::default());
    assert!(
        said.contains("of plain, promptfoo kept the log-probability"),
        "{said}"
    );
    let failed = kept(|_, row| {
        row["response"] = json!({"error": "API error: 500"});
    });
    let path = folder.write("failed.json", failed.to_string());
    let import = with(&path, &Options::default()).remove(0);
    let error = import.rows[0].scores.as_ref().unwrap_err().to_string();
    assert!(error.contains("API error: 500"), "{error}");
    let said = refused(
        &folder.write("empty.json", r#"{"evalId": "e", "results": {}}"#),
        &quiz(),
    );
    assert!(
        said.contains("field \"results.results\": missing"),
        "{said}"
    );
}
