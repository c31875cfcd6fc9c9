//! A document as GitHub's Markdown.

use sureness_analysis::{Cell, Chart, Document, Section, Table, Unit};

use super::clean::clean;
use super::images::{Kind, Links};
use crate::best::best;
use crate::format::{Shown, heading, without_blanks};

/// A document as Markdown: one line to a paragraph, tables of pipes, the best figure of a column
/// in bold.
pub fn markdown(document: &Document) -> String {
    linked(document, &Links::default())
}

/// The same, with the charts that are drawn in files.
pub(crate) fn linked(document: &Document, links: &Links) -> String {
    let mut out = format!("# {}\n", escape(&document.title));
    if !document.method.is_empty() {
        out.push_str(&format!("\n{}\n", block(&document.method)));
    }
    if !document.summary.is_empty() {
        out.push('\n');
    }
    for sentence in &document.summary {
        out.push_str(&format!("- {}\n", block(sentence)));
    }
    for section in &document.sections {
        push_section(&mut out, section, links);
    }
    if !document.settings.is_null() {
        push_settings(&mut out, &document.settings);
    }
    out.push_str(&format!("\n{}\n", block(&document.program)));
    out
}

/// One section alone, laid out as in [`markdown`].
pub fn section_markdown(section: &Section) -> String {
    let mut out = String::new();
    push_section(&mut out, section, &Links::default());
    out.trim_start().to_owned()
}

fn push_section(out: &mut String, section: &Section, links: &Links) {
    if !section.title.is_empty() {
        out.push_str(&format!("\n## {}\n", escape(&section.title)));
    }
    for text in &section.text {
        push_paragraph(out, &block(text));
    }
    for table in &section.tables {
        if !table.title.is_empty() {
            out.push_str(&format!("\n### {}\n", escape(&table.title)));
        }
        push_paragraph(out, &block(&table.caption));
        out.push('\n');
        out.push_str(&rows(table));
    }
    for chart in &section.charts {
        push_chart(out, chart, links);
    }
    for note in &section.notes {
        push_paragraph(out, &format!("> {}", block(note)));
    }
}

fn push_paragraph(out: &mut String, paragraph: &str) {
    if !paragraph.is_empty() {
        out.push_str(&format!("\n{paragraph}\n"));
    }
}

/// The image and the caption below it; just the caption where there is no image.
fn push_chart(out: &mut String, chart: &Chart, links: &Links) {
    let kind = [Kind::Svg, Kind::Png]
        .into_iter()
        .find(|&kind| links.file(&chart.id, kind).is_some());
    if let Some((kind, file)) = kind.and_then(|kind| Some((kind, links.file(&chart.id, kind)?))) {
        let image = format!("![{}]({file})", escape(&chart.title));
        let image = match links.dark(&chart.id, kind) {
            // GitHub takes the one that suits the reader's page.
            Some(dark) => format!(
                "<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"{dark}\">\
                 <img alt=\"{}\" src=\"{file}\"></picture>",
                attribute(&chart.title)
            ),
            None => image,
        };
        push_paragraph(out, &image);
    }
    let caption = format!("**{}.** {}", escape(&chart.title), escape(&chart.caption));
    push_paragraph(out, caption.trim_end());
}

/// A table with a heading line, a line of alignments and a line per row.
fn rows(table: &Table) -> String {
    let table = &without_blanks(table);
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let columns = table.columns.iter();
    let mut out = line(
        &columns
            .clone()
            .map(|c| escape(&heading(c)))
            .collect::<Vec<_>>(),
    );
    let alignment = |unit| if unit == Unit::Text { ":---" } else { "---:" };
    let alignments: Vec<String> = columns.map(|c| alignment(c.unit).to_owned()).collect();
    out.push_str(&line(&alignments));
    for (row, best) in table.rows.iter().zip(best(table)) {
        let cells = table.columns.iter().enumerate().map(|(at, column)| {
            let cell = row.get(at).unwrap_or(&Cell::Empty);
            let shown = Shown::of(cell, column.unit);
            let marked = best.get(at) == Some(&true);
            if cell.value().is_none() {
                escape(&shown.line())
            } else if marked {
                let value = format!("**{}**", shown.value);
                figure(&Shown { value, ..shown }.line())
            } else {
                figure(&shown.line())
            }
        });
        out.push_str(&line(&cells.collect::<Vec<_>>()));
    }
    out
}

/// Our own digits, signs and brackets; only the sign of small p-values means something here.
fn figure(text: &str) -> String {
    text.replace('<', "\\<")
}

fn push_settings(out: &mut String, settings: &serde_json::Value) {
    let json = format!("{settings:#}");
    // The fence must be longer than any run of backticks inside.
    let run = json.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(run.max(2) + 1);
    out.push_str(&format!(
        "\n<details>\n<summary>Settings</summary>\n\n{fence}json\n{json}\n{fence}\n\n</details>\n"
    ));
}

/// Words as they are, on one line: no character of theirs means anything to Markdown.
pub(super) fn escape(text: &str) -> String {
    let letters: Vec<char> = clean(text).chars().collect();
    let mut out = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let is_word = |at: Option<usize>| {
            at.and_then(|at| letters.get(at))
                .is_some_and(|c| c.is_alphanumeric())
        };
        let special = match letter {
            '\\' | '`' | '*' | '[' | ']' | '<' | '|' | '~' | '$' => true,
            // An entity, such as &lt;.
            '&' => is_word(at.checked_add(1)) || letters.get(at + 1) == Some(&'#'),
            // Inside a word it is no emphasis, and names of columns and models are full of them.
            '_' => !(is_word(at.checked_sub(1)) && is_word(at.checked_add(1))),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Words that begin a line: what would begin a heading, a list or a rule is escaped as well.
fn block(text: &str) -> String {
    let text = escape(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let numbered = !number.is_empty()
        && rest
            .strip_prefix(['.', ')'])
            .is_some_and(|after| after.is_empty() || after.starts_with(' '));
    if numbered {
        format!("{number}\\{rest}")
    } else if text.starts_with(['#', '+', '-', '=', '>']) {
        format!("\\{text}")
    } else {
        text
    }
}

/// Words in an attribute of an HTML element.
fn attribute(text: &str) -> String {
    clean(text)
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_means_something_is_escaped() {
        assert_eq!(escape("lac_set_size of a|b"), "lac_set_size of a\\|b");
        assert_eq!(
            escape("_x_ *y* <b>&amp; $z$"),
            "\\_x\\_ \\*y\\* \\<b>\\&amp; \\$z\\$"
        );
        assert_eq!(escape("two\nlines"), "two lines");
        assert_eq!(block("# no heading"), "\\# no heading");
        assert_eq!(block("1. no list"), "1\\. no list");
        assert_eq!(block("- no list"), "\\- no list");
        assert_eq!(block("1.5 is a number"), "1.5 is a number");
    }

    #[test]
    fn settings_cannot_end_their_fence() {
        let mut out = String::new();
        push_settings(&mut out, &serde_json::json!({"prompt": "````"}));
        assert!(
            out.contains("\n`````json\n") && out.contains("\n`````\n"),
            "{out}"
        );
    }

    proptest! {
        /// Taking the backslashes away again gives the words back.
        #[test]
        fn escapes_read_back(text in "\\PC{0,40}") {
            let escaped = escape(&text);
            let mut back = String::new();
            let mut letters = escaped.chars();
            while let Some(letter) = letters.next() {
                back.push(if letter == '\\' { letters.next().unwrap() } else { letter });
            }
            prop_assert_eq!(back, clean(&text));
        }
    }
}
