//! Tables, as the template takes them.

use std::borrow::Cow;

use serde::Serialize;
use sureness_analysis::number::count;
use sureness_analysis::{Better, Cell, Column, Table, Unit};

use super::number::{self, NONE};

/// From how many rows on a table scrolls in a frame of its own, under a heading that stays.
const TALL: usize = 24;

/// From how many columns on a table is printed across the page.
const WIDE: usize = 9;

/// A table of `templates/table.html`.
#[derive(Serialize)]
pub(super) struct TableView<'a> {
    id: &'a str,
    title: &'a str,
    caption: &'a str,
    /// Whether the title is a heading; tables that belong to a chart are below its heading.
    heading: bool,
    wide: bool,
    tall: bool,
    columns: Vec<ColumnView<'a>>,
    /// The rows, in one group up to each rule; sorting stays within the groups.
    groups: Vec<Vec<Vec<CellView<'a>>>>,
    legend: Vec<Legend<'a>>,
}

#[derive(Serialize)]
struct ColumnView<'a> {
    title: &'a str,
    number: bool,
    unit: &'static str,
    /// Whether the first click on the heading brings the highest value to the top.
    descending: bool,
}

#[derive(Default, Serialize)]
struct CellView<'a> {
    head: bool,
    class: &'static str,
    /// What the column is sorted by.
    key: Option<String>,
    text: Cow<'a, str>,
    interval: Option<String>,
    n: Option<String>,
}

/// What a column means, and which values are good.
#[derive(Serialize)]
struct Legend<'a> {
    title: &'a str,
    help: &'a str,
    better: &'static str,
}

impl<'a> TableView<'a> {
    /// `id` is unique in the page.
    pub(super) fn new(table: &'a Table, id: &'a str, heading: bool) -> Self {
        let mut groups = vec![Vec::new()];
        let last = table.rows.len().saturating_sub(1);
        for (at, row) in table.rows.iter().enumerate() {
            let cells = row.iter().chain(std::iter::repeat(&Cell::Empty));
            let cells = cells.zip(&table.columns).enumerate();
            let row = cells.map(|(place, (cell, column))| {
                let head = place == 0 && column.unit == Unit::Text;
                CellView::new(cell, column.unit, head)
            });
            if let Some(group) = groups.last_mut() {
                group.push(row.collect());
            }
            if at < last && table.rules_after.contains(&at) {
                groups.push(Vec::new());
            }
        }
        let explained = table.columns.iter().filter(|c| !c.help.is_empty());
        Self {
            id,
            title: &table.title,
            caption: &table.caption,
            heading,
            wide: table.columns.len() >= WIDE,
            tall: table.rows.len() > TALL,
            columns: table.columns.iter().map(ColumnView::new).collect(),
            groups,
            legend: explained.map(Legend::new).collect(),
        }
    }
}

impl<'a> ColumnView<'a> {
    fn new(column: &'a Column) -> Self {
        let unit = number::suffix(column.unit);
        Self {
            title: &column.title,
            number: column.unit != Unit::Text,
            unit: if column.title.ends_with(unit) {
                ""
            } else {
                unit
            },
            descending: match (column.better, column.unit) {
                (None, Unit::Text | Unit::PValue) | (Some(Better::Lower), _) => false,
                (Some(Better::Higher) | None, _) => true,
            },
        }
    }
}

impl<'a> CellView<'a> {
    /// A cell; `head` where it names its row.
    fn new(cell: &'a Cell, unit: Unit, head: bool) -> Self {
        let text = match cell {
            Cell::Empty if head => "".into(),
            Cell::Empty => NONE.into(),
            Cell::Text(text) => Cow::from(text),
            Cell::Figure { value, .. } => number::figure(*value, unit).into(),
        };
        let mut view = Self {
            head,
            class: match cell {
                _ if unit != Unit::Text => "num",
                Cell::Text(text) => whole(text),
                _ if head => whole(&text),
                _ => "",
            },
            text,
            ..Self::default()
        };
        if let Cell::Figure {
            value,
            low,
            high,
            n,
            no_interval,
        } = cell
            && !head
        {
            view.key = (!value.is_nan()).then(|| number::sort_key(*value));
            view.interval = number::interval(*low, *high, unit).or_else(|| no_interval.clone());
            view.n = n.map(|n| count(n as usize));
        }
        view
    }
}

impl<'a> Legend<'a> {
    fn new(column: &'a Column) -> Self {
        Self {
            title: &column.title,
            help: &column.help,
            better: match column.better {
                Some(Better::Higher) => " Higher is better.",
                Some(Better::Lower) => " Lower is better.",
                None => "",
            },
        }
    }
}

/// Short texts, such as names of models, stay on one line where there is room for a wide table.
fn whole(text: &str) -> &'static str {
    const LONGEST: usize = 22;
    match text.chars().count() {
        1..=LONGEST => "whole",
        _ => "",
    }
}
