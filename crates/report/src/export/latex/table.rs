//! A table as papers have them: rules by booktabs, the best figures in bold.

use sureness_analysis::{Cell, Column, Table, Unit};

use super::escape::escape;
use super::{caption, label};
use crate::best::best;
use crate::format::{Shown, heading, without_blanks};

/// A column of words wider than this many characters becomes a paragraph of a fixed width.
const PARAGRAPH: usize = 40;

/// How many characters a table with paragraphs gets: a little less, since a paragraph takes all
/// of its width.
const WITH_PARAGRAPHS: usize = 112;

/// The narrowest and the widest share of the line that all paragraphs together get.
const PARAGRAPHS: (f64, f64) = (0.2, 0.45);

/// About how many characters of a size fit into 17 cm: a page of A4 with narrow margins.
const SIZES: [(usize, &str); 2] = [(108, "\\small"), (122, "\\footnotesize")];

/// What remains for tables wider than that.
const SMALLEST: &str = "\\scriptsize\n  \\setlength{\\tabcolsep}{3pt}";

/// From this many characters on, intervals stand below their values.
const STACKED_FROM: usize = 122;

/// A table in a floating environment with caption and label (`tab:` and the table's id). Needs the
/// package booktabs and nothing else.
///
/// Intervals are in small print, beside their values or, in wide tables, below them.
pub fn table(table: &Table) -> String {
    let table = &without_blanks(table);
    let rows = shown(table);
    let paragraphs: Vec<bool> = (0..table.columns.len())
        .map(|at| is_paragraph(table, at, &rows))
        .collect();
    // Below a paragraph an interval would be far from its value.
    let stacked = !paragraphs.contains(&true) && estimate(table, &rows, false) >= STACKED_FROM;
    let count = paragraphs.iter().filter(|&&is| is).count();
    let others = estimate(table, &rows, stacked).saturating_sub(count * PARAGRAPH);
    let share = paragraph_share(others);
    let width = if count == 0 {
        others
    } else {
        others + (share * WITH_PARAGRAPHS as f64) as usize
    };
    let size = SIZES.into_iter().find(|(most, _)| width <= *most);
    let size = size.map_or(SMALLEST, |(_, size)| size);
    let letter = |(column, &paragraph): (&Column, &bool)| match column.unit {
        Unit::Text if paragraph => format!("p{{{:.2}\\linewidth}}", share / count as f64),
        Unit::Text => "l".to_owned(),
        _ => "r".to_owned(),
    };
    let alignments: String = table.columns.iter().zip(&paragraphs).map(letter).collect();
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

/// A command's name ends at the first character that is not a letter.
fn separated(text: &str) -> String {
    let lead = if text.starts_with(char::is_alphabetic) {
        " "
    } else {
        ""
    };
    format!("{lead}{text}")
}

fn is_paragraph(table: &Table, at: usize, rows: &[Vec<Shown>]) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(at));
    let longest = cells.map(|shown| shown.value.chars().count()).max();
    table
        .columns
        .get(at)
        .is_some_and(|column| column.unit == Unit::Text)
        && longest.unwrap_or(0) > PARAGRAPH
}

/// The share of the line that paragraphs get: what the other columns, so many characters wide,
/// leave of it.
fn paragraph_share(others: usize) -> f64 {
    let (least, most) = PARAGRAPHS;
    (1.0 - others as f64 / WITH_PARAGRAPHS as f64).clamp(least, most)
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
