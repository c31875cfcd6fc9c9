//! Reads logits that were saved earlier, so that they can be scored without asking a model.
//!
//! Four formats are understood; the file's extension determines which:
//!
//! | extension | layout |
//! |---|---|
//! | `.pkl`, `.pickle` | a Python list of `{"id": int, "logits_options": numpy array}` |
//! | `.jsonl`, `.ndjson` | `{"id": …, "logits": […]}` per line |
//! | `.csv` | a header with `id` and one column per option, between commas, tabs or semicolons |
//! | `.parquet` | a column `id` and a list column, or one column per option |
//!
//! In pickles, JSONL and Parquet lists the field is `logits_options` or `logits` for logits and
//! `logprobs` for natural log-probabilities; a row has one of them. Option columns are
//! `A`, `B`, `C`… or `logit_A`… (`logits_A`…) for logits and `logprob_A`… (`logprobs_A`…) for
//! log-probabilities; after an underscore the letter may be small, or a number counted from 0.
//! They may come in any order. `answer`, `mass` and `bounded` are read as well; other columns are
//! ignored.
//!
//! Every row must have the same 2 to 26 finite values and an id of its own. Untrusted files
//! are safe: no code in a pickle runs, and memory stays proportional to the size of the file, whatever
//! lengths it claims.

mod cells;
mod collect;
mod columns;
mod csv;
mod error;
mod file_name;
mod jsonl;
mod parquet;
mod pickle;
mod row;
mod shares;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use cells::{Cell, visit_cells};
pub use columns::{LISTS, ScoreColumns, score_columns};
pub use csv::separator;
pub use error::{Place, Problem, ReplayError};
pub use file_name::FileName;
pub use row::{Beside, Mass};
pub use shares::Shares;

use error::Fault;

/// The most options that a question can have: one per letter.
pub const MAX_OPTIONS: usize = 26;

/// The largest file that is read. Ten thousand rows of six logits take well under a megabyte.
const MAX_FILE: u64 = 1 << 30;

/// Whether values are logits or log-probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Unnormalised logits.
    Logits,
    /// Natural log-probabilities.
    LogProbs,
}

/// The saved values of one file, one row per question, in file order.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedLogits {
    /// Question ids, all different.
    pub ids: Vec<i64>,
    /// Values per row, one per option.
    pub width: usize,
    /// All values, row by row. Decimal text is read as a 64-bit number and rounded once.
    pub values: Vec<f32>,
    /// The same values in full precision, present only where 32 bits cannot hold at least one of
    /// them: when absent, [`Self::values`] loses nothing.
    pub values64: Option<Vec<f64>>,
    /// What the values are.
    pub kind: Kind,
    /// What each row says beside its scores; empty where the file has no columns for it.
    pub beside: Vec<Beside>,
    /// Ids of the rows that were left out as [`read_without`] was told to.
    pub dropped: BTreeSet<i64>,
}

impl RecordedLogits {
    /// What row `index` says beside its scores.
    pub fn beside(&self, index: usize) -> Beside {
        self.beside.get(index).cloned().unwrap_or_default()
    }

    /// The values of row `index`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.width..][..self.width]
    }
}

/// Reads a file of saved logits.
pub fn read(path: &Path) -> Result<RecordedLogits, ReplayError> {
    read_without(path, &BTreeSet::new())
}

/// Reads a file of saved logits but for the rows with these ids. Nothing but the id of such a row
/// has to be valid: it may be the question that a model did not answer.
pub fn read_without(path: &Path, drop: &BTreeSet<i64>) -> Result<RecordedLogits, ReplayError> {
    let bytes = load(path).map_err(|problem| problem.at(Place::File).of(path))?;
    parse(path, bytes, drop).map_err(|fault| fault.of(path))
}

/// Reads saved logits that are in memory already. Errors name them by `path`, whose
/// extension determines the format.
pub fn read_bytes(path: &Path, bytes: Vec<u8>) -> Result<RecordedLogits, ReplayError> {
    parse(path, bytes, &BTreeSet::new()).map_err(|fault| fault.of(path))
}

fn load(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = File::open(path)?;
    let too_large = |bytes| Problem::TooLarge {
        bytes,
        limit: MAX_FILE,
    };
    let size = file.metadata()?.len();
    if size > MAX_FILE {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    // A pipe has no size, so reading checks the limit as well.
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes)? as u64;
    if read > MAX_FILE {
        return Err(too_large(read));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: Vec<u8>, drop: &BTreeSet<i64>) -> Result<RecordedLogits, Fault> {
    if bytes.is_empty() {
        return Err(Problem::Empty.at(Place::File));
    }
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("pkl" | "pickle") => pickle::read(&bytes, drop),
        Some("jsonl" | "ndjson") => jsonl::read(&bytes, drop),
        Some("csv" | "tsv") => csv::read(&bytes, drop),
        Some("parquet") => parquet::read(bytes, drop),
        _ if bytes.starts_with(b"PAR1") => parquet::read(bytes, drop),
        // A pickle of protocol 2 or later.
        _ if bytes.starts_with(&[0x80]) => pickle::read(&bytes, drop),
        _ => Err(Problem::UnknownFormat.at(Place::File)),
    }
}
