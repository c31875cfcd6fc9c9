//! Open questions: asked, grouped into meanings, measured, shown.
#![cfg(unix)]

mod analysis;
mod judge;
mod merged;
mod watched;

use std::fmt::Write;

use serde_json::{Value, json};
use sureness_faultserver::{Healthy, Saying, Sayings, Script, Words};
use sureness_testkit::{Case, ends_with, results_in, says, text};

/// Few-shot examples, which are set aside.
const EXAMPLES: usize = 5;

/// A number in 0..1 that depends on the question and a purpose.
fn unit(question: usize, purpose: u64) -> f64 {
    let mut state = (question as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (purpose << 17);
    state ^= state >> 29;
    state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^= state >> 32;
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

fn stem(number: usize) -> String {
    format!("Who keeps the stone with the number {number}?")
}

/// What the model says: the truth in one of two accepted spellings that are equal when normalised, two
/// wrong names, and to some questions never the truth.
fn law(number: usize, never: f64) -> Vec<Saying> {
    let say = |spellings: &[String], weight| Saying {
        spellings: spellings.to_vec(),
        weight,
    };
    let truth = [format!("Keeper {number}"), format!("the keeper {number}!")];
    let known = unit(number, 1) >= never;
    vec![
        say(&truth, if known { 0.2 + unit(number, 2) } else { 0.0 }),
        say(&[format!("Warden {number}")], 0.1 + 0.6 * unit(number, 3)),
        say(&["Nobody".to_owned()], 0.1 + 0.3 * unit(number, 4)),
    ]
}

fn case(count: usize, never: f64, words: Words) -> Case {
    case_of(script(count, never, words), count)
}

/// A server that draws its answers from the law.
fn script(count: usize, never: f64, words: Words) -> Script {
    let all = count + EXAMPLES;
    let sayings: Sayings = (0..all).map(|it| (stem(it), law(it, never))).collect();
    Script {
        server: Healthy {
            open: Some(sayings),
            words: Some(words),
            ..Healthy::default()
        },
        ..Script::default()
    }
}

/// A case with a file of the law's questions.
fn case_of(script: Script, count: usize) -> Case {
    let all = count + EXAMPLES;
    let case = Case::new(script);
    let mut lines = String::new();
    for number in 0..all {
        let answers = [format!("Keeper {number}"), format!("No. {number}")];
        let row = json!({"id": number, "question": stem(number), "answers": answers});
        let _ = writeln!(lines, "{row}");
    }
    std::fs::write(case.path("trivia.jsonl"), lines).unwrap();
    case
}

const TASK: &str = "--data trivia=trivia.jsonl --shots 0 --progress none";

fn open(results: &Value) -> &Value {
    &results["models"][0]["groups"][0]["open"]
}

fn number(figures: &Value, name: &str) -> f64 {
    figures[name]
        .as_f64()
        .unwrap_or_else(|| panic!("{name}: {figures}"))
}

#[test]
fn figures_come_to_those_of_the_law() {
    let count = 120;
    let case = case(count, 0.0, Words::default());
    let output = case.run(&format!("run --chat --answers sampled --samples 60 {TASK}"));
    ends_with(&output, 0);
    let results = results_in(&case.results());
    let figures = open(&results);
    // All questions of the law; the run's test half is a random half of them.
    let laws: Vec<Vec<f64>> = (0..count)
        .map(|it| {
            let weights: Vec<f64> = law(it, 0.0).iter().map(|says| says.weight).collect();
            let sum: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / sum).collect()
        })
        .collect();
    let mean =
        |of: &dyn Fn(&[f64]) -> f64| laws.iter().map(|it| of(it)).sum::<f64>() / count as f64;
    let one = mean(&|it| it[0]);
    let right = mean(&|it| f64::from(u8::from(it[0] > it[1] && it[0] > it[2])));
    let entropy = mean(&|it| -it.iter().map(|p| p * p.ln()).sum::<f64>());
    assert!(
        (number(figures, "one_answer_acc") - one).abs() < 0.08,
        "{one} {figures}"
    );
    assert!(
        (number(figures, "acc") - right).abs() < 0.15,
        "{right} {figures}"
    );
    assert!(
        (number(figures, "semantic_entropy") - entropy).abs() < 0.08,
        "{entropy} {figures}"
    );
    assert!((number(figures, "meanings") - 3.0).abs() < 0.1, "{figures}");
    assert!(number(figures, "generated") > 0.99);
    assert!(number(&figures["sets"], "coverage") > 0.8, "{figures}");
    let drawn = &results["models"][0]["groups"][0]["drawn"];
    assert_eq!(drawn["said"], 60 * count, "every dress is read: {drawn}");
    // No |Y|: no UAcc, and no mean with other tasks.
    assert_eq!(results["models"][0]["mean"], Value::Null);
    says(
        &text(&output.stdout),
        &["Open questions", "semantic entropy"],
    );
    // No legend of other tables.
    let stderr = text(&output.stderr);
    assert!(!stderr.contains("UAcc"), "{stderr}");
    says(&stderr, &["Next: sureness report"]);
}

#[test]
fn sets_that_cannot_promise_are_not_given() {
    let case = case(60, 0.5, Words::default());
    let output = case.run(&format!("run --chat --answers sampled --samples 8 {TASK}"));
    ends_with(&output, 0);
    let results = results_in(&case.results());
    let sets = &open(&results)["sets"];
    assert_eq!(sets["threshold"], Value::Null, "{sets}");
    assert_eq!(sets["coverage"], Value::Null);
    let least = number(sets, "least_error_rate");
    assert!((0.3..0.7).contains(&least), "{sets}");
    says(
        &text(&output.stderr),
        &["never generated", "can promise is"],
    );
    // At an error rate that can be promised there is a threshold.
    let again = format!("run --chat --answers sampled --samples 8 --error-rate 0.75 {TASK}");
    ends_with(&case.run(&again), 0);
    let results = results_in(&case.results());
    assert!(open(&results)["sets"]["threshold"].is_number());
}

#[test]
fn a_question_is_shown_with_its_meanings() {
    let words = Words {
        thoughts: 0.5,
        refusals: 0.1,
        ..Words::default()
    };
    let case = case(30, 0.0, words);
    let run = format!("run --answers sampled --api responses --samples 12 {TASK}");
    ends_with(&case.run(&run), 0);
    let shown = case.sureness("show results 20").output().unwrap();
    ends_with(&shown, 0);
    let stdout = text(&shown.stdout);
    // Which spelling comes first is left to chance.
    says(
        &stdout.replace("the keeper 20!", "Keeper 20"),
        &[
            "Question: Who keeps the stone with the number 20?\nAnswer:",
            "Meanings",
            "✓ accepted ",
            "read as \"keeper 20\"",
            "Accepted: Keeper 20, No. 20.",
            "Semantic entropy",
        ],
    );
    assert!(!stdout.contains("Choices"), "{stdout}");
}

#[test]
fn likelihoods_are_kept_where_the_server_gives_them() {
    for (max_logprobs, api, given) in [
        (None, "chat", true),
        (None, "completions", true),
        // Refuses the field: asked again without it.
        (Some(0), "completions", false),
        (None, "messages", false),
    ] {
        let mut script = script(40, 0.0, Words::default());
        script.server.max_logprobs = max_logprobs;
        let case = case_of(script, 40);
        let line = format!("run --answers sampled --api {api} --samples 6 {TASK}");
        ends_with(&case.run(&line), 0);
        let results = results_in(&case.results());
        let figures = open(&results);
        let signs: Vec<&str> = figures["signs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|sign| sign["name"].as_str().unwrap())
            .collect();
        assert_eq!(signs.contains(&"likelihood"), given, "{api}: {figures}");
        if given {
            // Of short answers: a token has exp(-x - length/40), x uniform in 0..1.
            let mean = number(figures, "likelihood");
            assert!((0.3..0.6).contains(&mean), "{mean}");
        }
    }
}

#[test]
fn what_does_not_apply_is_refused_with_a_reason() {
    let case = case(30, 0.0, Words::default());
    let output = case.run(&format!("run {TASK}"));
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["trivia has open questions", "hint: add --answers sampled"],
    );
    let output = case.run(&format!("run --answers sampled --keep-text=false {TASK}"));
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["are grouped and judged by their texts", "hint: leave out"],
    );
    ends_with(
        &case.run(&format!("run --answers sampled --samples 4 {TASK}")),
        0,
    );
    let output = case
        .sureness("plan --detect acc=0.05 --from results")
        .output()
        .unwrap();
    ends_with(&output, 2);
    says(&text(&output.stderr), &["open questions alone", "hint: "]);
    // The accepted answers are in the data alone.
    std::fs::rename(case.path("trivia.jsonl"), case.path("moved.jsonl")).unwrap();
    let output = case.sureness("analyze results").output().unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["accepted answers of 30 of 30", "--data trivia=PATH"],
    );
    let line = "analyze results --data trivia=moved.jsonl";
    ends_with(&case.sureness(line).output().unwrap(), 0);
}

#[test]
fn open_and_multiple_choice_tasks_stay_apart() {
    let case = case(40, 0.0, Words::default());
    let line = "run --chat --answers sampled --samples 4 --data trivia=trivia.jsonl --tasks qa trivia \
                --prompt-strategies base --shots 0 --sample-size 30 --progress none";
    let output = case.run(line);
    ends_with(&output, 0);
    let results = results_in(&case.results());
    let model = &results["models"][0];
    assert_eq!(model["tasks"].as_array().unwrap().len(), 1, "{model}");
    assert_eq!(model["mean"], model["tasks"][0]["mean"]);
    assert!(model["groups"][1]["open"].is_object());
    let output = case.sureness("analyze results").output().unwrap();
    ends_with(&output, 0);
    // Each kind in its own section, and the model under one name.
    says(
        &text(&output.stdout),
        &[
            "How sure is fault-model?",
            "Figures of each model",
            "Open questions",
        ],
    );
    let csv = std::fs::read_to_string(case.results().join("results.csv")).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|row| row.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|it| *it == name).unwrap();
    let cell = |row: usize, name: &str| rows[row][column(name)];
    assert_eq!((cell(1, "task"), cell(2, "task")), ("qa", "trivia"));
    assert_eq!(cell(1, "open_semantic_entropy"), "");
    assert_eq!(cell(2, "lac_set_size"), "");
    let open = &model["groups"][1]["open"];
    for (name, value) in [
        ("acc", &open["acc"]),
        ("open_semantic_entropy", &open["semantic_entropy"]),
        ("entropy_aurc", &open["signs"][1]["aurc"]),
    ] {
        assert_eq!(cell(2, name).parse::<f64>().ok(), value.as_f64(), "{name}");
    }
}

#[test]
fn a_plan_counts_open_questions_in_one_prompt() {
    let plan = |flags: &str| {
        let case = case(40, 0.0, Words::default());
        let line = format!(
            "run --chat --answers sampled --samples 1 --data trivia=trivia.jsonl --shots 0 --progress \
             plain {flags}"
        );
        let output = case.run(&line);
        ends_with(&output, 0);
        text(&output.stderr)
    };
    says(&plan(""), &["40 questions: 1 task\n"]);
    let both = plan("--tasks qa trivia --sample-size 30");
    says(
        &both,
        &["120 questions: 2 tasks × 3 prompt strategies, open questions in one\n"],
    );
    let shard = plan("--tasks qa trivia --sample-size 30 --shard 1/2");
    says(&shard, &[" of 120\n"]);
}

#[test]
fn public_layouts_are_read() {
    let case = case(1, 0.0, Words::default());
    let squad = json!({"version": "1.1", "data": [{"title": "Rivers", "paragraphs": [{
        "context": "The Danube flows through Vienna.",
        "qas": [{"id": "q1", "question": "Which river flows through Vienna?",
                 "answers": [{"text": "The Danube", "answer_start": 0}]}]}]}]});
    let trivia = json!({"Domain": "unfiltered", "Data": [{
        "Question": "Which planet is the largest?", "QuestionId": "tc_1",
        "Answer": {"Value": "Jupiter", "Aliases": ["Jupiter", "Planet Jupiter"],
                   "NormalizedAliases": ["jupiter", "planet jupiter"]}}]});
    let hub = json!({"question": "Which planet is the largest?", "question_id": "tc_1",
        "answer": {"value": "Jupiter", "aliases": ["Jupiter", "Planet Jupiter"]}});
    let squad_hub = json!({"id": "5", "title": "Rivers", "context": "The Danube flows through Vienna.",
        "question": "Which river flows through Vienna?",
        "answers": {"text": ["The Danube", "Danube"], "answer_start": [0, 4]}});
    let nq = json!({"question": "who wrote emma", "answer": ["Jane Austen", "Austen"]});
    for (name, content, words) in [
        ("squad.json", squad.to_string(), "Accepted: The Danube."),
        (
            "trivia.json",
            serde_json::to_string_pretty(&trivia).unwrap(),
            "Jupiter, Planet Jupiter",
        ),
        (
            "hub.jsonl",
            hub.to_string(),
            "Accepted: Jupiter, Planet Jupiter.",
        ),
        (
            "squad.jsonl",
            squad_hub.to_string(),
            "Accepted: The Danube, Danube.",
        ),
        ("nq.jsonl", nq.to_string(), "Accepted: Jane Austen, Austen."),
    ] {
        std::fs::write(case.path(name), content).unwrap();
        let output = case
            .sureness(&format!("data check {name}"))
            .output()
            .unwrap();
        let stdout = text(&output.stdout);
        assert!(
            stdout.contains(words),
            "{name}: {stdout}{}",
            text(&output.stderr)
        );
    }
    let impossible = json!({"question": "Who?", "answers": {"text": [], "answer_start": []}});
    std::fs::write(case.path("two.jsonl"), impossible.to_string()).unwrap();
    let output = case.sureness("data check two.jsonl").output().unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["line 1", "no accepted answer", "hint: leave questions"],
    );
}
