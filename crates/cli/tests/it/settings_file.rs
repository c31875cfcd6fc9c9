//! `sureness.toml`: settings under names, from outside.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sureness_faultserver::{FaultServer, Script, Words};
use sureness_testkit::{Case, ends_with, program, results_in, says, text};

use crate::sampled;

/// Settings of a suite that runs every night.
fn nightly(base: &str) -> String {
    format!(
        r#"
[defaults]
seed = 11
progress = "none"

[servers.local]
api-base = "{base}"
any-model = true
max_workers = 4

[data.own]
data = {{ own = "own.jsonl", again = "own.jsonl", third = "own.jsonl" }}
tasks = ["own", "again", "third"]

[prompts.bare]
prompt-strategies = ["base"]
shots = 0

[statistics.strict]
error-rate = 0.2

[runs.nightly]
use = ["servers.local", "data.own", "prompts.bare", "statistics.strict"]
models = ["small", "large"]
no-cache = true
output-dir = "nights/{{date}}"

[gates.nightly]
base = "nights/1#1"
candidate = "nights/2#1"
margin = {{ acc = "5pp" }}
"#
    )
}

fn any_model(mut script: Script) -> Script {
    script.server.check_model = false;
    script
}

fn case(questions: u64) -> Case {
    let case = sampled::case(any_model(sampled::server(Words::default())), questions);
    write(&case, &nightly(&case.server.base()));
    case
}

fn write(case: &Case, settings: &str) {
    std::fs::write(case.path("sureness.toml"), settings).unwrap();
}

#[track_caller]
fn succeeds(case: &Case, line: &str) -> String {
    let output = case.sureness(line).output().unwrap();
    ends_with(&output, 0);
    text(&output.stdout)
}

#[test]
fn a_named_run_takes_its_settings_and_flags_win() {
    let case = case(30);
    succeeds(&case, "run nightly --seed 5 --output-dir out --tasks own");
    let results = results_in(&case.path("out"));
    let settings = &results["settings"]["evaluation"];
    assert_eq!(
        (&settings["seed"], &settings["alpha"]),
        (&5.into(), &0.2.into())
    );
    let models = results["models"].as_array().unwrap();
    let names: Vec<&Value> = models.iter().map(|model| &model["name"]).collect();
    assert_eq!(names, ["small", "large"]);
    assert_eq!(models[0]["tasks"].as_array().unwrap().len(), 1);
    // The record has the command with what the file added, so that it can be given again without the file.
    let command = results["provenance"]["command"].as_str().unwrap();
    says(command, &["--error-rate=0.2", "--data=own=own.jsonl"]);
    // A flag that excludes a setting takes its place.
    succeeds(
        &case,
        "run nightly --model only --output-dir one --tasks own",
    );
    let one = results_in(&case.path("one"));
    assert_eq!(one["models"].as_array().unwrap().len(), 1);
    // Where nothing is named, only the defaults count.
    let base = case.server.base();
    let line = format!(
        "single --api-base {base} --model m --any-model --data own=own.jsonl --shots 0 --output-dir two"
    );
    succeeds(&case, &line);
    let two = results_in(&case.path("two"));
    assert_eq!(two["settings"]["evaluation"]["seed"], 11);
    assert_eq!(two["settings"]["evaluation"]["alpha"], 0.1);
    succeeds(&case, &format!("{line} --no-config --seed 2"));
}

#[test]
fn config_says_what_is_in_force_and_where_it_comes_from() {
    let case = case(1);
    let shown = succeeds(&case, "config run nightly --seed 5");
    says(
        &shown,
        &[
            "seed               5 ",
            "command line",
            "error-rate         0.2 ",
            "sureness.toml, line 20 ([statistics.strict])",
            "own=own.jsonl",
        ],
    );
    assert!(
        !shown.contains("timeout"),
        "defaults only with --all: {shown}"
    );
    says(
        &succeeds(&case, "config --all run nightly"),
        &["timeout", "default"],
    );
    let mut command = case.sureness("config run nightly");
    let output = command
        .env("SURENESS_API_KEY", "sk-very-secret")
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    says(&shown, &["api-key", "***", "environment, SURENESS_API_KEY"]);
    assert!(!shown.contains("sk-very-secret"), "{shown}");
    says(
        &succeeds(&case, "config"),
        &["[runs.nightly]", "[gates.nightly]"],
    );
    // Today's date, in UTC.
    let shown = succeeds(&case, "config run nightly");
    let line = shown
        .lines()
        .find(|line| line.starts_with("output-dir"))
        .unwrap();
    assert!(
        line.contains("nights/2") && !line.contains("{date}"),
        "{line}"
    );
}

#[test]
fn every_fault_names_its_line_and_nothing_is_asked() {
    let case = case(10);
    let good = nightly(&case.server.base());
    for (from, to, line, words, hint) in FAULTS {
        assert!(good.contains(from), "{from}");
        write(&case, &good.replace(from, to));
        let output = case.sureness("run nightly").output().unwrap();
        ends_with(&output, 2);
        let line = format!("sureness.toml, line {line}");
        says(&text(&output.stderr), &[&line, words, "hint: ", hint]);
    }
    // A value that its flag refuses.
    write(&case, &good.replace("seed = 11", "seed = 'eleven'"));
    let output = case.sureness("run nightly").output().unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &[
            "invalid value 'eleven' for '--seed",
            "hint: the value comes from sureness.toml, line 3",
        ],
    );
    write(&case, &good);
    for (line, words) in [
        (
            "run nightli",
            ["there is no [runs.nightli]", "did you mean \"nightly\"?"],
        ),
        (
            "run nightly --config no.toml",
            ["cannot read the settings file no.toml", "check the path"],
        ),
    ] {
        let output = case.sureness(line).output().unwrap();
        ends_with(&output, 2);
        says(&text(&output.stderr), &words);
    }
    std::fs::remove_file(case.path("sureness.toml")).unwrap();
    let output = case.sureness("run nightly").output().unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["this folder has no sureness.toml", "hint: "],
    );
    assert_eq!(sampled::asked(&case).len(), 0);
}

/// A model that was replaced behind its name in the third night is seen by the gate.
#[test]
fn a_nightly_suite_sees_a_model_that_was_replaced() {
    let case = case(200);
    // The same questions, answered by guesses.
    let mut worse = any_model(sampled::server(Words::default()));
    let guesses = sampled::rows().map(|(stem, mut logits)| {
        logits.reverse();
        (stem, logits)
    });
    worse.server.logits = Some(guesses.collect());
    let replaced = FaultServer::start(worse).unwrap();
    for night in ["1", "2"] {
        succeeds(&case, &format!("run nightly --output-dir nights/{night}"));
    }
    succeeds(&case, "gate nightly");
    let line = format!(
        "run nightly --output-dir nights/3 --api-base {}",
        replaced.base()
    );
    succeeds(&case, &line);
    let settings = std::fs::read_to_string(case.path("sureness.toml")).unwrap();
    write(
        &case,
        &settings.replace("candidate = \"nights/2#1\"", "candidate = \"nights/3#1\""),
    );
    let output = case.sureness("gate nightly").output().unwrap();
    ends_with(&output, 3);
    let listed = succeeds(&case, "runs nights/1 nights/2 nights/3");
    assert_eq!(listed.matches("small").count(), 3, "{listed}");
}

#[cfg(feature = "nats")]
#[test]
fn the_published_schema_is_that_of_the_flags() {
    let case = case(1);
    let schema = succeeds(&case, "config --schema");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/settings.schema.json");
    if std::env::var_os("SURENESS_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert!(
        schema == published,
        "set SURENESS_WRITE_SCHEMAS=1 to write it"
    );
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let run = &schema["properties"]["runs"]["additionalProperties"];
    assert_eq!(run["additionalProperties"], false);
    assert_eq!(
        run["properties"]["protocol"]["enum"],
        serde_json::json!(["paper", "standard"])
    );
    assert_eq!(run["properties"]["verbose"]["type"], "boolean");
    for absent in ["api-key", "header", "config", "nats-password"] {
        assert_eq!(run["properties"].get(absent), None, "{absent}");
    }
}

#[test]
fn completions_complete_commands_and_flags_in_bash() {
    let script = Command::new(program())
        .args(["completions", "bash"])
        .output()
        .unwrap();
    ends_with(&script, 0);
    for (words, expected) in [
        ("sureness do", "doctor"),
        ("sureness run --outp", "--output-dir"),
        ("sureness run --protocol st", "standard"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let [before, last] = [words[words.len() - 2], words[words.len() - 1]];
        let line = format!(
            "{}\nCOMP_WORDS=({}); COMP_CWORD={}; _sureness sureness {last} {before}; echo \"${{COMPREPLY[@]}}\"",
            text(&script.stdout),
            words.join(" "),
            words.len() - 1,
        );
        let output = Command::new("bash")
            .args(["--norc", "-c", &line])
            .output()
            .unwrap();
        let replies = text(&output.stdout);
        assert!(
            replies.split_whitespace().any(|it| it == expected),
            "{replies} {}",
            text(&output.stderr)
        );
    }
    for shell in ["zsh", "fish"] {
        let script = Command::new(program())
            .args(["completions", shell])
            .output()
            .unwrap();
        ends_with(&script, 0);
        assert!(text(&script.stdout).contains("output-dir"));
    }
}

#[test]
fn each_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(program())
        .arg("man")
        .arg(folder.path())
        .output()
        .unwrap();
    ends_with(&output, 0);
    let page = std::fs::read_to_string(folder.path().join("sureness-run.1")).unwrap();
    says(&page, &[".TH", "output\\-dir"]);
    assert!(folder.path().join("sureness.1").is_file());
}

/// What is replaced by what in the settings, the line of the fault, and what the error and its hint say.
const FAULTS: &[(&str, &str, u32, &str, &str)] = &[
    (
        "max_workers = 4",
        "max_workers = 4\nmax-workers = 8",
        10,
        "[servers.local]: max-workers is already set in line 9",
        "keep one of the two lines",
    ),
    (
        "[defaults]",
        "alpha = 0.2\n[defaults]",
        2,
        "`alpha` stands outside any section",
        "[defaults]",
    ),
    (
        "seed = 11",
        "sed = 11",
        3,
        "`sed` is unknown",
        "did you mean `seed`?",
    ),
    (
        "seed = 11",
        "seed = ",
        3,
        "not valid TOML",
        "docs/settings.md",
    ),
    (
        "seed = 11",
        "api-key = 'sk-1'",
        3,
        "is a secret",
        "environment variable",
    ),
    (
        "seed = 11",
        "header = 'Authorization: x'",
        3,
        "is a secret",
        "environment variable",
    ),
    (
        "seed = 11",
        "seed = [[1]]",
        3,
        "neither text nor a number",
        "give text",
    ),
    (
        "seed = 11",
        "seed = [1, 2]",
        3,
        "takes one value",
        "give one",
    ),
    (
        "http://",
        "http://me:sk@",
        7,
        "an address with credentials",
        "api-key-env",
    ),
    (
        "any-model = true",
        "any-model = 'yes'",
        8,
        "is a switch",
        "true or false",
    ),
    (
        "[runs.nightly]",
        "[run.nightly]",
        22,
        "`run` is not a section",
        "[runs]",
    ),
    (
        "[runs.nightly]",
        "[[runs]]",
        22,
        "`runs` is a section, and has no table here",
        "[runs.nightly]",
    ),
    (
        "[runs.nightly]",
        "[runs]",
        23,
        "without a name",
        "[runs.my-name]",
    ),
    (
        "servers.local\", ",
        "servers.lokal\", ",
        23,
        "\"servers.lokal\"",
        "servers.local",
    ),
    (
        "models = [",
        "modles = [",
        24,
        "`modles` is unknown",
        "did you mean `models`?",
    ),
    (
        "margin =",
        "margins =",
        31,
        "`margins` is unknown",
        "did you mean `margin`?",
    ),
];
