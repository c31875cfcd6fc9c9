//! One question of a run: its prompts, what the model answered, how it was read, probabilities and
//! prediction sets.

use std::path::Path;

use sureness_conformal::{
    Config, Covers, Nonconformity, ProbabilityView, Scheme, Scores, View, calibrate, split_of,
};
use sureness_open::Meanings;
use sureness_prompts::{PromptBuilder, Strategy, Wording};
use sureness_questions::{Dataset, Question};
use sureness_record::RunSettings;
use sureness_scorers::{ModelIdentity, RequestKey};
use sureness_store::{Located, Reader, RunInfo, StoredAnswer, StoredRow};

use crate::error::Failure;
use crate::evidence::{rows_of, store_of};
use crate::figures::open::meanings;
use crate::questions::{builder_for, dataset_for};
use crate::settings::{QuestionSettings, TaskData};

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
}

/// A prompt exactly as it was sent.
#[derive(Debug, Clone)]
pub struct ShownPrompt {
    /// Its text. In a chat it is one user message.
    pub text: String,
    /// The question.
    pub question: Question,
}

/// A question's probabilities and sets, under the run's own settings.
#[derive(Debug, Clone)]
pub struct ShownSets {
    /// Probability of each option, in option order.
    pub probabilities: Vec<f64>,
    /// Options in the set, by score; an empty set is filled as in the figures.
    pub sets: Vec<(Nonconformity, Vec<usize>)>,
    /// Whether the question belongs to the calibration half, which sets the thresholds.
    pub calibrates: bool,
    /// When a set covers a question with several right options.
    pub covers: Covers,
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
    let prompts = Prompts { info: &info, data };
    found
        .into_iter()
        .map(|located| one(&reader, &info, &prompts, located))
        .collect()
}

fn one(
    reader: &Reader,
    info: &RunInfo,
    prompts: &Prompts<'_>,
    located: Located,
) -> Result<Shown, Failure> {
    let (task, strategy) = info
        .groups
        .get(located.group)
        .cloned()
        .ok_or_else(|| Failure::new("the store lacks a group of the run"))?;
    let answers = reader.answers(info.id, located.group, located.position)?;
    let config = info.settings.run().map(|settings| settings.evaluation);
    let sets = sets(
        reader,
        info.id,
        (&task, &strategy, located.group),
        &located.row,
        &config.unwrap_or_default(),
    )?;
    let prompt = prompts.of(&task, &strategy, &located);
    let question = prompt.as_ref().ok().map(|prompt| &prompt.question);
    let question = question.filter(|question| question.is_open());
    Ok(Shown {
        run: info.id,
        model: info.model.clone(),
        meanings: question.map(|question| meanings(&answers, question)),
        prompt,
        task,
        strategy,
        row: located.row,
        answers,
        sets,
    })
}

/// Where prompts are laid out from.
struct Prompts<'a> {
    info: &'a RunInfo,
    data: &'a [TaskData],
}

impl Prompts<'_> {
    /// Lays a prompt out once more. It is the one that was sent if its key is that of the answer.
    fn of(&self, task: &str, strategy: &str, located: &Located) -> Result<ShownPrompt, String> {
        let Some(settings) = self.info.settings.run() else {
            return Err("another tool asked this question".to_owned());
        };
        let dataset = self.dataset(task, settings)?;
        let question = question(&dataset, &located.row.question.content)?;
        let strategy = Strategy::by_name(strategy)
            .ok_or_else(|| format!("the strategy {strategy} is unknown"))?;
        let shots = settings.task(task).map_or(0, |task| task.shots);
        let builder = builder(&dataset, strategy, &settings.wording, shots)?;
        let prompt = builder.build(&question);
        let labels = builder.labels(&question);
        let key = RequestKey::new(&self.info.model.digest(), &prompt, &labels);
        let key = if located.drawn { key.drawn(0) } else { key };
        if key != located.key {
            return Err(
                "the data or its few-shot examples have changed since: the prompt would be another"
                    .to_owned(),
            );
        }
        Ok(ShownPrompt {
            text: prompt.text(),
            question,
        })
    }

    fn dataset(&self, task: &str, settings: &RunSettings) -> Result<Dataset, String> {
        let mut data = self.data.to_vec();
        if !data.iter().any(|data| data.task == task)
            && let Some(recorded) = settings.task(task)
        {
            let path = Path::new(&recorded.source);
            data.push(TaskData {
                task: task.to_owned(),
                path: path.exists().then(|| path.to_owned()),
                ..TaskData::default()
            });
        }
        let questions = QuestionSettings {
            data,
            abstention: settings.abstention,
            cluster: settings.cluster.clone(),
            ..QuestionSettings::default()
        };
        dataset_for(task, &questions).map_err(|failure| failure.to_string())
    }
}

fn question(dataset: &Dataset, content: &[u8; 32]) -> Result<Question, String> {
    let unreadable = |error: std::io::Error| format!("the questions cannot be read back: {error}");
    for index in 0..dataset.questions.len() {
        if dataset
            .questions
            .content_digest(index)
            .map_err(unreadable)?
            == *content
        {
            return dataset.questions.get(index).map_err(unreadable);
        }
    }
    Err(format!(
        "{} no longer has the question as it was asked; name the data with --data TASK=PATH",
        dataset.source
    ))
}

fn builder(
    dataset: &Dataset,
    strategy: Strategy,
    wording: &Wording,
    shots: usize,
) -> Result<PromptBuilder, String> {
    let is_open = dataset
        .questions
        .is_open()
        .map_err(|error| error.to_string())?;
    builder_for(dataset, is_open, strategy, wording, shots).map_err(|error| error.to_string())
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
    let mut rows = rows_of(reader, run, group, task, strategy)?;
    if let Some(temperature) = config.tempered {
        rows.temper(temperature);
    }
    let content = &row.question.content;
    let place = rows.table.keys().iter().position(|key| key == content);
    let Some((place, split)) = place.zip(split_of(&rows.table, config).ok()) else {
        return Ok(None);
    };
    let view = View {
        protocol: config.protocol,
        seed: config.seed,
        covers: config.covers,
        ..View::default()
    };
    let mut loaded = ProbabilityView::new(&view);
    loaded.load(&rows.table.row(place));
    let probabilities = loaded.probabilities().to_vec();
    let set = |score: Nonconformity| {
        let scores = Scores::of(&rows.table, score, &view);
        let calibrated = calibrate(
            &scores,
            &rows.table,
            &split.calibration,
            config.alpha,
            Scheme::Split,
        );
        let set = calibrated.set(&scores, &rows.table, place);
        let mut options: Vec<usize> = set.iter().collect();
        if options.is_empty() {
            options.push(scores.top(place));
        }
        (score, options)
    };
    Ok(Some(ShownSets {
        probabilities,
        sets: [Nonconformity::Lac, Nonconformity::Aps].map(set).into(),
        calibrates: split.calibration.contains(&place),
        covers: config.covers,
    }))
}
