//! How often the answer changes with the order.

use super::mean::{Valued, cell};
use super::seen::Seen;
use super::{Asked, place_columns};
use crate::{Cell, Column, Table, Unit};

/// A row per model, task and prompt strategy.
pub(super) fn table(asked: &[Asked<'_>]) -> Table {
    let mut columns = place_columns();
    columns.extend([
        Column::new("orders", "Orders", Unit::Count)
            .help("The most in which a question was asked."),
        Column::new("n", "n", Unit::Count).help("Questions asked in more than one order."),
        Column::new("fixed", "Fixed", Unit::Count)
            .help("Questions that are not turned, since their options refer to each other."),
        Column::new("changed", "Changed", Unit::Percent)
            .help("Share of questions whose answer is another one in at least one order."),
        Column::new("pairs", "Between two orders", Unit::Percent)
            .help("Share of questions whose answers differ between two orders, over all pairs."),
    ]);
    Table {
        id: "order-changes".into(),
        title: "Answers that change with the order".into(),
        caption: "The answer is the most probable of all options. Over all answered questions, calibration and test; intervals are over clusters of questions.".into(),
        columns,
        rows: asked.iter().map(row).collect(),
        ..Table::default()
    }
}

fn row(asked: &Asked<'_>) -> Vec<Cell> {
    let values = |of: &dyn Fn(&Seen<'_>) -> f64| -> Vec<Valued> {
        let seen = asked.seen.iter();
        seen.map(|seen| (of(seen), seen.question.cluster)).collect()
    };
    let changed = values(&|seen| f64::from(u8::from(seen.changes())));
    let pairs = values(&|seen| seen.disagreement());
    let mut row = asked.place(&asked.rows.id.strategy);
    row.extend([
        Cell::count(asked.most()),
        Cell::count(asked.seen.len()),
        Cell::count(asked.fixed),
        cell(&changed, asked.level),
        cell(&pairs, asked.level),
    ]);
    row
}
