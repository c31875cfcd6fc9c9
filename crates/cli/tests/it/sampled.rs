//! Answers in words: drawn, read, counted, resumed and shown.
#![cfg(unix)]

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use sureness_faultserver::{Fault, Healthy, Rule, Script, Words};
use sureness_store::Reader;
use sureness_testkit::{Case, Process, ends_with, figures_in, results_in, says, text, wait_for};

/// Questions of the law.
pub(crate) const QUESTIONS: u64 = 240;

/// A number in 0..1 that depends on the question and a purpose.
pub(crate) fn unit(question: u64, purpose: u64) -> f64 {
    let mut state =
        question.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd1b5_4a32);
    state ^= state >> 29;
    state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^= state >> 32;
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

/// The question and its right option.
pub(crate) fn question(number: u64) -> (String, usize) {
    let answer = (unit(number, 9) * 4.0) as usize;
    (format!("Which item has the number {number}?"), answer)
}

/// Questions, and logits of a model that is right in about two of three, the two abstentions included.
pub(crate) fn rows() -> impl Iterator<Item = (String, Vec<f64>)> {
    let row = |number| {
        let (stem, answer) = question(number);
        let mut logits: Vec<f64> = (0..6)
            .map(|option| 2.5 * unit(number, option) - if option > 3 { 2.0 } else { 0.0 })
            .collect();
        logits[answer] += 1.5;
        (stem, logits)
    };
    (0..QUESTIONS + EXAMPLES).map(row)
}

/// A server that answers in words, drawn from these logits.
pub(crate) fn server(words: Words) -> Script {
    Script {
        server: Healthy {
            logits: Some(rows().collect()),
            words: Some(words),
            ..Healthy::default()
        },
        ..Script::default()
    }
}

/// Of the questions in a file, those that are kept as few-shot examples and never asked.
const EXAMPLES: u64 = 5;

/// A case with a file of which `count` questions are asked.
pub(crate) fn case(script: Script, count: u64) -> Case {
    let case = Case::new(script);
    let mut lines = String::new();
    for number in 0..count + EXAMPLES {
        let (stem, answer) = question(number);
        let options: Vec<String> = (0..4).map(|o| format!("entry {number}-{o}")).collect();
        let letter = ["A", "B", "C", "D"][answer];
        let row = serde_json::json!({
            "id": number, "question": stem, "options": options, "answer": letter,
        });
        let _ = writeln!(lines, "{row}");
    }
    std::fs::write(case.path("own.jsonl"), lines).unwrap();
    case
}

pub(crate) const OWN: &str =
    "--data own=own.jsonl --prompt-strategies base --shots 0 --progress none";

/// The prompts of the questions that the server was asked; not those of trials.
pub(crate) fn asked(case: &Case) -> Vec<String> {
    let mut prompts = case.questions();
    prompts.retain(|prompt| prompt.contains("Which item"));
    prompts
}

pub(crate) fn drawn(results: &Value) -> &Value {
    &results["models"][0]["groups"][0]["drawn"]
}

fn mean(results: &Value, figure: &str) -> f64 {
    results["models"][0]["mean"][figure].as_f64().unwrap()
}

#[test]
fn drawn_answers_come_to_the_figures_of_the_letters() {
    let case = case(server(Words::default()), QUESTIONS);
    let letters = case
        .asking(&format!("run {OWN}"), "letters")
        .output()
        .unwrap();
    assert!(letters.status.success(), "{}", text(&letters.stderr));
    let line = format!("run --chat --answers sampled --samples 100 {OWN}");
    let sampled = case.asking(&line, "sampled").output().unwrap();
    assert!(sampled.status.success(), "{}", text(&sampled.stderr));
    let letters = results_in(&case.path("letters"));
    let sampled = results_in(&case.path("sampled"));
    for (figure, apart) in [("acc", 0.06), ("set_size", 0.35), ("coverage", 0.06)] {
        let (one, other) = (mean(&letters, figure), mean(&sampled, figure));
        assert!((one - other).abs() <= apart, "{figure}: {one} and {other}");
    }
    assert!(mean(&sampled, "coverage") >= 0.84, "{sampled}");
    let drawn = drawn(&sampled);
    assert_eq!(drawn["answers"], QUESTIONS * 100);
    assert_eq!(
        drawn["chosen"],
        QUESTIONS * 100,
        "every dress is read: {drawn}"
    );
    assert!(drawn["answer_tokens"].as_u64().unwrap() >= QUESTIONS * 100);
    let record = &sampled["settings"]["answers"]["sampled"];
    assert_eq!(record["samples"], 100);
    assert_eq!(
        sampled["models"][0]["identity"]["details"]["answers"],
        "sampled"
    );
    // Letters stay as they were recorded.
    assert_eq!(letters["settings"].get("answers"), None);
}

#[test]
fn refusals_and_unreadable_answers_are_counted_and_no_option() {
    let words = Words {
        refusals: 0.1,
        unreadable: 0.15,
        thoughts: 0.5,
        ..Words::default()
    };
    let case = case(server(words), 60);
    let output = case.run(&format!("run --chat --answers sampled --samples 30 {OWN}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let results = results_in(&case.results());
    let drawn = drawn(&results);
    let count = |name: &str| drawn[name].as_f64().unwrap() / 1800.0;
    assert!((count("refused") - 0.1).abs() < 0.04, "{drawn}");
    assert!((count("unreadable") - 0.15).abs() < 0.04, "{drawn}");
    let mass = results["models"][0]["groups"][0]["mean_mass"]
        .as_f64()
        .unwrap();
    assert!((mass - count("chosen")).abs() < 1e-9, "{mass}");
}

#[test]
fn a_model_that_never_chooses_has_no_figures() {
    let words = Words {
        unreadable: 1.0,
        ..Words::default()
    };
    let case = case(server(words), 20);
    let output = case.run(&format!("run --chat --answers sampled --samples 5 {OWN}"));
    ends_with(&output, 1);
    says(
        &text(&output.stderr),
        &["only 0 % of the answers choose an option", "hint: look at"],
    );
}

#[test]
fn every_protocol_gives_the_same_kind_of_answers() {
    let case = case(server(Words::default()), 40);
    let mut accuracies = Vec::new();
    for api in ["completions", "chat", "responses", "messages"] {
        let line = format!("run --answers sampled --api {api} --samples 12 {OWN}");
        let output = case.asking(&line, api).output().unwrap();
        assert!(output.status.success(), "{api}: {}", text(&output.stderr));
        let results = results_in(&case.path(api));
        assert_eq!(drawn(&results)["chosen"], 480, "{api}");
        assert_eq!(results["settings"]["chat"], api != "completions");
        accuracies.push(mean(&results, "acc"));
    }
    // Of 20 test questions; a guess would be right in one of six.
    assert!(accuracies.iter().all(|acc| *acc > 0.3), "{accuracies:?}");
}

#[test]
fn one_request_asks_for_as_many_answers_as_the_server_takes() {
    let words = Words {
        at_once: Some(4),
        ..Words::default()
    };
    let case = case(server(words), 10);
    let output = case.run(&format!("run --chat --answers sampled --samples 20 {OWN}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    // The first question's first answer goes ahead to warm the prefix cache.
    let requests = asked(&case).len();
    assert!((50..=51).contains(&requests), "{requests}");
}

#[test]
fn what_was_answered_is_not_asked_again_after_a_kill() {
    let mut script = server(Words::default());
    script.capacity.base_ms = 20;
    let case = case(script, 40);
    let line = format!("run --answers sampled --api responses --samples 10 --max-workers 8 {OWN}");
    let mut command = case.command(&line);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let run = Process::spawn(&mut command);
    wait_for(|| "answers".to_owned(), || asked(&case).len() > 150);
    run.kill();
    let output = case.run(&line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let results = results_in(&case.results());
    assert_eq!(drawn(&results)["answers"], 400);
    // Beyond one request for each answer, only those in flight or not yet written at the kill. On
    // a busy machine the writer may be some requests behind.
    let requests = asked(&case).len();
    assert!((400..=400 + 6 * 8).contains(&requests), "{requests}");
    let timing = &results["models"][0]["timing"];
    let cached = timing["cached"].as_u64().unwrap();
    assert!(cached >= 100, "{timing}");
}

#[test]
fn more_answers_than_before_ask_only_the_rest() {
    let case = case(server(Words::default()), 20);
    let line = |samples| format!("run --answers sampled --api messages --samples {samples} {OWN}");
    assert!(case.run(&line(5)).status.success());
    let before = asked(&case).len();
    assert!(case.run(&line(8)).status.success());
    let more = asked(&case).len() - before;
    assert_eq!(more, 60);
}

#[test]
fn a_failure_leaves_the_other_answers_in_place() {
    let mut script = server(Words::default());
    script.rules = vec![Rule::chance(0.2, 3, [Fault::InternalError])];
    let case = case(script, 20);
    let line =
        format!("run --answers sampled --api responses --samples 6 --retry-delay 0.01 {OWN}");
    let output = case.run(&line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(drawn(&results_in(&case.results()))["answers"], 120);
}

#[test]
fn a_question_is_shown_as_it_was_asked_and_read() {
    let words = Words {
        thoughts: 1.0,
        ..Words::default()
    };
    let case = case(server(words), 30);
    let output = case.run(&format!(
        "run --answers sampled --api responses --samples 6 {OWN}"
    ));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = case.sureness("show results 20").output().unwrap();
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let sent = asked(&case);
    let prompt = sent
        .iter()
        .find(|it| it.contains("the number 20?"))
        .unwrap();
    let stdout = String::from_utf8(shown.stdout).unwrap();
    assert!(stdout.contains(prompt), "{stdout}");
    says(
        &stdout,
        &["read as ", "[thought] The first option", "✓ right", "LAC"],
    );
    let unknown = case.sureness("show results 700").output().unwrap();
    ends_with(&unknown, 2);
    says(
        &text(&unknown.stderr),
        &["has no question \"700\"", "hint: "],
    );
}

#[test]
fn texts_are_left_out_if_they_are_not_to_be_kept() {
    let words = Words {
        by_repeat: true,
        ..Words::default()
    };
    for way in [
        "sampled --api responses --samples 6",
        "reasoned --chat --thoughts 1",
    ] {
        let case = case(server(words.clone()), 40);
        let line = format!("run --answers {way} {OWN}");
        let quiet = format!("{line} --keep-text=false");
        for (line, name) in [(&line, "kept"), (&quiet, "quiet")] {
            ends_with(&case.asking(line, name).output().unwrap(), 0);
            case.server.clear_log();
        }
        let figures = |name: &str| figures_in(&case.path(name), &["provenance", "timing"]);
        assert_eq!(figures("quiet")["models"], figures("kept")["models"]);
        let [kept, quiet_texts] = ["kept", "quiet"].map(|name| texts(&case.path(name)));
        assert_eq!((kept.len(), quiet_texts.len()), (40, 40));
        assert!(
            kept.iter()
                .flatten()
                .all(|(has, text)| *has && !text.is_empty())
        );
        assert!(
            quiet_texts
                .iter()
                .flatten()
                .all(|(has, text)| !has && text.is_empty())
        );
        let shown = case.sureness("show quiet 20").output().unwrap();
        says(
            &text(&shown.stdout),
            &["read as ", "[its text was not kept]"],
        );
        // They count as answered all the same.
        ends_with(&case.asking(&quiet, "quiet").output().unwrap(), 0);
        assert_eq!(asked(&case).len(), 0);
    }
}

/// By question, for each answer whether its text was kept, and the text with its thought.
fn texts(folder: &Path) -> Vec<Vec<(bool, String)>> {
    let reader = Reader::open(&folder.join("sureness.sqlite")).unwrap();
    let run = reader.runs().unwrap()[0].id;
    let texts = |position| {
        let stored = reader.answers(run, 0, position).unwrap();
        let text = |answer: Option<&(sureness_scorers::Words, _)>| {
            let words = answer.map(|(words, _)| words);
            words.map_or_else(String::new, |it| {
                it.thought.clone().unwrap_or_default() + &it.text
            })
        };
        let stored = stored.iter();
        stored
            .map(|it| (it.has_text, text(it.answer.as_ref())))
            .collect()
    };
    (0..40).map(texts).collect()
}

#[test]
fn what_cannot_be_drawn_is_refused_before_any_request() {
    let case = case(server(Words::default()), 10);
    for (flags, words) in [
        (
            "--answers sampled --temperature 0",
            "--temperature must be above 0",
        ),
        ("--api messages", "reports no log-probabilities"),
        (
            r#"--answers sampled --extra-body {"seed":1}"#,
            "sets `seed`",
        ),
        (
            "--answers letters --keep-text",
            "--keep-text keeps answers in words",
        ),
    ] {
        let output = case.run(&format!("run {flags} {OWN}"));
        ends_with(&output, 2);
        says(&text(&output.stderr), &[words, "hint: "]);
    }
    assert_eq!(asked(&case).len(), 0);
}

#[test]
fn a_dry_run_says_what_would_be_asked_and_asks_no_question() {
    let case = case(server(Words::default()), 40);
    let prices = "--price-in 2.5 --price-out 10";
    let line = |samples| {
        format!("run --answers sampled --api messages --samples {samples} {prices} {OWN}")
    };
    let dry = case.run(&format!("{} --dry-run", line(5)));
    ends_with(&dry, 0);
    let stdout = text(&dry.stdout);
    says(
        &stdout,
        &[
            "own",
            "200",
            "four bytes each",
            "Cost: about",
            "No question was sent to a model.",
        ],
    );
    assert_eq!(case.questions().len(), 0);
    assert!(!case.results().exists());

    let output = case.run(&line(5));
    ends_with(&output, 0);
    let spent = results_in(&case.results())["models"][0]["timing"]["spent"].clone();
    let tokens = |name: &str| spent[name].as_f64().unwrap();
    let cost = (2.5 * tokens("prompt_tokens") + 10.0 * tokens("answer_tokens")) / 1e6;
    assert!(
        (spent["cost"].as_f64().unwrap() - cost).abs() < 1e-9,
        "{spent}"
    );
    // As many words as the server counts, for each request.
    let words: usize = asked(&case)
        .iter()
        .map(|it| it.split_whitespace().count())
        .sum();
    assert_eq!(spent["prompt_tokens"], words as u64);

    // Twice as many answers: half of them are there, and their counts are known.
    let dry = case.run(&format!("{} --dry-run", line(10)));
    ends_with(&dry, 0);
    says(
        &text(&dry.stdout),
        &["400", "200", "by the server's counts of 200 prompts"],
    );
}

#[test]
fn a_run_stops_at_its_limit_and_goes_on_with_a_larger_one() {
    let case = case(server(Words::default()), 40);
    let line = |most: &str| {
        format!(
            "run --answers sampled --api messages --samples 10 --max-workers 4 \
             --price-in 1000 --price-out 1000 {most} {OWN}"
        )
    };
    let output = case.run(&line("--max-tokens-total 4000"));
    ends_with(&output, 1);
    says(
        &text(&output.stderr),
        &[
            "stopped: ",
            "--max-tokens-total is 4000",
            "hint: all answers are saved",
        ],
    );
    let before = asked(&case).len();
    assert!((30..390).contains(&before), "{before}");
    let output = case.run(&line("--max-cost 5"));
    ends_with(&output, 1);
    says(&text(&output.stderr), &["--max-cost is 5"]);
    let output = case.run(&line("--max-cost 100000"));
    ends_with(&output, 0);
    assert_eq!(asked(&case).len(), 400, "nothing is asked twice");
    let results = results_in(&case.results());
    let spent = &results["models"][0]["timing"]["spent"];
    let words: usize = asked(&case)
        .iter()
        .map(|it| it.split_whitespace().count())
        .sum();
    assert_eq!(spent["prompt_tokens"], words as u64, "over all parts");
}

#[test]
fn the_papers_set_up_has_a_name_and_modes_tell_what_draws_cost() {
    let case = case(server(Words::default()), 120);
    let named = case
        .asking(&format!("run --chat --setup table-4 {OWN}"), "results")
        .output()
        .unwrap();
    assert!(named.status.success(), "{}", text(&named.stderr));
    let named = results_in(&case.path("results"));
    let settings = &named["settings"];
    assert_eq!(settings["answers"]["sampled"]["samples"], 50);
    assert_eq!(settings["evaluation"]["protocol"], "paper");
    assert_eq!(settings["evaluation"]["tempered"], 1.0);
    // The same answers by their shares: as many are right, and sets are others.
    let line = format!("run --chat --answers sampled --samples 50 --protocol paper {OWN}");
    let shares = case.asking(&line, "results").output().unwrap();
    assert!(shares.status.success(), "{}", text(&shares.stderr));
    let shares = results_in(&case.path("results"));
    assert_eq!(shares["models"][0]["timing"]["asked"], 0);
    let apart = |figure: &str| (mean(&shares, figure) - mean(&named, figure)).abs();
    assert!(apart("acc") < 1e-9 && apart("set_size") > 0.01);
    let both = case
        .sureness("run --setup table-4 --samples 10")
        .output()
        .unwrap();
    assert_eq!(both.status.code(), Some(2));

    let modes = "analyze results --protocol standard --modes draws,abstention";
    let shown = case.sureness(modes).output().unwrap();
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    says(
        &text(&shown.stdout),
        &[
            "What ties cost",
            "Over the number of answers",
            "Answering with a promise",
        ],
    );
}
