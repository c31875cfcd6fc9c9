//! The paper's own layout: one JSON array of questions whose options carry letters.

use serde_json::Value;
use serde_json::value::RawValue;

use super::record::{without_place, wrong_type};
use super::{Parsed, Record, Rows};
use crate::draft::{Answer, Draft, Names, Options};
use crate::error::Problem;
use crate::source::{At, Source, count_newlines};
use crate::{DataError, LoadOptions, Task};

/// The ids that the paper sets aside as few-shot examples.
const EXAMPLES: [&str; 5] = ["1", "3", "5", "7", "9"];
const NAMES: Names = Names {
    stem: "question",
    options: "choices",
    answer: "answer",
};

/// Reads the layout.
pub(crate) fn read(source: &Source, options: &LoadOptions) -> Result<Parsed, DataError> {
    let mut rows = Rows::new(options);
    let text = source.text()?;
    let best = example_ids(&options.task);
    for (at, text) in items(source, &text)? {
        let record = Record::parse(at, text)?;
        if !record.has("question") && record.has("id") && record.has("answer") {
            return Err(at.field("question", Problem::AnswerKeyOnly));
        }
        let choices = choices(&record)?;
        let id = record.id("id")?.ok_or_else(|| record.missing("id"))?;
        let shown = best.contains(&id.as_str());
        let draft = Draft {
            id,
            category: record.optional_text("category")?,
            context: record.optional_text("context")?,
            stem: record.text("question")?,
            options: choices,
            answer: Answer::Label(record.text("answer")?),
            names: NAMES,
        };
        let cluster = if shown {
            None
        } else {
            options.cluster.of_record(&record)?
        };
        rows.push(at, draft.finish(at)?, shown, cluster)?;
    }
    let mut parsed = rows.finish(source)?;
    // Best first.
    parsed
        .examples
        .sort_by_key(|example| best.iter().position(|id| *id == example.id));
    Ok(parsed)
}

/// The items of a JSON array with the lines on which they begin.
pub(crate) fn items<'a>(
    source: &'a Source,
    text: &'a str,
) -> Result<Vec<(At<'a>, &'a str)>, DataError> {
    if !text.trim_start().starts_with('[') {
        let (expected, found) = ("a JSON array", "something else");
        return Err(source.at(1).row(Problem::Type { expected, found }));
    }
    let raw: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        let at = source.at(error.line());
        at.row(Problem::Json(without_place(&error)))
    })?;
    let (mut offset, mut line) = (0, 1);
    let items = raw.into_iter().map(|item| {
        // The item is a part of `text`, so its address gives its offset.
        let begin = item.get().as_ptr().addr() - text.as_ptr().addr();
        line += count_newlines(&text.as_bytes()[offset..begin]);
        offset = begin;
        (source.at(line), item.get())
    });
    Ok(items.collect())
}

/// The options of an item; their letters must be A, B, C and on.
pub(crate) fn choices(record: &Record<'_>) -> Result<Options, DataError> {
    let Value::Object(choices) = record.required("choices")? else {
        let problem = wrong_type("an object from letter to text", record.required("choices")?);
        return Err(record.at.field("choices", problem));
    };
    let pairs = choices
        .iter()
        .map(|(letter, text)| Ok((letter, record.option("choices", text)?)))
        .collect::<Result<Vec<_>, DataError>>()?;
    let options = Options::labelled(pairs).with_repeats();
    options
        .check_letters()
        .map_err(|problem| record.at.field("choices", problem))?;
    Ok(options)
}

/// The example ids, best first: tasks that show fewer than five show the last ones.
fn example_ids(task: &Task) -> Vec<&'static str> {
    let shown = match task.id.as_str() {
        "drs" => 3,
        "ds" => 1,
        _ => EXAMPLES.len(),
    };
    let (others, first) = EXAMPLES.split_at(EXAMPLES.len() - shown);
    [first, others].concat()
}
