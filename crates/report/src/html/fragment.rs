//! A document as a part of a page that others write, such as a notebook.

use sureness_analysis::{Cell, Chart, Column, Document, Section, Table, Unit};

use super::markup::esc;
use super::number::{NONE, figure, interval, suffix};

/// The document as HTML without scripts or styles of its own. `draw` makes an SVG element of a chart,
/// with everything inside escaped.
pub fn fragment(document: &Document, draw: &dyn Fn(&Chart) -> String) -> String {
    let mut html = format!(
        "<div class=\"sureness\"><h3>{}</h3>{}",
        esc(&document.title),
        paragraphs(&document.summary)
    );
    for section in &document.sections {
        html.push_str(&of_section(section, draw));
    }
    html.push_str(&paragraphs(std::slice::from_ref(&document.method)));
    html.push_str("</div>");
    html
}

fn of_section(section: &Section, draw: &dyn Fn(&Chart) -> String) -> String {
    let tables: String = section.tables.iter().map(table).collect();
    let charts = section.charts.iter().map(|chart| {
        format!(
            "<figure>{}<figcaption>{}</figcaption></figure>",
            draw(chart),
            esc(&chart.caption)
        )
    });
    format!(
        "<h4>{}</h4>{}{tables}{}{}",
        esc(&section.title),
        paragraphs(&section.text),
        charts.collect::<String>(),
        paragraphs(&section.notes)
    )
}

fn paragraphs(texts: &[String]) -> String {
    let texts = texts.iter().filter(|text| !text.is_empty());
    joined(texts, |text| format!("<p>{}</p>", esc(text)))
}

fn joined<T>(items: impl Iterator<Item = T>, html: impl Fn(T) -> String) -> String {
    items.fold(String::new(), |all, item| all + &html(item))
}

fn table(table: &Table) -> String {
    let head: String = table.columns.iter().map(heading).collect();
    let rows = joined(table.rows.iter(), |row| {
        let cells = row.iter().zip(&table.columns);
        let cells = joined(cells, |(cell, column)| self::cell(cell, column.unit));
        format!("<tr>{cells}</tr>")
    });
    format!(
        "<table><caption>{}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>",
        esc(&table.title)
    )
}

fn heading(column: &Column) -> String {
    let unit = match suffix(column.unit) {
        unit if column.title.ends_with(unit) => String::new(),
        unit => format!(", {unit}"),
    };
    format!(
        "<th title=\"{}\">{}{unit}</th>",
        esc(&column.help),
        esc(&column.title)
    )
}

fn cell(cell: &Cell, unit: Unit) -> String {
    match cell {
        Cell::Empty => format!("<td>{NONE}</td>"),
        Cell::Text(text) => format!("<td style=\"text-align:left\">{}</td>", esc(text)),
        Cell::Figure {
            value,
            low,
            high,
            no_interval,
            ..
        } => {
            let ends = interval(*low, *high, unit).or_else(|| no_interval.clone());
            let ends = ends.map(|ends| format!(" <small>[{}]</small>", esc(&ends)));
            format!(
                "<td>{}{}</td>",
                figure(*value, unit),
                ends.unwrap_or_default()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_cells_and_figures_have_intervals() {
        let document = Document {
            version: 1,
            program: String::new(),
            title: "<b>".into(),
            method: "By & by".into(),
            summary: Vec::new(),
            sections: vec![Section {
                tables: vec![Table {
                    title: "T".into(),
                    columns: vec![
                        Column::text("model", "Model"),
                        Column::new("acc", "Acc", Unit::Percent),
                    ],
                    rows: vec![vec![
                        Cell::text("</td><script>"),
                        Cell::estimate(0.731, (0.702, 0.758)),
                    ]],
                    ..Table::default()
                }],
                ..Section::default()
            }],
            settings: serde_json::Value::Null,
        };
        let html = fragment(&document, &|_| String::new());
        assert!(
            !html.contains("<script>") && !html.contains("<b>"),
            "{html}"
        );
        assert!(html.contains("Acc, %") && html.contains("By &amp; by"));
        assert!(
            html.contains("<td>73.1 <small>[70.2–75.8]</small></td>"),
            "{html}"
        );
    }
}
