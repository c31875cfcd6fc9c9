//! Logs of questions with several right options.

use serde_json::{Value, json};
use sureness_importers::Options;
use sureness_questions::RightOptions;

use super::common::{Folder, data, imported, refused};
use super::common::{named, with};
use super::lm_eval::{DATE, letters, lines};

fn right(options: &[usize]) -> RightOptions {
    RightOptions::of(options.iter().copied()).unwrap()
}

/// A line of `truthfulqa_mc2`, of whose options the first `right` are right, with the figure that
/// `process_results_mc2` gives (lm-evaluation-harness, tasks/truthfulqa/utils.py, 2026-11-29).
fn mc2(id: usize, scores: &[f64], right: usize) -> Value {
    let choices: Vec<String> = (0..scores.len())
        .map(|at| format!("claim {id}-{at}"))
        .collect();
    let labels: Vec<u8> = (0..scores.len()).map(|at| u8::from(at < right)).collect();
    let requests: serde_json::Map<String, Value> = choices
        .iter()
        .enumerate()
        .map(|(at, choice)| {
            let request = json!({"arg_0": "Q: Which?\nA:", "arg_1": format!(" {choice}")});
            (format!("gen_args_{at}"), request)
        })
        .collect();
    let pairs: Vec<Value> = scores
        .iter()
        .map(|score| json!([score.to_string(), "False"]))
        .collect();
    let total = |scores: &[f64]| scores.iter().map(|score| score.exp()).sum::<f64>();
    json!({
        "doc_id": id,
        "doc": {"question": "Which?",
                "mc1_targets": {"choices": [choices[0], choices[scores.len() - 1]], "labels": [1, 0]},
                "mc2_targets": {"choices": choices, "labels": labels}},
        "target": "0",
        "arguments": requests,
        "resps": pairs.iter().map(|pair| json!([pair])).collect::<Vec<_>>(),
        "filtered_resps": pairs,
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": format!("{id:064x}"),
        "acc": total(&scores[..right]) / total(scores),
    })
}

fn three() -> Vec<Value> {
    vec![
        mc2(0, &[-4.0, -1.0, -2.0, -3.0], 2),
        mc2(1, &[-2.5, -3.0, -1.0], 1),
        mc2(2, &[-9.0, -1.5, -0.5, -7.0, -3.0], 3),
    ]
}

#[test]
fn mc2_of_the_harness_keeps_every_right_option_and_its_figure() {
    let folder = Folder::new();
    let path = folder.write(
        &format!("samples_truthfulqa_mc2_{DATE}.jsonl"),
        lines(&three()),
    );
    let import = &with(&path, &named("m"))[0];
    let found: Vec<RightOptions> = import.rows.iter().map(|row| row.question.right).collect();
    assert_eq!(found, [right(&[0, 1]), right(&[0]), right(&[0, 1, 2])]);
    // The most probable option is right in the first and the last.
    assert_eq!(import.accuracy(), Some(2.0 / 3.0));
    let check = import.check.as_ref().unwrap();
    let shares: f64 = three()
        .iter()
        .map(|line| line["acc"].as_f64().unwrap())
        .sum();
    assert!(
        check.agrees() && (check.theirs - shares / 3.0).abs() < 1e-12,
        "{check:?}"
    );
    let told = import
        .notes
        .iter()
        .any(|note| note.contains("the share of probability"));
    assert!(told, "{:?}", import.notes);

    let mut changed = three();
    changed[1]["acc"] = json!(0.5);
    let path = folder.write(&format!("samples_other_{DATE}.jsonl"), lines(&changed));
    let import = &with(&path, &named("m"))[0];
    let check = import.check.as_ref().unwrap();
    assert!(!check.agrees());
    assert_eq!(check.first_difference.as_deref(), Some("1"));

    let mut unlabelled = three();
    unlabelled[2]["doc"]["mc2_targets"]["labels"] = json!([0, 0, 0, 0, 0]);
    let path = folder.write(&format!("samples_third_{DATE}.jsonl"), lines(&unlabelled));
    let said = refused(&path, &named("m"));
    assert!(
        said.contains("line 3, field \"doc.mc2_targets.labels\": the right answer is missing"),
        "{said}"
    );
}

#[test]
fn a_list_of_targets_is_several_right_options() {
    let folder = Folder::new();
    for target in [json!([0, 2]), json!("[0, 2]")] {
        let mut log = vec![
            letters(0, [-0.5, -1.5, -2.5, -3.5], 0),
            letters(1, [-4.0, -1.5, -0.75, -3.5], 2),
        ];
        log[1]["target"] = target;
        let path = folder.write(&format!("samples_colours_{DATE}.jsonl"), lines(&log));
        let import = &with(&path, &named("m"))[0];
        assert_eq!(import.rows[0].question.right, right(&[0]));
        assert_eq!(import.rows[1].question.right, right(&[0, 2]));
        assert!(import.check.as_ref().unwrap().agrees());
    }
}

#[test]
fn gold_lists_of_lighteval_are_several_right_options() {
    let folder = Folder::new();
    let name = "lighteval_several.parquet";
    let bytes = std::fs::read(data(name)).unwrap();
    let path = folder.write(&format!("details/org/small/2026-11-28T10/{name}"), bytes);
    let import = &imported(&path)[0];
    assert_eq!(import.rows[0].question.right, right(&[1]));
    assert_eq!(import.rows[1].question.right, right(&[0, 1]));
}

#[test]
fn further_harnesses_count_any_right_option() {
    let folder = Folder::new();
    // BIG-bench gives the grade of the likeliest option.
    let text = std::fs::read_to_string(data("harnesses/bigbench/task.json")).unwrap();
    let text = text.replacen("\"an oak tree\": 0.0", "\"an oak tree\": 1.0", 1);
    let import = &with(&folder.write("task.json", text), &named("m"))[0];
    let found: Vec<RightOptions> = import.rows.iter().map(|row| row.question.right).collect();
    assert_eq!(found, [right(&[0, 1]), right(&[1]), right(&[1])]);

    // HELM counts the share of the best options that is tagged (basic_metrics.py, 2026-11-29).
    let mut state: Value = serde_json::from_slice(
        &std::fs::read(data("harnesses/helm/original/scenario_state.json")).unwrap(),
    )
    .unwrap();
    for request in state["request_states"].as_array_mut().unwrap() {
        for reference in request["instance"]["references"].as_array_mut().unwrap() {
            reference["tags"] = json!(["correct"]);
        }
    }
    let path = folder.write("helm/scenario_state.json", state.to_string());
    let import = &with(&path, &with_task("m", "t"))[0];
    for row in &import.rows {
        assert_eq!(row.question.right.count(), row.question.options);
    }
    assert_eq!(import.accuracy(), Some(1.0));
}

fn with_task(model: &str, task: &str) -> Options {
    Options {
        task: Some(task.to_owned()),
        ..named(model)
    }
}
