//! The options of a row and the right one among them.

use serde_json::Value;

use super::{Choices, Layout, Right, Several};
use crate::DataError;
use crate::draft::{Answer, Answers, Options};
use crate::error::{Problem, describe_labels};
use crate::letter_index;
use crate::question::Digest;
use crate::readers::{Record, index_label, marked, whole, wrong_type};

/// How the right options are named.
pub(super) enum Named {
    /// In the labels of the options.
    Label(String),
    /// The same, one after the other.
    Labels(Vec<String>),
    /// By their places.
    Places(Vec<usize>),
    /// By their places in the file.
    Marked(Vec<usize>),
}

impl Named {
    pub(super) fn answers(&self) -> Answers<'_> {
        match self {
            Self::Label(label) => Answer::Label(label).into(),
            Self::Labels(labels) => {
                Answers::Each(labels.iter().map(|label| Answer::Label(label)).collect())
            }
            Self::Places(places) => Answers::Places(places.clone()),
            Self::Marked(places) => Answers::Marked(places.clone()),
        }
    }
}

/// The field to name in errors about the options.
pub(super) fn field(choices: &Choices) -> &'static str {
    choices.columns().next().unwrap_or("options")
}

/// The options of a row and the right ones; `stem` and `seed` draw the order where the data set has
/// none. `several` is the column of a row's right options, if they are not where those of others are.
pub(super) fn of(
    layout: &Layout,
    record: &Record<'_>,
    several: Option<&Several>,
    stem: &str,
    seed: u64,
) -> Result<(Options, Named), DataError> {
    let (options, named) = match &layout.options {
        Choices::RightAndWrong { right, wrong } => {
            let mut texts = vec![record.option_text(right)?];
            for column in *wrong {
                texts.push(record.option_text(column)?);
            }
            shuffled(&texts, &[0], stem, seed)
        }
        Choices::OneHot {
            column,
            texts,
            labels,
        } => {
            let (texts, right) = one_hot(record, column, texts, labels)?;
            shuffled(&texts, &right, stem, seed)
        }
        choices => {
            let options = plain(choices, &layout.answer, record)?;
            let named = match several {
                Some(several) => listed(several, record, &options)?,
                None => named(&layout.answer, record, &options)?,
            };
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

/// The right options that a text lists: `A, C`, `0,2`, `(B or D)`.
fn listed(several: &Several, record: &Record<'_>, options: &Options) -> Result<Named, DataError> {
    let text = record.text(several.column)?;
    let bare = text.trim().trim_matches(['(', ')', '[', ']']);
    let bare = bare.replace(" and ", ",").replace(" or ", ",");
    let count = options.texts().len();
    let parts = || {
        bare.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
    };
    let letters = || parts().map(letter_index).collect::<Option<Vec<_>>>();
    let indices = || parts().map(|part| part.parse().ok()).collect();
    let mut places = letters().or_else(indices).unwrap_or_default();
    places.sort_unstable();
    places.dedup();
    if places.len() > 1 && places.iter().all(|&place| place < count) {
        return Ok(Named::Places(places));
    }
    let labels: Vec<_> = (0..count)
        .map(|index| crate::letter(index).to_string())
        .collect();
    let problem = Problem::NotAList {
        found: text.to_owned(),
        options: describe_labels(&labels),
    };
    Err(record.at.field(several.column, problem))
}

/// The right options as the answer's column names them.
fn named(answer: &Right, record: &Record<'_>, options: &Options) -> Result<Named, DataError> {
    let unlabelled = |column: &str| record.at.field(column, Problem::Unlabelled);
    let text = |column: &'static str| match record.get(column) {
        None => Err(unlabelled(column)),
        Some(Value::String(text)) if text.trim().is_empty() => Err(unlabelled(column)),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(value) => whole(value)
            .map(|number| number.to_string())
            .ok_or_else(|| record.at.field(column, wrong_type("a string", value))),
    };
    if let Some(column) = answer.column()
        && let Some(Value::Array(items)) = record.get(column)
    {
        let upper = matches!(answer, Right::Letter(_));
        return in_list(record, column, items, options, upper);
    }
    Ok(match *answer {
        Right::From0(column) | Right::From1(column) => Named::Label(index_label(record, column)?),
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
            Named::Places(vec![index])
        }
        Right::Truth(column) => {
            let value = record.get(column).ok_or_else(|| unlabelled(column))?;
            let truth = truth(value).ok_or_else(|| {
                let problem = wrong_type("true or false", value);
                record.at.field(column, problem)
            })?;
            Named::Places(vec![usize::from(!truth)])
        }
        Right::InOptions => Named::Places(vec![0]),
    })
}

/// The right options in a list of labels, or of marks for all options.
fn in_list(
    record: &Record<'_>,
    column: &str,
    items: &[Value],
    options: &Options,
    upper: bool,
) -> Result<Named, DataError> {
    let fault = |problem| record.at.field(column, problem);
    if let Some(places) = marked(items, options.texts().len()).map_err(fault)? {
        return Ok(Named::Marked(places));
    }
    let label = |item: &Value| match item {
        Value::String(text) if upper => Ok(text.trim().to_uppercase()),
        Value::String(text) => Ok(text.trim().to_owned()),
        _ => whole(item)
            .map(|number| number.to_string())
            .ok_or_else(|| fault(wrong_type("a list of labels", item))),
    };
    let labels = items.iter().map(label);
    labels.collect::<Result<_, _>>().map(Named::Labels)
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

/// Texts, and the places of those whose label is 1.
fn one_hot(
    record: &Record<'_>,
    column: &str,
    texts: &str,
    labels: &str,
) -> Result<(Vec<String>, Vec<usize>), DataError> {
    let texts = record.texts(&format!("{column}.{texts}"))?;
    let field = format!("{column}.{labels}");
    let Value::Array(labels) = record.required(&field)? else {
        let problem = wrong_type("an array", record.required(&field)?);
        return Err(record.at.field(&field, problem));
    };
    if labels.len() != texts.len() {
        let problem = Problem::MarkCount {
            marks: labels.len(),
            options: texts.len(),
        };
        return Err(record.at.field(&field, problem));
    }
    let mut right = Vec::new();
    for (place, label) in labels.iter().enumerate() {
        match whole(label).or(label.as_bool().map(i64::from)) {
            Some(1) => right.push(place),
            Some(0) => {}
            _ => return Err(record.at.field(&field, wrong_type("1 or 0", label))),
        }
    }
    if right.is_empty() {
        return Err(record.at.field(&field, Problem::NoneRight));
    }
    Ok((texts, right))
}

/// The options in an order that depends on the seed and the question, not on the row's place.
fn shuffled(texts: &[String], right: &[usize], stem: &str, seed: u64) -> (Options, Named) {
    let mut order: Vec<_> = (0..texts.len()).collect();
    order.sort_by_cached_key(|&index| {
        let draw = Digest::new("sureness options 1").number(seed).text(stem);
        draw.text(&texts[index]).finish()
    });
    let places = (0..).zip(&order).filter(|(_, index)| right.contains(index));
    let places = places.map(|(place, _)| place).collect();
    let texts = order.iter().map(|&index| &texts[index]);
    (Options::lettered(texts), Named::Places(places))
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
