//! The names of fields that a reader does not read.

use std::fmt;

use csv::StringRecord;

use crate::format::list;
use crate::readers::Record;

/// The most names that are kept, since files are untrusted.
const MOST: usize = 64;

/// Keys and columns of a data set that hold something and were not read, in order of appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread(Vec<String>);

impl Unread {
    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    pub(crate) fn add(&mut self, name: &str) {
        // Table libraries write their index under an empty name.
        if !name.is_empty() && self.0.len() < MOST && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// Adds the columns in which a row holds something and that are not read.
    pub(crate) fn add_columns(
        &mut self,
        names: &[String],
        cells: &StringRecord,
        is_read: impl Fn(usize) -> bool,
    ) {
        for (column, (name, cell)) in names.iter().zip(cells).enumerate() {
            if !is_read(column) && !cell.trim().is_empty() {
                self.add(name);
            }
        }
    }

    /// Adds the fields of a row that nobody asked for.
    pub(crate) fn add_fields(&mut self, record: &Record<'_>) {
        for name in record.unread() {
            self.add(name);
        }
    }
}

/// The names in quotes, limited in number and length.
impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&list(&self.0))
    }
}
