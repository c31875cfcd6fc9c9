//! One JSON object, read field by field so that an error can name the field.

use std::cell::Cell;
use std::path::Path;

use serde_json::{Map, Value};

use crate::draft::in_order;
use crate::error::Problem;
use crate::source::At;
use crate::{DataError, bare, letter, once};

/// Keys and columns that hold a question's background text; the first that has one counts.
pub(crate) const CONTEXTS: [&str; 3] = ["context", "passage", "article"];
/// Keys and columns that hold a question's category, likewise.
pub(crate) const CATEGORIES: [&str; 2] = ["category", "subject"];

/// A JSON object and its place in the file. It remembers which fields a reader asked for, so that
/// the others can be named.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) at: At<'a>,
    fields: Map<String, Value>,
    /// For each field, whether it was asked for.
    asked: Vec<Cell<bool>>,
    /// The id of a question in a log, which may have none of its own.
    log_id: Option<String>,
}

impl<'a> Record<'a> {
    /// A row that is parsed already.
    pub(crate) fn new(at: At<'a>, fields: Map<String, Value>) -> Self {
        Self {
            at,
            asked: vec![Cell::new(false); fields.len()],
            fields,
            log_id: None,
        }
    }

    /// The question in a sample of lm-evaluation-harness, and the filter of the sample: a task with
    /// several filters logs each question once for each. `None` for any other row.
    pub(crate) fn logged(&self) -> Option<(Self, &Value)> {
        let Value::Object(question) = self.fields.get("doc")? else {
            return None;
        };
        let number = whole(self.fields.get("doc_id")?)?;
        self.fields
            .get("resps")
            .or(self.fields.get("filtered_resps"))?;
        let mut record = Self::new(self.at, question.clone());
        record.log_id = Some(format!("{}/{number}", task_of(self.at.path)));
        Some((record, self.fields.get("filter").unwrap_or(&Value::Null)))
    }

    /// The questions of a row that holds an article with several, as the original files of `QuALITY`
    /// and RACE do; `None` for any other row.
    pub(crate) fn of_article(&self) -> Result<Option<Vec<Self>>, DataError> {
        let (Some(Value::String(_)), Some(Value::Array(questions))) =
            (self.fields.get("article"), self.fields.get("questions"))
        else {
            return Ok(None);
        };
        let mut shared = self.fields.clone();
        for list in ["questions", "options", "answers"] {
            shared.remove(list);
        }
        // RACE calls the article's id so, where each question has a row.
        if let Some(id) = shared.remove("id") {
            shared.insert("example_id".to_owned(), id);
        }
        if questions.iter().any(Value::is_string) {
            for list in ["options", "answers"] {
                let value = self.required(list)?;
                if value.as_array().map(Vec::len) != Some(questions.len()) {
                    let expected = "one value per question";
                    let found = match value {
                        Value::Array(_) => "an array of another length",
                        other => kind(other),
                    };
                    return Err(self.at.field(list, Problem::Type { expected, found }));
                }
            }
        }
        let rows = (0..).zip(questions).map(|(index, question)| {
            let mut fields = shared.clone();
            if let Value::Object(own) = question {
                fields.extend(own.clone());
            } else {
                fields.insert("question".to_owned(), question.clone());
                for (list, field) in [("options", "options"), ("answers", "answer")] {
                    let value = self.fields.get(list).and_then(|list| list.get(index));
                    let value = value.cloned().unwrap_or_default();
                    fields.insert(field.to_owned(), value);
                }
            }
            Self::new(self.at, fields)
        });
        Ok(Some(rows.collect()))
    }

    /// The id that a log gives the question.
    pub(crate) fn log_id(&self) -> Option<&str> {
        self.log_id.as_deref()
    }

    /// Parses the text of one object.
    pub(crate) fn parse(at: At<'a>, text: &str) -> Result<Self, DataError> {
        match once::parse(text) {
            Ok(Value::Object(fields)) => Ok(Self::new(at, fields)),
            Ok(other) => Err(at.row(wrong_type("a JSON object", &other))),
            Err(once::Error::Repeated(key)) => Err(at.row(Problem::RepeatedKey(key))),
            Err(once::Error::Json(error)) => {
                let new = bare::replaced(text);
                let value = new.and_then(|new| serde_json::from_str(&new).ok());
                Err(value
                    .and_then(|value| Self::bare_word(at, value))
                    .unwrap_or_else(|| at.row(Problem::Json(without_place(&error)))))
            }
        }
    }

    /// The error about a word that JSON does not have, in a row as [`bare::replaced`] makes it.
    pub(crate) fn bare_word(at: At<'a>, row: Value) -> Option<DataError> {
        let Value::Object(fields) = row else {
            let word = bare::word_in(&row)?;
            return Some(at.row(Problem::BareWord(word.to_owned())));
        };
        fields.iter().find_map(|(field, value)| {
            let word = bare::word_in(value)?;
            Some(at.field(field, Problem::BareWord(word.to_owned())))
        })
    }

    /// The value, unless it is absent or null. A dot leads into an object: `choices.text`.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        let (value, asked) = self.find(field)?;
        asked.set(true);
        (!value.is_null()).then_some(value)
    }

    /// The same without asking for it, to look for other layouts.
    pub(crate) fn glance(&self, field: &str) -> Option<&Value> {
        let (value, _) = self.find(field)?;
        (!value.is_null()).then_some(value)
    }

    /// Whether there is such a field, null or not.
    pub(crate) fn contains(&self, field: &str) -> bool {
        self.find(field).is_some()
    }

    fn find(&self, field: &str) -> Option<(&Value, &Cell<bool>)> {
        let place = |name: &str| {
            let mut fields = self.fields.iter().zip(&self.asked);
            let ((_, value), asked) = fields.find(|((field, _), _)| *field == name)?;
            Some((value, asked))
        };
        place(field).or_else(|| {
            let (root, path) = field.split_once('.')?;
            let (value, asked) = place(root)?;
            let inner = path.split('.').try_fold(value, |value, key| value.get(key));
            Some((inner?, asked))
        })
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// The fields that nobody asked for and that are not null.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().zip(&self.asked);
        fields
            .filter(|((_, value), asked)| !asked.get() && !value.is_null())
            .map(|((name, _), _)| name.as_str())
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
        if self.contains(field) {
            return self.at.field(field, Problem::Null);
        }
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

    /// The first of these fields that holds more than white space. The first name is the layout's
    /// own and must be a string; another kind of value under the others is something else.
    pub(crate) fn first_text(&self, fields: &[&str]) -> Result<Option<&str>, DataError> {
        for (index, field) in fields.iter().enumerate() {
            if index > 0 && !self.glance(field).is_some_and(Value::is_string) {
                continue;
            }
            let text = self.optional_text(field)?;
            if text.is_some_and(|text| !text.trim().is_empty()) {
                return Ok(text);
            }
        }
        Ok(None)
    }

    /// A string or a whole number, as text: how files write ids.
    pub(crate) fn id(&self, field: &str) -> Result<Option<String>, DataError> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let id = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) if number.is_u64() => number.to_string(),
            other if whole(other).is_some() => whole(other).unwrap_or_default().to_string(),
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

    /// Whether the row says of itself that it is a few-shot example.
    pub(crate) fn is_example(&self) -> Result<bool, DataError> {
        match self.get("example") {
            None => Ok(false),
            Some(Value::Bool(example)) => Ok(*example),
            Some(other) => Err(self.at.field("example", wrong_type("true or false", other))),
        }
    }

    /// A required whole number.
    pub(crate) fn integer(&self, field: &str) -> Result<i64, DataError> {
        let value = self.required(field)?;
        whole(value).ok_or_else(|| self.at.field(field, wrong_type("a whole number", value)))
    }

    /// Option texts: the items of an array. Nulls at its end mean fewer options.
    pub(crate) fn texts(&self, field: &str) -> Result<Vec<String>, DataError> {
        match self.required(field)? {
            Value::Array(items) => self.listed(field, items),
            other => Err(self.at.field(field, wrong_type("an array", other))),
        }
    }

    /// The same of an array that was found.
    pub(crate) fn listed(&self, field: &str, items: &[Value]) -> Result<Vec<String>, DataError> {
        let end = items.iter().rposition(|item| !item.is_null());
        let items = &items[..end.map_or(0, |end| end + 1)];
        let items = items.iter().enumerate();
        let label = |index| letter(index).to_string();
        items
            .map(|(index, item)| self.option(field, &label(index), item))
            .collect()
    }

    /// Labels and texts of an object of options, in order. Nulls at its end mean fewer options.
    pub(crate) fn labelled<'b>(
        &self,
        field: &str,
        options: impl IntoIterator<Item = (&'b String, &'b Value)>,
    ) -> Result<Vec<(&'b str, String)>, DataError> {
        let options = options.into_iter();
        let mut pairs: Vec<_> = options.map(|(label, text)| (label.trim(), text)).collect();
        in_order(&mut pairs);
        while pairs.pop_if(|(_, text)| text.is_null()).is_some() {}
        let pairs = pairs.into_iter();
        pairs
            .map(|(label, text)| Ok((label, self.option(field, label, text)?)))
            .collect()
    }

    /// The text of an option in a field of its own.
    pub(crate) fn option_text(&self, field: &str) -> Result<String, DataError> {
        match self.required(field)? {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(self
                .at
                .field(field, wrong_type("a string or a number", other))),
        }
    }

    /// The texts of options in fields of their own; empty ones at the end mean fewer options.
    pub(crate) fn option_texts<F: AsRef<str>>(
        &self,
        fields: &[F],
    ) -> Result<Vec<String>, DataError> {
        let last = fields.iter().rposition(|field| self.has(field.as_ref()));
        let given = fields.iter().take(last.map_or(0, |last| last + 1));
        given
            .map(|field| self.option_text(field.as_ref()))
            .collect()
    }

    /// One option's text; a number is taken as it is written.
    fn option(&self, field: &str, label: &str, value: &Value) -> Result<String, DataError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(self.at.field(
                field,
                Problem::OptionType {
                    option: label.to_owned(),
                    found: kind(other),
                },
            )),
        }
    }
}

/// The task that a log's name tells, as `anatomy` of `samples_anatomy_2026-11-28T00-04-54.63.jsonl`.
fn task_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let task = name
        .strip_prefix("samples_")
        .and_then(|rest| rest.rsplit_once('_'));
    task.map_or_else(|| name.to_string(), |(task, _)| task.to_owned())
}

/// A whole number, also where a table library made it a fraction, such as 2.0.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    /// Up to here, every whole number is a number of 64 bits with a fraction.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
    })
}

/// The expected and the actual kind.
pub(crate) fn wrong_type(expected: &'static str, found: &Value) -> Problem {
    let found = kind(found);
    Problem::Type { expected, found }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => {
            "a fraction"
        }
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
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
        Some(value) => whole(value)
            .ok_or_else(|| record.at.field(field, wrong_type("a whole number", value)))?
            .to_string(),
    };
    if label.is_empty() || label == "-1" {
        return Err(record.at.field(field, Problem::Unlabelled));
    }
    Ok(label)
}
