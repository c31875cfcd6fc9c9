//! The options of a row and the right one among them.

use serde_json::Value;

use super::{Choices, Layout, Right};
use crate::DataError;
use crate::digest::Digest;
use crate::draft::{Answer, Options};
use crate::error::{Problem, describe_labels};
use crate::readers::{Record, index_label, whole, wrong_type};

/// How the right option is named, in the labels of the options.
pub(super) enum Named {
    Label(String),
    Index(i64),
}

impl Named {
    pub(super) fn answer(&self) -> Answer<'_> {
        match self {
            Self::Label(label) => Answer::Label(label),
            Self::Index(index) => Answer::Index(*index),
        }
    }
}

/// The field to name in errors about the options.
pub(super) fn field(choices: &Choices) -> &'static str {
    choices.columns().next().unwrap_or("options")
}

/// The options of a row and the right one; `stem` and `seed` draw the order where the data set has
/// none.
pub(super) fn of(
    layout: &Layout,
    record: &Record<'_>,
    stem: &str,
    seed: u64,
) -> Result<(Options, Named), DataError> {
    let (options, named) = match &layout.options {
        Choices::RightAndWrong { right, wrong } => {
            let mut texts = vec![record.option_text(right)?];
            for column in *wrong {
                texts.push(record.option_text(column)?);
            }
            shuffled(&texts, 0, stem, seed)
        }
        Choices::OneHot {
            column,
            texts,
            labels,
        } => {
            let (texts, right) = one_hot(record, column, texts, labels)?;
            shuffled(&texts, right, stem, seed)
        }
        choices => {
            let options = plain(choices, &layout.answer, record)?;
            let named = named(&layout.answer, record, &options)?;
            (options, named)
        }
    };
    Ok((options.with_repeats(), named))
}

/// Options in the file's order, under the labels that the answer uses.
fn plain(choices: &Choices, answer: &Right, record: &Record<'_>) -> Result<Options, DataError> {
    let texts = match choices {
        Choices::Labelled {
            column,
            text,
            label,
        } => {
            let pairs = pairs(record, column, text, label)?;
            let pairs = pairs.iter().map(|(label, text)| (label, text));
            return Ok(Options::labelled(record.labelled(column, pairs)?));
        }
        Choices::Dictionary(column) => {
            let Value::Object(options) = record.required(column)? else {
                let problem = wrong_type("an object from label to text", record.required(column)?);
                return Err(record.at.field(column, problem));
            };
            return Ok(Options::labelled(record.labelled(column, options)?));
        }
        Choices::List(column) => record.texts(column)?,
        Choices::Prefixed(column) => without_letters(record.texts(column)?),
        Choices::Columns(columns) => record.option_texts(columns)?,
        Choices::Fixed(texts) => texts.iter().map(|&text| text.to_owned()).collect(),
        Choices::RightAndWrong { .. } | Choices::OneHot { .. } => Vec::new(),
    };
    Ok(match answer {
        Right::From0(_) => Options::numbered(texts),
        Right::From1(_) => Options::numbered_from_1(texts),
        _ => Options::lettered(texts),
    })
}

/// The right option as the answer's column names it.
fn named(answer: &Right, record: &Record<'_>, options: &Options) -> Result<Named, DataError> {
    let unlabelled = |column: &str| record.at.field(column, Problem::Unlabelled);
    let text = |column: &'static str| match record.get(column) {
        None => Err(unlabelled(column)),
        Some(Value::String(text)) if text.trim().is_empty() => Err(unlabelled(column)),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(Value::Array(items)) => only(record, column, items).map(|index| index.to_string()),
        Some(value) => whole(value)
            .map(|number| number.to_string())
            .ok_or_else(|| record.at.field(column, wrong_type("a string", value))),
    };
    Ok(match *answer {
        Right::From0(column) | Right::From1(column) => {
            let index = match record.get(column) {
                Some(Value::Array(items)) => only(record, column, items)?.to_string(),
                _ => index_label(record, column)?,
            };
            Named::Label(index)
        }
        Right::Letter(column) => Named::Label(text(column)?.to_uppercase()),
        Right::Label(column) => Named::Label(text(column)?),
        Right::Text(column) => {
            let text = text(column)?;
            let index = options.texts().iter().position(|option| *option == text);
            let index = index.ok_or_else(|| {
                let problem = Problem::Answer {
                    answer: format!("{text:?}"),
                    options: describe_labels(options.texts()),
                };
                record.at.field(column, problem)
            })?;
            Named::Index(i64::try_from(index).unwrap_or(-1))
        }
        Right::Truth(column) => {
            let value = record.get(column).ok_or_else(|| unlabelled(column))?;
            let truth = truth(value).ok_or_else(|| {
                let problem = wrong_type("true or false", value);
                record.at.field(column, problem)
            })?;
            Named::Index(i64::from(!truth))
        }
        Right::InOptions => Named::Index(0),
    })
}

/// The index in a list of one.
fn only(record: &Record<'_>, column: &str, items: &[Value]) -> Result<i64, DataError> {
    let [item] = items else {
        let problem = Problem::RightOptions(items.len());
        return Err(record.at.field(column, problem));
    };
    whole(item).ok_or_else(|| record.at.field(column, wrong_type("a whole number", item)))
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => match whole(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

/// Labels and texts, from an object of two lists or a list of objects of two.
pub(crate) fn pairs(
    record: &Record<'_>,
    column: &str,
    text: &str,
    label: &str,
) -> Result<Vec<(String, Value)>, DataError> {
    let expected = "texts with labels";
    let value = record.required(column)?;
    let found = match value {
        Value::Object(lists) => match (lists.get(label), lists.get(text)) {
            (Some(Value::Array(labels)), Some(Value::Array(texts)))
                if labels.len() == texts.len() =>
            {
                let labels = labels.iter().map(label_text);
                let pairs = labels.zip(texts.iter().cloned());
                pairs.map(|(label, text)| Some((label?, text))).collect()
            }
            _ => None,
        },
        Value::Array(items) => {
            let pairs = items.iter().map(|item| {
                let label = label_text(item.get(label)?)?;
                Some((label, item.get(text)?.clone()))
            });
            pairs.collect()
        }
        _ => None,
    };
    found.ok_or_else(|| record.at.field(column, wrong_type(expected, value)))
}

fn label_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        _ => whole(value).map(|number| number.to_string()),
    }
}

/// Texts, and the place of the one whose label is 1.
fn one_hot(
    record: &Record<'_>,
    column: &str,
    texts: &str,
    labels: &str,
) -> Result<(Vec<String>, usize), DataError> {
    let texts = record.texts(&format!("{column}.{texts}"))?;
    let field = format!("{column}.{labels}");
    let Value::Array(labels) = record.required(&field)? else {
        let problem = wrong_type("an array", record.required(&field)?);
        return Err(record.at.field(&field, problem));
    };
    let right: Vec<_> = labels.iter().map(|label| whole(label) == Some(1)).collect();
    match right.iter().filter(|&&right| right).count() {
        1 if right.len() == texts.len() => {}
        count => {
            let problem = Problem::RightOptions(count);
            return Err(record.at.field(&field, problem));
        }
    }
    let right = right.iter().position(|&right| right);
    Ok((texts, right.unwrap_or_default()))
}

/// The options in an order that depends on the seed and the question, not on the row's place.
fn shuffled(texts: &[String], right: usize, stem: &str, seed: u64) -> (Options, Named) {
    let mut order: Vec<_> = (0..texts.len()).collect();
    order.sort_by_cached_key(|&index| {
        let draw = Digest::new("sureness options 1").number(seed).text(stem);
        draw.text(&texts[index]).finish()
    });
    let place = (0..).zip(&order).find(|(_, index)| **index == right);
    let texts = order.iter().map(|&index| &texts[index]);
    let named = Named::Index(place.map_or(0, |(place, _)| place));
    (Options::lettered(texts), named)
}

/// Texts without the letters that they begin with, if all do.
fn without_letters(texts: Vec<String>) -> Vec<String> {
    let bare = |(index, text): (usize, &String)| {
        let letter = crate::letter(index);
        let rest = text.trim_start().strip_prefix(&format!("({letter})"))?;
        Some(rest.to_owned())
    };
    let all: Option<Vec<_>> = texts.iter().enumerate().map(bare).collect();
    all.unwrap_or(texts)
}
