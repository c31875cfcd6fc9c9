//! `sureness doctor` from outside.

use std::process::Command;

use serde_json::Value;
use sureness_faultserver::{Dialect, FaultServer, Healthy, Script};

use super::{ends_with, text};

fn doctor(server: &FaultServer, flags: &[&str]) -> std::process::Output {
    Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .env_clear()
        .args(["doctor", "--api-base", &server.base()])
        .args(flags)
        .output()
        .unwrap()
}

fn server(change: impl FnOnce(&mut Healthy)) -> FaultServer {
    let mut script = Script::healthy();
    change(&mut script.server);
    FaultServer::start(script).unwrap()
}

#[test]
fn the_findings_are_told_line_by_line_and_as_json() {
    let server = server(|s| s.dialect = Dialect::LlamaCpp);
    let output = doctor(&server, &[]);
    ends_with(&output, 0);
    let stdout = text(&output.stdout);
    for finding in ["completions", "log-probabilities", "scoring", "noise floor"] {
        assert!(stdout.contains(finding), "no {finding} in:\n{stdout}");
    }
    let output = doctor(&server, &["--noise-questions", "3", "--output", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["noise"]["questions"], 3);
    assert_eq!(json["model"], "fault-model");
    assert_eq!(json["noise"]["changed_top_options"], 0);
    assert_eq!(json["obstacle"], Value::Null);
}

#[test]
fn what_stops_a_run_is_told_with_what_would_help() {
    let server = server(|s| s.logprobs = false);
    // Without the other ways, of which answers in words are allowed.
    let output = doctor(&server, &["--quick"]);
    ends_with(&output, 2);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("log-probabilities"), "{stderr}");
    assert!(stderr.contains("hint: "), "{stderr}");
    // Earlier findings are printed all the same.
    assert!(text(&output.stdout).contains("fault-model"));
}
