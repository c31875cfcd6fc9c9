//! Runs `sureness` as a person does: one line, in a folder.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

/// Runs `sureness` in `folder`.
pub(crate) fn sureness(folder: &Path, line: &str) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .current_dir(folder)
        .args(line.split_whitespace())
        .output()
        .unwrap()
}

/// Runs a command that must succeed; returns stdout and stderr.
#[track_caller]
pub(crate) fn done(folder: &Path, line: &str) -> (String, String) {
    let output = sureness(folder, line);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{line}: {stderr}");
    (String::from_utf8(output.stdout).unwrap(), stderr)
}

/// Runs a command that must be refused as bad input, with nothing on stdout; returns stderr.
#[track_caller]
pub(crate) fn refused(folder: &Path, line: &str) -> String {
    let output = sureness(folder, line);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
    assert!(output.stdout.is_empty(), "{line}: in spite of {stderr}");
    stderr
}
