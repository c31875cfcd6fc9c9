//! `sureness import` of further harnesses: what it prints, records and refuses.

use std::path::{Path, PathBuf};

use sureness_store::Reader;

use crate::command;

/// A file or folder that the importers' own tests read.
fn harness(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../importers/tests/data/harnesses")
        .join(name)
}

#[track_caller]
fn imported(folder: &Path, name: &str, flags: &str) -> (String, String) {
    let path = harness(name);
    command::done(folder, &format!("import {} {flags}", path.display()))
}

#[test]
fn every_harness_is_told_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let (stdout, stderr) = imported(folder.path(), "", "--model m");
    for figure in [
        "(acc_raw)",
        "(exact_match)",
        "(accuracy by PPL)",
        "(multiple_choice_grade)",
    ] {
        assert!(stdout.contains(figure), "{stdout}");
    }
    assert!(!stderr.contains("warning"), "{stderr}");
    // The task with log-probabilities has no figure of its own.
    assert!(
        stderr.contains("the file states no accuracy to compare with"),
        "{stderr}"
    );
}

#[test]
fn divided_scores_are_a_run_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path(), "olmes", "");
    let (stdout, stderr) = imported(folder.path(), "olmes", "--normalise chars");
    assert!(stdout.contains("5-shot-rc-per-char"), "{stdout}");
    assert!(stdout.contains("33.33 % (acc_per_char)"), "{stdout}");
    assert!(
        stderr.contains("divided by the characters of each option"),
        "{stderr}"
    );
    let (_, stderr) = imported(folder.path(), "olmes", "--normalise chars");
    assert!(stderr.contains("nothing was written"), "{stderr}");
    let store = Reader::open(&folder.path().join("results/sureness.sqlite")).unwrap();
    assert_eq!(store.runs().unwrap().len(), 2);
    let (stdout, _) = command::done(folder.path(), "analyze results");
    assert!(stdout.contains("have no question in common"), "{stdout}");
}

#[test]
fn what_cannot_be_divided_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, by, expected) in [
        ("evalscope", "chars", "the options are letters"),
        ("opencompass", "bytes", "does not hold how many bytes"),
        (
            "bigbench/scores_toy.json",
            "tokens",
            "does not hold how many tokens",
        ),
    ] {
        let line = format!("import {} --normalise {by}", harness(name).display());
        let stderr = command::refused(folder.path(), &line);
        assert!(
            stderr.contains(expected) && stderr.contains("hint: "),
            "{stderr}"
        );
    }
    assert!(!folder.path().join("results").exists());
}
