//! The rows of a file of JSON objects: one per line, or all in one array.

use std::ops::Range;
use std::vec;

use super::{Record, array};
use crate::DataError;
use crate::source::{Lines, Source};

/// Iterates over the rows.
pub(crate) enum Records<'a> {
    /// One object per line.
    Lines(Lines<'a>),
    /// One array, which is in memory as a whole.
    Array {
        source: &'a Source,
        text: String,
        /// Line and place in the text of each row.
        items: vec::IntoIter<(usize, Range<usize>)>,
    },
}

impl<'a> Records<'a> {
    /// The rows of a file, from the first.
    pub(crate) fn new(source: &'a Source) -> Result<Self, DataError> {
        if !source.is_array()? {
            return Ok(Self::Lines(source.lines()?));
        }
        let text = source.text()?;
        let begin = text.as_ptr().addr();
        let items: Vec<_> = array::items(source, &text)?
            .into_iter()
            .map(|(at, item)| {
                let offset = item.as_ptr().addr() - begin;
                (at.line, offset..offset + item.len())
            })
            .collect();
        Ok(Self::Array {
            source,
            text,
            items: items.into_iter(),
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => match lines.next() {
                Ok(line) => line.map(|(at, text)| Record::parse(at, text)),
                Err(error) => Some(Err(error)),
            },
            Self::Array {
                source,
                text,
                items,
            } => {
                let (line, place) = items.next()?;
                Some(Record::parse(source.at(line), &text[place]))
            }
        }
    }
}
