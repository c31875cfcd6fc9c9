//! A real NATS server.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{Process, skip, wait_for};

/// A `nats-server` that can be killed and started again with what it kept on disk.
#[derive(Debug)]
pub struct Nats {
    program: PathBuf,
    /// The port on loopback.
    pub port: u16,
    /// The folder of its data.
    pub folder: TempDir,
    process: Option<Process>,
    options: Vec<String>,
}

impl Nats {
    /// Starts a server with these options. Without a `nats-server`, the test is [skipped](skip).
    pub fn start(options: &[&str]) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut nats = Self {
            program: program()?,
            port,
            folder: tempfile::tempdir().unwrap(),
            process: None,
            options: options.iter().map(|&option| option.to_owned()).collect(),
        };
        nats.rise();
        Some(nats)
    }

    /// Starts the server again after [`kill`](Self::kill).
    pub fn rise(&mut self) {
        let mut command = Command::new(&self.program);
        command
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-sd"])
            .arg(self.folder.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.process = Some(Process::spawn(&mut command));
        wait_for(
            || "nats-server does not start".to_owned(),
            || TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
        );
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/bin".into()])
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.exists());
    if found.is_none() {
        skip("nats-server is missing");
    }
    found
}
