//! `sureness run`, `single` and `compare` from outside: a real process asks a real server.
#![cfg(unix)]

mod bad_input;
mod clock;
mod clusters;
mod disk;
mod doctor;
mod drift;
mod endurance;
mod figures;
mod guide;
mod hostile;
mod interrupted;
mod old_stores;
mod texts;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sureness_faultserver::{FaultServer, Script};
use tempfile::TempDir;

use crate::common::{ends_with, results_in, text};

/// A server, a folder for the results, and a home folder.
struct Case {
    server: FaultServer,
    folder: TempDir,
}

/// A short run over two tasks of the built-in questions.
const SHORT: &str = "--tasks qa rc --sample-size 24 --prompt-strategies base --progress none";

impl Case {
    fn new(script: Script) -> Self {
        Self {
            server: FaultServer::start(script).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// `sureness COMMAND` against the server; its words are split at blanks.
    fn command(&self, line: &str) -> Command {
        self.command_into(line, &self.results())
    }

    fn command_into(&self, line: &str, folder: &Path) -> Command {
        let mut command = self.sureness(line);
        command
            .args(["--api-base", &self.server.base()])
            .arg("--output-dir")
            .arg(folder);
        command
    }

    /// `sureness LINE`, whatever the line.
    fn sureness(&self, line: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("sureness"));
        command
            .env_clear()
            .env("SURENESS_HOME", self.folder.path().join("home"))
            .args(line.split_whitespace());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Every question that the server was asked, as often as it was; not the probe's prompts.
    fn questions(&self) -> Vec<String> {
        let mut questions = Vec::new();
        for entry in self.server.log() {
            let prompts = entry.asked.prompts.iter().map(ToString::to_string);
            questions.extend(prompts.filter(|prompt| prompt.contains("Answer:")));
        }
        questions
    }

    /// The figures of the run, with what differs from run to run left out.
    fn figures(&self) -> Value {
        figures_in(&self.results())
    }
}

/// How many questions the last run into this folder found answered there.
fn cached_in(folder: &Path) -> usize {
    let cached = &results_in(folder)["models"][0]["timing"]["cached"];
    cached.as_u64().unwrap() as usize
}

fn figures_in(folder: &Path) -> Value {
    let mut results = results_in(folder);
    for model in results["models"].as_array_mut().unwrap() {
        let model = model.as_object_mut().unwrap();
        model.remove("timing");
        model.remove("identity");
        for group in model["groups"].as_array_mut().unwrap() {
            let group = group.as_object_mut().unwrap();
            for name in ["cached", "retried", "seconds"] {
                group.remove(name);
            }
        }
    }
    results["models"].take()
}
