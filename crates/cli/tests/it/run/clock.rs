//! A clock that jumps in mid-run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sureness_faultserver::{Capacity, Script};

use super::{Case, ends_with, figures};

/// Asks every question again, so that only the clock decides which answers an interrupted run has.
const RUN: &str = "run --tasks qa rc --sample-size 60 --prompt-strategies base --max-workers 2 \
                   --no-cache --progress none";
const QUESTIONS: usize = 120;

/// Where Debian and its kin keep libfaketime.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
}

/// A clock that can be set.
struct Clock<'a> {
    library: &'a Path,
    file: PathBuf,
}

impl Clock<'_> {
    /// The offset of the clock, in days.
    fn set(&self, days: i32) {
        std::fs::write(&self.file, format!("{days:+}d")).unwrap();
    }

    /// Lets a process live by this clock; only what people take for the time is changed.
    fn rule(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
    }
}

#[test]
fn a_clock_that_jumps_in_mid_run_changes_nothing() {
    let Some(library) = library() else {
        println!("skipped: libfaketime is not installed");
        return;
    };
    let slow = Script::healthy().capacity(Capacity {
        base_ms: 10,
        ..Capacity::default()
    });
    let whole = Case::new(slow.clone());
    ends_with(&whole.run(RUN), 0);

    let case = Case::new(slow);
    let clock = Clock {
        library: &library,
        file: case.folder.path().join("clock"),
    };
    clock.set(0);
    let command = || {
        let mut command = case.command(RUN);
        clock.rule(&mut command);
        command
    };
    let mut child = command()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Forwards, backwards, and the run is ended.
    let began = Instant::now();
    for (questions, days) in [(20, 2), (40, -3), (60, -400)] {
        while case.questions().len() < questions {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing happens");
            std::thread::sleep(Duration::from_millis(2));
        }
        clock.set(days);
    }
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    case.server.wait_until_idle(Duration::from_secs(10));
    assert!(case.questions().len() < QUESTIONS);

    clock.set(-500);
    ends_with(&command().output().unwrap(), 0);
    assert_eq!(case.questions().len(), QUESTIONS);
    assert_eq!(figures(&case), figures(&whole));
    // A new run asks every question again, although all answers are from its future.
    clock.set(-600);
    ends_with(&command().output().unwrap(), 0);
    assert_eq!(case.questions().len(), 2 * QUESTIONS);
    assert_eq!(figures(&case)[0]["groups"], figures(&whole)[0]["groups"]);
}
