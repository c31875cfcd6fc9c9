//! A table as CSV by RFC 4180: for spreadsheets and programs.

use ::csv::{Terminator, WriterBuilder};
use sureness_analysis::{Cell, Column, Table, Unit};

/// A table as CSV: a header with the columns' keys, then a record per row. Ids stand for the names
/// that people read, and the first column names the model where the table is about one.
///
/// Figures are plain numbers, shares fractions rather than percentages. A column whose cells have
/// intervals is followed by `key_low` and `key_high`, one whose cells say how much they rest on by
/// `key_n`. Missing figures and those that are not finite are empty. Records end with CRLF.
pub fn csv(table: &Table) -> String {
    let columns: Vec<Fields> = (0..table.columns.len())
        .map(|at| Fields::of(table, at))
        .collect();
    let header = table.columns.iter().zip(&columns);
    let header = header.flat_map(|(column, fields)| fields.names(&column.key));
    let model = table.model.as_ref();
    let lead = model.map(|_| "model".to_owned());
    let mut records: Vec<Vec<String>> = vec![lead.into_iter().chain(header).collect()];
    records.extend(table.rows.iter().map(|row| {
        let cells = table.columns.iter().zip(&columns).enumerate();
        let cells = cells.flat_map(|(at, (column, fields))| {
            fields.cells(row.get(at).unwrap_or(&Cell::Empty), column)
        });
        model.cloned().into_iter().chain(cells).collect()
    }));
    let mut out = Vec::new();
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(&mut out);
    for record in records {
        // Neither can fail: the bytes go to memory, and all records have as many fields.
        let _ = writer.write_record(record);
    }
    drop(writer);
    String::from_utf8(out).unwrap_or_default()
}

/// What a column's cells have besides their value.
struct Fields {
    interval: bool,
    n: bool,
}

impl Fields {
    fn of(table: &Table, at: usize) -> Self {
        let has =
            |part: fn(&Cell) -> bool| table.rows.iter().filter_map(|row| row.get(at)).any(part);
        Self {
            interval: has(
                |cell| matches!(cell, Cell::Figure { low, high, .. } if low.is_some() || high.is_some()),
            ),
            n: has(|cell| matches!(cell, Cell::Figure { n: Some(_), .. })),
        }
    }

    fn names(&self, key: &str) -> Vec<String> {
        let mut names = vec![key.to_owned()];
        if self.interval {
            names.extend([format!("{key}_low"), format!("{key}_high")]);
        }
        if self.n {
            names.push(format!("{key}_n"));
        }
        names
    }

    fn cells(&self, cell: &Cell, column: &Column) -> Vec<String> {
        let unit = column.unit;
        let (value, ends, count) = match cell {
            Cell::Empty => (String::new(), [None; 2], None),
            Cell::Text(text) => {
                let id = column.ids.get(text).unwrap_or(text);
                (id.clone(), [None; 2], None)
            }
            Cell::Figure {
                value,
                low,
                high,
                n,
                ..
            } => (plain(*value, unit), [*low, *high], *n),
        };
        let mut cells = vec![value];
        if self.interval {
            cells.extend(ends.map(|end| end.map(|x| plain(x, unit)).unwrap_or_default()));
        }
        if self.n {
            cells.push(count.map(|n| n.to_string()).unwrap_or_default());
        }
        cells
    }
}

/// The shortest digits that read back as the same number; empty where it is not finite.
fn plain(value: f64, unit: Unit) -> String {
    let ordinary = value == 0.0 || (1e-5..1e16).contains(&value.abs());
    if !value.is_finite() {
        String::new()
    } else if ordinary || unit == Unit::Count {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn intervals_and_counts_have_columns_where_there_are_any() {
        let full = Cell::Figure {
            value: 0.484,
            low: Some(0.47),
            high: None,
            n: Some(12),
            no_interval: None,
        };
        let table = Table {
            columns: vec![
                Column::text("model", "Model"),
                Column::new("acc", "Acc", Unit::Percent),
                Column::new("p", "p", Unit::PValue),
            ],
            rows: vec![
                vec![Cell::text("a,\"b\"\nc"), full, Cell::figure(3e-12)],
                vec![Cell::Empty, Cell::figure(-0.5), Cell::figure(f64::NAN)],
            ],
            ..Table::default()
        };
        assert_eq!(
            csv(&table),
            "model,acc,acc_low,acc_high,acc_n,p\r\n\
             \"a,\"\"b\"\"\nc\",0.484,0.47,,12,3e-12\r\n\
             ,-0.5,,,,\r\n"
        );
    }

    fn cell() -> impl Strategy<Value = Cell> {
        let number = || prop::option::of(any::<f64>().prop_filter("finite", |x| x.is_finite()));
        prop_oneof![
            Just(Cell::Empty),
            "\\PC{0,12}|[,\"\r\n;\t a]{0,6}".prop_map(Cell::Text),
            (number(), number(), number(), prop::option::of(any::<u64>())).prop_map(
                |(value, low, high, n)| Cell::Figure {
                    value: value.unwrap_or(0.5),
                    low,
                    high,
                    n,
                    no_interval: None,
                }
            ),
        ]
    }

    #[test]
    fn rows_name_their_model_and_their_task_by_its_id() {
        let mut task = Column::text("task", "Task");
        task.ids.insert("Question answering".into(), "qa".into());
        let table = Table {
            model: Some("m, 7B".into()),
            columns: vec![task],
            rows: vec![
                vec![Cell::text("Question answering")],
                vec![Cell::text("own")],
            ],
            ..Table::default()
        };
        assert_eq!(
            csv(&table),
            "model,task\r\n\"m, 7B\",qa\r\n\"m, 7B\",own\r\n"
        );
    }

    proptest! {
        /// Every cell reads back: words to the letter, numbers to the last bit.
        #[test]
        fn everything_reads_back(rows in prop::collection::vec(prop::collection::vec(cell(), 3), 0..6)) {
            let columns = ["a", "b", "c"].map(|key| Column::new(key, key, Unit::Number(2)));
            let table = Table { columns: columns.into(), rows, ..Table::default() };
            let text = csv(&table);
            let mut reader = ::csv::ReaderBuilder::new().from_reader(text.as_bytes());
            let header = reader.headers().unwrap().clone();
            let at = |key: &str| header.iter().position(|name| name == key);
            let records: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), table.rows.len());
            for (record, row) in records.iter().zip(&table.rows) {
                for (key, cell) in ["a", "b", "c"].into_iter().zip(row) {
                    let field = |suffix: &str| at(&format!("{key}{suffix}")).map_or("", |at| &record[at]);
                    let number = |suffix: &str| field(suffix).parse::<f64>().ok();
                    match cell {
                        Cell::Empty => prop_assert_eq!(field(""), ""),
                        Cell::Text(text) => prop_assert_eq!(field(""), text),
                        Cell::Figure { value, low, high, n, .. } => {
                            prop_assert_eq!(number(""), Some(*value));
                            prop_assert_eq!(number("_low"), *low);
                            prop_assert_eq!(number("_high"), *high);
                            prop_assert_eq!(field("_n").parse().ok(), *n);
                        }
                    }
                }
            }
        }
    }
}
