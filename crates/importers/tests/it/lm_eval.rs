//! Samples of lm-evaluation-harness, in the layouts that its versions write.

use std::path::Path;

use serde_json::{Value, json};
use sureness_importers::{Format, Options, Values};
use sureness_questions::{LoadOptions, Task, load_bytes};

use super::common::{Folder, imported, named, noted, refused, with};

pub(crate) const DATE: &str = "2026-11-25T19-30-00.123456";

/// A line as version 0.4.13 writes it: four letters after one prompt.
pub(crate) fn letters(id: usize, scores: [f64; 4], answer: usize) -> Value {
    let top = (0..4).fold(0, |top, at| if scores[at] > scores[top] { at } else { top });
    let choices = ["red", "green", "blue", "grey"];
    let requests: serde_json::Map<String, Value> = (0..4)
        .map(|at| {
            let letter = ["A", "B", "C", "D"][at];
            let request = json!({"arg_0": "Question?\nAnswer:", "arg_1": format!(" {letter}")});
            (format!("gen_args_{at}"), request)
        })
        .collect();
    let pairs = scores.map(|score| json!([score.to_string(), "False"]));
    json!({
        "doc_id": id,
        "doc": {"question": format!("Which colour has {id}?"), "subject": "painting",
                "choices": choices, "answer": answer},
        "target": answer.to_string(),
        "arguments": requests,
        "resps": pairs.iter().map(|pair| json!([pair])).collect::<Vec<_>>(),
        "filtered_resps": pairs,
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": format!("{id:064x}"),
        "acc": if top == answer { 1.0 } else { 0.0 },
    })
}

pub(crate) fn lines(lines: &[Value]) -> String {
    lines
        .iter()
        .flat_map(|line| [line.to_string(), "\n".to_owned()])
        .collect()
}

pub(crate) fn four() -> Vec<Value> {
    vec![
        letters(0, [-0.5, -1.5, -2.5, -3.5], 0),
        letters(1, [-0.5, -1.5, -2.5, -3.5], 1),
        letters(2, [-4.0, -1.5, -0.75, -3.5], 2),
        letters(3, [-4.0, -1.5, -0.75, -0.625], 3),
    ]
}

pub(crate) fn results(task: &str, accuracy: f64, count: usize) -> Value {
    json!({
        "results": {task: {"acc,none": accuracy, "acc_stderr,none": "N/A"}},
        "n-shot": {task: 5},
        "n-samples": {task: {"original": count, "effective": count}},
        "config": {"model": "hf", "model_dtype": "torch.bfloat16", "model_args":
            "pretrained=org/model,revision=main,base_url=http://user:secret@host,token=hf_secret"},
        "model_source": "hf", "model_name": "org/model", "lm_eval_version": "0.4.13",
    })
}

#[test]
fn a_file_with_its_results() {
    let folder = Folder::new();
    let path = folder.write(&format!("samples_colours_{DATE}.jsonl"), lines(&four()));
    // Python writes NaN where a figure cannot be had.
    let text = results("colours", 0.75, 4)
        .to_string()
        .replace("\"N/A\"", "NaN");
    folder.write(&format!("results_{DATE}.json"), text);
    let imports = imported(&path);
    let [import] = imports.as_slice() else {
        panic!("{} imports", imports.len());
    };
    assert_eq!(import.format, Format::LmEval);
    assert_eq!((&*import.task, &*import.strategy), ("colours", "5-shot"));
    assert_eq!(import.model.name, "org/model");
    assert_eq!(import.model.details["revision"], "main");
    assert!(!format!("{import:?}").contains("secret"));
    assert_eq!(import.values, Values::Labels);
    assert_eq!(import.accuracy(), Some(0.75));
    assert!(import.check.as_ref().unwrap().agrees());
    assert!(import.notes.is_empty(), "{:?}", import.notes);
    let row = &import.rows[2];
    assert_eq!(
        (
            &*row.question.id,
            row.question.right.only().unwrap(),
            row.question.options
        ),
        ("2", 2, 4)
    );
    assert_eq!(row.question.category.as_deref(), Some("painting"));
    let scores = row.scores.as_ref().unwrap();
    assert_eq!(scores.logprobs, [-4.0, -1.5, -0.75, -3.5]);
    assert_eq!(scores.observed, [true; 4]);
    let mass: f64 = scores.logprobs.iter().map(|it| it.exp()).sum();
    assert!((scores.mass.unwrap() - mass).abs() < 1e-15);
    // A folder is its files.
    assert_eq!(imported(folder.path())[0].rows.len(), 4);
}

#[test]
fn differing_accuracies_name_the_first_question() {
    let folder = Folder::new();
    let mut changed = four();
    changed[1]["acc"] = json!(1.0);
    let path = folder.write(&format!("samples_colours_{DATE}.jsonl"), lines(&changed));
    folder.write(
        &format!("results_{DATE}.json"),
        results("colours", 1.0, 5).to_string(),
    );
    let import = &imported(&path)[0];
    let check = import.check.as_ref().unwrap();
    assert!(!check.agrees());
    assert_eq!((check.ours, check.theirs), (0.75, 1.0));
    assert_eq!(check.first_difference.as_deref(), Some("1"));
    assert!(import.notes[0].contains("4 questions in the file, but 5 in the results"));
}

#[test]
fn the_same_question_has_the_digest_of_a_run_of_our_own() {
    let folder = Folder::new();
    let mut line = letters(0, [-1.0, -2.0, -3.0, -4.0], 2);
    line["doc"]["question"] = json!(" Which colour has the sky? ");
    let path = folder.write("samples_mmlu_painting_x.jsonl", lines(&[line]));
    let import = &with(&path, &named("m"))[0];
    let csv = b"Which colour has the sky?,red,green,blue,grey,C\n".to_vec();
    let options = LoadOptions::new(Task::custom("t"));
    let own = load_bytes(Path::new("painting_test.csv"), csv.clone(), &options);
    // A set of one question serves as a few-shot example whole.
    let own = if let Ok(data) = own {
        data.questions.get(0).unwrap()
    } else {
        let more = [csv, b"Other?,a,b,c,d,A\n".repeat(8)].concat();
        let data = load_bytes(Path::new("painting_test.csv"), more, &options).unwrap();
        let all = data.questions.to_vec().unwrap();
        let mut all = all.iter().chain(&data.examples);
        let found = all.find(|it| it.stem.contains("sky")).unwrap();
        found.clone()
    };
    assert_eq!(import.rows[0].question.content, own.content_digest());
    assert_eq!(import.rows[0].question.cluster, Some(own.cluster_digest()));
}

#[test]
fn hellaswag_has_the_digest_of_our_reader() {
    let folder = Folder::new();
    let rows: Vec<Value> = (0..9)
        .map(|n| {
            json!({"ind": n, "activity_label": "Cooking", "ctx_a": "A pan is hot.", "ctx_b": "he",
                "ctx": format!("A pan is hot. he {n}"), "label": "1", "split": "val",
                "endings": ["runs.", "stirs.", "sings.", "swims."]})
        })
        .collect();
    let options = LoadOptions::new(Task::custom("ci"));
    let data = load_bytes(Path::new("val.jsonl"), lines(&rows).into_bytes(), &options).unwrap();
    let own: Vec<[u8; 32]> = (0..data.questions.len())
        .map(|at| data.questions.content_digest(at).unwrap())
        .collect();
    let samples: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(id, row)| {
            let mut line = letters(id, [-20.0, -10.5, -30.0, -40.0], 1);
            line["doc"] = row.clone();
            line["doc"]["query"] = json!("Cooking: A pan is hot. He");
            line["doc"]["choices"] = row["endings"].clone();
            for (at, ending) in row["endings"].as_array().unwrap().iter().enumerate() {
                let text = format!(" {}", ending.as_str().unwrap());
                line["arguments"][format!("gen_args_{at}")]["arg_1"] = json!(text);
            }
            line
        })
        .collect();
    let path = folder.write("samples_hellaswag_x.jsonl", lines(&samples));
    let import = &with(&path, &named("m"))[0];
    assert_eq!(import.strategy, "lm-eval");
    assert_eq!(import.values, Values::Continuations);
    assert!(import.notes[0].contains("whole continuations"));
    assert!(own.iter().all(|digest| {
        import
            .rows
            .iter()
            .any(|row| row.question.content == *digest)
    }));
    assert!((0..data.questions.len()).all(|at| {
        let own = data.questions.cluster_digest(at).unwrap();
        import
            .rows
            .iter()
            .any(|row| row.question.cluster == Some(own))
    }));
    let scores = import.rows[0].scores.as_ref().unwrap();
    assert_eq!(scores.mass, None, "shares of continuations are no mass");
}

#[test]
fn subjects_of_a_group_are_one_task() {
    let folder = Folder::new();
    let subjects = ["abstract_algebra", "anatomy"];
    let write = |with_results: bool| {
        for subject in subjects {
            let mut rows = four();
            for row in &mut rows {
                row["doc"]["subject"] = json!(subject);
            }
            let name = format!("org__model/samples_mmlu_{subject}_{DATE}.jsonl");
            folder.write(&name, lines(&rows));
        }
        if with_results {
            let mut results = results("mmlu_anatomy", 0.75, 4);
            results["n-shot"]["mmlu_abstract_algebra"] = json!(5);
            results["groups"] =
                json!({"mmlu": {"acc,none": 0.75}, "mmlu_stem": {"acc,none": 0.75}});
            results["group_subtasks"] = json!({
                "mmlu": ["mmlu_stem", "mmlu_other"], "mmlu_other": ["mmlu_anatomy"],
                "mmlu_stem": ["mmlu_abstract_algebra"]});
            folder.write(
                &format!("org__model/results_{DATE}.json"),
                results.to_string(),
            );
        }
    };
    for with_results in [false, true] {
        write(with_results);
        let options = if with_results {
            Options::default()
        } else {
            named("m")
        };
        let imports = with(folder.path(), &options);
        assert_eq!(imports.len(), 1);
        let import = &imports[0];
        assert_eq!(
            (&*import.task, import.rows.len(), import.files.len()),
            ("mmlu", 8, 2)
        );
        assert_eq!(import.rows[0].question.id, "abstract_algebra/0");
        assert_eq!(import.rows[7].question.id, "anatomy/3");
        assert_eq!(import.rows[7].question.category.as_deref(), Some("anatomy"));
        assert!((import.check.as_ref().unwrap().ours - 0.75).abs() < 1e-12);
        assert!(import.check.as_ref().unwrap().agrees());
    }
}

#[test]
fn groups_without_a_figure_stay_apart() {
    let folder = Folder::new();
    for task in ["suite_colours", "suite_shapes"] {
        folder.write(&format!("samples_{task}_{DATE}.jsonl"), lines(&four()));
    }
    let mut results = results("suite_colours", 0.75, 4);
    results["group_subtasks"] = json!({"suite": ["suite_colours", "suite_shapes"]});
    results["groups"] = json!({});
    folder.write(&format!("results_{DATE}.json"), results.to_string());
    let tasks: Vec<String> = imported(folder.path())
        .into_iter()
        .map(|it| it.task)
        .collect();
    assert_eq!(tasks, ["suite_colours", "suite_shapes"]);
}

#[test]
fn of_several_dates_the_newest_counts() {
    let folder = Folder::new();
    for date in ["2026-01-01T00-00-00.0", "2026-02-01T00-00-00.0"] {
        folder.write(&format!("samples_colours_{date}.jsonl"), lines(&four()));
        folder.write(
            &format!("results_{date}.json"),
            results("colours", 0.75, 4).to_string(),
        );
    }
    let imports = noted(folder.path(), &Options::default());
    assert_eq!(imports.groups.len(), 1);
    assert!(imports.groups[0].files[0].name.contains("2026-02"));
    let [note] = &*imports.notes else {
        panic!("{:?}", imports.notes);
    };
    assert!(note.contains("skipped samples_colours_2026-01") && note.contains("same content"));
}

#[test]
fn numbers_and_lists_of_older_versions() {
    let folder = Folder::new();
    let line = json!({
        "doc_id": 7, "doc": {"q": "?"}, "target": 1, "acc": 1.0,
        "arguments": [["Q\nA:", " yes"], ["Q\nA:", " no way"]],
        "resps": [[[-2.5, false]], [[-1.25, true]]],
        "filtered_resps": [[-2.5, false], [-1.25, true]],
    });
    let mut only_resps = line.clone();
    only_resps.as_object_mut().unwrap().remove("filtered_resps");
    for line in [line, only_resps] {
        let path = folder.write("samples_old_x.jsonl", lines(&[line]));
        let import = &with(&path, &named("m"))[0];
        let row = &import.rows[0];
        assert_eq!(
            (&*row.question.id, row.question.right.only().unwrap()),
            ("7", 1)
        );
        assert_eq!(row.scores.as_ref().unwrap().logprobs, [-2.5, -1.25]);
    }
}

#[test]
fn a_digit_is_a_text_where_the_outcomes_say_so() {
    let folder = Folder::new();
    // The options are 1, 2 and 0; the harness means the option with that text.
    let line = |id: usize, target: &str, scores: [f64; 3], correct: f64| {
        json!({"doc_id": id, "doc": {"n": id}, "target": target, "acc": correct,
            "arguments": [["Q", " 1"], ["Q", " 2"], ["Q", " 0"]],
            "filtered_resps": scores.map(|score| json!([score.to_string(), "False"]))})
    };
    let rows = [
        line(0, "1", [-0.1, -2.0, -3.0], 1.0),
        line(1, "2", [-0.1, -2.0, -3.0], 0.0),
        line(2, "0", [-3.0, -2.0, -0.1], 1.0),
    ];
    let path = folder.write("samples_digits_x.jsonl", lines(&rows));
    let answers: Vec<usize> = with(&path, &named("m"))[0]
        .rows
        .iter()
        .map(|it| it.question.right.only().unwrap())
        .collect();
    assert_eq!(answers, [0, 1, 2]);
    // Without outcomes, and with those of the other reading, it is an index.
    let rows = [
        line(0, "1", [-0.1, -2.0, -3.0], 0.0),
        line(1, "2", [-0.1, -2.0, -3.0], 0.0),
    ];
    let path = folder.write("samples_digits_x.jsonl", lines(&rows));
    let answers: Vec<usize> = with(&path, &named("m"))[0]
        .rows
        .iter()
        .map(|it| it.question.right.only().unwrap())
        .collect();
    assert_eq!(answers, [1, 2]);
}

#[test]
fn options_in_prompts_and_unconditional_likelihoods() {
    let folder = Folder::new();
    // winogrande: the sentence up to each option, then the common rest.
    let line = |id: usize, correct: f64| {
        json!({"doc_id": id, "doc": {"sentence": id}, "target": "was big.", "acc": correct,
            "arguments": {"gen_args_0": {"arg_0": "The cup", "arg_1": " was big."},
                          "gen_args_1": {"arg_0": "The box", "arg_1": " was big."}},
            "filtered_resps": [["-9.5", "False"], ["-8.5", "False"]]})
    };
    let path = folder.write("samples_wino_x.jsonl", lines(&[line(0, 1.0), line(1, 0.0)]));
    let import = &with(&path, &named("m"))[0];
    let answers: Vec<usize> = import
        .rows
        .iter()
        .map(|row| row.question.right.only().unwrap())
        .collect();
    assert_eq!(answers, [1, 0]);
    assert_eq!(import.values, Values::Continuations);

    // acc_mutual_info adds each option after an empty prompt.
    let line = json!({"doc_id": 0, "doc": {}, "target": "0", "acc": 1.0,
        "arguments": [["Q", " A"], ["Q", " B"], ["", " A"], ["", " B"]],
        "filtered_resps": [[-0.5, true], [-1.5, false], [-4.0, false], [-0.1, false]]});
    let path = folder.write("samples_mutual_x.jsonl", lines(&[line]));
    let row = &with(&path, &named("m"))[0].rows[0];
    assert_eq!(row.scores.as_ref().unwrap().logprobs, [-0.5, -1.5]);
}

#[test]
fn further_filters_are_left_out() {
    let folder = Folder::new();
    let mut rows = four();
    let mut again = four();
    for row in &mut again {
        row["filter"] = json!("strict");
    }
    rows.extend(again);
    let path = folder.write("samples_colours_x.jsonl", lines(&rows));
    let import = &with(&path, &named("m"))[0];
    assert_eq!(import.rows.len(), 4);
    assert!(import.notes[0].contains("4 lines of other filters"));
}

#[test]
fn errors_name_their_line() {
    let folder = Folder::new();
    let cut = lines(&four());
    let cut = &cut[..cut.len() - 60];
    let change = |change: fn(&mut Value)| {
        let mut rows = four();
        change(&mut rows[2]);
        lines(&rows)
    };
    let cases = [
        (cut.to_owned(), "line 4: not valid JSON: EOF"),
        (
            change(|row| row["filtered_resps"] = json!(["The answer is B"])),
            "line 3, field \"filtered_resps\": the answer is text",
        ),
        (
            change(|row| row["filtered_resps"][1][0] = json!("nan")),
            "line 3, field \"resps\": option B of question 2 has no finite log-likelihood",
        ),
        (
            change(|row| row["filtered_resps"][3][0] = json!("-inf")),
            "option D of question 2 has no finite log-likelihood, but -inf",
        ),
        (
            change(|row| row["filtered_resps"][0][0] = json!(0.5)),
            "option A of question 2 has the log-likelihood 0.5, which is above 0",
        ),
        (
            change(|row| row["filtered_resps"] = json!([["-3.5", "True"]])),
            "there are 1 options",
        ),
        (
            change(|row| row["doc_id"] = json!(1)),
            "line 3, field \"doc_id\": duplicate id 1, first seen in line 2",
        ),
        (
            change(|row| row["doc_id"] = Value::Null),
            "field \"doc_id\": missing",
        ),
        (
            change(|row| row["acc"] = json!(0.43)),
            "field \"acc\": more than one option is right",
        ),
        (
            change(|row| row["target"] = json!("['a', 'b']")),
            "field \"target\": more than one option is right",
        ),
        (
            change(|row| row["target"] = json!([0, 7])),
            "field \"target\": more than one option is right ([0,7])",
        ),
        (
            change(|row| row["target"] = json!("7")),
            "the answer 7 is not one of the 4 options",
        ),
        (
            change(|row| row["target"] = Value::Null),
            "field \"target\": the right answer is missing",
        ),
        (
            change(|row| {
                let row = row.as_object_mut().unwrap();
                row.remove("resps")
                    .and(row.remove("filtered_resps"))
                    .unwrap();
            }),
            "line 3, field \"resps\": missing",
        ),
    ];
    for (text, expected) in cases {
        let path = folder.write("samples_colours_x.jsonl", text);
        let said = refused(&path, &named("m"));
        assert!(said.contains(expected), "{expected:?} is not in: {said}");
    }
    let path = folder.write("samples_colours_x.jsonl", lines(&four()));
    assert!(refused(&path, &Options::default()).contains("the model's name is missing"));
    let path = folder.write("colours.jsonl", lines(&four()));
    assert!(refused(&path, &named("m")).contains("the task's name is missing"));
    let options = Options {
        task: Some("t".into()),
        ..named("m")
    };
    assert_eq!(with(&path, &options)[0].task, "t");
}

#[test]
fn a_folder_tells_all_that_is_wrong() {
    let folder = Folder::new();
    folder.write(
        "samples_a_x.jsonl",
        lines(&four()).replace("\"0\"", "\"9\""),
    );
    folder.write(
        "samples_b_x.jsonl",
        lines(&four()).replace("\"1\"", "\"8\""),
    );
    let said = refused(folder.path(), &named("m"));
    assert!(
        said.contains("samples_a_x.jsonl, line 1") && said.contains("samples_b_x.jsonl, line 2")
    );
    let empty = Folder::new();
    empty.write("notes.txt", "nothing");
    let said = refused(empty.path(), &Options::default());
    assert!(said.contains("contains no files to import"), "{said}");
}

/// A line with a text beside the question, in a field of the task's own.
fn about(id: usize, field: &str, text: &str, question: &str) -> Value {
    let mut line = letters(id, [-0.5, -1.5, -2.5, -3.5], 0);
    line["doc"]["question"] = json!(question);
    line["doc"][field] = json!(text);
    line["doc"]["instruction"] = json!("Read the text and choose the right answer.");
    let requests = line["arguments"].as_object_mut().unwrap();
    for request in requests.values_mut() {
        let prompt = format!("Read the text and choose the right answer.\n{text}\n{question}");
        request["arg_0"] = json!(prompt);
    }
    line
}

#[test]
fn a_text_that_the_prompt_shows_belongs_to_the_question() {
    let folder = Folder::new();
    let texts = ["The king went to the sea.", "The queen stayed in town."];
    let of = |field: &str, name: &str| {
        let asked = [(0, 0, "Who?"), (1, 1, "Who?"), (2, 0, "Where?")];
        let asked = asked.map(|(id, text, question)| about(id, field, texts[text], question));
        let path = folder.write(&format!("{name}/samples_t_{DATE}.jsonl"), lines(&asked));
        with(&path, &named("m")).remove(0)
    };
    let identity = |import: &sureness_importers::Imported| {
        let rows = import.rows.iter().map(|row| &row.question);
        rows.map(|it| (it.content, it.cluster)).collect::<Vec<_>>()
    };
    let (unknown, known) = (of("paragraph", "a"), of("passage", "b"));
    assert_eq!(identity(&unknown), identity(&known));
    assert!(unknown.notes.is_empty(), "{:?}", unknown.notes);
    let rows = identity(&unknown);
    assert_ne!(rows[0].0, rows[1].0);
    assert_eq!(rows[0].1, rows[2].1);
    assert_ne!(rows[0].1, rows[1].1);
}

#[test]
fn questions_that_their_known_fields_do_not_tell_apart_are_their_documents() {
    let folder = Folder::new();
    let lines_of = |ids: &[usize]| {
        let asked = ids
            .iter()
            .map(|id| about(*id, "word", &format!("W{id}"), "Is it a word?"));
        lines(&asked.collect::<Vec<_>>())
    };
    let path = folder.write(&format!("a/samples_t_{DATE}.jsonl"), lines_of(&[0, 1, 2]));
    let all = with(&path, &named("m")).remove(0);
    let path = folder.write(&format!("b/samples_t_{DATE}.jsonl"), lines_of(&[1, 2]));
    let part = with(&path, &named("m")).remove(0);
    let contents = |import: &sureness_importers::Imported| {
        let rows = import.rows.iter();
        rows.map(|row| row.question.content).collect::<Vec<_>>()
    };
    assert_eq!(contents(&all)[1..], contents(&part)[..]);
    assert_ne!(contents(&all)[0], contents(&all)[1]);
    assert!(
        all.notes[0].contains("3 questions have the text"),
        "{:?}",
        all.notes
    );
    // A question that the data set has twice stays one.
    let twice = [0, 1].map(|id| about(id, "source", "", "Is it a word?"));
    let path = folder.write(&format!("c/samples_t_{DATE}.jsonl"), lines(&twice));
    let import = with(&path, &named("m")).remove(0);
    assert_eq!(contents(&import)[0], contents(&import)[1]);
}

#[test]
fn truth_values_are_indices_to_the_harness() {
    let folder = Folder::new();
    let line = |id: usize, target: bool, options: [&str; 2]| {
        let scores = [-0.5, -1.5];
        let request = |at: usize| json!({"arg_0": "Q", "arg_1": format!(" {}", options[at])});
        json!({
            "doc_id": id, "doc": {"id": id}, "target": target, "doc_hash": id.to_string(),
            "arguments": {"gen_args_0": request(0), "gen_args_1": request(1)},
            "resps": scores.map(|score| json!([[score, false]])),
            "filtered_resps": scores.map(|score| json!([score, false])),
            "acc": if target { 0.0 } else { 1.0 },
        })
    };
    for options in [["False", "True"], ["no", "yes"], ["True", "False"]] {
        let asked = [line(0, false, options), line(1, true, options)];
        let path = folder.write(&format!("samples_t_{DATE}.jsonl"), lines(&asked));
        let import = with(&path, &named("m")).remove(0);
        let right = import.rows.iter().map(|row| row.question.right.only());
        assert_eq!(right.collect::<Vec<_>>(), [Some(0), Some(1)], "{options:?}");
    }
}
