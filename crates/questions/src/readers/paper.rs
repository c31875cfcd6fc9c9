//! The paper's own layout: one JSON array of questions whose options carry letters.

use serde_json::Value;

use super::record::{CATEGORIES, CONTEXTS, wrong_type};
use super::{Record, Rows, array};
use crate::draft::{Answer, Answers, Draft, Names, Options};
use crate::error::Problem;
use crate::paper::EXAMPLE_IDS;
use crate::source::Source;
use crate::{DataError, LoadOptions, Task};

const NAMES: Names<'static> = Names {
    stem: "question",
    options: "choices",
    answer: "answer",
};

/// Reads the layout.
pub(crate) fn read(
    source: &Source,
    rows: &mut Rows,
    options: &LoadOptions,
) -> Result<(), DataError> {
    let text = source.text()?;
    let best = example_ids(&options.task);
    for (at, text) in array::items(source, &text)? {
        let record = Record::parse(at, text)?;
        if !record.has("question") && record.has("id") && record.has("answer") {
            return Err(at.field("question", Problem::AnswerKeyOnly));
        }
        let choices = choices(&record)?;
        let id = record.id("id")?.ok_or_else(|| record.missing("id"))?;
        let shown = best.contains(&id);
        let draft = Draft {
            id,
            category: record.first_text(&CATEGORIES)?,
            context: record.first_text(&CONTEXTS)?,
            stem: record.text("question")?,
            options: choices,
            answers: answers(&record)?,
            names: NAMES,
        };
        let cluster = if shown {
            None
        } else {
            options.cluster.of_record(&record)?
        };
        rows.unread.add_fields(&record);
        rows.push(at, draft.finish(at)?, shown, cluster)?;
    }
    // Best first.
    rows.sort_examples(|example| best.iter().position(|id| *id == example.id));
    Ok(())
}

/// The options of an item; their letters must be A, B, C and on.
pub(crate) fn choices(record: &Record<'_>) -> Result<Options, DataError> {
    let Value::Object(choices) = record.required("choices")? else {
        let problem = wrong_type("an object from letter to text", record.required("choices")?);
        return Err(record.at.field("choices", problem));
    };
    let options = Options::labelled(record.labelled("choices", choices)?).with_repeats();
    options
        .check_letters()
        .map_err(|problem| record.at.field("choices", problem))?;
    Ok(options)
}

/// The right options: a letter, or a list of letters.
pub(crate) fn answers<'a>(record: &'a Record<'_>) -> Result<Answers<'a>, DataError> {
    let Value::Array(items) = record.required("answer")? else {
        return Ok(Answer::Label(record.text("answer")?).into());
    };
    let letters = items.iter().map(|item| match item {
        Value::String(letter) => Ok(Answer::Label(letter)),
        other => Err(wrong_type("a letter", other)),
    });
    let letters = letters.collect::<Result<_, _>>();
    letters
        .map(Answers::Each)
        .map_err(|problem| record.at.field("answer", problem))
}

/// The example ids, best first: tasks that show fewer than five show the last ones.
fn example_ids(task: &Task) -> Vec<String> {
    let shown = match task.id.as_str() {
        "drs" => 3,
        "ds" => 1,
        _ => EXAMPLE_IDS.len(),
    };
    let (others, first) = EXAMPLE_IDS.split_at(EXAMPLE_IDS.len() - shown);
    first.iter().chain(others).map(i64::to_string).collect()
}
