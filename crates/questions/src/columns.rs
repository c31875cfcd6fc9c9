//! Which columns hold what, as a user says it for a layout of their own.

use std::str::FromStr;

use serde_json::Value;

use crate::again::{self, Again};
use crate::draft::{Answer, Answers, Draft, Names, Options};
use crate::error::Problem;
use crate::readers::{Record, Records, Rows, generic, several, whole, wrong_type};
use crate::source::{Chosen, Source};
use crate::{DataError, LoadOptions, layout};

/// The columns of a file by their meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    question: String,
    /// One column with all options, or one for each.
    options: Vec<String>,
    answer: String,
    /// Whether answers that are numbers count from 1.
    from_1: bool,
    context: Option<String>,
    category: Option<String>,
    id: Option<String>,
}

impl Columns {
    /// The meanings that a column can be given.
    pub const KEYS: [&'static str; 7] = [
        "question", "options", "answer", "first", "context", "category", "id",
    ];

    fn all(&self) -> Vec<&str> {
        let optional = [&self.context, &self.category, &self.id];
        let optional = optional.into_iter().flatten();
        let needed = [&self.question, &self.answer].into_iter();
        let all = needed.chain(&self.options).chain(optional);
        all.map(String::as_str).collect()
    }
}

impl FromStr for Columns {
    type Err = String;

    /// Reads `question=prompt,options=a+b+c,answer=key`; `first=1` says that answers count from 1.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut found: [Option<&str>; Self::KEYS.len()] = [None; Self::KEYS.len()];
        for part in text.split(',') {
            let (key, column) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} is not of the form KEY=COLUMN"))?;
            let (key, column) = (key.trim(), column.trim());
            let place = Self::KEYS.iter().position(|known| *known == key);
            let place = place.ok_or_else(|| {
                let known = Self::KEYS.join(", ");
                format!("{key:?} is not one of {known}")
            })?;
            if column.is_empty() {
                return Err(format!("no column is given for {key}"));
            }
            if found[place].replace(column).is_some() {
                return Err(format!("{key} is given twice"));
            }
        }
        let [question, options, answer, first, context, category, id] = found;
        let needed = |column: Option<&str>, key: &str| {
            let column = column.ok_or_else(|| format!("{key} is missing"))?;
            Ok::<_, String>(column.to_owned())
        };
        let own = |column: Option<&str>| column.map(str::to_owned);
        Ok(Self {
            question: needed(question, "question")?,
            options: needed(options, "options")?
                .split('+')
                .map(|column| column.trim().to_owned())
                .collect(),
            answer: needed(answer, "answer")?,
            from_1: match first {
                None | Some("0") => false,
                Some("1") => true,
                Some(other) => return Err(format!("first is 0 or 1, not {other:?}")),
            },
            context: own(context),
            category: own(category),
            id: own(id),
        })
    }
}

/// Reads a file whose columns are given.
pub(crate) fn read(
    columns: &Columns,
    source: &Source,
    rows: &mut Rows,
    load: &LoadOptions,
) -> Result<(), DataError> {
    let mut all = columns.all();
    all.extend(load.cluster.column());
    let reads = |column: &str| {
        let named = |name: &&str| *name == column || name.split('.').next() == Some(column);
        again::FIELDS.contains(&column) || all.iter().any(named)
    };
    let chosen = Chosen::Read {
        needs: &all,
        reads: &reads,
    };
    // A row may lack its last options, but an option that no row has is a name misspelt.
    let mut absent = None;
    for record in Records::with(source, chosen, &mut rows.unread)? {
        let record = record?;
        note_absent(columns, &record, &mut absent);
        let text = |column: &Option<String>| match column {
            Some(column) => optional(&record, column),
            None => Ok(None),
        };
        let (context, category) = (text(&columns.context)?, text(&columns.category)?);
        let id = match &columns.id {
            Some(column) => record.id(column)?,
            None => None,
        };
        let (options, options_field) = options(columns, &record)?;
        let answers = answers(columns, &record, &options)?;
        let draft = Draft {
            id: id.unwrap_or_else(|| rows.id_of(&record)),
            category: category.as_deref(),
            context: context.as_deref(),
            stem: record.text(&columns.question)?,
            options,
            answers,
            names: Names {
                stem: &columns.question,
                options: options_field,
                answer: &columns.answer,
            },
        };
        let cluster = load.cluster.of_record(&record)?;
        let again = Again::of(&record, again::FIELDS, &columns.answer);
        let again = again.counted_from(columns.from_1.into());
        rows.unread.add_fields(&record);
        let question = match draft.finish_as(record.at, &again) {
            Ok(question) => question,
            Err(error) => return Err(first(absent).unwrap_or(error)),
        };
        rows.push(record.at, question, false, cluster)?;
    }
    first(absent).map_or(Ok(()), Err)
}

/// The options' columns that no row so far has, each with the error of the first row.
type Absent<'a> = Option<Vec<(&'a str, DataError)>>;

fn note_absent<'a>(columns: &'a Columns, record: &Record<'_>, absent: &mut Absent<'a>) {
    if let Some(absent) = absent {
        absent.retain(|(column, _)| !record.contains(column));
        return;
    }
    let lacking = columns
        .options
        .iter()
        .filter(|column| !record.contains(column));
    let errors = lacking.map(|column| (column.as_str(), record.missing(column)));
    *absent = Some(errors.collect());
}

fn first(absent: Absent<'_>) -> Option<DataError> {
    absent?.into_iter().next().map(|(_, error)| error)
}

/// A text or a number that may be missing from a row, but not from all: the column must be there.
fn optional(record: &Record<'_>, column: &str) -> Result<Option<String>, DataError> {
    match record.get(column) {
        None if record.contains(column) => Ok(None),
        None => Err(record.missing(column)),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(record.at.field(column, wrong_type("a string", other))),
    }
}

fn options<'a>(columns: &'a Columns, record: &Record<'_>) -> Result<(Options, &'a str), DataError> {
    let listed = |texts: Vec<String>| {
        if columns.from_1 {
            Options::numbered_from_1(texts)
        } else {
            Options::lettered(texts)
        }
    };
    if let [column] = &columns.options[..] {
        let options = labelled(record, column)?;
        let options = match options {
            Some(options) => options,
            None => listed(record.texts(column)?),
        };
        return Ok((options.with_repeats(), column));
    }
    let options = listed(record.option_texts(&columns.options)?);
    let field = columns.options.first().map_or("options", String::as_str);
    Ok((options.with_repeats(), field))
}

/// Options with labels: an object from label to text, an object of two lists, or a list of objects.
fn labelled(record: &Record<'_>, column: &str) -> Result<Option<Options>, DataError> {
    let two_lists;
    let pairs = match record.required(column)? {
        Value::Object(options)
            if ["text", "label"]
                .iter()
                .all(|&list| options.get(list).is_some_and(Value::is_array)) =>
        {
            two_lists = layout::pairs(record, column, "text", "label")?;
            let pairs = two_lists.iter().map(|(label, text)| (label, text));
            record.labelled(column, pairs)
        }
        Value::Object(options) => record.labelled(column, options),
        Value::Array(items) => match generic::labels_and_texts(items) {
            Some(pairs) => record.labelled(column, pairs),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(Options::labelled(pairs?)))
}

fn answers<'a>(
    columns: &Columns,
    record: &'a Record<'_>,
    options: &Options,
) -> Result<Answers<'a>, DataError> {
    let column = &columns.answer;
    match record.get(column) {
        None if record.contains(column) => Err(record.at.field(column, Problem::Unlabelled)),
        None => Err(record.missing(column)),
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(record.at.field(column, Problem::Unlabelled))
        }
        // A number may be text, in CSV and as class labels are written.
        Some(Value::String(text)) => Ok(Answer::Cell(text).into()),
        Some(Value::Array(items)) => several(items, options.texts().len(), Answer::Cell)
            .map_err(|problem| record.at.field(column, problem)),
        Some(value) => whole(value)
            .map(|index| Answer::Index(index).into())
            .ok_or_else(|| {
                let problem = wrong_type("a string, a whole number or a list of them", value);
                record.at.field(column, problem)
            }),
    }
}
