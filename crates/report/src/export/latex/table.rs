//! A table as papers have them: rules by booktabs, the best figures in bold.

use sureness_analysis::{Cell, Column, Table, Unit};

use super::escape::escape;
use super::{caption, label};
use crate::best::best;
use crate::format::{Shown, heading};

/// A column of words wider than this many characters becomes a paragraph of a fixed width.
const PARAGRAPH: usize = 40;

/// About how many characters of a size fit into 17 cm: a page of A4 with narrow margins.
const SIZES: [(usize, &str); 2] = [(95, "\\small"), (108, "\\footnotesize")];

/// What remains for tables wider than that.
const SMALLEST: &str = "\\scriptsize\n  \\setlength{\\tabcolsep}{3pt}";

/// From this many characters on, intervals stand below their values.
const STACKED_FROM: usize = 108;

/// A table in a floating environment with caption and label (`tab:` and the table's id). Needs the
/// package booktabs and nothing else.
///
/// Intervals are in small print, beside their values or, in wide tables, below them.
pub fn table(table: &Table) -> String {
    let rows = shown(table);
    let stacked = estimate(table, &rows, false) >= STACKED_FROM;
    let width = estimate(table, &rows, stacked);
    let size = SIZES.into_iter().find(|(most, _)| width <= *most);
    let size = size.map_or(SMALLEST, |(_, size)| size);
    let columns = table.columns.iter().enumerate();
    let alignments: String = columns
        .map(|(at, column)| alignment(column, at, &rows))
        .collect();
    let headings: Vec<String> = table.columns.iter().map(|c| escape(&heading(c))).collect();
    let mut out = format!(
        "\\begin{{table}}[htbp]\n  \\centering\n  \\caption{{{}}}\n  \\label{{tab:{}}}\n  {size}\n  \
         \\begin{{tabular}}{{@{{}}{alignments}@{{}}}}\n    \\toprule\n    {} \\\\\n    \\midrule\n",
        caption(&table.title, &table.caption),
        label(&table.id),
        headings.join(" & ")
    );
    let last = rows.len().saturating_sub(1);
    for (at, (row, best)) in rows.iter().zip(best(table)).enumerate() {
        push_row(&mut out, row, &best, stacked);
        if table.rules_after.contains(&at) && at < last {
            out.push_str("    \\midrule\n");
        }
    }
    out.push_str("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n");
    out
}

fn shown(table: &Table) -> Vec<Vec<Shown>> {
    let row = |row: &Vec<Cell>| {
        let cell = |(at, column): (usize, &Column)| {
            Shown::of(row.get(at).unwrap_or(&Cell::Empty), column.unit)
        };
        table.columns.iter().enumerate().map(cell).collect()
    };
    table.rows.iter().map(row).collect()
}

fn push_row(out: &mut String, row: &[Shown], best: &[bool], stacked: bool) {
    let cells = row.iter().enumerate().map(|(at, shown)| {
        let value = escape(&shown.value);
        let value = if best.get(at) == Some(&true) {
            format!("\\textbf{{{value}}}")
        } else {
            value
        };
        match small(shown) {
            Some(small) if !stacked => format!("{value}\\,{small}"),
            _ => value,
        }
    });
    out.push_str(&format!(
        "    {} \\\\\n",
        cells.collect::<Vec<_>>().join(" & ")
    ));
    if stacked && row.iter().any(|shown| small(shown).is_some()) {
        let below = row.iter().map(|shown| small(shown).unwrap_or_default());
        let below = below.collect::<Vec<_>>().join(" & ");
        out.push_str(&format!("    {} \\\\\n", below.trim_start()));
    }
}

/// The interval and the number of observations in small print.
fn small(shown: &Shown) -> Option<String> {
    // No braces around these brackets: they do not come first in a row.
    let interval = shown
        .interval
        .as_deref()
        .map(|interval| escape(interval).replace("{[}", "[").replace("{]}", "]"));
    let n = shown
        .n
        .as_deref()
        .map(|n| format!("$n$={}", escape(n.trim_start_matches("n="))));
    let parts: Vec<String> = interval.into_iter().chain(n).collect();
    (!parts.is_empty()).then(|| format!("{{\\scriptsize{}}}", separated(&parts.join(" "))))
}

/// A command's name ends at the first character that is no letter.
fn separated(text: &str) -> String {
    let lead = if text.starts_with(char::is_alphabetic) {
        " "
    } else {
        ""
    };
    format!("{lead}{text}")
}

fn alignment(column: &Column, at: usize, rows: &[Vec<Shown>]) -> String {
    let longest = rows
        .iter()
        .filter_map(|row| row.get(at))
        .map(|shown| shown.value.chars().count());
    match column.unit {
        Unit::Text if longest.max().unwrap_or(0) > PARAGRAPH => "p{0.3\\linewidth}".to_owned(),
        Unit::Text => "l".to_owned(),
        _ => "r".to_owned(),
    }
}

/// About how many characters wide the table is; small print counts for less.
fn estimate(table: &Table, rows: &[Vec<Shown>], stacked: bool) -> usize {
    let width = |shown: &Shown| {
        let value = shown.value.chars().count().min(PARAGRAPH);
        let parts = [&shown.interval, &shown.n].into_iter().flatten();
        let small = parts
            .map(|part| (part.chars().count() + 1) * 4 / 5)
            .sum::<usize>();
        if stacked {
            value.max(small)
        } else {
            value + small
        }
    };
    let column = |(at, column): (usize, &Column)| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(width);
        // Two characters and a half lie between columns.
        cells
            .max()
            .unwrap_or(0)
            .max(heading(column).chars().count())
            + 2
    };
    table.columns.iter().enumerate().map(column).sum()
}
