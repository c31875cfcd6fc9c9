//! One question of a run: its prompts, what the model answered, how it was read, probabilities and
//! prediction sets.

use std::path::Path;

use sureness_analysis::GroupId;
use sureness_conformal::Config;
use sureness_open::{Meanings, OpenSets, calibrated};
use sureness_questions::Question;
use sureness_scorers::ModelIdentity;
use sureness_store::{Located, Reader, RunInfo, StoredAnswer, StoredRow};

use crate::error::Failure;
use crate::evidence::{TextSources, Texts, open_rows, rows_of, store_of};
use crate::figures::open::judged;
use crate::judge::Verdicts;
use crate::layout::Layout;
use crate::sets::GroupSets;
pub use crate::sets::ShownSets;
use crate::settings::TaskData;

/// A question of a run in one prompt strategy.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The run's number in its store.
    pub run: i64,
    /// The model.
    pub model: ModelIdentity,
    /// Task id.
    pub task: String,
    /// Strategy name.
    pub strategy: String,
    /// The question and its scores.
    pub row: StoredRow,
    /// The answers in words, in order; none where letters were scored.
    pub answers: Vec<StoredAnswer>,
    /// The meanings of answers to an open question; `None` of any other, and where the accepted answers
    /// are not known.
    pub meanings: Option<Meanings>,
    /// The prompt, or why it is not known.
    pub prompt: Result<ShownPrompt, String>,
    /// Probabilities of the options and prediction sets; `None` without scores, or where the run cannot
    /// be evaluated.
    pub sets: Option<ShownSets>,
    /// The set of answers to an open question; `None` as for `meanings`.
    pub open_set: Option<ShownOpenSet>,
}

/// What an open question's set of answers rests on, under the run's own settings.
#[derive(Debug, Clone, Copy)]
pub struct ShownOpenSet {
    /// The threshold, and figures of all sets of the test half.
    pub sets: OpenSets,
    /// The error rate.
    pub alpha: f64,
    /// Whether the question belongs to the calibration half, which sets the threshold.
    pub calibrates: bool,
}

/// A prompt exactly as it was sent.
#[derive(Debug, Clone)]
pub struct ShownPrompt {
    /// Its text. In a chat it is one user message.
    pub text: String,
    /// The question.
    pub question: Question,
}

/// The question with this id in a run: in all tasks and strategies that have it. `run` is an output
/// folder or store, with `#3` for run 3, otherwise its newest. Prompts are laid out from the recorded
/// data, or from `data`.
///
/// # Errors
///
/// If there is no such run or question, or the store cannot be read.
pub fn show(run: &Path, question: &str, data: &[TaskData]) -> Result<Vec<Shown>, Failure> {
    let Some((store, number)) = store_of(run)? else {
        return Err(
            Failure::new(format!("{} does not contain runs", run.display()))
                .hint("name an output folder or its sureness.sqlite"),
        );
    };
    let reader = Reader::open(&store)?;
    let runs = reader.runs()?;
    let chosen = match number {
        Some(number) => runs.into_iter().find(|info| info.id == number),
        None => runs.into_iter().next_back(),
    };
    let Some(info) = chosen else {
        return Err(Failure::new(format!("{} has no such run", run.display()))
            .hint("`sureness runs DIR` lists the runs of a folder"));
    };
    let found = reader.locate(info.id, question)?;
    if found.is_empty() {
        return Err(Failure::new(format!(
            "run {} of {} has no question {question:?}",
            info.id,
            store.display()
        ))
        .hint(
            "give a question's id as the data set has it; a report's question browser lists ids, \
             and so does the export of `sureness analyze`",
        ));
    }
    found
        .into_iter()
        .map(|located| one(&reader, &info, data, located))
        .collect()
}

fn one(
    reader: &Reader,
    info: &RunInfo,
    data: &[TaskData],
    located: Located,
) -> Result<Shown, Failure> {
    let (task, strategy) = info
        .groups
        .get(located.group)
        .cloned()
        .ok_or_else(|| Failure::new("the store lacks a group of the run"))?;
    let answers = reader.answers(info.id, located.group, located.position)?;
    let config = info.settings.run().map(|settings| settings.evaluation);
    let config = config.unwrap_or_default();
    let is_open = located.row.question.options == 0;
    let (mut sets_of_options, mut set_of_answers) = (None, None);
    if is_open {
        set_of_answers = open_set(reader, info, data, &located, &config)?;
    } else {
        let group = (&*task, &*strategy, located.group);
        sets_of_options = sets(reader, info.id, group, &located.row, &config)?;
    }
    let prompt = prompt(info, data, (&task, &strategy), &located);
    let question = prompt.as_ref().ok().map(|prompt| &prompt.question);
    let question = question.filter(|question| question.is_open());
    let mut verdicts = Verdicts::of_run(reader, info)?;
    let meanings = question.map(|question| judged(&answers, question, verdicts.as_mut()));
    Ok(Shown {
        run: info.id,
        model: info.model.clone(),
        meanings: meanings.transpose()?,
        prompt,
        task,
        strategy,
        row: located.row,
        answers,
        sets: sets_of_options,
        open_set: set_of_answers,
    })
}

/// Lays a prompt out once more.
fn prompt(
    info: &RunInfo,
    data: &[TaskData],
    (task, strategy): (&str, &str),
    located: &Located,
) -> Result<ShownPrompt, String> {
    let layout = Layout::of(info, data, task, strategy)?;
    let question = layout.question(&located.row.question.content)?;
    let prompt = layout.prompt(&question, located.key, located.drawn)?;
    Ok(ShownPrompt {
        text: prompt.text(),
        question,
    })
}

/// The set of answers to an open question, whose threshold the other questions of its group set. `None`
/// without accepted answers, or where the run cannot be evaluated.
fn open_set(
    reader: &Reader,
    info: &RunInfo,
    data: &[TaskData],
    located: &Located,
    config: &Config,
) -> Result<Option<ShownOpenSet>, Failure> {
    let Some((task, strategy)) = info.groups.get(located.group).cloned() else {
        return Ok(None);
    };
    let texts = Texts::of(TextSources {
        data: data.to_vec(),
        questions: None,
    })?;
    let id = GroupId { task, strategy };
    let Ok(rows) = open_rows(reader, info, located.group, &id, &texts)? else {
        return Ok(None);
    };
    let content = located.row.question.content;
    let place = rows.items.iter().position(|item| item.key == content);
    let Some((place, (split, sets))) = place.zip(calibrated(&rows.items, config).ok()) else {
        return Ok(None);
    };
    Ok(Some(ShownOpenSet {
        sets,
        alpha: config.alpha,
        calibrates: split.calibration.contains(&place),
    }))
}

/// The probabilities and sets of a question among the others of its group.
fn sets(
    reader: &Reader,
    run: i64,
    (task, strategy, group): (&str, &str, usize),
    row: &StoredRow,
    config: &Config,
) -> Result<Option<ShownSets>, Failure> {
    if row.scores.is_none() {
        return Ok(None);
    }
    let rows = rows_of(reader, run, group, task, strategy)?;
    let group = GroupSets::of(rows, config);
    Ok(group.and_then(|group| group.question(&row.question.content)))
}
