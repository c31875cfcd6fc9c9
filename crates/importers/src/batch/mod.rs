//! Batches of OpenAI's interface: the requests, and the file of results and that of errors, one JSON
//! object per line, joined by `custom_id`.
//!
//! A request has `custom_id` and `body`, a result `custom_id` and `response` or `error`
//! (`BatchRequestInput` and `BatchRequestOutput` in OpenAI's specification, version 2.3.0). vLLM's
//! `run-batch` and other servers write the same.

mod request;
mod results;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::choice::Choice;
use crate::error::{Fault, printable};
use crate::exchange::Keys;
use crate::imported::{Imported, Options};
use crate::{ImportError, Place, Problem, json, lines};
use request::Requests;
use results::Results;

/// Imports all files of batches: one import per model.
pub(crate) fn import(
    paths: &[PathBuf],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let open = |path: &Path| File::open(path).map_err(|error| Problem::Io(error).of(path));
    of_files(paths, open, choice, options)
}

/// Imports one file that is in memory.
pub(crate) fn import_bytes(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    of_files(
        &[path.to_owned()],
        |_| Ok(Cursor::new(bytes)),
        choice,
        options,
    )
}

fn of_files<R: Read>(
    paths: &[PathBuf],
    open: impl Fn(&Path) -> Result<R, ImportError>,
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let Some(first) = paths.first() else {
        return Ok(Vec::new());
    };
    let keys = options.questions.as_deref().map(Keys::read).transpose()?;
    // Answers may be large, so that all requests are read first.
    let mut requests = Requests::default();
    for path in paths {
        let digest = lines::lines(path, open(path)?, |place, row: Value| {
            if is_request(&row) {
                requests.add(path, place, &row)
            } else {
                Ok(())
            }
        })?;
        requests.file(path, &digest);
    }
    let mut results = Results::new(&requests, choice, keys.as_ref(), options);
    for path in paths {
        let digest = lines::lines(path, open(path)?, |place, row: Value| {
            if is_request(&row) {
                return Ok(());
            }
            results.add(path, &place, &row)
        })?;
        results.file(path, &digest);
    }
    results.finish(first)
}

/// Whether a row is a request rather than a result.
fn is_request(row: &Value) -> bool {
    row.get("body").is_some_and(Value::is_object) && row.get("response").is_none()
}

/// The id that joins a request with its result.
fn custom_id(row: &Value) -> Result<String, Fault> {
    match row.get("custom_id") {
        None | Some(Value::Null) => Err(Problem::Missing.field("custom_id")),
        Some(id) => json::id(id, "custom_id"),
    }
}

/// An id that occurs twice.
fn repeated(id: &str, first: &str, path: &Path, place: Place) -> ImportError {
    let (id, first) = (printable(id), first.to_owned());
    let problem = Problem::RepeatedId { id, first };
    problem.field("custom_id").at(path, place)
}
