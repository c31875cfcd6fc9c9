//! The questions in an archive, to be asked again.

use std::fs::File;
use std::path::Path;

use serde_json::{Map, Value};

use super::archive::Archive;
use crate::error::printable;
use crate::{ImportError, Place, Problem, json};

/// The fields of a sample that its question comes from.
const FIELDS: [&str; 5] = ["id", "epoch", "input", "choices", "target"];

/// Whether a file is a log of Inspect as a zip archive (`.eval`).
pub fn is_archive(path: &Path) -> bool {
    let archive = File::open(path).map(Archive::open);
    archive.is_ok_and(|archive| archive.is_ok_and(|mut archive| archive.header(path).is_ok()))
}

/// The samples of such an archive as a JSON log, one per line and without their answers: what
/// `inspect log dump` writes, as far as questions are read from it.
pub fn questions_of(path: &Path) -> Result<Vec<u8>, ImportError> {
    let file = File::open(path).map_err(|error| Problem::Io(error).of(path))?;
    let mut archive = Archive::open(file).map_err(|problem| problem.of(path))?;
    let mut samples = Vec::new();
    for name in archive.samples() {
        let at = |problem: Problem| problem.at(path, Place::Sample(printable(&name)));
        let bytes = archive.member(&name).map_err(at)?;
        let sample: Map<String, Value> = json::parse(&bytes).map_err(at)?;
        let read = sample
            .into_iter()
            .filter(|(field, _)| FIELDS.contains(&&**field));
        samples.push(Value::Object(read.collect()).to_string());
    }
    let samples = samples.join(",\n");
    let head = r#"{"version":2,"status":"success","eval":{},"samples":["#;
    Ok(format!("{head}{samples}]}}").into_bytes())
}
