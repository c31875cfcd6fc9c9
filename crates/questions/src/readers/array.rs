//! Files that hold one JSON array of rows.

use serde_json::value::RawValue;

use super::record::{Record, without_place};
use crate::error::Problem;
use crate::source::{At, Source, count_newlines};
use crate::{DataError, bare};

/// The items of a JSON array with the lines on which they begin.
pub(crate) fn items<'a>(
    source: &'a Source,
    text: &'a str,
) -> Result<Vec<(At<'a>, &'a str)>, DataError> {
    if !text.trim_start().starts_with('[') {
        let (expected, found) = ("a JSON array", "something else");
        return Err(source.at(1).row(Problem::Type { expected, found }));
    }
    split(source, text).map_err(|error| bare_word(source, text).unwrap_or(error))
}

fn split<'a>(source: &'a Source, text: &'a str) -> Result<Vec<(At<'a>, &'a str)>, DataError> {
    let raw: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        let at = source.at(error.line());
        at.row(Problem::Json(without_place(&error)))
    })?;
    let (mut offset, mut line) = (0, 1);
    let items = raw.into_iter().map(|item| {
        // The item is a part of `text`, so its address gives its offset.
        let begin = item.get().as_ptr().addr() - text.as_ptr().addr();
        line += count_newlines(&text.as_bytes()[offset..begin]);
        offset = begin;
        (source.at(line), item.get())
    });
    Ok(items.collect())
}

/// The error about the first `NaN` in an array that is valid JSON otherwise.
fn bare_word(source: &Source, text: &str) -> Option<DataError> {
    let new = bare::replaced(text)?;
    let items = split(source, &new).ok()?;
    items
        .into_iter()
        .find_map(|(at, item)| Record::bare_word(at, serde_json::from_str(item).ok()?))
}
