//! Text on stdout and stderr: printing, widths and tables without frames.

use std::io::{ErrorKind, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

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
    let width = Table::new().width().map_or(DEFAULT_WIDTH, usize::from);
    width.clamp(40, MAX_WIDTH)
}

/// Rows in columns, wrapped to the terminal's width; columns in `right` hold numbers.
pub(crate) fn columns(rows: impl IntoIterator<Item = Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width()).unwrap_or(u16::MAX));
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n") + "\n"
}

/// Writes a line to stderr. Where it takes nothing (its disk is full, its reader is gone) the words
/// are lost and the work goes on; the standard macro would panic.
pub(crate) fn say(mut line: String) {
    line.push('\n');
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_leave_no_blanks_at_the_end() {
        let row = |a: &str, b: &str, c: &str| vec![a.to_owned(), b.to_owned(), c.to_owned()];
        let text = columns([row("a", "10", "x"), row("bcd", "5", "")], &[1]);
        assert_eq!(text, "a    10  x\nbcd   5\n");
    }
}
