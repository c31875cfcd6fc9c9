//! The paper's figures outside its main table.

use super::*;

/// InternLM-7B on QA: Table 6 (accuracy by the size of APS sets) and Table 2 (perplexity).
#[test]
fn the_papers_further_figures_are_reproduced() {
    let Some(shared) = shared("") else { return };
    let folder = tempfile::tempdir().unwrap();
    let logits = shared.join("paper/logits");
    let file = |strategy: &str| {
        logits
            .join(format!("internlm-7b_mmlu_10k_{strategy}_icl1.pkl"))
            .display()
            .to_string()
    };
    let questions = shared.join("paper/mmlu_10k.json").display().to_string();
    succeeds(
        folder.path(),
        [
            "analyze",
            &file("base"),
            &file("shared"),
            &file("task"),
            "--questions",
            &questions,
            "--protocol",
            "paper",
            "--modes",
            "paper",
            "basic",
            "--output-dir",
            "out",
            "--formats",
            "json",
        ],
    );
    let text = std::fs::read_to_string(folder.path().join("out/report.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();

    let by_size = table(&document, "accuracy-by-size");
    for (size, printed) in [(1, 92.69), (2, 82.21), (3, 63.70), (4, 41.71), (5, 34.92)] {
        let found = figure(by_size, &format!("size_{size}"), |texts| {
            texts.contains(&"APS")
        });
        assert!(
            (found * 100.0 - printed).abs() <= 0.005 + 1e-9,
            "size {size}: {found} beside {printed}"
        );
    }
    let perplexity = figure(table(&document, "perplexity"), "perplexity", |_| true);
    assert!((perplexity - 2.89).abs() <= 0.005 + 1e-9, "{perplexity}");

    // Of Table 3 the printed figures are not at hand. This is what NumPy makes of the same rows: 15
    // bins, the mean over strategies.
    let ece = figure(table(&document, "perplexity"), "ece", |_| true);
    assert!((ece - 0.158_843_048_920_6).abs() < 1e-9, "{ece}");

    // The headline of one strategy is that of `score`, whose figures are the published ones.
    let expected: Value = serde_json::from_str(
        &std::fs::read_to_string(shared.join("paper/expected_qa.json")).unwrap(),
    )
    .unwrap();
    let base = &expected["internlm-7b/base"];
    let figures = table(&document, "figures-1");
    for (column, name) in [
        ("acc", "acc"),
        ("lac_set_size", "lac_set_size"),
        ("aps_coverage", "aps_coverage"),
    ] {
        let found = figure(figures, column, |texts| texts.contains(&"base"));
        assert!(
            (found - base[name].as_f64().unwrap()).abs() < 1e-6,
            "{column}"
        );
    }
}

/// Four models: ranks, paired tests and every mode.
#[test]
fn four_models_are_told_apart() {
    let Some(shared) = shared("") else { return };
    let folder = tempfile::tempdir().unwrap();
    let logits = shared.join("paper/logits");
    let mut args = vec!["analyze".to_owned()];
    for model in ["Yi-34B", "internlm-7b", "Llama-2-7b-hf", "falcon-7b"] {
        for strategy in ["base", "shared", "task"] {
            args.push(
                logits
                    .join(format!("{model}_mmlu_10k_{strategy}_icl1.pkl"))
                    .display()
                    .to_string(),
            );
        }
    }
    let rest = [
        "--questions",
        &shared.join("paper/mmlu_10k.json").display().to_string(),
        "--protocol",
        "paper",
        "--modes",
        "all",
        "--splits",
        "10",
        "--replicates",
        "200",
        "--output-dir",
        "out",
        "--formats",
        "json",
    ];
    args.extend(rest.map(str::to_owned));
    succeeds(folder.path(), &args);
    let text = std::fs::read_to_string(folder.path().join("out/report.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let board = table(&document, "leaderboard");
    let names: Vec<&str> = board["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[1]["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["Yi-34B", "Llama-2-7b-hf", "internlm-7b", "falcon-7b"]
    );
    // The main table's UAcc: Llama-2 and InternLM lie 0.8 points apart.
    for (model, printed) in [
        ("Yi-34B", 71.10),
        ("internlm-7b", 34.17),
        ("Llama-2-7b-hf", 34.97),
        ("falcon-7b", 14.90),
    ] {
        let found = figure(board, "uacc", |texts| texts.contains(&model));
        assert!(
            (found * 100.0 - printed).abs() <= 0.005 + 1e-9,
            "{model}: {found}"
        );
    }
    // A curve over α has the headline's intervals where it passes the headline's α.
    let curve = table(&document, "alpha")["rows"].as_array().unwrap();
    for row in board["rows"].as_array().unwrap() {
        let size = board["columns"].as_array().unwrap();
        let size = size.iter().position(|c| c["key"] == "set_size").unwrap();
        let at = curve.iter().find(|point| {
            point[1] == row[1] && (point[2]["figure"]["value"].as_f64().unwrap() - 0.1).abs() < 1e-9
        });
        for end in ["low", "high"] {
            let ends = [&at.unwrap()[6], &row[size]].map(|cell| cell["figure"][end].as_f64());
            assert!((ends[0].unwrap() - ends[1].unwrap()).abs() < 1e-9, "{row}");
        }
    }
    let sections = document["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 15);
    for section in sections {
        let says =
            section["text"].as_array().unwrap().len() + section["tables"].as_array().unwrap().len();
        assert!(says > 0, "{} says nothing", section["id"]);
    }
    // A figure that is not a number would have become null.
    assert!(
        !text.contains("\"value\": null"),
        "a figure is not a number"
    );
}
