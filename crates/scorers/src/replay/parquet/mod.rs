//! Saved logits as Parquet: a column `id` and a list column, or one column per option.

mod cells;

pub(super) use cells::visit;

use std::collections::BTreeSet;

use sureness_parquet::{Bytes, Error, Field, ParquetMetaData, Row};

use super::collect::Collector;
use super::columns::{self, ID, LISTS};
use super::error::{Fault, Place, Problem, printable};
use super::{Kind, MAX_OPTIONS, RecordedLogits};

/// Reads the rows of a Parquet file.
pub(super) fn read(bytes: Vec<u8>, drop: &BTreeSet<i64>) -> Result<RecordedLogits, Fault> {
    let table = sureness_parquet::open(Bytes::from(bytes)).map_err(|error| fault(&error))?;
    let wanted = find(&table.columns()).map_err(|problem| problem.at(Place::File))?;
    check_counts(table.metadata()).map_err(|problem| problem.at(Place::File))?;
    let records = sureness_parquet::rows(table, |column| wanted.reads(column));
    let records = records.map_err(|error| fault(&error))?;
    let mut rows = Collector::new(drop);
    let mut values = Vec::with_capacity(MAX_OPTIONS);
    for (record, number) in records.zip(1..) {
        record
            .map_err(|error| syntax(&error))
            .and_then(|record| {
                let id = whole(get(&record, ID)?)?;
                if rows.drops(id)? {
                    return Ok(());
                }
                values.clear();
                wanted.scores.read_into(&record, &mut values)?;
                rows.push(id, wanted.kind, &values)
            })
            .map_err(|problem| problem.at(Place::Row(number)))?;
    }
    rows.finish().map_err(|problem| problem.at(Place::File))
}

/// The columns to read, by name.
struct Wanted {
    kind: Kind,
    scores: Scores,
}

enum Scores {
    /// One list column.
    List(String),
    /// One column per option, in option order.
    Columns(Vec<String>),
}

fn find(names: &[&str]) -> Result<Wanted, Problem> {
    let mut lists = LISTS.into_iter().filter(|(name, _)| names.contains(name));
    match (lists.next(), lists.next()) {
        (Some((first, _)), Some((second, _))) => Err(Problem::AmbiguousColumns {
            first: first.to_owned(),
            second: second.to_owned(),
        }),
        (Some((name, kind)), None) => {
            columns::id_column(names)?;
            Ok(Wanted {
                kind,
                scores: Scores::List(name.to_owned()),
            })
        }
        (None, _) => {
            let layout = columns::layout(names)?;
            let columns = layout.options.iter().map(|&at| names[at].to_owned());
            Ok(Wanted {
                kind: layout.kind,
                scores: Scores::Columns(columns.collect()),
            })
        }
    }
}

/// Checks the number of values before any is decoded, since it may be far larger than the file.
fn check_counts(metadata: &ParquetMetaData) -> Result<(), Problem> {
    for group in metadata.row_groups() {
        let rows = group.num_rows().max(1);
        for column in group.columns() {
            let root = column.column_path().parts().first();
            let is_list = root.is_some_and(|root| LISTS.iter().any(|(name, _)| name == root));
            let found = (column.num_values() / rows) as usize;
            if is_list && found > MAX_OPTIONS {
                return Err(Problem::OptionCount { found });
            }
        }
    }
    Ok(())
}

impl Wanted {
    /// Whether it needs the column of that name.
    fn reads(&self, column: &str) -> bool {
        column == ID
            || match &self.scores {
                Scores::List(name) => column == name,
                Scores::Columns(names) => names.iter().any(|name| name == column),
            }
    }
}

impl Scores {
    fn read_into(&self, record: &Row, values: &mut Vec<f64>) -> Result<(), Problem> {
        match self {
            Self::List(name) => {
                let list = match get(record, name)? {
                    Field::ListInternal(list) => list,
                    Field::Null => return Err(Problem::field(name, "is empty")),
                    _ => return Err(Problem::field(name, "is not a list of numbers")),
                };
                if list.len() > MAX_OPTIONS {
                    return Err(Problem::OptionCount { found: list.len() });
                }
                for value in list.elements() {
                    values.push(number(name, value)?);
                }
            }
            Self::Columns(names) => {
                for name in names {
                    values.push(number(name, get(record, name)?)?);
                }
            }
        }
        Ok(())
    }
}

fn get<'a>(record: &'a Row, name: &str) -> Result<&'a Field, Problem> {
    record
        .get_column_iter()
        .find_map(|(column, field)| (column == name).then_some(field))
        .ok_or_else(|| Problem::field(name, "is missing"))
}

fn whole(field: &Field) -> Result<i64, Problem> {
    let message = match *field {
        Field::Byte(value) => return Ok(value.into()),
        Field::Short(value) => return Ok(value.into()),
        Field::Int(value) => return Ok(value.into()),
        Field::Long(value) => return Ok(value),
        Field::UByte(value) => return Ok(value.into()),
        Field::UShort(value) => return Ok(value.into()),
        Field::UInt(value) => return Ok(value.into()),
        Field::ULong(value) => match value.try_into() {
            Ok(value) => return Ok(value),
            Err(_) => "is too large",
        },
        // Programs that write ids of any kind write them as text.
        Field::Str(ref text) => match text.trim().parse() {
            Ok(value) => return Ok(value),
            Err(_) => "is a text, not a whole number",
        },
        Field::Null => "is empty",
        _ => "is not a whole number",
    };
    Err(Problem::field(ID, message))
}

fn number(name: &str, field: &Field) -> Result<f64, Problem> {
    match *field {
        Field::Float16(value) => Ok(value.to_f64()),
        Field::Float(value) => Ok(value.into()),
        Field::Double(value) => Ok(value),
        Field::Null => Err(Problem::field(name, "is empty")),
        Field::Str(_) => Err(Problem::field(name, "is not a number")),
        _ => match whole(field) {
            Ok(value) => Ok(value as f64),
            Err(_) => Err(Problem::field(name, "is not a number")),
        },
    }
}

fn syntax(error: &Error) -> Problem {
    Problem::Syntax {
        message: printable(&error.to_string()),
    }
}

fn fault(error: &Error) -> Fault {
    syntax(error).at(Place::File)
}
