//! The binary against a fault server.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sureness_faultserver::{FaultServer, Script};
use tempfile::TempDir;

/// A fault server and a folder that `sureness` runs in.
#[derive(Debug)]
pub struct Case {
    /// The server that is asked.
    pub server: FaultServer,
    /// The working directory, removed in the end.
    pub folder: TempDir,
    program: PathBuf,
}

impl Case {
    /// Starts a server. `program` is the binary, `env!("CARGO_BIN_EXE_sureness")`.
    #[track_caller]
    pub fn new(program: impl Into<PathBuf>, script: Script) -> Self {
        Self {
            server: FaultServer::start(script).unwrap(),
            folder: tempfile::tempdir().unwrap(),
            program: program.into(),
        }
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `sureness LINE` with the line split at blanks, in an empty environment.
    pub fn sureness(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("SURENESS_HOME", self.path("home"))
            .current_dir(self.folder.path())
            .args(line.split_whitespace());
        command
    }

    /// The same against the server, with results in `folder`.
    pub fn asking(&self, line: &str, folder: impl AsRef<OsStr>) -> Command {
        let mut command = self.sureness(line);
        command
            .args(["--api-base", &self.server.base()])
            .arg("--output-dir")
            .arg(folder);
        command
    }

    /// Runs `sureness LINE` against the server, with results in the folder `results`.
    #[track_caller]
    pub fn run(&self, line: &str) -> Output {
        self.asking(line, "results").output().unwrap()
    }

    /// Every question that the server was asked, repeats included; not the probe's prompts.
    pub fn questions(&self) -> Vec<String> {
        let log = self.server.log();
        let prompts = log.iter().flat_map(|entry| entry.asked.prompts.iter());
        prompts
            .map(ToString::to_string)
            .filter(|prompt| prompt.contains("Answer:"))
            .collect()
    }
}
