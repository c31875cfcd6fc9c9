//! Rows of Parquet files as JSON objects, so that every reader of JSON reads Parquet too.

use serde_json::{Map, Number, Value};
use sureness_parquet::{Field, Row};

/// A row's columns.
pub(crate) fn fields(row: Row) -> Map<String, Value> {
    let columns = row.into_columns().into_iter();
    columns.map(|(name, field)| (name, value(field))).collect()
}

/// A missing number, which table libraries write as NaN, is null. So are bytes that are not text,
/// such as images.
fn value(field: Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::Bool(value),
        Field::Byte(value) => value.into(),
        Field::Short(value) => value.into(),
        Field::Int(value) => value.into(),
        Field::Long(value) => value.into(),
        Field::UByte(value) => value.into(),
        Field::UShort(value) => value.into(),
        Field::UInt(value) => value.into(),
        Field::ULong(value) => value.into(),
        Field::Float16(value) => fraction(value.to_f64()),
        // Through text, so that 0.1 stays 0.1.
        Field::Float(value) => fraction(value.to_string().parse().unwrap_or(f64::NAN)),
        Field::Double(value) => fraction(value),
        Field::Str(text) => Value::String(text),
        // Some writers do not mark texts as such.
        Field::Bytes(bytes) => {
            let text = String::from_utf8(bytes.data().to_vec());
            text.map_or(Value::Null, Value::String)
        }
        Field::Group(row) => Value::Object(fields(row)),
        Field::ListInternal(list) => list.elements().iter().cloned().map(value).collect(),
        Field::MapInternal(map) => {
            let entries = map.entries().iter();
            let pairs = entries.map(|(key, text)| (key_text(key), value(text.clone())));
            Value::Object(pairs.collect())
        }
        // Dates, times and decimals, as a person would write them.
        other => sureness_parquet::text(&other).map_or(Value::Null, Value::String),
    }
}

fn fraction(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn key_text(key: &Field) -> String {
    match key {
        Field::Str(text) => text.clone(),
        other => sureness_parquet::text(other).unwrap_or_default(),
    }
}
