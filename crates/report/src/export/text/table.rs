//! A table for the terminal, within a given width.

use std::collections::VecDeque;

use sureness_analysis::{Better, Cell, Column, Table, Unit};

use super::grid::{Body, Grid, GridColumn};
use super::wrap::item;
use crate::best::best;
use crate::export::clean::clean;
use crate::format::{Shown, heading};

/// Ways to lay a table out, the nicest first: whether intervals stand beside their values, and how
/// narrow columns of words may become.
const LAYOUTS: [(bool, usize); 4] = [
    (true, usize::MAX),
    (true, 24),
    (false, usize::MAX),
    (false, 14),
];

/// How narrow columns of words may become to let one more column into a block.
const IN_BLOCKS: usize = 24;

/// How narrow they may become where the block would be too wide even so.
const NARROWEST: usize = 10;

/// How many leading columns of words may be repeated in each block.
const MOST_KEYS: usize = 2;

/// The table with its legend, in lines of at most `limit` columns.
pub(super) fn table(table: &Table, limit: usize) -> String {
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
    };
    table.columns.iter().enumerate().map(column).collect()
}

/// The columns side by side if they fit somehow, or else in blocks below each other, each
/// beginning with the columns that name the rows.
fn blocks(columns: Vec<GridColumn>, rules_after: &[usize], limit: usize) -> String {
    for (beside, least) in LAYOUTS {
        let grid = Grid::new(&columns, beside, least, limit);
        if grid.width() <= limit {
            return grid.draw(rules_after);
        }
    }
    let words = columns.iter().take_while(|column| column.words).count();
    let mut keys = words.min(MOST_KEYS);
    // Names that fill half of the width would leave no room for figures.
    if keys > 1 && Grid::new(&columns[..keys], true, IN_BLOCKS, limit / 2).width() > limit / 2 {
        keys = 1;
    }
    let mut rest = VecDeque::from(columns);
    let keys: Vec<GridColumn> = rest.drain(..keys).collect();
    let mut blocks = Vec::new();
    while let Some(first) = rest.pop_front() {
        let mut block = keys.clone();
        block.push(first);
        while let Some(next) = rest.pop_front() {
            block.push(next);
            if Grid::new(&block, true, IN_BLOCKS, limit).width() > limit {
                rest.extend(block.pop());
                rest.rotate_right(1);
                break;
            }
        }
        blocks.push(Grid::new(&block, true, NARROWEST, limit).draw(rules_after));
    }
    if blocks.is_empty() {
        return Grid::new(&keys, true, NARROWEST, limit).draw(rules_after);
    }
    blocks.join("\n")
}
