//! Servers that answer in odd ways, or not always in the same way: the cases in `../shared/cases`,
//! served by the stub there.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sureness_faultserver::Script;
use sureness_testkit::{Case, ends_with, results_in, says, shared, skip, text};

use super::SHORT;

/// The stub of the cases as a process, in the folder of one of them.
struct Stub {
    process: Child,
    base: String,
    folder: PathBuf,
    /// For the run: its server is not asked.
    case: Case,
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Stub {
    /// `stub.py 0 LINE` in the folder of a case; `None` without the cases.
    fn start(name: &str, line: &str) -> Option<Self> {
        let folder = shared(&format!("cases/{name}"))?;
        let started = Command::new("python3")
            .arg("../stub.py")
            .arg("0")
            .args(line.split_whitespace())
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = started else {
            skip("python3 is missing");
            return None;
        };
        let mut base = String::new();
        BufReader::new(process.stdout.take()?)
            .read_line(&mut base)
            .unwrap();
        Some(Self {
            process,
            base: base.trim().to_owned(),
            folder,
            case: Case::new(Script::healthy()),
        })
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.case.sureness(line);
        command.args(["--api-base", &self.base]);
        command
    }

    /// Asks the 25 questions of the case.
    fn ask(&self, flags: &str) -> Output {
        let questions = self.folder.join("questions.jsonl");
        let line = "single --model m --tasks stones --prompt-strategies base --shots 0 \
                    --no-abstention --progress none --retry-delay 0.01";
        let mut command = self.command(&format!("{line} {flags}"));
        command
            .args(["--data", &format!("stones={}", questions.display())])
            .arg("--output-dir")
            .arg(self.case.results());
        command.output().unwrap()
    }

    /// The figures of the only group, after a run with these flags.
    #[track_caller]
    fn group(&self, flags: &str) -> Value {
        let output = self.ask(flags);
        ends_with(&output, 0);
        results_in(&self.case.results())["models"][0]["groups"][0].clone()
    }
}

/// Whether a group has the accuracy and the mean mass, in shares.
#[track_caller]
fn has(group: &Value, accuracy: f64, mass: f64) {
    let text = group.to_string();
    let found = group["evaluation"]["acc"].as_f64().unwrap_or(f64::NAN);
    assert!((found - accuracy).abs() < 1e-9, "{text}");
    let found = group["mean_mass"].as_f64().unwrap_or(f64::NAN);
    assert!((found - mass).abs() < 5e-3, "{text}");
}

#[test]
fn minus_infinity_in_any_spelling_gives_the_figures_of_null() {
    for name in ["null", "answer", "nan", "overflow", "word", "chat"] {
        let Some(stub) = Stub::start("bare-infinity", &format!("{name}.json")) else {
            return;
        };
        let chat = if name == "chat" { "--chat" } else { "" };
        has(&stub.group(chat), 1.0, 0.935);
    }
    // Only one question meets it.
    let rule = "good.json --when heath answer.json 200";
    let stub = Stub::start("bare-infinity", rule).unwrap();
    has(&stub.group(""), 1.0, 0.96);
}

#[test]
fn two_tokens_with_one_text_both_count() {
    for (folder, name, mass) in [
        ("two-tokens-one-text", "answer", 0.98),
        ("two-tokens-one-text", "chat_even", 0.947),
        ("repeated-keys-two-readers", "answer", 0.98),
        ("repeated-keys-two-readers", "with_null", 0.98),
    ] {
        let Some(stub) = Stub::start(folder, &format!("{name}.json")) else {
            return;
        };
        let chat = if name.starts_with("chat") {
            "--chat"
        } else {
            ""
        };
        has(&stub.group(chat), 1.0, mass);
    }
}

#[test]
fn log_probabilities_that_are_missing_now_and_then_are_asked_for_again() {
    for rule in ["--nth 2 1 none.json 200", "--nth 2 0 none.json 200"] {
        let line = format!("good.json --wait 0.05 {rule}");
        let Some(stub) = Stub::start("logprobs-now-and-then", &line) else {
            return;
        };
        let output = stub.ask("--max-retries 10");
        ends_with(&output, 0);
        says(&text(&output.stderr), &["lacked log-probabilities"]);
        let results = results_in(&stub.case.results());
        let group = &results["models"][0]["groups"][0];
        has(group, 1.0, 0.963);
        assert_eq!(results["models"][0]["timing"]["asked"], 25);
        let lacking = &results["models"][0]["timing"]["endpoints"][0]["without_logprobs"];
        assert!(lacking.as_u64() > Some(5), "{lacking}");
    }
}

#[test]
fn a_refused_parameter_is_left_out_or_replaced() {
    for rule in [
        "--key max_tokens refusal.json 400",
        "--key temperature temperature.json 400",
        "--when \"max_tokens\":1, at_least_16.json 400",
    ] {
        let Some(stub) = Stub::start("max-completion-tokens", &format!("good_chat.json {rule}"))
        else {
            return;
        };
        has(&stub.group("--chat"), 1.0, 0.963);
        let doctor = stub
            .command("doctor --chat --model m --quick")
            .output()
            .unwrap();
        ends_with(&doctor, 0);
    }
}

#[test]
fn a_prompt_that_is_too_long_says_how_long() {
    for (folder, name, status, expected) in [
        (
            "too-long-number",
            "too_long",
            400,
            "(2048 tokens, 2048 fit)",
        ),
        (
            "too-long-number",
            "thousands",
            400,
            "(5210 tokens, 2048 fit)",
        ),
        ("too-long-wordings", "w3", 422, "(5210 tokens, 2048 fit)"),
        (
            "too-long-wordings",
            "w5",
            400,
            "too long for the model's context",
        ),
    ] {
        // Every question is longer.
        let line = format!("good.json --longer 60 {name}.json {status}");
        let Some(stub) = Stub::start(folder, &line) else {
            return;
        };
        let output = stub.ask("--allowed-failures 1");
        let results = results_in(&stub.case.results()).to_string();
        assert!(results.contains("context_too_long"), "{results}");
        let said = format!("{}{results}", text(&output.stderr));
        says(&said, &[expected]);
    }
}

#[test]
fn keys_come_from_where_they_are_said_to_be_and_are_never_shown() {
    let mut script = Script::healthy();
    script.server.key = Some("sk-in-the-dark".to_owned());
    let case = Case::new(script);
    let run = |flags: &str, variable: &str| {
        let mut command = case.command(&format!("run {SHORT} {flags}"));
        command.env(variable, "sk-in-the-dark").output().unwrap()
    };
    // OpenAI's key is for OpenAI.
    let output = run("", "OPENAI_API_KEY");
    ends_with(&output, 2);
    says(&text(&output.stderr), &["without an API key"]);
    let output = run("--api-key-env NOT_SET", "MY_KEY");
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["NOT_SET holds no API key", "hint: "],
    );
    ends_with(&run("--api-key-env MY_KEY", "MY_KEY"), 0);

    let mut command = case.command(&format!("run {SHORT} --no-cache --verbose"));
    let output = command
        .args(["--header", "Authorization: Bearer sk-in-the-dark"])
        .output()
        .unwrap();
    ends_with(&output, 0);
    let results = results_in(&case.results()).to_string();
    for shown in [text(&output.stderr), text(&output.stdout), results] {
        assert!(!shown.contains("sk-in-the-dark"), "{shown}");
    }
    let output = case.run(&format!("run {SHORT} --header sk-in-the-dark"));
    ends_with(&output, 2);
    says(&text(&output.stderr), &["NAME:VALUE", "hint: "]);
    assert!(!text(&output.stderr).contains("sk-in-the-dark"));
}
