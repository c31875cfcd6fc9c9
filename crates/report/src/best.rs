//! Which figures of a table are the best of their column.

use sureness_analysis::number::figure;
use sureness_analysis::{Better, Cell, Column, Table};

/// For each row and column whether the cell holds its column's best figure.
///
/// Columns that do not say which values are good have none, nor have those with a single figure.
/// Figures that look the same as the best one are as good: nobody could see why one of them is
/// marked and the other is not.
pub(crate) fn best(table: &Table) -> Vec<Vec<bool>> {
    let marks: Vec<Option<String>> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| best_of(table, at, column))
        .collect();
    let is_best = |(cell, (column, mark)): (&Cell, (&Column, &Option<String>))| {
        cell.value()
            .zip(mark.as_ref())
            .is_some_and(|(value, mark)| figure(value, column.unit) == *mark)
    };
    table
        .rows
        .iter()
        .map(|row| {
            let columns = table.columns.iter().zip(&marks);
            row.iter().zip(columns).map(is_best).collect()
        })
        .collect()
}

/// How the best figure of a column is shown.
fn best_of(table: &Table, at: usize, column: &Column) -> Option<String> {
    let better = column.better?;
    let figures: Vec<f64> = table
        .rows
        .iter()
        .filter_map(|row| row.get(at)?.value())
        .filter(|value| value.is_finite())
        .collect();
    if figures.len() < 2 {
        return None;
    }
    let best = figures.into_iter().reduce(match better {
        Better::Higher => f64::max,
        Better::Lower => f64::min,
    })?;
    Some(figure(best, column.unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sureness_analysis::Unit;

    fn table(column: Column, values: &[Option<f64>]) -> Table {
        Table {
            columns: vec![column],
            rows: values.iter().map(|&v| vec![Cell::maybe(v)]).collect(),
            ..Table::default()
        }
    }

    #[test]
    fn what_looks_like_the_best_is_the_best() {
        let acc = || Column::new("acc", "Acc", Unit::Percent);
        let values = [Some(0.5001), Some(0.5004), None, Some(0.4), Some(f64::NAN)];
        let marked = |column| best(&table(column, &values)).concat();
        assert_eq!(marked(acc().higher()), [true, true, false, false, false]);
        assert_eq!(marked(acc().lower()), [false, false, false, true, false]);
        assert_eq!(marked(acc()), [false; 5]);
        assert_eq!(best(&table(acc().higher(), &[Some(0.5)])).concat(), [false]);
    }
}
