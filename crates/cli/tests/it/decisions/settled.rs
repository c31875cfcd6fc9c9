//! Saved answers, played as if they were asked now.

use sureness_testkit::{says, shared};

use super::{file, json, write_key, write_model};
use crate::command::{done, refused};

#[test]
fn a_better_model_is_told_apart_and_an_equal_one_is_equal_within_a_margin() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 2000);
    write_model(folder, "good", 2000, 1, |id| id % 10 < 8);
    write_model(folder, "poor", 2000, 2, |id| id % 10 < 5);
    write_model(folder, "alike", 2000, 1, |id| id % 10 < 8);
    let line = format!(
        "compare --logits {} {} {} --questions key.json --drop-ids none --until settled \
         --margin acc=2pp,size=0.2 --output json",
        file("good"),
        file("poor"),
        file("alike")
    );
    let (out, _) = done(folder, &line);
    let found = json(&out);
    assert_eq!(found["stopped"], "settled");
    let pairs = found["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 6);
    for pair in pairs {
        let names = [&pair["a"], &pair["b"]].map(|it| it.as_str().unwrap());
        let expected = match names {
            ["good", "poor"] => "a",
            ["poor", "alike"] => "b",
            _ => "equal",
        };
        assert_eq!(pair["verdict"], expected, "{pair}");
        assert_eq!(pair["of"], 2000);
        assert!(pair["asked"].as_u64().unwrap() < 2000, "{pair}");
        let [low, high] = [0, 1].map(|end| pair["interval"][end].as_f64().unwrap());
        assert!(low < high, "{pair}");
        // The interval is a minus b, whatever is better.
        if names == ["good", "poor"] && pair["metric"] == "acc" {
            assert!(low > 0.0 && low < 0.3 && 0.3 < high, "{pair}");
        }
    }
    // A model is asked no further once nothing open concerns it.
    let asked = |model: &str| found["asked"][model].as_u64().unwrap();
    assert!(asked("poor") < asked("good"), "{}", found["asked"]);
    assert_eq!(asked("good"), asked("alike"));

    // The same seed is the same order, another one another.
    assert_eq!(done(folder, &line).0, out);
    let other = done(folder, &format!("{line} --seed 7")).0;
    assert_ne!(other, out);

    let (text, _) = done(folder, &line.replace(" --output json", ""));
    says(
        &text,
        &[
            "Stopped after",
            "every comparison is settled",
            "equal within the margin",
        ],
    );
}

#[test]
fn what_cannot_be_settled_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 300);
    write_model(folder, "a", 300, 1, |id| id % 10 < 7);
    write_model(folder, "b", 300, 1, |id| id % 10 < 7);
    let files = format!("{} {}", file("a"), file("b"));
    let line = format!(
        "compare --logits {files} --questions key.json --drop-ids none --until settled --output json"
    );
    let found = json(&done(folder, &line).0);
    assert_eq!(found["stopped"], "all_asked");
    let pairs = found["pairs"].as_array().unwrap();
    assert!(
        pairs.iter().all(|pair| pair["verdict"] == "open"),
        "{pairs:?}"
    );
    let found = json(&done(folder, &format!("{line} --max-questions 60")).0);
    assert_eq!(
        (&found["stopped"], &found["asked"]["a"]),
        (&"max_questions".into(), &60.into())
    );
}

#[test]
fn bad_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 100);
    write_model(folder, "a", 100, 1, |id| id % 2 == 0);
    write_model(folder, "few", 60, 2, |id| id % 2 == 0);
    let start = "compare --questions key.json --drop-ids none";
    let (a, few) = (file("a"), file("few"));
    for (line, parts) in [
        (
            format!("{start} --logits {a} --until settled"),
            &["one model has nothing to be compared with", "hint: "][..],
        ),
        (
            format!("{start} --logits {a} {few} --until settled"),
            &["hint: "],
        ),
        (format!("{start} --logits {a} {few}"), &["--until"]),
        (
            format!("{start} --logits {a} {few} --until settled --margin acc=1"),
            &["acc=1pp"],
        ),
        (
            format!("{start} --logits {a} {few} --until settled --margin f1=1pp"),
            &["unknown metric", "acc, size"],
        ),
        (
            format!("{start} --logits {a} {few} --until settled --metric ece"),
            &["cannot settle ece", "hint: "],
        ),
    ] {
        says(&refused(folder, &line), parts);
    }
}

/// The published logits: what a design of fixed size would need, times two, is enough. That design is
/// McNemar's test at two-sided 5 % with 80 % power, which knows the difference and the share of
/// questions that one model alone gets right (Connor 1987).
#[test]
fn published_models_are_told_apart_with_few_questions() {
    let Some(paper) = shared("paper") else { return };
    let folder = tempfile::tempdir().unwrap();
    let models = ["falcon-7b", "internlm-7b", "Llama-2-7b-hf", "Yi-34B"];
    let path = |model: &str| {
        let name = format!("logits/{model}_mmlu_10k_base_icl1.pkl");
        paper.join(name).display().to_string()
    };
    let questions = paper.join("mmlu_10k.json");
    let mut shares = Vec::new();
    for seed in 1..=3 {
        for a in 0..models.len() {
            for b in a + 1..models.len() {
                let line = format!(
                    "compare --logits {} {} --questions {} --protocol paper --until settled \
                     --metric acc,size --seed {seed} --output json",
                    path(models[a]),
                    path(models[b]),
                    questions.display()
                );
                let found = json(&done(folder.path(), &line).0);
                for pair in found["pairs"].as_array().unwrap() {
                    assert_ne!(pair["verdict"], "open", "{pair}");
                    let share = pair["asked"].as_f64().unwrap() / pair["of"].as_f64().unwrap();
                    shares.push((pair["metric"].as_str().unwrap().to_owned(), share));
                }
            }
        }
    }
    for (metric, most) in [("acc", 0.02), ("size", 0.03)] {
        let mut of: Vec<f64> = shares
            .iter()
            .filter(|it| it.0 == metric)
            .map(|it| it.1)
            .collect();
        of.sort_by(f64::total_cmp);
        let median = of[of.len() / 2];
        println!(
            "{metric}: median {median:.4}, mean {:.4}",
            of.iter().sum::<f64>() / of.len() as f64
        );
        assert!(median <= most, "{metric}: {median}");
    }
}
