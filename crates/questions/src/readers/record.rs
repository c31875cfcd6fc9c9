//! One JSON object, read field by field so that an error can name the field.

use serde_json::{Map, Value};

use crate::DataError;
use crate::error::Problem;
use crate::source::{At, Source};

/// A JSON object and its place in the file.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) at: At<'a>,
    fields: Map<String, Value>,
}

impl<'a> Record<'a> {
    /// Parses the text of one object.
    pub(crate) fn parse(at: At<'a>, text: &str) -> Result<Self, DataError> {
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Self { at, fields }),
            Ok(other) => Err(at.row(wrong_type("a JSON object", &other))),
            Err(error) => Err(at.row(Problem::Json(without_place(&error)))),
        }
    }

    /// The objects of a file that holds one per line.
    pub(crate) fn lines(
        source: &'a Source,
    ) -> Result<impl Iterator<Item = Result<Self, DataError>>, DataError> {
        let mut lines = source.lines()?;
        let mut next = move || match lines.next()? {
            Some((at, line)) => Self::parse(at, line).map(Some),
            None => Ok(None),
        };
        Ok(std::iter::from_fn(move || next().transpose()))
    }

    /// The value, unless it is absent or null.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// The names of all fields.
    pub(crate) fn names(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }

    /// The value, or an error that lists the fields of the row.
    pub(crate) fn required(&self, field: &str) -> Result<&Value, DataError> {
        self.get(field).ok_or_else(|| self.missing(field))
    }

    pub(crate) fn missing(&self, field: &str) -> DataError {
        let found = self.names();
        self.at.field(field, Problem::Missing { found })
    }

    /// A required string.
    pub(crate) fn text(&self, field: &str) -> Result<&str, DataError> {
        match self.required(field)? {
            Value::String(text) => Ok(text),
            other => Err(self.at.field(field, wrong_type("a string", other))),
        }
    }

    /// An optional string.
    pub(crate) fn optional_text(&self, field: &str) -> Result<Option<&str>, DataError> {
        if self.has(field) {
            self.text(field).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A string or a whole number, as text: how files write ids.
    pub(crate) fn id(&self, field: &str) -> Result<Option<String>, DataError> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let id = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            other => {
                let problem = wrong_type("a string or a whole number", other);
                return Err(self.at.field(field, problem));
            }
        };
        if id.is_empty() {
            return Err(self.at.field(field, Problem::Blank));
        }
        Ok(Some(id))
    }

    /// A required whole number.
    pub(crate) fn integer(&self, field: &str) -> Result<i64, DataError> {
        let value = self.required(field)?;
        value
            .as_i64()
            .ok_or_else(|| self.at.field(field, wrong_type("a whole number", value)))
    }

    /// Option texts: the items of an array.
    pub(crate) fn texts(&self, field: &str) -> Result<Vec<String>, DataError> {
        match self.required(field)? {
            Value::Array(items) => items.iter().map(|item| self.option(field, item)).collect(),
            other => Err(self.at.field(field, wrong_type("an array", other))),
        }
    }

    /// One option's text; a number is taken as it is written.
    pub(crate) fn option(&self, field: &str, value: &Value) -> Result<String, DataError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(self.at.field(field, wrong_type("a string", other))),
        }
    }
}

/// The expected and the actual kind.
pub(crate) fn wrong_type(expected: &'static str, found: &Value) -> Problem {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Problem::Type { expected, found }
}

/// The parser's message without its line, which counts from the object's start.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => format!("{message} at column {}", error.column()),
        None => text,
    }
}

/// The index of the right option as public data sets write it: a number, or a string with one.
/// Splits published without answers leave it out, empty, or at -1.
pub(crate) fn index_label(record: &Record<'_>, field: &str) -> Result<String, DataError> {
    let label = match record.get(field) {
        None => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => {
            let problem = wrong_type("a whole number", other);
            return Err(record.at.field(field, problem));
        }
    };
    if label.is_empty() || label == "-1" {
        return Err(record.at.field(field, Problem::Unlabelled));
    }
    Ok(label)
}
