//! The published figures from the published logits, to the last printed digit.

use std::path::Path;

use serde_json::Value;

use super::{json, scored, shared};

const STRATEGIES: [&str; 3] = ["base", "shared", "task"];

/// The command line for the files of one of the paper's models.
fn paper_args(model: &str, more: &[&str]) -> Vec<String> {
    let start = ["--protocol", "paper", "--questions", "mmlu_10k.json"];
    let mut args: Vec<String> = start.map(str::to_owned).to_vec();
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    args.push("--logits".to_owned());
    args.extend(STRATEGIES.map(|strategy| format!("logits/{model}_mmlu_10k_{strategy}_icl1.pkl")));
    args
}

fn read_json(path: &Path) -> Value {
    json(&std::fs::read_to_string(path).unwrap())
}

/// The mean of a figure over the files of a result.
fn average(result: &Value, pointer: &str) -> f64 {
    let files = result["files"].as_array().unwrap();
    let figure = |file: &Value| file.pointer(pointer).unwrap().as_f64().unwrap();
    files.iter().map(figure).sum::<f64>() / files.len() as f64
}

/// Asserts that `ours` is printed as `published` is: with two decimals.
#[track_caller]
fn prints_as(what: &str, ours: f64, published: f64) {
    assert_eq!(
        format!("{ours:.2}"),
        format!("{published:.2}"),
        "{what}: {ours}"
    );
}

/// Asserts that all figures of one file are the expected ones.
fn meets(name: &str, file: &Value, expected: &Value) {
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 9, "{name}");
    for (figure, value) in expected {
        let pointer = match figure.split_once('_') {
            Some((score @ ("lac" | "aps"), rest)) => format!("/{score}/{rest}"),
            _ => format!("/{figure}"),
        };
        let ours = file.pointer(&pointer).unwrap().as_f64().unwrap();
        let theirs = value.as_f64().unwrap();
        assert!(
            (ours - theirs).abs() < 1e-6,
            "{name}, {figure}: {ours}, expected {theirs}"
        );
    }
}

#[test]
fn the_main_table_is_met_to_the_last_printed_digit() {
    let Some(shared) = shared("") else { return };
    let paper = shared.join("paper");
    let table = std::fs::read_to_string(paper.join("published_qa.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("model,logits_prefix,acc,ss,uacc"));
    let mut models = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        let result = json(&scored(&paper, paper_args(cells[1], &["--output", "json"])));
        let mean = |figure: &str| result["mean"][figure].as_f64().unwrap();
        prints_as(line, mean("acc") * 100.0, number(2));
        prints_as(line, mean("set_size"), number(3));
        prints_as(line, mean("uacc") * 100.0, number(4));
        models += 1;
    }
    assert_eq!(models, 4);
}

#[test]
fn the_appendix_is_met_to_the_last_printed_digit() {
    let Some(shared) = shared("") else { return };
    let paper = shared.join("paper");
    let published = read_json(&paper.join("published_qa_appendix.json"));
    let mut figures = 0;
    for (model, published) in published.as_object().unwrap() {
        let result = json(&scored(&paper, paper_args(model, &["--output", "json"])));
        let without = ["--output", "json", "--drop-options", "E,F"];
        let without = json(&scored(&paper, paper_args(model, &without)));
        for (figure, value) in published.as_object().unwrap() {
            let ours = match figure.as_str() {
                "cr_lac" => 100.0 * average(&result, "/lac/coverage"),
                "cr_aps" => 100.0 * average(&result, "/aps/coverage"),
                "ss_lac" => average(&result, "/lac/set_size"),
                "ss_aps" => average(&result, "/aps/set_size"),
                "e" => 100.0 * average(&result, "/e_rate"),
                "f" => 100.0 * average(&result, "/f_rate"),
                "ss" => result["mean"]["set_size"].as_f64().unwrap(),
                "ss_noEF" => without["mean"]["set_size"].as_f64().unwrap(),
                other => panic!("{other} is a figure that this test does not know"),
            };
            prints_as(&format!("{model}, {figure}"), ours, value.as_f64().unwrap());
            figures += 1;
        }
    }
    assert_eq!(figures, 28);
}

#[test]
fn every_expected_value_is_met_to_a_millionth() {
    let Some(shared) = shared("") else { return };
    let paper = shared.join("paper");
    let expected = read_json(&paper.join("expected_qa.json"));
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 12);
    for model in ["Yi-34B", "Llama-2-7b-hf", "internlm-7b", "falcon-7b"] {
        let result = json(&scored(&paper, paper_args(model, &["--output", "json"])));
        for (file, strategy) in result["files"].as_array().unwrap().iter().zip(STRATEGIES) {
            assert_eq!(file["strategy"], strategy);
            assert_eq!(file["model"], model);
            let name = format!("{model}/{strategy}");
            meets(&name, file, &expected[&name]);
        }
    }
}

#[test]
fn the_emotion_task_is_met_to_a_millionth() {
    let Some(shared) = shared("") else { return };
    let folder = shared.join("datasets/emotion");
    let expected = read_json(&folder.join("expected.json"));
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 12);
    let start = "--protocol paper --questions emotion_10k_4.json --output json --logits";
    let files = expected.keys().map(|name| format!("logits/{name}.pkl"));
    let result = json(&scored(
        &folder,
        start.split(' ').map(str::to_owned).chain(files),
    ));
    for (file, (name, expected)) in result["files"].as_array().unwrap().iter().zip(expected) {
        assert_eq!(file["file"], format!("logits/{name}.pkl"));
        assert_eq!(file["dataset"], "emotion_10k_4");
        meets(name, file, expected);
    }
    let models = result["models"].as_array().unwrap();
    assert_eq!(models.len(), 2);
    assert!(models.iter().all(|model| model["n_files"] == 6));
}

#[test]
fn the_json_has_the_keys_of_the_contract() {
    let Some(shared) = shared("") else { return };
    let result = json(&scored(
        &shared.join("paper"),
        paper_args("Yi-34B", &["--output", "json"]),
    ));
    let keys = |value: &Value| -> Vec<String> {
        let keys = value.as_object().unwrap().keys();
        keys.cloned().collect()
    };
    assert_eq!(keys(&result), ["config", "files", "mean", "models"]);
    let file = &result["files"][0];
    assert_eq!(
        keys(file),
        [
            "file",
            "model",
            "dataset",
            "strategy",
            "n_calibration",
            "n_test",
            "acc",
            "e_rate",
            "f_rate",
            "lac",
            "aps"
        ]
    );
    for score in ["lac", "aps"] {
        let set = ["qhat", "set_size", "coverage", "uacc", "empty_rate"];
        assert_eq!(keys(&file[score]), set);
    }
    let mean = ["acc", "set_size", "coverage", "uacc"];
    assert_eq!(keys(&result["mean"]), mean);
    assert_eq!(
        (&file["n_calibration"], &file["n_test"]),
        (&4997.into(), &4998.into())
    );
}

#[test]
fn the_outputs_read_well() {
    let Some(shared) = shared("") else { return };
    let paper = shared.join("paper");
    for output in ["table", "csv", "markdown"] {
        let text = scored(&paper, paper_args("internlm-7b", &["--output", output]));
        let wide = text.lines().filter(|line| line.chars().count() > 100);
        assert!(output != "table" || wide.count() == 0, "{text}");
        insta::assert_snapshot!(format!("internlm_{output}"), text);
    }
}
