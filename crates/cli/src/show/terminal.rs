//! Text on stdout and stderr: printing, widths and tables without frames.

use std::io::{ErrorKind, Write as _};

use sureness_report::export;

use sureness_bench::Failure;

/// The width that text is laid out for where stdout is no terminal.
const DEFAULT_WIDTH: usize = 100;
/// Wider lines are hard to read.
const MAX_WIDTH: usize = 120;

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

/// Columns to lay text out for.
pub(crate) fn width() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    let width = size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
    width.clamp(40, MAX_WIDTH)
}

/// Rows in columns, wrapped to the terminal's width; columns in `right` hold numbers.
pub(crate) fn columns(rows: impl IntoIterator<Item = Vec<String>>, right: &[usize]) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    export::columns(&rows, right, width())
}

/// Writes a line to stderr. Where it takes nothing (its disk is full, its reader is gone) the words
/// are lost and the work goes on; the standard macro would panic.
pub(crate) fn say(mut line: String) {
    line.push('\n');
    let _ = std::io::stderr().write_all(line.as_bytes());
}
