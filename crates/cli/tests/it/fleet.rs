//! `sureness run --nats`, `worker` and `status` from outside: real processes meet on a real
//! `nats-server`, which is skipped where there is none, but for CI.
#![cfg(all(unix, feature = "nats"))]

mod bad_input;
mod chaos;
mod odd;
mod secure;
mod together;
mod until;
mod watched;

use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};

use sureness_faultserver::Script;
use sureness_testkit::{Nats, PATIENCE, Process, ends_with, text, wait_for};

/// A broker, a server that all workers ask, and a folder.
struct Case {
    base: sureness_testkit::Case,
    nats: Nats,
}

impl Deref for Case {
    type Target = sureness_testkit::Case;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

impl Case {
    /// `None` without a `nats-server`.
    fn new(script: Script) -> Option<Self> {
        Some(Self {
            base: sureness_testkit::Case::new(script),
            nats: Nats::start(&["-js"])?,
        })
    }

    /// The command, connected to the broker.
    fn meeting(&self, line: &str) -> Command {
        let mut command = self.sureness(line);
        command.args(["--nats", &self.nats.url()]);
        command
    }

    /// A process whose words go to a file of this name.
    fn spawn(&self, mut command: Command, log: &str) -> Process {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path(log))
            .unwrap();
        command.stdout(Stdio::null()).stderr(log);
        Process(command.spawn().unwrap())
    }

    fn worker(&self, name: &str) -> Process {
        let mut command =
            self.meeting("worker --give-up-after 60 --max-workers 2 --log-file w.jsonl");
        command.args(["--api-base", &self.server.base()]);
        self.spawn(command, name)
    }

    fn coordinator(&self, line: &str, folder: &str) -> Process {
        let mut command = self.meeting(line);
        command.args(["--progress", "plain", "--output-dir", folder]);
        self.spawn(command, "coordinator")
    }

    /// The stderr of a process so far.
    fn said(&self, log: &str) -> String {
        std::fs::read_to_string(self.path(log)).unwrap_or_default()
    }

    fn wait_for(&self, what: &str, come_about: impl FnMut() -> bool) {
        let why = || format!("{what}; the coordinator said: {}", self.said("coordinator"));
        wait_for(why, come_about);
    }

    /// Asks the same questions on one machine.
    fn alone(&self, line: &str, folder: &str) {
        let mut command = self.asking(line, folder);
        command.args(["--progress", "none"]);
        ends_with(&command.output().unwrap(), 0);
    }

    /// The results in the folder of this name, as they are written, without provenance and timing.
    fn figures(&self, name: &str) -> String {
        figures_in(&self.path(name))
    }

    /// Both are the same, line by line.
    fn alike(&self, one: &str, other: &str) {
        let (one, other) = (self.figures(one), self.figures(other));
        for (number, (a, b)) in one.lines().zip(other.lines()).enumerate() {
            assert_eq!(a, b, "line {number}");
        }
        assert_eq!(one.len(), other.len());
    }

    /// How often questions were asked beyond the first time. Those of a worker's probe are none.
    fn asked_twice(&self) -> u64 {
        let mut seen = std::collections::HashMap::new();
        for prompt in self.questions() {
            *seen.entry(prompt).or_insert(0_u64) += 1;
        }
        seen.values().map(|times| times - 1).sum()
    }
}

/// A killed run that continues has a later number in its file, and noise is measured only where
/// enough was asked in one go.
fn figures_in(folder: &Path) -> String {
    let results = sureness_testkit::figures_in(folder, &["provenance", "timing", "run", "noise"]);
    serde_json::to_string_pretty(&results).unwrap()
}
