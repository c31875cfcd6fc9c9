//! A hub of data sets.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Process, skip};

/// The commit of every data set that [`HubServer::with`] makes.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// `scripts/servers/hub.py` with data sets of the test's own, and an empty cache folder.
#[derive(Debug)]
pub struct HubServer {
    /// The address.
    pub endpoint: String,
    folder: TempDir,
    _process: Process,
}

impl HubServer {
    /// The token that opens restricted data sets.
    pub const TOKEN: &str = "hf_right";
    /// The commit of every data set that [`HubServer::with`] makes.
    pub const COMMIT: &str = COMMIT;

    /// Starts a hub with one data set, whose branch `main` has these files; files that end in
    /// `.parquet` or `.csv` count as large. `None` without Python.
    pub fn with(repo: &str, files: &[(&str, &str)]) -> Option<Self> {
        let server = Self::start()?;
        server.describe(repo, json!({}));
        for (file, text) in files {
            server.put(repo, COMMIT, file, text.as_bytes());
        }
        Some(server)
    }

    fn start() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/servers/hub.py");
        let folder = tempfile::tempdir().unwrap();
        let started = Command::new("python3")
            .arg(script)
            .arg(folder.path())
            .stdout(Stdio::piped())
            // It complains of every connection that is cut.
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = started else {
            skip("python3 is missing");
            return None;
        };
        let mut endpoint = String::new();
        BufReader::new(process.stdout.take()?)
            .read_line(&mut endpoint)
            .unwrap();
        Some(Self {
            endpoint: endpoint.trim().to_owned(),
            folder,
            _process: Process(process),
        })
    }

    /// Describes a data set anew: the fields of `hub.py` that differ from one open branch `main`.
    pub fn describe(&self, repo: &str, about: Value) {
        let mut whole = json!({"refs": {"main": COMMIT}, "lfs": [".parquet", ".csv"]});
        if let (Some(whole), Value::Object(about)) = (whole.as_object_mut(), about) {
            whole.extend(about);
        }
        let path = self.folder.path().join("hub.json");
        let known = fs::read(&path).unwrap_or_else(|_| b"{}".to_vec());
        let mut all: Value = serde_json::from_slice(&known).unwrap();
        all[repo] = whole;
        fs::write(path, all.to_string()).unwrap();
    }

    /// Adds a file to a commit.
    pub fn put(&self, repo: &str, commit: &str, file: &str, bytes: &[u8]) {
        let path = self.folder.path().join(repo).join(commit).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A folder for the cache.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Every request so far: method, path, range, and whether a token came with it.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("requests.log"));
        log.unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
