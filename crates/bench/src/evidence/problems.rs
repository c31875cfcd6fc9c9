//! Everything that is wrong with a file, told at once.

use std::path::Path;

use sureness_analysis::number;

use crate::error::Failure;

/// The problems of one file.
pub(super) struct Problems<'a> {
    pub(super) file: &'a Path,
    pub(super) found: Vec<Failure>,
}

impl Problems<'_> {
    pub(super) fn add(&mut self, what: impl std::fmt::Display, hint: &str) {
        let message = format_args!("{}: {what}", self.file.display()).to_string();
        self.found.push(Failure::new(message).hint(hint));
    }
}

/// Formats ` is`, or ` and 3 others are`.
pub(super) fn others(count: usize, one: &str, many: &str) -> String {
    match count {
        0 | 1 => format!(" {one}"),
        2 => format!(" and 1 other {many}"),
        _ => format!(" and {} others {many}", number::count(count - 1)),
    }
}

/// Formats how many other rows have the same problem; empty for none.
pub(super) fn same_in_others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        2 => "; so has 1 other".to_owned(),
        _ => format!("; so have {} others", number::count(count - 1)),
    }
}
