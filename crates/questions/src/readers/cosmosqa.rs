//! `CosmosQA`: CSV with a header, or JSON lines with the same keys.

use super::{Records, Rows, Table};
use crate::draft::{Answer, Draft, Names, Options};
use crate::error::Problem;
use crate::readers::record::index_label;
use crate::source::Source;
use crate::{DataError, LoadOptions};

const FIELDS: [&str; 8] = [
    "id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label",
];
const OPTIONS: [&str; 4] = ["answer0", "answer1", "answer2", "answer3"];
const NAMES: Names<'static> = Names {
    stem: "question",
    options: "answer0 to answer3",
    answer: "label",
};

/// Reads the CSV layout.
pub(crate) fn csv(
    source: &Source,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    let (mut table, names) = Table::with_header(source)?;
    let column = |field: &str| names.iter().position(|name| name == field);
    let mut columns = [0; FIELDS.len()];
    for (place, field) in columns.iter_mut().zip(FIELDS) {
        *place = column(field).ok_or_else(|| {
            let found = names.clone();
            // The test split has every column but this one.
            let problem = match field {
                "label" => Problem::Unlabelled,
                _ => Problem::Missing { found },
            };
            source.at(1).field(field, problem)
        })?;
    }
    let told = options.cluster.place(&names, source.at(1))?;
    while let Some((at, cells)) = table.next_row_of(names.len())? {
        let cell = |field: usize| &cells[columns[field]];
        let label = cell(7).trim();
        if label.is_empty() {
            return Err(at.field("label", Problem::Unlabelled));
        }
        let draft = Draft {
            id: cell(0).trim().to_owned(),
            category: None,
            context: Some(cell(1)),
            stem: cell(2),
            options: Options::numbered((3..7).map(cell)).with_repeats(),
            answers: Answer::Label(label).into(),
            names: NAMES,
        };
        rows.unread.add_columns(&names, &cells, |column| {
            columns.contains(&column) || told == Some(column)
        });
        let cluster = told.map(|column| options.cluster.of_cell(&cells[column], at));
        rows.push(at, draft.finish(at)?, false, cluster.transpose()?)?;
    }
    Ok(())
}

/// Reads the JSON-lines layout.
pub(crate) fn jsonl(
    source: &Source,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    for record in Records::new(source)? {
        let record = record?;
        let texts = OPTIONS
            .iter()
            .map(|field| record.text(field))
            .collect::<Result<Vec<_>, _>>()?;
        let label = index_label(&record, "label")?;
        let draft = Draft {
            id: record.id("id")?.ok_or_else(|| record.missing("id"))?,
            category: None,
            context: record.optional_text("context")?,
            stem: record.text("question")?,
            options: Options::numbered(texts).with_repeats(),
            answers: Answer::Label(&label).into(),
            names: NAMES,
        };
        let cluster = options.cluster.of_record(&record)?;
        rows.unread.add_fields(&record);
        rows.push(record.at, draft.finish(record.at)?, false, cluster)?;
    }
    Ok(())
}
