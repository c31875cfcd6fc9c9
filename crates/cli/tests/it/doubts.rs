//! Servers whose answers make figures that look right: thinking models, cut prompts. Each figure is
//! refused or marked.
#![cfg(unix)]

mod canned;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use canned::Canned;
use serde_json::{Value, json};
use sureness_testkit::{ends_with, results_in, says, shared, text};
use tempfile::TempDir;

/// An answer of a chat server that lists these tokens, the most probable first.
fn chat(tokens: &[(&str, f64)]) -> Value {
    let entry = |(token, logprob): &(&str, f64)| json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()});
    let mut position = entry(&tokens[0]);
    position["top_logprobs"] = tokens.iter().map(entry).collect();
    json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": ""},
        "finish_reason": "length", "logprobs": {"content": [position]}}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 1}})
}

/// Begins a thought; the letters come far behind.
fn thinks() -> Value {
    chat(&[
        ("<think>", -2e-5),
        ("\n", -11.5),
        ("C", -18.9),
        ("A", -19.4),
        ("B", -20.1),
    ])
}

/// Says " A", with this usage.
fn says_a(usage: &Value) -> Value {
    json!({"choices": [{"index": 0, "text": " A", "finish_reason": "length", "logprobs": {
        "tokens": [" A"], "token_logprobs": [-0.3],
        "top_logprobs": [{" A": -0.3, " B": -1.9, " C": -3.1, " D": -3.6, " The": -5.0}]}}],
        "usage": usage})
}

/// Sixty questions with contexts of 10 to `most` words.
fn questions(most: usize) -> String {
    let mut lines = String::new();
    for index in 0..60 {
        let context = "amber ".repeat(10 + most * index / 60);
        let question = json!({"id": format!("q{index}"), "context": format!("{context}{index}"),
            "question": format!("Which word stands first in list {index}?"),
            "options": [format!("amber {index}"), "birch", "cedar", "delta"], "answer": "A"});
        let _ = writeln!(lines, "{question}");
    }
    lines
}

/// A folder with questions.
fn folder(most: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("questions.jsonl"), questions(most)).unwrap();
    folder
}

fn sureness(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("sureness"));
    command
        .env_clear()
        .current_dir(folder)
        .args(line.split_whitespace());
    command
}

fn single(folder: &Path, server: &Canned, flags: &str) -> Output {
    let base = &server.base;
    let line = format!(
        "single --api-base {base} --model m --tasks stones --data stones=questions.jsonl \
         --prompt-strategies base --shots 0 --no-abstention --progress none {flags}"
    );
    sureness(folder, &line).output().unwrap()
}

#[test]
fn a_model_that_thinks_first_stops_the_run_unless_told() {
    let (server, folder) = (Canned::start(thinks()), folder(10));
    let output = single(folder.path(), &server, "--chat");
    ends_with(&output, 1);
    let stderr = text(&output.stderr);
    says(
        &stderr,
        &[
            "warning: ",
            "begins with \"<think>\"",
            "chat_template_kwargs",
            "0.000001 %",
            "--min-letter-mass 0",
        ],
    );
    assert!(!stderr.contains("try --chat"), "{stderr}");
    // Not all questions were asked.
    let results = results_in(&folder.path().join("results"));
    assert_eq!(results["models"][0]["complete"], false);

    let output = single(
        folder.path(),
        &server,
        "--chat --min-letter-mass 0 --recheck 0",
    );
    ends_with(&output, 0);
    let stdout = text(&output.stdout);
    assert!(
        stdout.starts_with("WARNING: m: stones/base: the option letters have 0.000001 %"),
        "{stdout}"
    );
    says(&stdout, &["[letters improbable]"]);
    let csv = std::fs::read_to_string(folder.path().join("results/results.csv")).unwrap();
    says(&csv, &["the option letters have"]);
    // So does a document made of the answers.
    let output = sureness(folder.path(), "analyze results").output().unwrap();
    ends_with(&output, 0);
    let stdout = text(&output.stdout);
    says(&stdout, &["[letters improbable]"]);
    let warning = stdout.find("Warning: m").unwrap();
    assert!(
        warning < stdout.find("Set size").unwrap_or(usize::MAX),
        "{stdout}"
    );
}

#[test]
fn letters_that_are_only_rare_mark_the_figures() {
    let bold = chat(&[
        ("**", -0.01),
        ("The", -5.0),
        ("C", -7.2),
        ("A", -7.6),
        ("B", -8.1),
        ("D", -8.3),
    ]);
    let (server, folder) = (Canned::start(bold), folder(10));
    let output = single(folder.path(), &server, "--chat");
    ends_with(&output, 0);
    says(
        &text(&output.stdout),
        &["WARNING: m: stones/base", "0.2 %", "[letters improbable]"],
    );
    says(&text(&output.stderr), &["begins with \"**\"", "--prompts"]);
}

#[test]
fn a_hint_offers_no_flag_that_was_given() {
    let none = chat(&[("<think>", -2e-5), ("\n", -11.5)]);
    let (server, folder) = (Canned::start(none), folder(10));
    let output = single(folder.path(), &server, "--chat");
    ends_with(&output, 1);
    let stderr = text(&output.stderr);
    says(
        &stderr,
        &["none of the option letters", "hint: switch thinking off"],
    );
    assert!(!stderr.contains("try --chat"), "{stderr}");
}

#[test]
fn prompts_that_the_server_cuts_mark_the_figures() {
    let cut = says_a(&json!({"prompt_tokens": 256, "completion_tokens": 1}));
    let (server, folder) = (Canned::start(cut), folder(3000));
    for asked in [true, false] {
        let output = single(folder.path(), &server, "--recheck 0");
        ends_with(&output, 0);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let first = "WARNING: m: the server counts 256 tokens in prompts of";
        assert!(stdout.starts_with(first), "{stdout}");
        says(&stdout, &["[prompts cut]"]);
        // In the midst of the run, too.
        assert_eq!(
            stderr.contains("warning: m: the server counts 256"),
            asked,
            "{stderr}"
        );
    }
    let results = results_in(&folder.path().join("results"));
    assert_eq!(
        results["models"][0]["groups"][0]["cut_prompts"]["tokens"],
        256
    );

    // The store does not know; the results beside it do.
    for shard in ["1/2", "2/2"] {
        let more = format!(
            "--recheck 0 --shard {shard} --output-dir part{}",
            &shard[..1]
        );
        ends_with(&single(folder.path(), &server, &more), 0);
    }
    let merged = sureness(folder.path(), "merge whole part1 part2").output();
    for (output, words) in [
        (merged, "[prompts cut]"),
        (
            sureness(folder.path(), "analyze whole").output(),
            "the server counts 256 tokens",
        ),
        (
            sureness(folder.path(), "analyze results").output(),
            "the server counts 256 tokens",
        ),
        (
            sureness(folder.path(), "runs results").output(),
            "prompts cut",
        ),
    ] {
        let output = output.unwrap();
        ends_with(&output, 0);
        says(&text(&output.stdout), &[words]);
    }

    let uncounted = Canned::start(says_a(&json!({"prompt_tokens": 0})));
    let output = single(folder.path(), &uncounted, "--no-cache --output-dir other");
    says(
        &text(&output.stdout),
        &[
            "WARNING: m: the server counts 0 tokens",
            "[tokens not counted]",
        ],
    );
}

#[test]
fn a_server_without_a_doubt_has_no_mark() {
    let (server, folder) = (Canned::start(says_a(&Value::Null)), folder(3000));
    let output = single(folder.path(), &server, "");
    ends_with(&output, 0);
    let both = text(&output.stdout) + &text(&output.stderr);
    for mark in ["warning", "improbable", " cut]", "not counted"] {
        assert!(!both.to_lowercase().contains(mark), "{mark} in {both}");
    }
}

/// A server that gives one recorded answer of a case, and a folder with the case's questions.
fn recorded(case: &Path, name: &str) -> (Canned, tempfile::TempDir) {
    let answer = std::fs::read_to_string(case.join(name)).unwrap();
    let server = Canned::start(serde_json::from_str(&answer).unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(
        case.join("questions.jsonl"),
        folder.path().join("questions.jsonl"),
    )
    .unwrap();
    (server, folder)
}

/// Every folder of recorded answers of models that do not begin with a letter.
#[test]
fn no_recorded_answer_from_the_tail_passes_silently() {
    let Some(cases) = shared("cases/thinks-first") else {
        return;
    };
    for (name, chat, code) in [
        ("answer.json", "--chat", 1),
        ("channel.json", "--chat", 1),
        ("bold.json", "--chat", 0),
        ("newline.json", "", 1),
        ("no_letter.json", "--chat", 1),
    ] {
        let (server, folder) = recorded(&cases, name);
        let output = single(folder.path(), &server, chat);
        ends_with(&output, code);
        let both = text(&output.stdout) + &text(&output.stderr);
        says(&both, &["letters", "hint: "]);
    }
}

#[test]
fn recorded_answers_to_cut_prompts_are_marked() {
    let Some(cases) = shared("cases/prompt-cut") else {
        return;
    };
    let (server, folder) = recorded(&cases, "answer.json");
    let output = single(folder.path(), &server, "");
    ends_with(&output, 0);
    says(
        &text(&output.stdout),
        &["WARNING: m: the server counts 256 tokens", "[prompts cut]"],
    );
}

#[test]
fn extra_fields_that_scoring_sets_are_refused_before_any_request() {
    let (server, folder) = (Canned::start(thinks()), folder(10));
    for (extra, words) in [
        (r#"{"temperature":1}"#, "without samplers"),
        (r#"{"max_tokens":9}"#, "one token"),
        (r#"{"api_key":"x"}"#, "--api-key"),
        ("[1]", "a JSON object is needed"),
    ] {
        let output = single(
            folder.path(),
            &server,
            &format!("--chat --extra-body {extra}"),
        );
        ends_with(&output, 2);
        says(&text(&output.stderr), &["--extra-body", words]);
    }
    assert_eq!(server.requests(), 0);
}

fn doctor(server: &Canned, flags: &str) -> Output {
    let line = format!("doctor --api-base {} {flags}", server.base);
    sureness(Path::new("."), &line).output().unwrap()
}

#[test]
fn the_doctor_ends_with_a_verdict_and_the_command() {
    let output = doctor(&Canned::start(thinks()), "--chat --quick");
    ends_with(&output, 1);
    says(
        &text(&output.stdout),
        &[
            "letters ",
            "verdict: NOT READY: the model does not answer with a letter",
            "hint: switch thinking off",
            "run: sureness run --api-base http://127.0.0.1:",
            " --chat",
        ],
    );
    let cut = Canned::start(says_a(
        &json!({"prompt_tokens": 256, "completion_tokens": 1}),
    ));
    let output = doctor(&cut, "");
    ends_with(&output, 1);
    says(
        &text(&output.stdout),
        &["CUT: ", "verdict: NOT READY: the server cuts long prompts"],
    );
    let asked = cut.requests();
    let good = Canned::start(says_a(&Value::Null));
    let output = doctor(&good, "--quick");
    says(
        &text(&output.stdout),
        &["verdict: ready", "run: sureness run --api-base"],
    );
    assert!(
        good.requests() * 2 < asked,
        "{} of {asked}",
        good.requests()
    );
}

#[test]
fn the_doctor_tells_each_finding_as_it_is_found() {
    let open = Arc::new(AtomicBool::new(false));
    let server = Canned::holding(says_a(&Value::Null), Arc::clone(&open));
    let mut doctor = sureness(
        Path::new("."),
        &format!("doctor --quick --api-base {}", server.base),
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(doctor.stdout.take().unwrap()).lines();
    // The server has not answered a prompt yet.
    let models = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.starts_with("models"));
    assert!(models.is_some());
    open.store(true, Ordering::SeqCst);
    assert!(lines.any(|line| line.unwrap().starts_with("run: ")));
    assert!(doctor.wait().unwrap().success());
}
