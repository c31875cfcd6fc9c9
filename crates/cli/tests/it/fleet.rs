//! `sureness run --nats`, `worker` and `status` from outside: real processes meet on a real
//! `nats-server`, which is skipped where there is none, but for CI.
#![cfg(all(unix, feature = "nats"))]

mod bad_input;
mod chaos;
mod odd;
mod secure;
mod together;
mod watched;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sureness_faultserver::{FaultServer, Script};
use tempfile::TempDir;

use crate::common::ends_with;

/// No step of these tests takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker, a server that all workers ask, and a folder.
struct Case {
    server: FaultServer,
    nats: Nats,
    folder: TempDir,
}

/// A `nats-server` that can be killed and started again with what it keeps on disk.
struct Nats {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
    options: Vec<String>,
}

/// A process that does not outlive the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end; -1 if it has to be killed in the end.
    fn end(mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            if began.elapsed() > PATIENCE {
                return -1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/bin".into()])
        .map(|folder: PathBuf| folder.join("nats-server"))
        .find(|program| program.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI has no nats-server");
        eprintln!("skipped: there is no nats-server");
    }
    found
}

impl Nats {
    fn start(options: &[&str]) -> Option<Self> {
        program()?;
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut nats = Self {
            port,
            folder: tempfile::tempdir().unwrap(),
            process: None,
            options: options.iter().map(|&o| o.to_owned()).collect(),
        };
        nats.rise();
        Some(nats)
    }

    fn rise(&mut self) {
        let mut command = Command::new(program().unwrap());
        command
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-sd"])
            .arg(self.folder.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "nats-server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Case {
    /// `None` without a `nats-server`.
    fn new(script: Script) -> Option<Self> {
        Some(Self {
            server: FaultServer::start(script).unwrap(),
            nats: Nats::start(&["-js"])?,
            folder: tempfile::tempdir().unwrap(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `sureness LINE`; its words are split at blanks.
    fn sureness(&self, line: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("sureness"));
        command
            .env_clear()
            .env("SURENESS_HOME", self.path("home"))
            .current_dir(self.folder.path())
            .args(line.split_whitespace());
        command
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

    fn wait_for(&self, what: &str, mut come_about: impl FnMut() -> bool) {
        let began = Instant::now();
        while !come_about() {
            assert!(
                began.elapsed() < PATIENCE,
                "{what} does not come about; the coordinator said: {}",
                self.said("coordinator")
            );
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Asks the same questions on one machine.
    fn alone(&self, line: &str, folder: &str) {
        let mut command = self.sureness(line);
        command.args(["--api-base", &self.server.base()]).args([
            "--progress",
            "none",
            "--output-dir",
            folder,
        ]);
        ends_with(&command.output().unwrap(), 0);
    }

    /// The results in the folder of this name, as they are written, without their timing.
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
        for entry in self.server.log() {
            for prompt in entry.asked.prompts.iter().map(ToString::to_string) {
                if prompt.contains("Answer:") {
                    *seen.entry(prompt).or_insert(0_u64) += 1;
                }
            }
        }
        seen.values().map(|times| times - 1).sum()
    }
}

fn figures_in(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("results.json")).unwrap();
    let mut results: Value = serde_json::from_str(&text).unwrap();
    for model in results["models"].as_array_mut().unwrap() {
        let model = model.as_object_mut().unwrap();
        assert!(model.remove("timing").is_some());
        // Its number in its file: a run that was killed and goes on has a later one.
        assert!(model.remove("run").is_some());
        // Measured by asking again, where enough was asked in one go.
        model.remove("noise");
    }
    serde_json::to_string_pretty(&results).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
