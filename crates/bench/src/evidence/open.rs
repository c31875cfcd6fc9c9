//! Loads the answers to open questions, which are compared with the accepted answers of the data.

use sureness_analysis::number::count;
use sureness_analysis::{GroupId, OpenRows};
use sureness_open::Item;
use sureness_questions::Task;
use sureness_store::{Reader, RunInfo, StoreError, StoredRow};

use super::texts::Texts;
use crate::error::Failure;
use crate::figures::open::judged;
use crate::judge::Verdicts;

/// A group's rows that have an answer, with their positions.
struct Answered {
    planned: usize,
    rows: Vec<(u32, StoredRow)>,
}

/// The open questions of a group with their answers; or why they cannot be read, for people.
pub(crate) fn rows_of(
    reader: &Reader,
    run: &RunInfo,
    index: usize,
    id: &GroupId,
    texts: &Texts,
) -> Result<Result<OpenRows, String>, Failure> {
    let Answered { planned, rows } = answered(reader, run.id, index)?;
    let settings = run.settings.run();
    let source = settings.and_then(|settings| settings.task(&id.task));
    let source = source.map(|task| task.source.clone().into());
    let keys: Vec<[u8; 32]> = rows.iter().map(|(_, row)| row.question.content).collect();
    let questions = texts.open_questions(&id.task, source, &keys);
    let missing = keys.iter().filter(|key| !questions.contains_key(*key));
    let missing = missing.count();
    if missing > 0 {
        return Ok(Err(format!(
            "the accepted answers of {} of {} questions of {} are not at hand; pass the data that were \
             asked with --data {}=PATH",
            count(missing),
            count(keys.len()),
            id.task,
            id.task
        )));
    }
    let mut found = OpenRows {
        id: id.clone(),
        title: Task::by_name(&id.task).map_or_else(|| id.task.clone(), |task| task.title),
        items: Vec::with_capacity(rows.len()),
        ids: Vec::with_capacity(rows.len()),
        categories: Vec::with_capacity(rows.len()),
        planned,
    };
    let mut verdicts = Verdicts::of_run(reader, run)?;
    for (position, row) in rows {
        if let Some(question) = questions.get(&row.question.content) {
            let answers = reader.answers(run.id, index, position)?;
            found.items.push(Item {
                key: row.question.content,
                cluster: row.question.cluster.unwrap_or(row.question.content),
                meanings: judged(&answers, question, verdicts.as_mut())?,
            });
            found.ids.push(row.question.id);
            found.categories.push(row.question.category);
        }
    }
    Ok(Ok(found))
}

fn answered(reader: &Reader, run: i64, index: usize) -> Result<Answered, StoreError> {
    let mut planned = 0_u32;
    let mut rows = Vec::new();
    reader.rows(run, index, |row| {
        if row.scores.is_some() {
            rows.push((planned, row));
        }
        planned += 1;
    })?;
    Ok(Answered {
        planned: planned as usize,
        rows,
    })
}
