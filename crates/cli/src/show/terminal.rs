//! Text on stdout and stderr: printing, widths and tables without frames.

use std::borrow::Cow;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use sureness_bench::Failure;
use sureness_report::export;

/// The width that text is laid out for where stdout is no terminal.
const DEFAULT_WIDTH: usize = 100;
/// Narrower than this, words would be cut.
const MIN_WIDTH: usize = 40;

/// Prints to stdout. A reader that has left (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(format_args!(
            "cannot write to stdout: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Columns to lay text out for: all that the terminal has.
pub(crate) fn width() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    let width = size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
    width.max(MIN_WIDTH)
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), Cow::into_owned)
}

/// Rows in columns, wrapped to the terminal's width; columns in `right` hold numbers.
pub(crate) fn columns(rows: impl IntoIterator<Item = Vec<String>>, right: &[usize]) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    export::columns(&rows, right, width())
}

/// Writes a line to stderr, broken between words where a terminal is narrower; lines of JSON stay
/// whole. Where stderr takes nothing (its disk is full, its reader is gone) the words are lost and
/// the work goes on; the standard macro would panic.
pub(crate) fn say(text: &str) {
    let width = terminal_size::terminal_size_of(std::io::stderr())
        .map(|(width, _)| usize::from(width.0).max(MIN_WIDTH));
    let mut out = String::new();
    for line in text.split('\n') {
        match width {
            Some(width) if line.chars().count() > width && !line.starts_with('{') => {
                out.push_str(&export::paragraph(line, width));
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    let _ = std::io::stderr().write_all(out.as_bytes());
}
