//! `sureness run --shard` and `sureness merge` from outside: parts of a run, each asked by a
//! process of its own, become the run that one process would have made.
#![cfg(unix)]

mod bad_input;
mod drawn;
mod missing;
mod old_rule;
mod ready_files;
mod whole;

use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sureness_faultserver::{Capacity, Fault, Rule, Script};
use sureness_testkit::{PATIENCE, ends_with, results_in, says, text};

/// A server that several processes ask, and a folder for all of them.
struct Case(sureness_testkit::Case);

impl Deref for Case {
    type Target = sureness_testkit::Case;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Two models, two tasks, two strategies; about one question in thirty fails for good.
fn script() -> Script {
    let odd = Rule::matching(
        |asked| {
            let prompt = asked.prompts.first().map(ToString::to_string);
            prompt.is_some_and(|prompt| prompt.contains("Answer:") && prompt.len() % 31 == 0)
        },
        Fault::Status {
            status: 400,
            message: "not this one".to_owned(),
        },
    );
    let mut script = Script::with(odd);
    script.server.check_model = false;
    script
}

/// A run that is slow enough to be killed in the middle.
fn slow() -> Script {
    script().capacity(Capacity {
        base_ms: 15,
        ..Capacity::default()
    })
}

impl Case {
    fn new(script: Script) -> Self {
        Self(sureness_testkit::Case::new(script))
    }

    /// `sureness LINE` against the server, into a folder of this name.
    fn asking(&self, line: &str, name: &str) -> Command {
        let mut command = self.0.asking(line, name);
        command.args(["--progress", "none"]);
        command
    }

    fn ask(&self, line: &str, name: &str) -> Output {
        self.asking(line, name).output().unwrap()
    }

    /// Asks all parts of a run, each into a folder `shards/I`.
    fn ask_shards(&self, line: &str, of: u32) {
        for index in 1..=of {
            let output = self.ask(&format!("{line} --shard {index}/{of}"), &shard(index));
            ends_with(&output, 0);
        }
    }

    fn merge(&self, line: &str) -> Output {
        self.sureness(&format!("merge {line}")).output().unwrap()
    }

    /// The results in the folder of this name, as they are written, without provenance and timing.
    fn figures(&self, name: &str) -> String {
        figures_in(&self.path(name))
    }

    fn csv(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name).join("results.csv")).unwrap()
    }

    /// Starts a shard and kills it after so many answers.
    fn kill_in_the_middle(&self, line: &str, name: &str, answers: u64) {
        let before = self.server.counts().prompts_answered;
        let mut command = self.asking(line, name);
        let mut child: Child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while self.server.counts().prompts_answered < before + answers {
            assert!(began.elapsed() < PATIENCE, "nothing happens");
            assert!(child.try_wait().unwrap().is_none(), "ended too early");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        self.server.wait_until_idle(PATIENCE);
    }
}

fn shard(index: u32) -> String {
    format!("shards/{index}")
}

fn figures_in(folder: &Path) -> String {
    let results = sureness_testkit::figures_in(folder, &["provenance", "timing"]);
    serde_json::to_string_pretty(&results).unwrap()
}

/// Asserts the exit code and words of the error message.
#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    ends_with(output, code);
    let stderr = text(&output.stderr);
    says(&stderr, words);
    says(&stderr, &["error: ", "hint: "]);
}
