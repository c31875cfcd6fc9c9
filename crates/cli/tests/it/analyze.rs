//! `sureness analyze` and `sureness report` from outside: the paper's further figures, files that
//! open, and what is said to bad input.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use sureness_testkit::shared;

mod apart;
mod bad_input;
mod files;
mod paper;
mod saved;

/// Runs `sureness` in `folder`.
fn sureness<S: AsRef<str>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Output {
    let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
    Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .current_dir(folder)
        .args(args.collect::<Vec<_>>())
        .output()
        .unwrap()
}

/// Runs a command that must succeed; returns stdout and stderr.
fn succeeds<S: AsRef<str>>(folder: &Path, args: impl IntoIterator<Item = S>) -> (String, String) {
    let output = sureness(folder, args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    (String::from_utf8(output.stdout).unwrap(), stderr)
}

/// Runs a command that must be refused, with nothing on stdout; returns stderr.
fn refused<S: AsRef<str>>(folder: &Path, args: impl IntoIterator<Item = S>) -> String {
    let output = sureness(folder, args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty(), "figures in spite of: {stderr}");
    stderr
}

/// The table of this id in a document.
fn table<'a>(document: &'a Value, id: &str) -> &'a Value {
    let sections = document["sections"].as_array().unwrap();
    let mut tables = sections
        .iter()
        .flat_map(|section| section["tables"].as_array().unwrap());
    tables
        .find(|table| table["id"] == id)
        .unwrap_or_else(|| panic!("there is no table {id}"))
}

/// The figure in this column of the first row for which `wanted` holds of the row's texts.
fn figure(table: &Value, column: &str, wanted: impl Fn(&[&str]) -> bool) -> f64 {
    let columns = table["columns"].as_array().unwrap();
    let place = columns.iter().position(|c| c["key"] == column).unwrap();
    let rows = table["rows"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| {
            let cells = row.as_array().unwrap();
            let texts: Vec<&str> = cells
                .iter()
                .filter_map(|cell| cell["text"].as_str())
                .collect();
            wanted(&texts)
        })
        .expect("there is such a row");
    row[place]["figure"]["value"].as_f64().unwrap()
}
