//! Saved logits as Parquet: a column `id` and a list column, or one column per option.

mod cells;
mod thrift;

pub(super) use cells::visit;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::reader::RowIter;
use ::parquet::record::{Field, Row};
use ::parquet::schema::types::Type;
use bytes::Bytes;

use super::collect::Collector;
use super::columns::{self, ID, LISTS};
use super::error::{Fault, Place, Problem, printable};
use super::row::{self, ANSWER, BOUNDED, Beside, MASS, Mass};
use super::{Kind, MAX_OPTIONS, RecordedLogits};

/// The largest uncompressed page. Writers end a page after about a megabyte.
const MAX_PAGE: u64 = 64 << 20;
/// The end of a Parquet file, after the length of its footer.
const MAGIC: &[u8; 4] = b"PAR1";

/// Reads the rows of a Parquet file.
pub(super) fn read(bytes: Vec<u8>, drop: &BTreeSet<i64>) -> Result<RecordedLogits, Fault> {
    unless_damaged(|| rows(&bytes.into(), drop))
}

/// The library checks most input, but a damaged file can still make it panic.
fn unless_damaged<T>(read: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let message = "the Parquet file is damaged".to_owned();
        Err(Problem::Syntax { message }.at(Place::File))
    })
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

fn rows(bytes: &Bytes, drop: &BTreeSet<i64>) -> Result<RecordedLogits, Fault> {
    let reader = open(bytes)?;
    let schema = reader.metadata().file_metadata().schema();
    let wanted = find(schema).map_err(|problem| problem.at(Place::File))?;
    let records = project(&reader, bytes, |column| wanted.reads(column))?;

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
                rows.push(id, wanted.kind, &values, beside(&record))
            })
            .map_err(|problem| problem.at(Place::Row(number)))?;
    }
    rows.finish().map_err(|problem| problem.at(Place::File))
}

/// Opens a file whose footer is sound.
fn open(bytes: &Bytes) -> Result<SerializedFileReader<Bytes>, Fault> {
    check_footer(bytes).map_err(|problem| problem.at(Place::File))?;
    SerializedFileReader::new(bytes.clone()).map_err(|error| fault(&error))
}

/// The rows with the wanted columns alone, so that others are never decoded.
fn project<'a>(
    reader: &'a SerializedFileReader<Bytes>,
    bytes: &Bytes,
    wanted: impl Fn(&str) -> bool,
) -> Result<RowIter<'a>, Fault> {
    check_counts(reader).map_err(|problem| problem.at(Place::File))?;
    check_pages(reader, &wanted, bytes).map_err(|problem| problem.at(Place::File))?;
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema.get_fields().iter();
    let fields = fields.filter(|field| wanted(field.name()));
    let projection = Type::group_type_builder(schema.name())
        .with_fields(fields.map(Arc::clone).collect())
        .build();
    projection
        .and_then(|projection| reader.get_row_iter(Some(projection)))
        .map_err(|error| fault(&error))
}

fn find(schema: &Type) -> Result<Wanted, Problem> {
    let fields = schema.get_fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    let mut lists = LISTS.into_iter().filter(|(name, _)| names.contains(name));
    match (lists.next(), lists.next()) {
        (Some((first, _)), Some((second, _))) => Err(Problem::AmbiguousColumns {
            first: first.to_owned(),
            second: second.to_owned(),
        }),
        (Some((name, kind)), None) => {
            columns::id_column(&names)?;
            Ok(Wanted {
                kind,
                scores: Scores::List(name.to_owned()),
            })
        }
        (None, _) => {
            let layout = columns::layout(&names)?;
            let columns = layout.options.iter().map(|&at| names[at].to_owned());
            Ok(Wanted {
                kind: layout.kind,
                scores: Scores::Columns(columns.collect()),
            })
        }
    }
}

/// Checks the number of values before any is decoded, since it may be far larger than the file.
fn check_counts(reader: &SerializedFileReader<Bytes>) -> Result<(), Problem> {
    for group in reader.metadata().row_groups() {
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

/// Checks the footer, which the library trusts (see [`thrift`]). The library itself rejects files of
/// other formats.
fn check_footer(bytes: &[u8]) -> Result<(), Problem> {
    let Some((rest, length)) = bytes
        .strip_suffix(MAGIC)
        .and_then(<[u8]>::split_last_chunk::<4>)
    else {
        return Ok(());
    };
    let length = u32::from_le_bytes(*length) as usize;
    let footer = rest.len().checked_sub(length).map(|start| &rest[start..]);
    match footer {
        Some(footer) if !thrift::is_whole(footer) => Err(damaged("its footer")),
        _ => Ok(()),
    }
}

/// The same for the headers of the needed pages.
fn check_pages(
    reader: &SerializedFileReader<Bytes>,
    wanted: &impl Fn(&str) -> bool,
    bytes: &[u8],
) -> Result<(), Problem> {
    let columns = reader.metadata().row_groups().iter();
    for column in columns.flat_map(RowGroupMetaData::columns) {
        let root = column.column_path().parts().first();
        if !root.is_some_and(|root| wanted(root)) {
            continue;
        }
        let (start, length) = column.byte_range();
        let range = start as usize..start.saturating_add(length) as usize;
        let mut chunk = bytes.get(range).ok_or_else(|| damaged("a column"))?;
        while !chunk.is_empty() {
            let page = thrift::page(chunk).ok_or_else(|| damaged("a page"))?;
            if page.unpacked > MAX_PAGE {
                return Err(damaged("the size of a page"));
            }
            let end = (page.header as u64).saturating_add(page.packed);
            chunk = usize::try_from(end)
                .ok()
                .and_then(|end| chunk.get(end..))
                .ok_or_else(|| damaged("a page"))?;
        }
    }
    Ok(())
}

fn damaged(what: &str) -> Problem {
    Problem::Syntax {
        message: format!("the Parquet file is damaged ({what})"),
    }
}

impl Wanted {
    /// Whether it needs the column of that name.
    fn reads(&self, column: &str) -> bool {
        [ID, ANSWER, MASS, BOUNDED].contains(&column)
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

/// What a row says beside its scores.
fn beside(record: &Row) -> Beside {
    let get = |name: &str| {
        let mut columns = record.get_column_iter();
        columns.find_map(|(column, field)| (column == name).then_some(field))
    };
    Beside {
        answer: get(ANSWER).and_then(|field| match field {
            Field::Str(text) => Some(text.trim().to_owned()),
            field => number(ANSWER, field).ok().map(|number| number.to_string()),
        }),
        mass: get(MASS).map_or(Mass::Sum, |field| {
            number(MASS, field).map_or(Mass::Unknown, Mass::Known)
        }),
        bounded: get(BOUNDED) == Some(&Field::Bool(true)),
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
        // Table libraries make fractions of ids that lack some.
        Field::Double(value) => match row::whole(value) {
            Some(value) => return Ok(value),
            None => "is not a whole number",
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

fn syntax(error: &ParquetError) -> Problem {
    Problem::Syntax {
        message: printable(&error.to_string()),
    }
}

fn fault(error: &ParquetError) -> Fault {
    syntax(error).at(Place::File)
}
