//! Helpers of several tests.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

/// The folder of real inputs. `None`, with a message, where it is absent; fails in CI.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("SURENESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if folder.join("paper").is_dir() {
        return folder.canonicalize().ok();
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "../shared is not here, but CI must have it"
    );
    eprintln!("skipped: ../shared is not here");
    None
}

/// Holds all of `parts`.
#[track_caller]
pub(crate) fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
pub(crate) fn ends_with(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "stderr: {}\nstdout: {}",
        text(&output.stderr),
        text(&output.stdout)
    );
}

/// The results that a run wrote into this folder.
pub(crate) fn results_in(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
