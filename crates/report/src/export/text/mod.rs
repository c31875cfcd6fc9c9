//! A document for the terminal: no colour, so nothing is said by colour alone.

mod grid;
mod table;
mod wrap;

use sureness_analysis::{Document, Section};

use super::clean::clean;
use super::images::{Kind, Links};
use grid::{Body, Grid, GridColumn};
use wrap::{item, width, wrap};

/// The width that texts have unless another one is asked for.
pub const DEFAULT_WIDTH: usize = 100;

/// Longer lines of prose are hard to read; tables take all of the width.
const PROSE: usize = 120;

/// Narrower than this, words would be cut in pieces.
const LEAST_WIDTH: usize = 40;

/// How narrow columns of words without a heading may become.
const NARROWEST_COLUMN: usize = 10;

/// A document as plain text in lines of at most `width` columns (40 at least).
///
/// A table that is too wide has its intervals on lines of their own; if that is not enough, its
/// columns are shown in several blocks below each other. No column is left out.
pub fn text(document: &Document, width: usize) -> String {
    linked(document, width, &Links::default())
}

/// The same, with the names of the image files where there are any.
pub(crate) fn linked(document: &Document, width: usize, links: &Links) -> String {
    let limit = width.max(LEAST_WIDTH);
    let prose = limit.min(PROSE);
    let mut out = heading(&document.title, '═', prose);
    push_paragraph(&mut out, &document.method, prose);
    for sentence in &document.summary {
        out.push_str(&item("• ", &clean(sentence), prose));
    }
    for section in &document.sections {
        out.push('\n');
        push_section(&mut out, section, limit, links);
    }
    out.push_str(&format!("\n{}\n", clean(&document.program)));
    out
}

/// One section alone, laid out as in [`text`].
pub fn section_text(section: &Section, width: usize) -> String {
    let mut out = String::new();
    push_section(&mut out, section, width.max(LEAST_WIDTH), &Links::default());
    out
}

/// Rows in columns without a heading, in lines of at most `width` columns; the columns in `right`
/// hold numbers. Columns of words are wrapped where the rows are too wide.
pub fn columns(rows: &[Vec<String>], right: &[usize], width: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column = |at: usize| {
        let words = !right.contains(&at);
        let bodies = rows.iter().map(|row| {
            let text = row.get(at).map_or("", String::as_str);
            Body::text(if words { clean(text) } else { text.to_owned() })
        });
        GridColumn::new("", words, bodies.collect())
    };
    let columns: Vec<GridColumn> = (0..count).map(column).collect();
    Grid::new(&columns, true, NARROWEST_COLUMN, width).draw(&[])
}

/// The text in lines of at most `width` columns, which break between words.
pub fn paragraph(text: &str, width: usize) -> String {
    wrap(text, width).join("\n")
}

fn push_section(out: &mut String, section: &Section, limit: usize, links: &Links) {
    let prose = limit.min(PROSE);
    if !section.title.is_empty() {
        out.push_str(&heading(&section.title, '─', prose));
    }
    for text in &section.text {
        push_paragraph(out, text, prose);
    }
    for table in &section.tables {
        out.push('\n');
        push_paragraph(out, &table.title, prose);
        push_paragraph(out, &table.caption, prose);
        if !(table.title.is_empty() && table.caption.is_empty()) {
            out.push('\n');
        }
        out.push_str(&table::table(table, limit));
    }
    for chart in &section.charts {
        if let Some(file) = links
            .file(&chart.id, Kind::Svg)
            .or(links.file(&chart.id, Kind::Png))
        {
            out.push('\n');
            let words = format!("{}: {} See {file}", chart.title, chart.caption);
            push_paragraph(out, &words, prose);
        }
    }
    if !section.notes.is_empty() {
        out.push('\n');
    }
    for note in &section.notes {
        out.push_str(&item("Note: ", &clean(note), prose));
    }
}

fn heading(title: &str, rule: char, limit: usize) -> String {
    let lines = wrap(&clean(title), limit);
    let longest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let rule = rule.to_string().repeat(longest);
    format!("{}\n{rule}\n", lines.join("\n"))
}

fn push_paragraph(out: &mut String, text: &str, limit: usize) {
    let text = clean(text);
    if !text.is_empty() {
        out.push_str(&wrap(&text, limit).join("\n"));
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_leave_no_blanks_at_the_end() {
        let rows = [["a", "10", "x"], ["bcd", "5", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows, &[1], 40), "a    10  x\nbcd   5\n");
    }
}
