//! A document for the terminal: no colour, so nothing is said by colour alone.

mod grid;
mod table;
mod wrap;

use sureness_analysis::{Document, Section};

use super::clean::clean;
use super::images::{Kind, Links};
use wrap::{item, width, wrap};

/// The width that texts have unless another one is asked for.
pub const DEFAULT_WIDTH: usize = 100;

/// Narrower than this, words would be cut in pieces.
const LEAST_WIDTH: usize = 40;

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
    let mut out = heading(&document.title, '═', limit);
    push_paragraph(&mut out, &document.method, limit);
    for sentence in &document.summary {
        out.push_str(&item("• ", &clean(sentence), limit));
    }
    for section in &document.sections {
        out.push('\n');
        push_section(&mut out, section, limit, links);
    }
    out.push_str(&format!("\n{}\n", clean(&document.program)));
    out
}

fn push_section(out: &mut String, section: &Section, limit: usize, links: &Links) {
    out.push_str(&heading(&section.title, '─', limit));
    for text in &section.text {
        push_paragraph(out, text, limit);
    }
    for table in &section.tables {
        out.push('\n');
        push_paragraph(out, &table.title, limit);
        push_paragraph(out, &table.caption, limit);
        out.push('\n');
        out.push_str(&table::table(table, limit));
    }
    for chart in &section.charts {
        if let Some(file) = links
            .file(&chart.id, Kind::Svg)
            .or(links.file(&chart.id, Kind::Png))
        {
            out.push('\n');
            let words = format!("{}: {} See {file}", chart.title, chart.caption);
            push_paragraph(out, &words, limit);
        }
    }
    if !section.notes.is_empty() {
        out.push('\n');
    }
    for note in &section.notes {
        out.push_str(&item("Note: ", &clean(note), limit));
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
