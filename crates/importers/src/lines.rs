//! The rows of a file: JSON lines, plain or compressed with gzip, or one list of the same objects.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;

use crate::json;
use crate::read::{GZIP, MAX_FILE};
use crate::{ImportError, Place, Problem};

/// Maximum length of a line, which repeats the few-shot examples for each option.
const MAX_LINE: u64 = 64 << 20;
/// Maximum size of a compressed file, unpacked.
const MAX_UNPACKED: u64 = 16 << 30;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Passes each line to `visit` with its place; returns the digest of the file's bytes.
pub(crate) fn lines<T: DeserializeOwned>(
    path: &Path,
    reader: impl Read,
    mut visit: impl FnMut(Place, T) -> Result<(), ImportError>,
) -> Result<blake3::Hash, ImportError> {
    let failed = |error| Problem::Io(error).of(path);
    let mut file = BufReader::with_capacity(1 << 16, Hashing::new(reader));
    if file.fill_buf().map_err(failed)?.starts_with(GZIP) {
        let unpacked = MultiGzDecoder::new(&mut file).take(MAX_UNPACKED);
        let mut unpacked = BufReader::with_capacity(1 << 16, unpacked);
        unpacked_lines(path, &mut unpacked, &mut visit)?;
        if unpacked.get_ref().limit() == 0 {
            return Err(Problem::TooLarge(MAX_UNPACKED >> 20).of(path));
        }
    } else {
        unpacked_lines(path, &mut file, &mut visit)?;
    }
    // What follows a compressed stream belongs to the file too.
    std::io::copy(&mut file, &mut std::io::sink()).map_err(failed)?;
    Ok(file.get_ref().hasher.finalize())
}

fn unpacked_lines<T: DeserializeOwned>(
    path: &Path,
    reader: &mut impl BufRead,
    visit: &mut impl FnMut(Place, T) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let failed = |error| Problem::Io(error).of(path);
    let beginning = reader.fill_buf().map_err(failed)?;
    let beginning = beginning.strip_prefix(BOM).unwrap_or(beginning);
    if beginning.trim_ascii_start().starts_with(b"[") {
        return list(path, reader, visit);
    }
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = reader.take(MAX_LINE).read_until(b'\n', &mut bytes);
        let read = read.map_err(failed)?;
        if read == 0 {
            break;
        }
        let at = |problem: Problem| problem.at(path, Place::Line(number));
        if read as u64 == MAX_LINE {
            return Err(at(Problem::TooLarge(MAX_LINE >> 20)));
        }
        let text = bytes.strip_prefix(BOM).unwrap_or(&bytes);
        if !text.trim_ascii().is_empty() {
            visit(Place::Line(number), json::parse(text).map_err(at)?)?;
        }
    }
    Ok(())
}

/// The rows of one JSON list.
fn list<T: DeserializeOwned>(
    path: &Path,
    reader: &mut impl BufRead,
    visit: &mut impl FnMut(Place, T) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_FILE + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| Problem::Io(error).of(path))? as u64;
    if read > MAX_FILE {
        return Err(Problem::TooLarge(MAX_FILE >> 20).of(path));
    }
    let text = bytes.strip_prefix(BOM).unwrap_or(&bytes);
    let rows: Vec<T> = json::parse(text).map_err(|problem| problem.of(path))?;
    for (row, number) in rows.into_iter().zip(1..) {
        visit(Place::Row(number), row)?;
    }
    Ok(())
}

/// Hashes what passes.
struct Hashing<R> {
    inner: R,
    hasher: blake3::Hasher,
}

impl<R> Hashing<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            hasher: blake3::Hasher::new(),
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
