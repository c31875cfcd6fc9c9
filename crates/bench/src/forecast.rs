//! What a run will ask, before anything is sent.

use std::collections::HashMap;
use std::path::Path;

use sureness_prompts::PromptBuilder;
use sureness_record::{Answers, Recorded};
use sureness_scorers::ModelIdentity;
use sureness_store::{Reader, StoreError};

use crate::budget::{Prices, Tokens};
use crate::error::Failure;
use crate::folder::STORE;
use crate::models::open::Model;
use crate::questions::Questions;
use crate::settings::Settings;

/// Bytes of an English prompt per token, for want of the model's own tokenizer.
const BYTES_PER_TOKEN: f64 = 4.0;
/// How far that is off, as a factor in either direction: tokenizers of current models need 3.2 to 4.9
/// bytes per token for the benchmark's prompts, and more tokens for other languages.
const OFF_BY: f64 = 1.25;

/// The forecast of a run.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// One per model.
    pub models: Vec<ModelForecast>,
    /// How answers become probabilities.
    pub answers: Answers,
    /// Requests per minute that the run may make, if it is limited.
    pub requests_per_minute: Option<f64>,
    /// Prices, if they are known.
    pub prices: Option<Prices>,
    /// Comparisons of a judge at most, for each model; `None` without a judge. Its tokens depend on the
    /// answers and are not part of the forecast.
    pub comparisons: Option<u64>,
}

/// What one model will be asked.
#[derive(Debug, Clone)]
pub struct ModelForecast {
    /// Its name as far as it is known before it is opened.
    pub name: String,
    /// By task and strategy, in order.
    pub groups: Vec<GroupForecast>,
    /// How bytes are turned into tokens.
    pub rate: TokenRate,
    /// Mean tokens of an answer: of earlier ones, or else the most that it may have.
    pub answer_tokens: f64,
    /// The most tokens that an answer may have.
    pub most_answer_tokens: f64,
}

/// What one task will ask in one strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupForecast {
    /// Task id.
    pub task: String,
    /// Strategy name.
    pub strategy: String,
    /// Answers that the run takes.
    pub answers: usize,
    /// Of these, answers that earlier runs in the output folder have given.
    pub answered: usize,
    /// Requests at most: one for each missing answer, two where the model thinks first.
    pub requests: usize,
    /// Bytes of the prompts of these requests.
    pub prompt_bytes: u64,
}

/// Tokens per byte of a prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TokenRate {
    /// As counted by the server in so many earlier prompts of this model.
    Counted {
        /// Tokens per byte.
        rate: f64,
        /// Prompts.
        prompts: usize,
    },
    /// Not known: an estimate.
    Estimated,
}

impl TokenRate {
    /// Tokens of so many bytes.
    pub fn tokens(self, bytes: u64) -> f64 {
        match self {
            Self::Counted { rate, .. } => bytes as f64 * rate,
            Self::Estimated => bytes as f64 / BYTES_PER_TOKEN,
        }
    }

    /// How far the number of tokens may be off, as a factor in either direction.
    pub fn off_by(self) -> f64 {
        match self {
            // Prompts of a task are alike.
            Self::Counted { .. } => 1.02,
            Self::Estimated => OFF_BY,
        }
    }
}

impl ModelForecast {
    /// The sum of a count over the groups.
    pub fn total(&self, count: impl Fn(&GroupForecast) -> u64) -> u64 {
        self.groups.iter().map(count).sum()
    }

    /// The tokens that its requests will take.
    pub fn tokens(&self) -> Tokens {
        let missing = self.total(|group| (group.answers - group.answered) as u64);
        Tokens {
            prompt: self.rate.tokens(self.total(|group| group.prompt_bytes)) as u64,
            cached: 0,
            answer: (missing as f64 * self.answer_tokens) as u64,
        }
    }
}

/// Says what a run with these settings will ask. Reads questions and the output folder; sends nothing
/// and writes nothing.
///
/// # Errors
///
/// As the run itself, for settings and questions that it would refuse.
pub fn forecast(settings: &Settings, models: &[Model]) -> Result<Forecast, Failure> {
    crate::run::check(settings, models)?;
    let mut questions = Questions::load(&settings.questions, settings.evaluation.seed)?;
    crate::run::check_open(settings, &questions)?;
    crate::run::check_judge(settings, &questions)?;
    questions.plan.draws = crate::run::draws(settings);
    let earlier = Earlier::of(&settings.output_dir)?;
    let forecasts = models
        .iter()
        .map(|model| of_model(settings, &questions, &earlier, model));
    Ok(Forecast {
        models: forecasts.collect::<Result<_, _>>()?,
        answers: settings.asking.answers,
        requests_per_minute: settings.asking.engine.requests_per_minute,
        prices: settings.budget.prices,
        comparisons: comparisons(settings, &questions)?,
    })
}

/// Both orders of all pairs, if all answers to a question differ and the judge says yes every time.
fn comparisons(settings: &Settings, questions: &Questions) -> Result<Option<u64>, Failure> {
    let Some(judge) = &settings.judge else {
        return Ok(None);
    };
    let draws = questions.plan.draws_each() as u64;
    let pairs = (draws * (draws - 1) / 2).min(judge.pairs.get().into());
    let mut open = 0;
    for group in &questions.plan.groups {
        if group.questions.is_open().map_err(Failure::new)? {
            open += group.questions.len() as u64;
        }
    }
    Ok(Some(2 * pairs * open))
}

fn of_model(
    settings: &Settings,
    questions: &Questions,
    earlier: &Earlier,
    model: &Model,
) -> Result<ModelForecast, Failure> {
    let name = model.name();
    let identities = earlier.identities(name, settings.asking.answers);
    let draws = questions.plan.draws_each() as u32;
    let thinks = matches!(settings.asking.answers, Answers::Reasoned(it) if it.think_tokens > 0);
    let mut groups = Vec::new();
    let mut seen = Seen::default();
    for group in &questions.plan.groups {
        let requests: Vec<_> = identities
            .iter()
            .map(|identity| group.requests(identity.digest(), questions.plan.draws))
            .collect();
        let mut forecast = GroupForecast {
            task: group.task.id.clone(),
            strategy: group.strategy.name().to_owned(),
            answers: group.questions.len() * draws as usize,
            answered: 0,
            requests: 0,
            prompt_bytes: 0,
        };
        for question in group.questions.iter() {
            let question = question.map_err(Failure::new)?;
            let bytes = prompt_bytes(&group.builder, &question);
            let shared: Vec<_> = requests
                .iter()
                .map(|requests| (requests, requests.of_question(&question)))
                .collect();
            for draw in 0..draws {
                let mut known = None;
                for (requests, shared) in &shared {
                    known = known.or(earlier.answer(requests.key(shared, draw))?);
                }
                match known {
                    Some(usage) if !settings.cache.ignore => {
                        forecast.answered += 1;
                        seen.add(bytes, usage);
                    }
                    _ => {
                        // A thought and the letters after it take a request each.
                        let each = if thinks { 2 } else { 1 };
                        forecast.requests += each;
                        forecast.prompt_bytes += each as u64 * bytes;
                    }
                }
            }
        }
        groups.push(forecast);
    }
    let most = most_tokens(settings.asking.answers);
    Ok(ModelForecast {
        name: name.unwrap_or("the server's model").to_owned(),
        groups,
        rate: seen.rate(),
        answer_tokens: seen.answer_tokens().unwrap_or(most),
        most_answer_tokens: most,
    })
}

/// The most tokens that an answer may have.
pub(crate) fn most_tokens(answers: Answers) -> f64 {
    f64::from(match answers {
        Answers::Letters => 1,
        Answers::Sampled(sampled) => sampled.max_tokens.get(),
        Answers::Reasoned(reasoned) => reasoned.think_tokens + 1,
    })
}

fn prompt_bytes(builder: &PromptBuilder, question: &sureness_questions::Question) -> u64 {
    let prompt = builder.build(question);
    (prompt.prefix.len() + prompt.suffix.len()) as u64
}

/// Earlier answers to the questions of the run.
#[derive(Debug, Default)]
struct Seen {
    prompts: usize,
    bytes: u64,
    tokens: u64,
    answers: u64,
    answer_tokens: u64,
}

impl Seen {
    fn add(&mut self, bytes: u64, usage: sureness_scorers::Usage) {
        // Of several answers to one request, only the first has the prompt's tokens.
        if let Some(tokens) = usage.prompt_tokens.filter(|tokens| *tokens > 0) {
            self.prompts += 1;
            self.bytes += bytes;
            self.tokens += u64::from(tokens);
        }
        if let Some(tokens) = usage.answer_tokens {
            self.answers += 1;
            self.answer_tokens += u64::from(tokens);
        }
    }

    fn rate(&self) -> TokenRate {
        if self.bytes == 0 {
            return TokenRate::Estimated;
        }
        TokenRate::Counted {
            rate: self.tokens as f64 / self.bytes as f64,
            prompts: self.prompts,
        }
    }

    fn answer_tokens(&self) -> Option<f64> {
        (self.answers > 0).then(|| self.answer_tokens as f64 / self.answers as f64)
    }
}

/// The answers in the output folder, if it has any.
struct Earlier {
    reader: Option<Reader>,
    models: Vec<(ModelIdentity, Answers)>,
}

impl Earlier {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let store = folder.join(STORE);
        if !store.exists() {
            return Ok(Self {
                reader: None,
                models: Vec::new(),
            });
        }
        let mut reader = Reader::open(&store)?;
        reader.index_the_rest()?;
        let mut models: HashMap<[u8; 32], (ModelIdentity, Answers)> = HashMap::new();
        for run in reader.runs()? {
            if let Recorded::Run(settings) = run.settings {
                models.insert(run.model.digest(), (run.model, settings.answers));
            }
        }
        Ok(Self {
            reader: Some(reader),
            models: models.into_values().collect(),
        })
    }

    /// The models in the folder that may be this one. Which it is shows only when it is opened.
    fn identities(&self, name: Option<&str>, answers: Answers) -> Vec<&ModelIdentity> {
        let same_way = |way: &Answers| way.name() == answers.name();
        let models = self.models.iter().filter(|(model, way)| {
            name.is_none_or(|name| model.name == name || name.contains(&model.name))
                && same_way(way)
        });
        models.map(|(model, _)| model).collect()
    }

    fn answer(
        &self,
        key: sureness_scorers::RequestKey,
    ) -> Result<Option<sureness_scorers::Usage>, StoreError> {
        match &self.reader {
            None => Ok(None),
            Some(reader) => reader.usage(key),
        }
    }
}
