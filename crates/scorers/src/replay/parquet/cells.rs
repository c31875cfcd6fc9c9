//! All wanted columns of a Parquet file, row by row.

use sureness_parquet::{Bytes, Field};

use super::super::MAX_OPTIONS;
use super::super::cells::Cell;
use super::super::error::{Fault, Place, Problem};
use super::{fault, syntax, whole};

/// Passes each row's number and cells to `each`, until it returns false.
pub(in super::super) fn visit(
    bytes: Vec<u8>,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(usize, Vec<(String, Cell)>) -> bool,
) -> Result<(), Fault> {
    let table = sureness_parquet::open(Bytes::from(bytes)).map_err(|error| fault(&error))?;
    let names = table.columns();
    // A projection to no columns has no rows to count.
    if !names.iter().any(|name| wanted(name)) {
        return Err(super::columns::missing(super::ID, &names).at(Place::File));
    }
    super::check_counts(table.metadata()).map_err(|problem| problem.at(Place::File))?;
    let records = sureness_parquet::rows(table, wanted).map_err(|error| fault(&error))?;
    for (record, number) in records.zip(1..) {
        let record = record.map_err(|error| syntax(&error).at(Place::Row(number)))?;
        let columns = record.into_columns().into_iter();
        let cells = columns
            .map(|(name, field)| Ok((name, cell(&field)?)))
            .collect::<Result<_, Problem>>()
            .map_err(|problem| problem.at(Place::Row(number)))?;
        if !each(number, cells) {
            break;
        }
    }
    Ok(())
}

fn cell(field: &Field) -> Result<Cell, Problem> {
    Ok(match field {
        Field::Null => Cell::Empty,
        Field::Bool(value) => Cell::Bool(*value),
        Field::Float16(value) => Cell::Number(value.to_f64()),
        Field::Float(value) => Cell::Number(f64::from(*value)),
        Field::Double(value) => Cell::Number(*value),
        Field::Str(text) => Cell::Text(text.clone()),
        Field::ListInternal(list) => {
            let found = list.len();
            if found > MAX_OPTIONS {
                return Err(Problem::OptionCount { found });
            }
            Cell::List(list.elements().iter().map(cell).collect::<Result<_, _>>()?)
        }
        other => whole(other).map_or(Cell::Other, Cell::Whole),
    })
}
