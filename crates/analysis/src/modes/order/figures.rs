//! Figures of each order, of all orders together, and their differences.

use sureness_record::OrderOf;

use super::prior::corrected;
use super::{Asked, place_columns};
use crate::figures::{Figures, GroupFigures};
use crate::modes::{Mode, basic, prompt};
use crate::{Cell, Column, Evidence, GroupRows, ModelEvidence, Source, Table, Unit};

/// Figures of each order, and differences between the questions as they are and all orders together.
pub(super) fn tables(figures: &Figures<'_>, asked: &[Asked<'_>]) -> Vec<Table> {
    let (mut rows, mut pairs, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for of in asked {
        let evidence = evidence(figures, of);
        let own = Figures::of(&evidence, figures.settings, &[Mode::Prompt]);
        let groups = own.models.iter().flat_map(|model| &model.groups);
        rows.extend(groups.map(|group| row(of, group)));
        let compared = prompt::section(&own).tables.into_iter().next();
        if let Some(table) = compared {
            columns = table.columns;
            let kept = table
                .rows
                .into_iter()
                .filter(|row| is_before_and_after(row));
            pairs.extend(kept.map(|row| named(of, row)));
        }
    }
    vec![of_orders(rows), differences(columns, pairs)]
}

/// All orders of one model as groups of their own.
fn evidence(figures: &Figures<'_>, asked: &Asked<'_>) -> Evidence {
    let mut groups: Vec<GroupRows> = asked.rows.orders.clone();
    groups.push(asked.rows.derived.clone());
    groups.extend(corrected(asked, figures.settings.config.seed));
    Evidence {
        models: vec![ModelEvidence {
            name: asked.model.to_owned(),
            source: Source::default(),
            groups,
            orders: Vec::new(),
        }],
        ..Evidence::default()
    }
}

fn of_orders(rows: Vec<Vec<Cell>>) -> Table {
    let mut columns = place_columns();
    columns.extend([
        Column::new("n", "n test", Unit::Count).help("Test questions."),
        Column::new("acc", "Acc", Unit::Percent),
        Column::new("set_size", "Set size", Unit::Number(2)),
        Column::new("coverage", "Coverage", Unit::Percent),
        Column::new("uacc", "UAcc", Unit::Percent),
    ]);
    Table {
        id: "order-figures".into(),
        title: "Figures of each order and of all together".into(),
        caption: "Sets by LAC, each row with its own threshold; both halves are drawn anew. \"/corrected\" beside averaged figures is what a prior from a tenth of the questions would give (--orders auto).".into(),
        columns,
        rows,
        ..Table::default()
    }
}

fn row(asked: &Asked<'_>, group: &GroupFigures<'_>) -> Vec<Cell> {
    let lac = group.lac();
    let of = lac.intervals;
    let mut row = asked.place(&group.rows.id.strategy);
    row.extend([
        Cell::count(lac.metrics.n),
        basic::estimate(group.evaluation.acc, of[0]),
        basic::estimate(lac.metrics.set_size, of[2]),
        basic::estimate(lac.metrics.coverage, of[1]),
        basic::estimate(lac.metrics.uacc, of[3]),
    ]);
    row
}

/// Whether a row compares the questions as they are with all orders together. Its third cell is the first
/// strategy, its fourth the second.
fn is_before_and_after(row: &[Cell]) -> bool {
    let order = |at: usize| match row.get(at) {
        Some(Cell::Text(name)) => Some(OrderOf::split(name).1),
        _ => None,
    };
    order(2) == Some(OrderOf::AsIs) && order(3).is_some_and(OrderOf::is_derived)
}

fn named(asked: &Asked<'_>, mut row: Vec<Cell>) -> Vec<Cell> {
    if let Some(name) = row.first_mut() {
        *name = Cell::text(asked.model);
    }
    row
}

fn differences(mut columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    // Orders do not compete.
    for column in &mut columns {
        column.better = None;
    }
    Table {
        id: "order-differences".into(),
        title: "As asked and all orders together, paired by question".into(),
        caption: "First minus second, LAC and APS; p-values not adjusted. \"Changed\" is the share of test questions whose most probable option differs.".into(),
        columns,
        rows,
        ..Table::default()
    }
}
