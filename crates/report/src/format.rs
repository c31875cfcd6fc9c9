//! How cells and headings are written for people.

use sureness_analysis::number::{MISSING, count, figure, interval};
use sureness_analysis::{Better, Cell, Column, Table, Unit};

/// A figure as it is shown, in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shown {
    /// The value, or the words; empty where there is nothing to say.
    pub(crate) value: String,
    /// Its interval in brackets.
    pub(crate) interval: Option<String>,
    /// How many observations it rests on, such as `n=120`.
    pub(crate) n: Option<String>,
}

impl Shown {
    /// A cell of a column of `unit`.
    pub(crate) fn of(cell: &Cell, unit: Unit) -> Self {
        match cell {
            Cell::Empty if unit == Unit::Text => Self::default(),
            Cell::Empty => Self::words(MISSING),
            Cell::Text(text) => Self::words(text),
            Cell::Figure {
                value,
                low,
                high,
                n,
                no_interval,
            } => Self {
                value: figure(*value, unit),
                interval: interval(*low, *high, unit)
                    .or_else(|| no_interval.as_ref().map(|why| format!("[{why}]"))),
                n: n.map(|n| format!("n={}", count(n as usize))),
            },
        }
    }

    /// All parts on one line: `48.4 [47.0, 49.8] n=120`.
    pub(crate) fn line(&self) -> String {
        [
            Some(self.value.as_str()),
            self.interval.as_deref(),
            self.n.as_deref(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
    }

    fn words(text: &str) -> Self {
        Self {
            value: text.to_owned(),
            ..Self::default()
        }
    }
}

/// The table without columns of nothing but dashes, which tell a reader nothing. Files for programs
/// have all columns.
pub(crate) fn without_blanks(table: &Table) -> Table {
    let is_blank = |cell: Option<&Cell>| match cell {
        None | Some(Cell::Empty) => true,
        Some(Cell::Figure { value, .. }) => value.is_nan(),
        Some(Cell::Text(text)) => text == MISSING,
    };
    // A table of no rows keeps its headings, and the first column names the rows.
    let kept = |at: usize| {
        at == 0 || table.rows.is_empty() || !table.rows.iter().all(|row| is_blank(row.get(at)))
    };
    let columns: Vec<usize> = (0..table.columns.len()).filter(|&at| kept(at)).collect();
    let row = |row: &Vec<Cell>| {
        let cells = columns
            .iter()
            .map(|&at| row.get(at).cloned().unwrap_or_default());
        cells.collect()
    };
    Table {
        columns: columns
            .iter()
            .map(|&at| table.columns[at].clone())
            .collect(),
        rows: table.rows.iter().map(row).collect(),
        ..table.clone()
    }
}

/// A column's heading with its unit and an arrow towards the good values: `Acc % ↑`.
pub(crate) fn heading(column: &Column) -> String {
    let title = column.title.trim();
    let has = |unit: &str| {
        let mut words = title.split([' ', '(', ')', '[', ']', ',']);
        words.any(|word| word == unit)
    };
    let unit = match column.unit {
        Unit::Percent if !has("%") => " %",
        Unit::PercentDifference if !["%", "pp", "points"].into_iter().any(has) => " pp",
        _ => "",
    };
    let arrow = match column.better {
        Some(Better::Higher) => " ↑",
        Some(Better::Lower) => " ↓",
        None => "",
    };
    format!("{title}{unit}{arrow}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_in_its_parts() {
        let cell = Cell::Figure {
            value: 0.4837,
            low: Some(0.47),
            high: Some(0.4979),
            n: Some(12_000),
            no_interval: None,
        };
        let shown = Shown::of(&cell, Unit::Percent);
        assert_eq!(shown.line(), "48.4 [47.0, 49.8] n=12,000");
        let alone = Cell::without_interval(1.0, "too few");
        assert_eq!(Shown::of(&alone, Unit::Percent).line(), "100.0 [too few]");
        assert_eq!(Shown::of(&Cell::Empty, Unit::Percent).line(), MISSING);
        assert_eq!(Shown::of(&Cell::Empty, Unit::Text).line(), "");
        assert_eq!(Shown::of(&Cell::text("a b"), Unit::Count).line(), "a b");
    }

    #[test]
    fn columns_of_nothing_but_dashes_are_left_out() {
        let column = |key| Column::new(key, key, Unit::Percent);
        let table = Table {
            columns: ["name", "mass", "acc", "mcnemar"].map(column).into(),
            rows: vec![
                vec![
                    Cell::Empty,
                    Cell::Empty,
                    Cell::Empty,
                    Cell::figure(f64::NAN),
                ],
                vec![Cell::Empty, Cell::Empty, Cell::figure(0.5)],
            ],
            ..Table::default()
        };
        let shown = without_blanks(&table);
        let keys: Vec<&str> = shown.columns.iter().map(|c| c.key.as_str()).collect();
        assert_eq!(keys, ["name", "acc"]);
        assert_eq!(shown.rows[1], [Cell::Empty, Cell::figure(0.5)]);
        let empty = Table {
            rows: Vec::new(),
            ..table.clone()
        };
        assert_eq!(without_blanks(&empty), empty);
    }

    #[test]
    fn headings_name_unit_and_direction_once() {
        let column = |title, unit| Column::new("key", title, unit);
        assert_eq!(heading(&column("Acc", Unit::Percent).higher()), "Acc % ↑");
        assert_eq!(heading(&column("Acc %", Unit::Percent)), "Acc %");
        assert_eq!(heading(&column("SS", Unit::Number(2)).lower()), "SS ↓");
        assert_eq!(
            heading(&column("Δ Acc", Unit::PercentDifference)),
            "Δ Acc pp"
        );
        assert_eq!(heading(&column("Task", Unit::Text)), "Task");
    }
}
