//! Lays prompts of a recorded run out once more, since stores do not hold them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;

use sureness_prompts::{Prompt, PromptBuilder, Strategy};
use sureness_questions::{Dataset, Question, Turn};
use sureness_record::{OrderOf, RunSettings};
use sureness_scorers::RequestKey;
use sureness_store::RunInfo;

use crate::questions::{builder_for, dataset_for};
use crate::settings::{QuestionSettings, TaskData};

/// Digest of a question's content.
type Key = [u8; 32];

/// The data of one (task, strategy) of a run, from which its prompts are laid out.
#[derive(Debug)]
pub(crate) struct Layout {
    dataset: Dataset,
    builder: PromptBuilder,
    /// The order of the options.
    order: NonZeroU32,
    /// Digest of the model's identity.
    model: [u8; 32],
    /// Index of each question in the data set.
    places: HashMap<Key, usize>,
}

impl Layout {
    /// Reads the data from `data`, or from where the run found it; or says why it cannot.
    pub(crate) fn of(
        info: &RunInfo,
        data: &[TaskData],
        task: &str,
        strategy: &str,
    ) -> Result<Self, String> {
        let Some(settings) = info.settings.run() else {
            return Err("another tool asked this question".to_owned());
        };
        let dataset = dataset(task, settings, data)?;
        let (strategy, order) = OrderOf::split(strategy);
        let order = match order {
            OrderOf::Number(number) => NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN),
            OrderOf::AsIs | OrderOf::Averaged | OrderOf::Corrected => NonZeroU32::MIN,
        };
        let strategy = Strategy::by_name(strategy)
            .ok_or_else(|| format!("the strategy {strategy} is unknown"))?;
        let shots = settings.task(task).map_or(0, |task| task.shots);
        let is_open = dataset.questions.is_open().map_err(|it| unreadable(&it))?;
        let builder = builder_for(&dataset, is_open, strategy, &settings.wording, shots)
            .map_err(|error| error.to_string())?;
        let mut places = HashMap::with_capacity(dataset.questions.len());
        for index in 0..dataset.questions.len() {
            let key = dataset.questions.content_digest(index);
            places
                .entry(key.map_err(|it| unreadable(&it))?)
                .or_insert(index);
        }
        Ok(Self {
            builder,
            order,
            places,
            model: info.model.digest(),
            dataset,
        })
    }

    /// The question with this content; or why it cannot be read.
    pub(crate) fn question(&self, content: &Key) -> Result<Question, String> {
        let Some(&index) = self.places.get(content) else {
            return Err(format!(
                "{} no longer has the question as it was asked; name the data with --data TASK=PATH",
                self.dataset.source
            ));
        };
        let question = self.dataset.questions.get(index);
        question.map_err(|error| unreadable(&error))
    }

    /// The prompt of a question. It is the one that was sent if its key is `key`, that of the answer; with
    /// `drawn`, of the first of several answers.
    pub(crate) fn prompt(
        &self,
        question: &Question,
        key: RequestKey,
        drawn: bool,
    ) -> Result<Prompt, String> {
        let shown = Turn::of(question, self.order).shown(question);
        let prompt = self.builder.build(&shown);
        let labels = self.builder.labels(question);
        let own = RequestKey::new(&self.model, &prompt, &labels);
        let own = if drawn { own.drawn(0) } else { own };
        if own != key {
            return Err(
                "the data or its few-shot examples have changed since: the prompt would be another"
                    .to_owned(),
            );
        }
        Ok(prompt)
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("the questions cannot be read back: {error}")
}

fn dataset(task: &str, settings: &RunSettings, given: &[TaskData]) -> Result<Dataset, String> {
    let mut data = given.to_vec();
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
