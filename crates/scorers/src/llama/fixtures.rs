//! Real prompts and a real model for the tests, shared with `tests/it/llama.rs`.

#![allow(unreachable_pub, reason = "included into an integration test as well")]

use std::{
    fmt::Write,
    num::NonZeroU32,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::LlamaOptions;

/// The model to test with, or `None` with a message if there is none. CI has one.
pub(crate) fn gguf() -> Option<Gguf> {
    let Some(path) = std::env::var_os("SURENESS_TEST_GGUF").map(PathBuf::from) else {
        skip("SURENESS_TEST_GGUF does not name a GGUF file");
        return None;
    };
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Some(Gguf { path, _turn: turn })
}

/// One thread: several would spin while they wait for each other, which takes many times as long
/// where other tests use the same cores.
pub(crate) fn options() -> LlamaOptions {
    LlamaOptions {
        threads: NonZeroU32::new(1),
        ..LlamaOptions::default()
    }
}

/// llama.cpp's threads spin while they wait: several models at once on the same cores are many times
/// slower than one after the other.
static TURN: Mutex<()> = Mutex::new(());

/// The model's file, locked for one test at a time.
pub(crate) struct Gguf {
    path: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Gguf {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI, but {why}");
    eprintln!("skipped: {why}");
}

/// The one-shot prefix of an MMLU subject and the suffixes of its questions. Five shots, as the
/// benchmark has them, would show the same and take three times as long.
pub(crate) struct Subject {
    pub prefix: Arc<str>,
    pub suffixes: Vec<String>,
}

/// Reads a subject from the published data; `None` with a message if absent.
pub(crate) fn mmlu(subject: &str) -> Option<Subject> {
    mmlu_with(subject, 1)
}

/// The same with so many examples.
pub(crate) fn mmlu_with(subject: &str, shots: usize) -> Option<Subject> {
    let shared = std::env::var_os("SURENESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("datasets/mmlu");
    if !folder.is_dir() {
        skip("../shared is not here");
        return None;
    }
    let mut prefix = String::from("Multiple-choice questions with their answers.\n\n");
    for row in rows(&folder.join(format!("dev/{subject}_dev.csv")))
        .iter()
        .take(shots)
    {
        let _ = write!(prefix, "{} {}\n\n", question(row), &row[5]);
    }
    let suffixes = rows(&folder.join(format!("test/{subject}_test.csv")))
        .iter()
        .map(question)
        .collect();
    Some(Subject {
        prefix: prefix.into(),
        suffixes,
    })
}

fn rows(path: &Path) -> Vec<csv::StringRecord> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(path)
        .unwrap()
        .records()
        .map(Result::unwrap)
        .collect()
}

fn question(row: &csv::StringRecord) -> String {
    let mut text = format!("Question: {}\nChoices:\n", &row[0]);
    let options = (1..=4)
        .map(|column| &row[column])
        .chain(["I don't know", "None of the above"]);
    for (letter, option) in ('A'..).zip(options) {
        let _ = writeln!(text, "{letter}. {option}");
    }
    text + "Answer:"
}
