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
}

impl Case {
    /// Starts a server with this script.
    #[track_caller]
    pub fn new(script: Script) -> Self {
        Self {
            server: FaultServer::start(script).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `sureness LINE` with the line split at blanks, in an empty environment.
    pub fn sureness(&self, line: &str) -> Command {
        let mut command = Command::new(program());
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

    /// The folder of the results that [`command`](Self::command) writes.
    pub fn results(&self) -> PathBuf {
        self.path("results")
    }

    /// `sureness LINE` against the server, with results in [`results`](Self::results).
    pub fn command(&self, line: &str) -> Command {
        self.asking(line, self.results())
    }

    /// Runs [`command`](Self::command).
    #[track_caller]
    pub fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
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

/// The binary that Cargo built for the tests of the package `sureness`.
pub fn program() -> PathBuf {
    // Cargo before 1.94 sets the variable only at compile time, and only for that package.
    std::env::var_os("CARGO_BIN_EXE_sureness").map_or_else(
        || {
            let test = std::env::current_exe().unwrap();
            let profile = test.ancestors().nth(2).unwrap();
            profile.join(format!("sureness{}", std::env::consts::EXE_SUFFIX))
        },
        PathBuf::from,
    )
}
