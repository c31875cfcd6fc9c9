//! A table for the terminal, within a given width.

use sureness_analysis::{Better, Cell, Column, Table, Unit};

use super::grid::{Body, Grid, GridColumn};
use super::wrap::item;
use crate::best::best;
use crate::export::clean::clean;
use crate::format::{Shown, heading, without_blanks};

/// Ways to lay a table out, the nicest first: whether intervals stand beside their values, and how
/// narrow columns of words may become.
const LAYOUTS: [(bool, usize); 4] = [
    (true, usize::MAX),
    (true, 24),
    (false, usize::MAX),
    (false, 14),
];

/// How the keys of columns with the spread of the figure before them end.
const SPREAD: &str = "_sd";

/// How narrow columns of words may become to let one more column into a block.
const IN_BLOCKS: usize = 24;

/// How narrow they may become where the block would be too wide even so: as wide as a usual name.
const NAME: usize = 16;

/// How narrow they may become where nothing else helps.
const NARROWEST: usize = 10;

/// The table with its legend, in lines of at most `limit` columns.
pub(super) fn table(table: &Table, limit: usize) -> String {
    let table = &without_blanks(table);
    let best = best(table);
    let marked = best.iter().flatten().any(|&best| best);
    let columns = columns(table, &best);
    let mut out = blocks(columns, &table.rules_after, limit);
    if marked {
        out.push_str(&format!("\n{}", item("* ", legend(table), limit)));
    }
    out
}

/// What the mark means, in the directions that occur.
fn legend(table: &Table) -> &'static str {
    let has = |better| table.columns.iter().any(|c| c.better == Some(better));
    match (has(Better::Higher), has(Better::Lower)) {
        (true, false) => "best of its column; ↑ higher is better",
        (false, true) => "best of its column; ↓ lower is better",
        _ => "best of its column; ↑ higher is better, ↓ lower is better",
    }
}

fn columns(table: &Table, best: &[Vec<bool>]) -> Vec<GridColumn> {
    let is_best = |row: usize, at: usize| best.get(row).and_then(|row| row.get(at)) == Some(&true);
    let column = |(at, column): (usize, &Column)| {
        let bodies = table.rows.iter().enumerate().map(|(number, row)| {
            let cell = row.get(at).unwrap_or(&Cell::Empty);
            let shown = Shown::of(cell, column.unit);
            if column.unit == Unit::Text || matches!(cell, Cell::Text(_)) {
                Body::text(clean(&shown.line()))
            } else {
                Body::figure(shown, is_best(number, at))
            }
        });
        GridColumn::new(
            &clean(&heading(column)),
            column.unit == Unit::Text,
            bodies.collect(),
        )
        .glued(column.unit == Unit::PValue || column.key.ends_with(SPREAD))
    };
    table.columns.iter().enumerate().map(column).collect()
}

/// The columns side by side if they fit somehow, or else in blocks below each other, each
/// beginning with the columns that name the rows. A p-value and a spread stay beside their figure.
fn blocks(mut columns: Vec<GridColumn>, rules_after: &[usize], limit: usize) -> String {
    for (beside, least) in LAYOUTS {
        let grid = Grid::new(&columns, beside, least, limit);
        if grid.width() <= limit {
            return grid.draw(rules_after);
        }
    }
    let rest = columns.split_off(keys(&columns));
    let merged = vec![GridColumn::merged(&columns)];
    // Names that fill half of the width would leave no room for figures.
    let wide = Grid::new(&columns, true, NARROWEST, limit / 2).width() > limit / 2;
    let names = if wide {
        [&merged[..], &merged]
    } else {
        [&columns[..], &merged]
    };
    let mut blocks: Vec<Vec<GridColumn>> = Vec::new();
    let mut rest = rest.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut unit = vec![first];
        unit.extend(std::iter::from_fn(|| rest.next_if(|column| column.glued)));
        let fits = |block: &[GridColumn]| {
            let all = [names[0], block, &unit].concat();
            Grid::new(&all, true, IN_BLOCKS, limit).width() <= limit
        };
        match blocks.last_mut() {
            Some(block) if fits(block) => block.extend(unit),
            _ => blocks.push(unit),
        }
    }
    if blocks.is_empty() {
        blocks.push(Vec::new());
    }
    let blocks = blocks
        .iter()
        .map(|block| draw(names, block, rules_after, limit));
    blocks.collect::<Vec<_>>().join("\n")
}

/// A block of figures behind the names of the rows, which stand apart or merged. Intervals go below
/// their values and names are merged before they are cut.
fn draw(
    names: [&[GridColumn]; 2],
    figures: &[GridColumn],
    rules_after: &[usize],
    limit: usize,
) -> String {
    let [apart, merged] = names.map(|names| [names, figures].concat());
    let layouts = [
        (&apart, true, NAME),
        (&apart, false, NAME),
        (&merged, true, NAME),
        (&merged, false, NAME),
        (&merged, false, NARROWEST),
    ];
    let grids = layouts.map(|(columns, beside, least)| Grid::new(columns, beside, least, limit));
    match (grids.iter().find(|grid| grid.width() <= limit), figures) {
        (Some(grid), _) => grid.draw(rules_after),
        // A figure with several p-values: with each in turn.
        (None, [figure, values @ ..]) if values.len() > 1 => {
            let with = |value: &GridColumn| {
                draw(names, &[figure.clone(), value.clone()], rules_after, limit)
            };
            values.iter().map(with).collect::<Vec<_>>().join("\n")
        }
        (None, _) => grids
            .last()
            .map_or_else(String::new, |grid| grid.draw(rules_after)),
    }
}

/// How many leading columns name the rows: those of words, and others as far as it takes them to
/// tell the rows apart, such as the error rate of a point on a curve.
fn keys(columns: &[GridColumn]) -> usize {
    /// A number that names a row stands this close behind the words.
    const NUMBERS: usize = 2;
    let words = columns.iter().take_while(|column| column.words).count();
    let least = words.max(1).min(columns.len());
    let most = (words + NUMBERS).min(columns.len());
    (least..=most)
        .find(|&keys| GridColumn::tell_rows_apart(&columns[..keys]))
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide() -> Table {
        let mut columns = vec![
            Column::text("model", "Model"),
            Column::text("task", "Task"),
            Column::text("strategy", "Strategy"),
            Column::new("x", "Error rate", Unit::Number(2)),
        ];
        for figure in ["Acc", "SS", "UAcc", "Cov"] {
            columns.push(Column::new(
                figure,
                &format!("Δ{figure}"),
                Unit::PercentDifference,
            ));
            columns.push(Column::new("p", &format!("p(Δ{figure})"), Unit::PValue));
            columns.push(Column::new("blank", "Blank", Unit::Percent));
            columns.push(Column::new(
                &format!("s{figure}"),
                &format!("s{figure}"),
                Unit::Percent,
            ));
            columns.push(Column::new(
                "splits_sd",
                &format!("SD{figure}"),
                Unit::Percent,
            ));
        }
        let row = |strategy: &str, x: f64| {
            let mut row = vec![
                Cell::text("Llama-2-7b-hf"),
                Cell::text("Question answering"),
                Cell::text(strategy),
                Cell::figure(x),
            ];
            for _ in 0..4 {
                let figure = Cell::estimate(0.031, (0.012, 0.052));
                let spread = [Cell::figure(0.5), Cell::figure(0.01)];
                row.extend([figure, Cell::figure(0.04), Cell::Empty]);
                row.extend(spread);
            }
            row
        };
        Table {
            columns,
            rows: vec![
                row("base", 0.1),
                row("base", 0.2),
                row("shared_instruction", 0.1),
                row("shared_instruction", 0.2),
            ],
            ..Table::default()
        }
    }

    /// Each block names its rows in full, and no p-value is in another block than its figure.
    #[test]
    fn blocks_name_their_rows_and_keep_figures_with_their_p() {
        for limit in [40, 60, 80, 120] {
            let text = table(&wide(), limit);
            assert!(!text.contains("Blank"), "{text}");
            let blocks: Vec<&str> = text.split("\n\n").collect();
            assert!(blocks.len() > 1 || limit == 120, "{limit}:\n{text}");
            for block in blocks {
                assert!(
                    block.lines().all(|line| line.chars().count() <= limit),
                    "{text}"
                );
                let words: String = block.split_whitespace().collect();
                let lead = |line: &str| line.split("  ").next().unwrap_or("").replace(' ', "");
                let names: String = block.lines().map(lead).collect();
                for name in [
                    "Llama-2-7b-hf",
                    "base",
                    "shared_instruction",
                    "0.10",
                    "0.20",
                ] {
                    assert!(
                        words.contains(name) || names.contains(name),
                        "no {name} at {limit} in:\n{block}"
                    );
                }
                for figure in ["Acc", "SS", "UAcc", "Cov"] {
                    let shown = words.contains(&format!("p(Δ{figure})"));
                    let both = words.matches(&format!("Δ{figure}")).count();
                    assert_eq!(both, if shown { 2 } else { 0 }, "{limit}:\n{block}");
                    let has = |words_of: &str| words.contains(&format!("{words_of}{figure}"));
                    assert_eq!(has("s"), has("SD"), "{limit}:\n{block}");
                }
            }
        }
    }
}
