//! Open questions, which have accepted answers and no options: own JSON lines, `TriviaQA`, Natural
//! Questions (`nq_open`), `SQuAD`.

use serde_json::{Map, Value, json};

use super::record::{CATEGORIES, CONTEXTS, wrong_type};
use super::{Record, Records, Rows};
use crate::draft::not_blank;
use crate::error::Problem;
use crate::source::Source;
use crate::{DataError, LoadOptions, Question, RightOptions};

/// How much of a file is looked at to tell the original files of `TriviaQA` and `SQuAD`.
const BEGIN: usize = 1 << 10;
/// Columns that an id may have.
const IDS: [&str; 3] = ["id", "question_id", "QuestionId"];
/// Lists of accepted texts in an object: `TriviaQA` on the hub, its original file, `SQuAD`.
const LISTS: [&str; 5] = [
    "aliases",
    "normalized_aliases",
    "Aliases",
    "NormalizedAliases",
    "text",
];

/// Whether a row asks an open question: it has accepted answers in a form that is read here. One text
/// under `answer` is not enough: it may name an option that another column holds.
pub(crate) fn reads(row: &Record<'_>) -> bool {
    let has_options = row.contains("options") || row.contains("choices");
    let question = row.glance("question").or(row.glance("Question"));
    let form = |field: &str| match row.glance(field) {
        Some(Value::Array(items)) => items.iter().all(Value::is_string),
        Some(Value::Object(fields)) => LISTS.iter().any(|list| fields.contains_key(*list)),
        _ => false,
    };
    !has_options
        && question.is_some_and(Value::is_string)
        && ["answers", "answer", "Answer"].into_iter().any(form)
}

/// Reads open questions.
pub(crate) fn read(
    source: &Source,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    for record in Records::new(source)? {
        let record = record?;
        let question = question(&record, rows)?;
        let example = record.is_example()?;
        let cluster = options.cluster.of_record(&record);
        let cluster = if example { None } else { cluster? };
        rows.unread.add_fields(&record);
        rows.push(record.at, question, example, cluster)?;
    }
    Ok(())
}

fn question(record: &Record<'_>, rows: &Rows) -> Result<Question, DataError> {
    let name = if record.contains("Question") && !record.contains("question") {
        "Question"
    } else {
        "question"
    };
    let stem = record.text(name)?.trim();
    if stem.is_empty() {
        return Err(record.at.field(name, Problem::Blank));
    }
    let mut id = None;
    for field in IDS {
        if id.is_none() && record.contains(field) {
            id = record.id(field)?;
        }
    }
    Ok(Question {
        id: id.unwrap_or_else(|| rows.id_of(record)),
        category: not_blank(record.first_text(&CATEGORIES)?),
        context: not_blank(record.first_text(&CONTEXTS)?),
        stem: stem.to_owned(),
        options: Vec::new(),
        right: RightOptions::one(0),
        accepted: accepted(record)?,
    })
}

/// The accepted answers, each once.
fn accepted(record: &Record<'_>) -> Result<Vec<String>, DataError> {
    let fields = ["answers", "answer", "Answer"];
    let field = fields.into_iter().find(|field| record.contains(field));
    let field = field.unwrap_or("answers");
    let mut found: Vec<String> = Vec::new();
    let mut add = |value: &Value| match value {
        Value::Null => Ok(()),
        Value::String(text) => {
            let text = text.trim();
            if !text.is_empty() && !found.iter().any(|known| known == text) {
                found.push(text.to_owned());
            }
            Ok(())
        }
        Value::Number(number) => {
            found.push(number.to_string());
            Ok(())
        }
        other => Err(record.at.field(field, wrong_type("a list of texts", other))),
    };
    match record.required(field)? {
        Value::Array(items) => items.iter().try_for_each(&mut add)?,
        Value::Object(fields) => {
            for value in ["value", "Value"] {
                fields.get(value).map_or(Ok(()), &mut add)?;
            }
            for list in LISTS {
                match fields.get(list) {
                    Some(Value::Array(items)) => items.iter().try_for_each(&mut add)?,
                    Some(other) => add(other)?,
                    None => {}
                }
            }
        }
        other => add(other)?,
    }
    if found.is_empty() {
        return Err(record.at.field(field, Problem::NoAccepted));
    }
    Ok(found)
}

/// The rows of the original files of `TriviaQA` (one object with `Data`) and `SQuAD` (one with `data`,
/// whose articles have paragraphs with questions); `None` if the file is something else.
pub(crate) fn nested(source: &Source) -> Result<Option<Vec<Map<String, Value>>>, DataError> {
    let begin = source.begin(BEGIN)?;
    let has = |key: &[u8]| begin.windows(key.len()).any(|part| part == key);
    let is_squad = has(b"\"data\"") && (has(b"\"paragraphs\"") || has(b"\"title\""));
    if !begin.trim_ascii_start().starts_with(b"{") || !(has(b"\"Data\"") || is_squad) {
        return Ok(None);
    }
    let Ok(Value::Object(mut file)) = serde_json::from_str(&source.text()?) else {
        // A file of lines, whose faults its reader names.
        return Ok(None);
    };
    if let Some(Value::Array(rows)) = file.remove("Data") {
        return Ok(Some(rows.into_iter().filter_map(object).collect()));
    }
    let Some(Value::Array(articles)) = file.remove("data") else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    for mut article in articles.into_iter().filter_map(object) {
        let title = article.remove("title").unwrap_or_default();
        for mut paragraph in list(&mut article, "paragraphs") {
            let context = paragraph.remove("context").unwrap_or_default();
            for mut question in list(&mut paragraph, "qas") {
                let answers = list(&mut question, "answers");
                let texts = answers.into_iter().filter_map(|mut it| it.remove("text"));
                let texts: Vec<Value> = texts.collect();
                question.insert("answers".into(), json!(texts));
                question.insert("context".into(), context.clone());
                question.insert("category".into(), title.clone());
                rows.push(question);
            }
        }
    }
    Ok(Some(rows))
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// The objects in a list of an object.
fn list(object_of: &mut Map<String, Value>, field: &str) -> Vec<Map<String, Value>> {
    match object_of.remove(field) {
        Some(Value::Array(items)) => items.into_iter().filter_map(object).collect(),
        _ => Vec::new(),
    }
}
