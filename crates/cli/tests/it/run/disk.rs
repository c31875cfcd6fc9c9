//! Disks that take no more.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sureness_faultserver::{Capacity, Script};
use tempfile::TempDir;

use super::{Case, cached_in, ends_with, figures, figures_in, text};

const RUN: &str = "run --tasks qa rc --sample-size 60 --prompt-strategies base task_specific \
                   --max-workers 2 --batch-size 2 --progress none";
const QUESTIONS: usize = 240;
const IN_FLIGHT: usize = 4;

/// So slow that the run is in its middle for seconds, while other tests keep the processors busy.
fn slow() -> Script {
    Script::healthy().capacity(Capacity {
        base_ms: 40,
        ..Capacity::default()
    })
}

/// A disk of a few megabytes: a tmpfs in a mount namespace that only this test sees.
/// It is gone when this is dropped.
struct Disk {
    holder: Child,
    enter: &'static [&'static str],
    point: TempDir,
}

impl Disk {
    fn new() -> Option<Self> {
        // As root, else as the root of a user namespace.
        let ways: [(&[&str], &[&str]); 2] = [
            (&["-m"], &["-m"]),
            (&["-Urm"], &["-m", "-U", "--preserve-credentials"]),
        ];
        ways.into_iter().find_map(|(leave, enter)| {
            let point = tempfile::tempdir().unwrap();
            let mount = r#"mount -t tmpfs -o size=8m none "$0" && echo ready && exec cat"#;
            let mut holder = Command::new("unshare")
                .args(leave)
                .args(["sh", "-c", mount])
                .arg(point.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            let mut line = String::new();
            let mut said = BufReader::new(holder.stdout.take().unwrap());
            let _ = said.read_line(&mut line);
            let disk = Self {
                holder,
                enter,
                point,
            };
            (line == "ready\n").then_some(disk)
        })
    }

    fn results(&self) -> PathBuf {
        self.point.path().join("results")
    }

    /// The command, where the disk is.
    fn command(&self, case: &Case, line: &str) -> Command {
        let plain = case.asking(line, self.results());
        let mut command = Command::new("nsenter");
        command
            .env_clear()
            .envs(plain.get_envs().filter_map(|(k, v)| Some((k, v?))))
            .arg(format!("--target={}", self.holder.id()))
            .args(self.enter)
            .arg(plain.get_program())
            .args(plain.get_args());
        command
    }

    /// A path on the disk, as seen from here.
    fn seen(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap())
    }

    fn filler(&self) -> PathBuf {
        self.seen(&self.point.path().join("filler"))
    }

    /// Takes up every last byte.
    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        loop {
            match file.write(&[1; 4096]) {
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::StorageFull => return,
                Err(e) => panic!("{e}"),
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// The command was stopped by a full disk; it says so, and what to do.
#[track_caller]
fn says_that_answers_cannot_be_kept(output: &std::process::Output) {
    ends_with(output, 1);
    let stderr = text(&output.stderr);
    for words in [
        "error: cannot save answers: ",
        "sureness.sqlite: ",
        "disk",
        "hint: free some disk space",
        "asks only the rest",
    ] {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }
}

/// After a run was stopped, the same one asks only what is not in the file, and its figures are
/// those of a run that was never stopped.
#[track_caller]
fn goes_on(case: &Case, mut again: Command, results: &Path) {
    let before = case.questions().len();
    ends_with(&again.output().unwrap(), 0);
    let (asked, cached) = (case.questions().len(), cached_in(results));
    assert_eq!(asked - before, QUESTIONS - cached);
    // Only requests in flight when the disk filled up are asked twice.
    let lost = asked - QUESTIONS;
    assert!(lost <= 2 * IN_FLIGHT, "{lost} lost");
    assert!(cached >= 20, "{cached} kept");

    let whole = Case::new(Script::healthy());
    ends_with(&whole.run(RUN), 0);
    assert_eq!(figures_in(results), figures(&whole));
}

#[test]
fn a_disk_that_fills_up_in_mid_run_costs_no_answer() {
    let Some(disk) = Disk::new() else {
        println!("skipped: a disk can be mounted neither as root nor in a user namespace");
        return;
    };
    let case = Case::new(slow());
    let mut command = disk.command(&case, RUN);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let began = Instant::now();
    while case.questions().len() < 40 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(5));
    }
    disk.fill();
    says_that_answers_cannot_be_kept(&child.wait_with_output().unwrap());

    // Nothing is asked as long as nothing can be kept.
    let asked = case.questions().len();
    let refused = disk.command(&case, RUN).output().unwrap();
    ends_with(&refused, 2);
    assert!(text(&refused.stderr).contains("hint: "));
    assert_eq!(case.questions().len(), asked);

    std::fs::remove_file(disk.filler()).unwrap();
    goes_on(&case, disk.command(&case, RUN), &disk.seen(&disk.results()));
}

/// `command` in place of a shell that runs `first`.
fn after(first: &str, command: &Command) -> Command {
    let mut shell = Command::new("bash");
    shell
        .env_clear()
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .args(["-c", &format!(r#"{first} && exec "$@""#), "bash"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

#[test]
fn a_limit_on_the_size_of_files_is_like_a_full_disk() {
    let case = Case::new(slow());
    let mut limited = after("ulimit -f 512", &case.command(RUN));
    says_that_answers_cannot_be_kept(&limited.output().unwrap());
    goes_on(&case, case.command(RUN), &case.results());
}

#[test]
fn results_that_cannot_be_written_are_shown_and_written_the_next_time() {
    let case = Case::new(Script::healthy());
    // Anew, so that only what this very run has answered counts.
    let line = format!("{RUN} --no-cache");
    std::fs::create_dir(case.results()).unwrap();
    // The file that takes the place of `results.json` bears the process's number.
    let planted = format!(
        "/bin/ln -s /dev/full {}/results.json.$$.new",
        case.results().display()
    );
    let output = after(&planted, &case.command(&line)).output().unwrap();
    ends_with(&output, 1);
    let stderr = text(&output.stderr);
    for words in [
        "error: cannot write ",
        "results.json: No space left",
        "hint: free some disk space",
    ] {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }
    assert!(text(&output.stdout).contains("fault-model"));

    let asked = case.questions().len();
    ends_with(&case.run(&line), 0);
    assert_eq!(case.questions().len(), asked);
    assert_eq!(figures(&case)[0]["complete"], true);
}

#[test]
fn words_that_nobody_takes_are_no_reason_to_end() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let line = RUN.replace("--progress none", "--progress plain --verbose");
    let case = Case::new(Script::healthy());
    let mut command = case.command(&line);
    let status = command.stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(case.questions().len(), QUESTIONS);
    assert_eq!(figures(&case)[0]["complete"], true);

    let case = Case::new(Script::healthy());
    let output = case.run(&format!("{RUN} --log-file /dev/full"));
    ends_with(&output, 0);
    let stderr = text(&output.stderr);
    let told = stderr.matches("cannot write to the log file: No space left");
    assert_eq!(told.count(), 1, "{stderr}");
}
