//! Processes that end with the test.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Longer than any step of a test takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `done` returns true.
///
/// # Panics
///
/// After [`PATIENCE`], with the text of `what`.
#[track_caller]
pub fn wait_for(what: impl Fn() -> String, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "timed out: {}", what());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A process that is killed when the value is dropped.
#[derive(Debug)]
pub struct Process(pub Child);

impl Process {
    /// Starts a process.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Kills the process, as SIGKILL does.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends a signal, such as `-TERM`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        let status = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the process to exit; -1 if it had to be killed, by anyone.
    pub fn end(mut self) -> i32 {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        -1
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
