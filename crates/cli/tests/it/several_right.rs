//! Questions with several right options, from the file to the figures.
#![cfg(unix)]

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use sureness_faultserver::{Capacity, Script};
use sureness_store::{Reader, StoredRow};
use sureness_testkit::{Case, PATIENCE, ends_with, results_in, says, text, wait_for};

const QUESTIONS: usize = 150;
/// Questions with one right option that become few-shot examples.
const SET_ASIDE: usize = 5;
const RUN: &str = "run --data own=mc2.jsonl --data-format own=truthfulqa-mc2 --shots 0 \
                   --prompt-strategies base --progress none --max-workers 2";

/// Questions in the layout of mc2: right options first, one to three of four to six.
fn mc2() -> String {
    (0..QUESTIONS).fold(String::new(), |mut file, id| {
        let (right, options) = (1 + id % 3, 4 + id / 3 % 3);
        let text = |option: usize| {
            let kind = if option < right { "true" } else { "false" };
            format!("{kind} {id}-{option}")
        };
        let choices: Vec<String> = (0..options).map(text).collect();
        let labels: Vec<u8> = (0..options).map(|it| u8::from(it < right)).collect();
        let row = json!({
            "question": format!("Question {id}?"),
            "mc1_targets": {"choices": [choices[0], choices[options - 1]], "labels": [1, 0]},
            "mc2_targets": {"choices": choices, "labels": labels},
        });
        writeln!(file, "{row}").unwrap();
        file
    })
}

fn case(script: Script) -> Case {
    let case = Case::new(script);
    std::fs::write(case.path("mc2.jsonl"), mc2()).unwrap();
    case
}

/// The letters of the right options in each prompt, by its question.
fn right_in_prompts(case: &Case) -> HashMap<String, BTreeSet<usize>> {
    let read = |prompt: &String| {
        let stem = prompt.lines().find(|line| line.contains("Question "));
        let stem = stem.unwrap().split_once("Question ").unwrap().1;
        let options = prompt.lines().filter_map(|line| line.split_once(". "));
        let right = options.filter(|(_, option)| option.starts_with("true "));
        let right = right.map(|(letter, _)| usize::from(letter.trim().as_bytes()[0] - b'A'));
        (stem.trim_end_matches('?').to_owned(), right.collect())
    };
    case.questions().iter().map(read).collect()
}

fn rows(folder: &Path, run: i64) -> Vec<StoredRow> {
    let reader = Reader::open(&folder.join("sureness.sqlite")).unwrap();
    let mut rows = Vec::new();
    reader.rows(run, 0, |row| rows.push(row)).unwrap();
    rows
}

/// Accuracy, and coverage and mean size of the sets of LAC and APS, by their definitions alone.
fn by_hand(rows: &[StoredRow], right: &HashMap<String, BTreeSet<usize>>, all: bool) -> [f64; 5] {
    const ALPHA: f64 = 0.1;
    let clusters = rows.iter().map(|row| row.question.cluster.unwrap());
    let split = sureness_conformal::ordered_split(clusters, 0.5, 42);
    let right = |row: usize| -> &BTreeSet<usize> {
        // Ids are the numbers of rows, counted from 1.
        let id: usize = rows[row].question.id.parse().unwrap();
        &right[&(id - 1).to_string()]
    };
    let probabilities = |row: usize| -> Vec<f64> {
        let logprobs = &rows[row].scores.as_ref().unwrap().logprobs;
        let total: f64 = logprobs.iter().map(|x| x.exp()).sum();
        logprobs.iter().map(|x| x.exp() / total).collect()
    };
    let top = |row: usize| {
        let p = probabilities(row);
        (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap()
    };
    let lac = |row: usize| -> Vec<f64> { probabilities(row).iter().map(|p| 1.0 - p).collect() };
    let aps = |row: usize| -> Vec<f64> {
        let p = probabilities(row);
        let above = |option: &f64| p.iter().filter(|other| *other >= option).sum();
        p.iter().map(above).collect()
    };
    let n = split.test.len() as f64;
    let correct = split
        .test
        .iter()
        .filter(|&&row| right(row).contains(&top(row)));
    let mut figures = vec![correct.count() as f64 / n];
    let scores: [&dyn Fn(usize) -> Vec<f64>; 2] = [&lac, &aps];
    for score in scores {
        let of_question = |row: &usize| {
            let scores = score(*row);
            let of_right = right(*row).iter().map(|&option| scores[option]);
            if all {
                of_right.fold(f64::NEG_INFINITY, f64::max)
            } else {
                of_right.fold(f64::INFINITY, f64::min)
            }
        };
        let mut calibration: Vec<f64> = split.calibration.iter().map(of_question).collect();
        calibration.sort_by(f64::total_cmp);
        let rank = ((calibration.len() + 1) as f64 * (1.0 - ALPHA)).ceil() as usize;
        // The sums here are added in another order than in the library.
        let threshold = calibration[rank - 1] + 1e-9;
        let (mut covered, mut size) = (0, 0);
        for &row in &split.test {
            let scores = score(row);
            let mut set: BTreeSet<usize> = (0..scores.len())
                .filter(|&option| scores[option] <= threshold)
                .collect();
            if set.is_empty() {
                set.insert(top(row));
            }
            size += set.len();
            let holds = |option: &usize| set.contains(option);
            let covers = if all {
                right(row).iter().all(holds)
            } else {
                right(row).iter().any(holds)
            };
            covered += usize::from(covers);
        }
        figures.extend([covered as f64 / n, size as f64 / n]);
    }
    figures.try_into().unwrap()
}

fn written(results: &Value) -> [f64; 5] {
    let evaluation = &results["models"][0]["groups"][0]["evaluation"];
    let number = |pointer: &str| evaluation.pointer(pointer).unwrap().as_f64().unwrap();
    [
        "/acc",
        "/lac/coverage",
        "/lac/set_size",
        "/aps/coverage",
        "/aps/set_size",
    ]
    .map(number)
}

fn close(a: [f64; 5], b: [f64; 5]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
}

#[test]
fn both_rules_give_the_figures_of_their_definitions_also_after_a_kill() {
    let script = Script::healthy().capacity(Capacity {
        base_ms: 10,
        ..Capacity::default()
    });
    let case = case(script);
    let mut child = case.command(RUN).spawn().unwrap();
    wait_for(
        || "no answers".to_owned(),
        || case.server.counts().prompts_answered >= 40,
    );
    child.kill().unwrap();
    child.wait().unwrap();
    case.server.wait_until_idle(PATIENCE);
    let output = case.run(RUN);
    ends_with(&output, 0);
    let any = results_in(&case.results());
    let cached = any["models"][0]["timing"]["cached"].as_u64().unwrap();
    assert!(cached > 0, "nothing was left of the killed run");

    // The other rule needs no other answers.
    let asked = case.questions().len();
    ends_with(&case.run(&format!("{RUN} --covers all --recheck 0")), 0);
    assert_eq!(case.questions().len(), asked);
    let all = results_in(&case.results());

    let right = right_in_prompts(&case);
    assert_eq!(right.len(), QUESTIONS - SET_ASIDE);
    for (run, results, rule) in [(1, &any, false), (2, &all, true)] {
        let rows = rows(&case.results(), run);
        for row in &rows {
            let id: usize = row.question.id.parse().unwrap();
            let stored: BTreeSet<usize> = row.question.right.iter().collect();
            assert_eq!(stored, right[&(id - 1).to_string()]);
            assert_eq!(stored.len(), 1 + (id - 1) % 3);
        }
        let (expected, found) = (by_hand(&rows, &right, rule), written(results));
        assert!(close(expected, found), "{expected:?} {found:?}");
        let group = &results["models"][0]["groups"][0];
        assert_eq!(group["evaluation"]["several_right"], 100);
        let rule = if rule { "--covers all" } else { "--covers any" };
        says(
            group["note"].as_str().unwrap(),
            &["100 of 145 questions have several right answers", rule],
        );
    }
    // The rules are told apart by the figures, and in the record.
    assert!(!close(written(&any), written(&all)));
    assert_eq!(any["settings"]["evaluation"].get("covers"), None);
    assert_eq!(all["settings"]["evaluation"]["covers"], "all");
    let stdout = text(&output.stdout);
    let words: Vec<&str> = stdout.split_whitespace().collect();
    says(
        &words.join(" "),
        &["own: 100 of 145 questions have several right answers"],
    );
}

#[test]
fn runs_under_both_rules_are_not_compared_unless_one_is_chosen() {
    let case = case(Script::healthy());
    for (folder, covers) in [("a", "any"), ("b", "all")] {
        let line = format!("{RUN} --covers {covers}");
        ends_with(&case.asking(&line, folder).output().unwrap(), 0);
    }
    let run = |line: &str| -> Output { case.sureness(line).output().unwrap() };
    let refused = run("analyze a b");
    ends_with(&refused, 2);
    says(
        &text(&refused.stderr),
        &[
            "--covers any and",
            "with --covers all",
            "hint: choose one rule",
        ],
    );
    for (line, rule) in [
        ("analyze a b --covers any", "--covers any"),
        ("analyze a b --covers all --scores lac aps", "--covers all"),
        ("analyze b", "--covers all"),
    ] {
        let output = run(line);
        ends_with(&output, 0);
        let stdout = text(&output.stdout);
        let words: Vec<&str> = stdout.split_whitespace().collect();
        let told = "100 of 145 questions have several right answers";
        says(&words.join(" "), &[told, rule]);
    }

    // What is written to a file of answers is read back with all right options.
    ends_with(
        &run("analyze a --modes basic --formats parquet --output-dir out"),
        0,
    );
    ends_with(&run("import out/questions.parquet --output-dir back"), 0);
    let key = |row: &StoredRow| (row.question.id.clone(), row.question.right);
    let [own, back] = ["a", "back"].map(|folder| rows(&case.path(folder), 1));
    let sorted = |rows: &[StoredRow]| {
        let mut rows: Vec<_> = rows.iter().map(key).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows
    };
    assert_eq!(sorted(&own), sorted(&back));
    let several = back
        .iter()
        .filter(|row| row.question.right.only().is_none());
    assert_eq!(several.count(), 100);
}

#[test]
fn answers_of_saved_scores_may_be_several() {
    let case = case(Script::healthy());
    let scores = |id: usize, option: usize| (id * 7 + option * 5) % 11;
    let right = |id: usize| if id.is_multiple_of(2) { "B,D" } else { "C" };
    let mut table = String::from("id,answer,A,B,C,D\n");
    let mut key = Vec::new();
    for id in 0..60 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|option| scores(id, option));
        writeln!(table, "{id},\"{}\",{a},{b},{c},{d}", right(id)).unwrap();
        let letters: Vec<&str> = right(id).split(',').collect();
        key.push(json!({"id": id, "answer": letters}));
    }
    std::fs::write(case.path("m_t_base.csv"), &table).unwrap();
    std::fs::write(case.path("key.json"), json!(key).to_string()).unwrap();
    let run = |line: &str| {
        let output = case.sureness(line).output().unwrap();
        ends_with(&output, 0);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    for covers in ["any", "all"] {
        let line =
            format!("score --logits m_t_base.csv --protocol paper --output json --covers {covers}");
        let own = run(&line);
        let keyed = run(&format!("{line} --questions key.json --drop-ids none"));
        assert_eq!(own["files"][0]["several_right"], 30);
        // The paper's split is by row, whatever names the rows have.
        for figure in ["acc", "lac", "aps"] {
            assert_eq!(own["files"][0][figure], keyed["files"][0][figure]);
        }
    }
    let [any, all] = ["any", "all"].map(|covers| {
        let line =
            format!("score --logits m_t_base.csv --protocol paper --output json --covers {covers}");
        run(&line)["files"][0]["lac"]["set_size"].as_f64().unwrap()
    });
    assert!(
        any < all,
        "sets of all right options are larger: {any} {all}"
    );
}

#[test]
fn a_list_that_can_be_read_in_two_ways_is_refused() {
    let case = case(Script::healthy());
    for (answer, told) in [
        ("[0, 1]", "the indices of both as well as marks"),
        ("[]", "no right option"),
        ("[\"A\", \"A\"]", "has A twice"),
        ("[\"A\", \"E\"]", "the answer is \"E\""),
        (
            "[true, false, true]",
            "3 marks of right and wrong for 2 options",
        ),
    ] {
        let good = r#"{"question": "Which?", "options": ["a", "b"], "answer": ["A"]}"#;
        let row = format!(r#"{{"question": "Who?", "options": ["a", "b"], "answer": {answer}}}"#);
        std::fs::write(case.path("own.jsonl"), format!("{good}\n{row}\n")).unwrap();
        let output = case.sureness("data check own.jsonl").output().unwrap();
        ends_with(&output, 2);
        says(
            &text(&output.stderr),
            &["own.jsonl, line 2", told, "hint: "],
        );
    }
}
