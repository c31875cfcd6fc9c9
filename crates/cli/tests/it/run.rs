//! `sureness run`, `single` and `compare` from outside: a real process asks a real server.
#![cfg(unix)]

mod bad_input;
mod clock;
mod clusters;
mod disk;
mod doctor;
mod drift;
mod endurance;
mod figures;
mod guide;
mod hostile;
mod interrupted;
mod odd_servers;
mod old_stores;
mod texts;
mod waits;

use std::path::Path;

use serde_json::Value;
use sureness_testkit::{Case, ends_with, results_in, text};

/// A short run over two tasks of the built-in questions.
const SHORT: &str = "--tasks qa rc --sample-size 24 --prompt-strategies base --progress none";

/// How many questions the last run into this folder found answered there.
fn cached_in(folder: &Path) -> usize {
    let cached = &results_in(folder)["models"][0]["timing"]["cached"];
    cached.as_u64().unwrap() as usize
}

/// The figures in the folder that a case's commands write to.
fn figures(case: &Case) -> Value {
    figures_in(&case.results())
}

/// The figures of a run, without fields that differ between equal runs.
fn figures_in(folder: &Path) -> Value {
    let varying = ["timing", "identity", "cached", "retried", "seconds"];
    let mut results = sureness_testkit::figures_in(folder, &varying);
    results["models"].take()
}
