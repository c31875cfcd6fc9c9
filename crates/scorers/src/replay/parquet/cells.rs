//! All wanted columns of a Parquet file, row by row.

use ::parquet::file::reader::FileReader;
use ::parquet::record::Field;

use super::super::MAX_OPTIONS;
use super::super::cells::Cell;
use super::super::error::{Fault, Place, Problem};
use super::{open, project, syntax, unless_damaged, whole};

/// Passes each row's number and cells to `each`, until it returns false.
pub(in super::super) fn visit(
    bytes: Vec<u8>,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(usize, Vec<(String, Cell)>) -> bool,
) -> Result<(), Fault> {
    unless_damaged(|| {
        let bytes = bytes.into();
        let reader = open(&bytes)?;
        let fields = reader.metadata().file_metadata().schema().get_fields();
        // A projection to no columns has no rows to count.
        if !fields.iter().any(|field| wanted(field.name())) {
            let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
            return Err(super::columns::missing(super::ID, &names).at(Place::File));
        }
        for (record, number) in project(&reader, &bytes, wanted)?.zip(1..) {
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
    })
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
