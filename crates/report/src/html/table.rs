//! Tables.

use sureness_analysis::{Better, Cell, Column, Table, Unit};

use super::markup::esc;
use super::number::{self, NONE};

/// From how many rows on a table scrolls in a frame of its own, under a heading that stays.
const TALL: usize = 24;

/// From how many columns on a table is printed across the page.
const WIDE: usize = 9;

/// Writes a table under its heading, of level `heading`; without one where that is `None`, for
/// tables that belong to something with a heading. `id` is unique in the page.
pub(super) fn table(out: &mut String, table: &Table, id: &str, heading: Option<u8>) {
    let wide = if table.columns.len() >= WIDE {
        " wide"
    } else {
        ""
    };
    out.push_str(&format!("<div class=\"tabular{wide}\" id=\"{id}\">\n"));
    if let Some(level) = heading {
        let title = esc(&table.title);
        out.push_str(&format!("<h{level} id=\"{id}-title\">{title}</h{level}>\n"));
    } else {
        // Named all the same, for those who do not see what it stands below.
        out.push_str(&format!(
            "<p class=\"unseen\" id=\"{id}-title\">{}</p>\n",
            esc(&table.title)
        ));
    }
    if !table.caption.is_empty() {
        out.push_str(&format!(
            "<p class=\"caption\">{}</p>\n",
            esc(&table.caption)
        ));
    }
    let tall = if table.rows.len() > TALL { " tall" } else { "" };
    out.push_str(&format!(
        "<div class=\"scroll{tall}\" role=\"region\" tabindex=\"0\" \
         aria-labelledby=\"{id}-title\">\n<table aria-labelledby=\"{id}-title\">\n"
    ));
    head(out, &table.columns);
    body(out, table);
    out.push_str("</table>\n</div>\n");
    legend(out, &table.columns);
    out.push_str("</div>\n");
}

fn head(out: &mut String, columns: &[Column]) {
    out.push_str("<thead><tr>");
    for column in columns {
        let class = class(column.unit);
        // The first click on a heading brings the best, or the most, to the top.
        let first = match (column.better, column.unit) {
            (None, Unit::Text | Unit::PValue) | (Some(Better::Lower), _) => "",
            (Some(Better::Higher) | None, _) => " data-first=\"descending\"",
        };
        out.push_str(&format!(
            "<th scope=\"col\"{class}{first}>{}",
            esc(&column.title)
        ));
        let suffix = number::suffix(column.unit);
        if !suffix.is_empty() && !column.title.ends_with(suffix) {
            out.push_str(&format!(" <small>{suffix}</small>"));
        }
        out.push_str("</th>");
    }
    out.push_str("</tr></thead>\n");
}

/// The rows, in one group up to each rule; sorting stays within the groups.
fn body(out: &mut String, table: &Table) {
    out.push_str("<tbody>\n");
    let last = table.rows.len().saturating_sub(1);
    for (at, row) in table.rows.iter().enumerate() {
        out.push_str("<tr>");
        for (place, (cell, column)) in padded(row).zip(&table.columns).enumerate() {
            if place == 0 && column.unit == Unit::Text {
                row_head(out, cell);
            } else {
                data(out, cell, column.unit);
            }
        }
        out.push_str("</tr>\n");
        if at < last && table.rules_after.contains(&at) {
            out.push_str("</tbody>\n<tbody>\n");
        }
    }
    out.push_str("</tbody>\n");
}

/// A row's cells, and empty ones behind them.
fn padded(row: &[Cell]) -> impl Iterator<Item = &Cell> {
    row.iter().chain(std::iter::repeat(&Cell::Empty))
}

fn row_head(out: &mut String, cell: &Cell) {
    let text = match cell {
        Cell::Text(text) => text.clone(),
        Cell::Figure { value, .. } => number::figure(*value, Unit::Text),
        Cell::Empty => String::new(),
    };
    let class = whole(&text);
    out.push_str(&format!("<th scope=\"row\"{class}>{}</th>", esc(&text)));
}

fn data(out: &mut String, cell: &Cell, unit: Unit) {
    let class = class(unit);
    match cell {
        Cell::Empty => out.push_str(&format!("<td{class}>{NONE}</td>")),
        Cell::Text(text) if unit == Unit::Text => {
            let class = whole(text);
            out.push_str(&format!("<td{class}>{}</td>", esc(text)));
        }
        Cell::Text(text) => out.push_str(&format!("<td{class}>{}</td>", esc(text))),
        Cell::Figure {
            value,
            low,
            high,
            n,
            no_interval,
        } => {
            out.push_str(&format!("<td{class}"));
            if !value.is_nan() {
                out.push_str(&format!(" data-v=\"{}\"", number::sort_key(*value)));
            }
            out.push_str(&format!(">{}", esc(&number::figure(*value, unit))));
            if let Some(interval) = number::interval(*low, *high, unit) {
                out.push_str(&format!(" <i>{interval}</i>"));
            } else if let Some(why) = no_interval {
                out.push_str(&format!(" <i>{}</i>", esc(why)));
            }
            if let Some(n) = n {
                out.push_str(&format!(
                    " <i class=\"n\">n&nbsp;{}</i>",
                    number::figure(*n as f64, Unit::Count)
                ));
            }
            out.push_str("</td>");
        }
    }
}

/// Short texts, such as names of models, stay on one line where there is room for a wide table.
fn whole(text: &str) -> &'static str {
    const LONGEST: usize = 22;
    match text.chars().count() {
        1..=LONGEST => " class=\"whole\"",
        _ => "",
    }
}

fn class(unit: Unit) -> &'static str {
    match unit {
        Unit::Text => "",
        _ => " class=\"num\"",
    }
}

/// What the columns mean, and which values are good.
fn legend(out: &mut String, columns: &[Column]) {
    let explained = |c: &&Column| !c.help.is_empty();
    if !columns.iter().any(|c| explained(&c)) {
        return;
    }
    out.push_str("<details class=\"legend keep\"><summary>What the columns mean</summary>\n<dl>\n");
    for column in columns.iter().filter(explained) {
        let better = match column.better {
            Some(Better::Higher) => " Higher is better.",
            Some(Better::Lower) => " Lower is better.",
            None => "",
        };
        out.push_str(&format!(
            "<dt>{}</dt><dd>{}{better}</dd>\n",
            esc(&column.title),
            esc(&column.help)
        ));
    }
    out.push_str("</dl>\n</details>\n");
}
