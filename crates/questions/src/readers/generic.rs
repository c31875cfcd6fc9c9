//! Generic layouts: JSON lines, or CSV with a header.

use serde_json::Value;

use super::record::{CATEGORIES, CONTEXTS, whole, wrong_type};
use super::{Record, Records, Rows, Table, several};
use crate::again::Again;
use crate::draft::{Answer, Answers, Draft, Names, Options};
use crate::error::Problem;
use crate::source::{At, Source};
use crate::{DataError, LoadOptions, again};

const NAMES: Names<'static> = Names {
    stem: "question",
    options: "options",
    answer: "answer",
};

/// Reads JSON lines, or an array of such objects.
pub(crate) fn jsonl(
    source: &Source,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    for record in Records::new(source)? {
        let record = record?;
        let field = if !record.has("options") && record.has("choices") {
            "choices"
        } else {
            "options"
        };
        let mut choices = options_of(&record, field)?;
        let (answers, answer_field) = answers(&record, choices.texts().len())?;
        // MMLU as the hub has it, which the CSV files of MMLU repeat options in as well.
        if field == "choices" && matches!(answers, Answers::One(Answer::Index(_))) {
            choices = choices.with_repeats();
        }
        let draft = Draft {
            id: record.id("id")?.unwrap_or_else(|| rows.id_of(&record)),
            category: record.first_text(&CATEGORIES)?,
            context: record.first_text(&CONTEXTS)?,
            stem: record.text("question")?,
            options: choices,
            answers,
            names: Names {
                options: field,
                answer: answer_field,
                ..NAMES
            },
        };
        let example = record.is_example()?;
        // A column of clusters counts as read in the rows of examples too.
        let cluster = options.cluster.of_record(&record);
        let cluster = if example { None } else { cluster? };
        let again = Again::of(&record, again::FIELDS, NAMES.answer);
        rows.unread.add_fields(&record);
        let question = draft.finish_as(record.at, &again)?;
        rows.push(record.at, question, example, cluster)?;
    }
    Ok(())
}

/// Whether a row has what this layout needs, in the shapes that it reads.
pub(crate) fn reads(row: &Record<'_>) -> bool {
    let field = if row.contains("options") {
        "options"
    } else {
        "choices"
    };
    let is_read = match row.glance(field) {
        Some(Value::Array(_)) => true,
        Some(Value::Object(options)) => options.values().all(|text| !text.is_array()),
        _ => false,
    };
    let is_text = |field| row.glance(field).is_some_and(Value::is_string);
    is_read && is_text("question") && (row.contains("answer") || has_list_of_answers(row))
}

fn options_of(record: &Record<'_>, field: &str) -> Result<Options, DataError> {
    match record.required(field)? {
        Value::Array(items) => match labels_and_texts(items) {
            Some(pairs) => Ok(Options::labelled(record.labelled(field, pairs)?)),
            None => Ok(Options::lettered(record.listed(field, items)?)),
        },
        Value::Object(options) => Ok(Options::labelled(record.labelled(field, options)?)),
        other => {
            let problem = wrong_type("an array, or an object from label to text", other);
            Err(record.at.field(field, problem))
        }
    }
}

/// Labels and texts of a list of options such as `{"label": "A", "text": "stone"}`.
pub(crate) fn labels_and_texts(items: &[Value]) -> Option<Vec<(&String, &Value)>> {
    let mut pairs = Vec::with_capacity(items.len());
    for item in items {
        let Value::String(label) = item.get("label")? else {
            return None;
        };
        pairs.push((label, item.get("text")?));
    }
    Some(pairs)
}

/// Whether several right options may have a field of their own.
fn has_list_of_answers(row: &Record<'_>) -> bool {
    !row.contains("answer") && row.glance("answers").is_some_and(Value::is_array)
}

/// The right options of a row with so many options, and the field that names them.
fn answers<'a>(
    record: &'a Record<'_>,
    options: usize,
) -> Result<(Answers<'a>, &'static str), DataError> {
    let field = if has_list_of_answers(record) {
        "answers"
    } else {
        "answer"
    };
    let value = record.required(field)?;
    let answers = match value {
        Value::Array(items) => several(items, options, Answer::Text),
        Value::String(text) if text.trim().is_empty() => Err(Problem::Unlabelled),
        Value::String(text) => Ok(Answer::Text(text).into()),
        _ => whole(value)
            .map(|index| Answer::Index(index).into())
            .ok_or_else(|| wrong_type("a string, a whole number or a list of them", value)),
    };
    let answers = answers.map_err(|problem| record.at.field(field, problem))?;
    Ok((answers, field))
}

/// Reads CSV.
pub(crate) fn csv(
    source: &Source,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    let (mut table, names) = Table::with_header(source)?;
    let columns = Columns::find(&names).map_err(|(field, problem)| {
        let at = source.at(1);
        at.field(&field, problem)
    })?;
    let told = options.cluster.place(&names, source.at(1))?;
    while let Some((at, cells)) = table.next_row_of(names.len())? {
        let cell = |column: Option<usize>| {
            let text = column.and_then(|column| cells.get(column));
            text.map(str::trim).filter(|text| !text.is_empty())
        };
        let mut pairs: Vec<_> = columns
            .options
            .iter()
            .map(|(label, column)| (label, &cells[*column]))
            .collect();
        while pairs.last().is_some_and(|(_, text)| text.trim().is_empty()) {
            pairs.pop();
        }
        let filled = |places: &[usize]| {
            let mut places = places.iter().copied();
            places.find(|&column| cell(Some(column)).is_some())
        };
        let (category, context) = (filled(&columns.categories), filled(&columns.contexts));
        let answer = cell(Some(columns.answer))
            .ok_or_else(|| at.field(NAMES.answer, Problem::Unlabelled))?;
        let draft = Draft {
            id: cell(columns.id).map_or_else(|| rows.next_id(), str::to_owned),
            category: cell(category),
            context: cell(context),
            stem: &cells[columns.question],
            options: Options::of_columns(pairs),
            answers: Answer::Cell(answer).into(),
            names: NAMES,
        };
        rows.unread.add_columns(&names, &cells, |column| {
            columns.read(column) || [category, context, told].contains(&Some(column))
        });
        let mut again = Again::default();
        for &column in &columns.again {
            if let Some(text) = cell(Some(column)) {
                again.add(&names[column], text);
            }
        }
        let example = flag(at, cell(columns.example))?;
        let cluster = told
            .filter(|_| !example)
            .map(|column| options.cluster.of_cell(&cells[column], at));
        let question = draft.finish_as(at, &again)?;
        rows.push(at, question, example, cluster.transpose()?)?;
    }
    Ok(())
}

fn flag(at: At<'_>, text: Option<&str>) -> Result<bool, DataError> {
    match text.map(str::to_lowercase).as_deref() {
        None | Some("false" | "0" | "no") => Ok(false),
        Some("true" | "1" | "yes") => Ok(true),
        Some(_) => {
            let expected = "true or false";
            let found = "another word";
            Err(at.field("example", Problem::Type { expected, found }))
        }
    }
}

/// Whether a header has option columns.
pub(crate) fn has_option_columns(header: &[String]) -> bool {
    option_columns(header).is_ok_and(|options| options.len() >= 2)
}

/// Column indices.
struct Columns {
    id: Option<usize>,
    /// In order of preference, as the next one.
    categories: Vec<usize>,
    contexts: Vec<usize>,
    question: usize,
    /// Labels and places, in order.
    options: Vec<(String, usize)>,
    answer: usize,
    /// Columns that name the right option once more.
    again: Vec<usize>,
    example: Option<usize>,
}

impl Columns {
    fn find(names: &[String]) -> Result<Self, (String, Problem)> {
        let find = |wanted: &str| {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(wanted))
        };
        let missing = |field: &str| {
            let found = names.to_vec();
            (field.to_owned(), Problem::Missing { found })
        };
        let options = option_columns(names).map_err(|gap| missing(&gap))?;
        if options.is_empty() {
            return Err(missing("A"));
        }
        Ok(Self {
            id: find("id"),
            categories: CATEGORIES.into_iter().filter_map(find).collect(),
            contexts: CONTEXTS.into_iter().filter_map(find).collect(),
            question: find("question").ok_or_else(|| missing("question"))?,
            options,
            answer: find("answer").ok_or_else(|| missing("answer"))?,
            again: again::FIELDS.into_iter().filter_map(find).collect(),
            example: find("example"),
        })
    }

    /// Whether the column is read in every row.
    fn read(&self, column: usize) -> bool {
        let own = [
            self.id,
            Some(self.question),
            Some(self.answer),
            self.example,
        ];
        let again = self.again.contains(&column);
        own.contains(&Some(column))
            || again
            || self.options.iter().any(|(_, place)| *place == column)
    }
}

/// The option columns in order, or the name of the one that is missing between them.
///
/// `A`, `B` …; or `option_a`, `optiona`, `option_1`, `option1`, and the same with `choice`.
fn option_columns(names: &[String]) -> Result<Vec<(String, usize)>, String> {
    for prefix in ["", "option", "choice"] {
        let mut found: Vec<(usize, String, usize)> = names
            .iter()
            .enumerate()
            .filter_map(|(column, name)| {
                let (rank, label) = option_suffix(name, prefix)?;
                Some((rank, label, column))
            })
            .collect();
        if found.is_empty() {
            continue;
        }
        found.sort();
        // Letters begin at A; numbers at 0 or 1.
        let numbered = found[0].1.bytes().all(|byte| byte.is_ascii_digit());
        let begin = usize::from(numbered && found[0].0 != 0);
        for (step, (rank, _, _)) in found.iter().enumerate() {
            let expected = begin + step;
            if *rank != expected && !numbered {
                return Err(format!("{prefix}{}", crate::letter(expected)));
            }
            if *rank != expected {
                return Err(format!("{prefix}{expected}"));
            }
        }
        return Ok(found
            .into_iter()
            .map(|(_, label, column)| (label, column))
            .collect());
    }
    Ok(Vec::new())
}

/// Rank and label of an option column: `option_b` is 1 and `B`, `choice3` is 3 and `3`.
fn option_suffix(name: &str, prefix: &str) -> Option<(usize, String)> {
    let name = name.to_ascii_lowercase();
    // All options in one column, not the option S.
    if name.strip_prefix(prefix) == Some("s") && !prefix.is_empty() {
        return None;
    }
    let suffix = name.strip_prefix(prefix)?;
    let suffix = match prefix {
        "" => suffix,
        _ => suffix.strip_prefix(['_', ' ', '-']).unwrap_or(suffix),
    };
    match suffix.as_bytes() {
        [letter @ b'a'..=b'z'] => Some((
            usize::from(letter - b'a'),
            char::from(letter.to_ascii_uppercase()).to_string(),
        )),
        [_, ..] if !prefix.is_empty() && suffix.len() <= 2 => {
            let rank = suffix.parse().ok()?;
            Some((rank, suffix.to_owned()))
        }
        _ => None,
    }
}
