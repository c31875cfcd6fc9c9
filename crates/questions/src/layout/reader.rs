//! Reads rows as the table says.

use super::{Id, Layout, Several, Stem, options};
use crate::again::Again;
use crate::draft::{Draft, Names};
use crate::error::Problem;
use crate::readers::{Record, Records, Rows};
use crate::source::{Chosen, Source};
use crate::{DataError, LoadOptions};

/// Reads a file in a layout of the table.
pub(crate) fn read(
    layout: &Layout,
    source: &Source,
    rows: &mut Rows,
    load: &LoadOptions,
) -> Result<(), DataError> {
    if layout.abstains {
        rows.add_no_abstention();
    }
    let mut needs: Vec<&str> = layout.needs().collect();
    needs.extend(load.cluster.column());
    let reads = |column: &str| layout.reads(column) || load.cluster.column() == Some(column);
    let chosen = Chosen::Read {
        needs: &needs,
        reads: &reads,
    };
    for record in Records::with(source, chosen, &mut rows.unread)? {
        let record = record?;
        let several = check_only(layout, &record)?;
        let (stem, stem_field) = stem(layout, &record)?;
        let (options, right) = options::of(layout, &record, several, stem, load.seed)?;
        let category = match layout.category {
            Some(column) => record.id(column)?,
            None => None,
        };
        let context = context(layout, &record);
        let draft = Draft {
            id: id(layout, &record, category.as_deref(), rows)?,
            category: category.as_deref(),
            context: context.as_deref(),
            stem,
            options,
            answers: right.answers(),
            names: Names {
                stem: stem_field,
                options: options::field(&layout.options),
                answer: layout.answer.column().unwrap_or("answer"),
            },
        };
        let cluster = load.cluster.of_record(&record)?;
        let read = layout.answer.column().unwrap_or_default();
        let again = Again::of(&record, layout.again.iter().copied(), read);
        rows.unread.add_fields(&record);
        let question = draft.finish_as(record.at, &again)?;
        rows.push(record.at, question, false, cluster)?;
    }
    Ok(())
}

/// Refuses a row that its data set itself calls faulty. Returns where the right options of a row with
/// several are.
fn check_only<'a>(
    layout: &'a Layout,
    record: &Record<'_>,
) -> Result<Option<&'a Several>, DataError> {
    let Some(only) = &layout.only else {
        return Ok(None);
    };
    let found = record.optional_text(only.column)?.unwrap_or_default();
    if found.trim() == only.value {
        return Ok(None);
    }
    if found.trim() == only.several.value && record.has(only.several.column) {
        return Ok(Some(&only.several));
    }
    let problem = Problem::NotAskable {
        found: found.trim().to_owned(),
        column: only.column,
        values: vec![only.value, only.several.value],
    };
    Err(record.at.field(only.column, problem))
}

fn stem<'a>(layout: &Layout, record: &'a Record<'_>) -> Result<(&'a str, &'static str), DataError> {
    match layout.stem {
        Stem::Column(column) => Ok((record.text(column)?, column)),
        Stem::Prompt {
            column,
            begins,
            ends,
        } => {
            let text = record.text(column)?;
            let begun = begins.iter().find_map(|word| text.strip_prefix(word));
            let text = begun.unwrap_or(text);
            let end = ends.iter().filter_map(|word| text.find(word)).min();
            Ok((&text[..end.unwrap_or(text.len())], column))
        }
    }
}

/// A text, or a list of paragraphs.
fn context(layout: &Layout, record: &Record<'_>) -> Option<String> {
    let texts = layout.context.iter().filter_map(|column| {
        let value = record.get(column)?;
        let paragraphs = value.as_array().map(|items| {
            let items: Vec<_> = items.iter().filter_map(|item| item.as_str()).collect();
            items.join("\n")
        });
        value.as_str().map(str::to_owned).or(paragraphs)
    });
    texts.into_iter().find(|text| !text.trim().is_empty())
}

fn id(
    layout: &Layout,
    record: &Record<'_>,
    category: Option<&str>,
    rows: &mut Rows,
) -> Result<String, DataError> {
    match layout.id {
        Id::Column(column) => Ok(record.id(column)?.unwrap_or_else(|| rows.id_of(record))),
        Id::InCategory => Ok(rows.next_id_in(category.unwrap_or_default())),
        Id::Row => Ok(rows.id_of(record)),
    }
}
