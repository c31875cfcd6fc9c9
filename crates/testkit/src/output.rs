//! Checks of what a program printed and wrote.

use std::path::Path;
use std::process::Output;

use serde_json::{Map, Value};

/// Asserts that `text` contains all of `parts`.
#[track_caller]
pub fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// Output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts that a process exited with `code`; its output explains a failure.
#[track_caller]
pub fn ends_with(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "stderr: {}\nstdout: {}",
        text(&output.stderr),
        text(&output.stdout)
    );
}

/// The `results.json` that a run wrote into `folder`.
#[track_caller]
pub fn results_in(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The same without the fields `varying` of the whole, of each model and of its groups, which may
/// differ between equal runs.
#[track_caller]
pub fn figures_in(folder: &Path, varying: &[&str]) -> Value {
    let mut results = results_in(folder);
    let strip = |fields: &mut Map<String, Value>| {
        fields.retain(|name, _| !varying.contains(&name.as_str()));
    };
    strip(results.as_object_mut().unwrap());
    for model in results["models"].as_array_mut().unwrap() {
        for group in model["groups"].as_array_mut().unwrap() {
            strip(group.as_object_mut().unwrap());
        }
        strip(model.as_object_mut().unwrap());
    }
    results
}
