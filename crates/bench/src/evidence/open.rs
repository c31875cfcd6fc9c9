//! Loads the answers to open questions, which are compared with the accepted answers of the data, and
//! evaluates them where a run is over.

use std::collections::BTreeSet;

use sureness_analysis::number::count;
use sureness_analysis::{GroupId, OpenRows};
use sureness_conformal::Config;
use sureness_open::Item;
use sureness_questions::Task;
use sureness_report::{GroupResult, Judged};
use sureness_store::{Reader, RunInfo, StoreError, StoredRow};

use super::texts::Texts;
use crate::error::Failure;
use crate::figures::open::{evaluated, judged, with_note};
use crate::judge::Verdicts;

/// A group's rows that have an answer.
struct Answered {
    planned: usize,
    rows: Vec<StoredRow>,
}

/// The open questions of a group with their answers; or why they cannot be read, for people.
pub(crate) fn rows_of(
    reader: &Reader,
    run: &RunInfo,
    index: usize,
    id: &GroupId,
    texts: &Texts,
) -> Result<Result<OpenRows, String>, Failure> {
    let found = judged_rows(reader, run, index, id, texts)?;
    Ok(found.map(|(rows, _)| rows))
}

/// Adds the figures of the open questions among the groups of a run, or why there are none. Stores do
/// not hold the accepted answers: they are looked up in `texts`. Returns what was not found there, for
/// people.
pub(crate) fn add_figures(
    groups: &mut [GroupResult],
    reader: &Reader,
    run: &RunInfo,
    config: &Config,
    texts: &Texts,
) -> Result<BTreeSet<String>, Failure> {
    let mut unfound = BTreeSet::new();
    for (index, group) in groups.iter_mut().enumerate().take(run.groups.len()) {
        if !reader.is_open(run.id, index)? {
            continue;
        }
        let id = GroupId {
            task: group.task.clone(),
            strategy: group.strategy.clone(),
        };
        let found = match judged_rows(reader, run, index, &id, texts)? {
            Ok((rows, judged)) => {
                group.judged = judged;
                evaluated(&rows.items, config)
            }
            Err(reason) => {
                unfound.insert(reason.clone());
                Err(reason)
            }
        };
        (group.open, group.note) = with_note(found, config);
    }
    Ok(unfound)
}

/// Like [`rows_of`], with what a judge of the run said of their answers.
fn judged_rows(
    reader: &Reader,
    run: &RunInfo,
    index: usize,
    id: &GroupId,
    texts: &Texts,
) -> Result<Result<(OpenRows, Option<Judged>), String>, Failure> {
    let Answered { planned, rows } = answered(reader, run.id, index)?;
    let settings = run.settings.run();
    let source = settings.and_then(|settings| settings.task(&id.task));
    let source = source.map(|task| task.source.clone().into());
    let keys: Vec<[u8; 32]> = rows.iter().map(|row| row.question.content).collect();
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
    for row in rows {
        if let Some(question) = questions.get(&row.question.content) {
            let answers = reader.answers(run.id, index, row.position)?;
            found.items.push(Item {
                key: row.question.content,
                cluster: row.question.cluster.unwrap_or(row.question.content),
                meanings: judged(&answers, question, verdicts.as_mut())?,
            });
            found.ids.push(row.question.id);
            found.categories.push(row.question.category);
        }
    }
    Ok(Ok((found, verdicts.map(|verdicts| verdicts.judged))))
}

fn answered(reader: &Reader, run: i64, index: usize) -> Result<Answered, StoreError> {
    let mut planned = 0;
    let mut rows = Vec::new();
    reader.rows(run, index, |row| {
        if row.scores.is_some() {
            rows.push(row);
        }
        planned += 1;
    })?;
    Ok(Answered { planned, rows })
}
