//! What a run will ask, before a question is sent.

mod earlier;
mod tokens;

use sureness_record::Answers;

use crate::budget::{Prices, Tokens};
use crate::error::Failure;
use crate::models::open::{Model, http_options};
use crate::questions::Questions;
use crate::settings::Settings;
use earlier::{Earlier, Seen};
pub use tokens::TokenRate;
use tokens::{PromptSample, Server};

/// The forecast of a run.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// One per model.
    pub models: Vec<ModelForecast>,
    /// How answers become probabilities.
    pub answers: Answers,
    /// Whether asking may end before all questions are asked, so that everything here is an upper bound.
    pub may_stop_early: bool,
    /// Requests per minute that the run may make, if it is limited.
    pub requests_per_minute: Option<f64>,
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
    /// Why no server was asked, where one was to be.
    pub unasked: Option<String>,
    /// Prices, if they are known.
    pub prices: Option<Prices>,
    /// Mean tokens of an answer: of earlier ones, or else the most that it may have.
    pub answer_tokens: f64,
    /// The most tokens that an answer may have.
    pub most_answer_tokens: f64,
    /// Whether each answer is a thought, which is read again for the letters after it.
    pub thinks: bool,
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

impl ModelForecast {
    /// The sum of a count over the groups.
    pub fn total(&self, count: impl Fn(&GroupForecast) -> u64) -> u64 {
        self.groups.iter().map(count).sum()
    }

    /// The tokens that its requests will take.
    pub fn tokens(&self) -> Tokens {
        let missing = self.total(|group| (group.answers - group.answered) as u64);
        let answer = missing as f64 * self.answer_tokens;
        // The request for the letters holds the thought once more.
        let thoughts = if self.thinks { answer } else { 0.0 };
        let prompts = self.rate.tokens(self.total(|group| group.prompt_bytes));
        Tokens {
            prompt: (prompts + thoughts) as u64,
            cached: 0,
            answer: answer as u64,
        }
    }
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

/// Says what a run with these settings will ask. Reads questions and the output folder; writes nothing, and
/// asks no model. Where the folder does not show how many tokens prompts have, a server's tokenizer counts
/// some of them.
///
/// # Errors
///
/// As the run itself, for settings and questions that it would refuse.
pub fn forecast(settings: &Settings, models: &[Model]) -> Result<Forecast, Failure> {
    crate::run::check(settings, models)?;
    if settings.asking.auto.is_some() {
        return Err(Failure::new(
            "--dry-run asks no model, and --answers auto decides by a model's answers",
        )
        .hint("name the way with --answers; `sureness doctor` says which one auto would choose"));
    }
    let mut questions = Questions::load(&settings.questions, settings.evaluation.seed)?;
    crate::run::check_open(settings, &questions)?;
    crate::run::check_judge(settings, &questions)?;
    questions.plan.draws = crate::run::draws(settings);
    let earlier = Earlier::of(&settings.output_dir)?;
    let runtime = crate::run::runtime()?;
    let forecasts = models.iter().map(|model| {
        let planned = Planned::of(settings, &questions, &earlier, model)?;
        runtime.block_on(planned.forecast(settings, model))
    });
    Ok(Forecast {
        models: forecasts.collect::<Result<_, _>>()?,
        answers: settings.asking.answers,
        may_stop_early: settings.until.is_some(),
        requests_per_minute: settings.asking.engine.requests_per_minute,
        comparisons: comparisons(settings, &questions)?,
    })
}

/// What is known of a model's part without its server.
struct Planned {
    groups: Vec<GroupForecast>,
    seen: Seen,
    /// Of the prompts that will be sent.
    sample: PromptSample,
}

impl Planned {
    fn of(
        settings: &Settings,
        questions: &Questions,
        earlier: &Earlier,
        model: &Model,
    ) -> Result<Self, Failure> {
        let answers = settings.asking.answers;
        let identities = earlier.identities(model.name(), answers);
        let draws = questions.plan.draws_each() as u32;
        // A thought and the letters after it take a request each.
        let each = if thinks(answers) { 2 } else { 1 };
        let mut planned = Self {
            groups: Vec::new(),
            seen: Seen::default(),
            sample: PromptSample::default(),
        };
        for (index, group) in questions.plan.groups.iter().enumerate() {
            let requests: Vec<_> = identities
                .iter()
                .map(|identity| group.requests(identity.digest(), questions.plan.draws))
                .collect();
            let mut forecast = GroupForecast {
                task: group.task.id.clone(),
                strategy: group.name().into_owned(),
                answers: 0,
                answered: 0,
                requests: 0,
                prompt_bytes: 0,
            };
            for (number, question) in group.questions.iter().enumerate() {
                let question = question.map_err(Failure::new)?;
                if questions.plan.wanted(index, number) == 0 || group.repeats(&question) {
                    continue;
                }
                forecast.answers += draws as usize;
                let prompt = group.prompt(&question);
                let bytes = (prompt.prefix.len() + prompt.suffix.len()) as u64;
                let shared: Vec<_> = requests
                    .iter()
                    .map(|requests| (requests, requests.of_question(&question)))
                    .collect();
                let before = forecast.requests;
                for draw in 0..draws {
                    let mut known = None;
                    for (requests, shared) in &shared {
                        known = known.or(earlier.answer(requests.key(shared, draw))?);
                    }
                    match known {
                        Some(usage) if !settings.cache.ignore => {
                            forecast.answered += 1;
                            planned.seen.add(bytes, usage);
                        }
                        _ => {
                            forecast.requests += each;
                            forecast.prompt_bytes += each as u64 * bytes;
                        }
                    }
                }
                if forecast.requests > before {
                    planned.sample.add(|| prompt.text());
                }
            }
            planned.groups.push(forecast);
        }
        Ok(planned)
    }

    /// The forecast, with what the model's server adds.
    async fn forecast(self, settings: &Settings, model: &Model) -> Result<ModelForecast, Failure> {
        let answers = settings.asking.answers;
        let known = self.seen.rate();
        let unpriced = settings.budget.prices.is_none() && settings.budget.list.is_some();
        let mut unasked = None;
        let mut name = model.name().map(str::to_owned);
        let mut rate = known.unwrap_or(TokenRate::Estimated);
        if let Model::Served { api_bases, model } = model
            && let Some(base) = api_bases.first()
            && (known.is_none() || (name.is_none() && unpriced))
        {
            let options = http_options(base, model.clone(), &settings.asking);
            match Server::at(options, settings.asking.api()).await {
                Server::Has(counter) => {
                    name = Some(counter.model().to_owned());
                    if known.is_none() {
                        rate = self.sample.counted(&counter).await.unwrap_or(rate);
                    }
                }
                Server::Lacks(reason) => unasked = Some(reason),
            }
        }
        let budget = match &name {
            Some(name) => settings.budget_of(model, name)?,
            // Without a name there is no price in a list.
            None => settings.budget.unlisted(),
        };
        let most = most_tokens(answers);
        Ok(ModelForecast {
            name: name.unwrap_or_else(|| "the server's model".to_owned()),
            groups: self.groups,
            rate,
            unasked,
            prices: budget.prices,
            answer_tokens: self.seen.answer_tokens().unwrap_or(most),
            most_answer_tokens: most,
            thinks: thinks(answers),
        })
    }
}

/// Whether each answer is a thought.
fn thinks(answers: Answers) -> bool {
    matches!(answers, Answers::Reasoned(it) if it.think_tokens > 0)
}

/// The most tokens that an answer may have.
pub(crate) fn most_tokens(answers: Answers) -> f64 {
    f64::from(match answers {
        Answers::Letters => 1,
        Answers::Sampled(sampled) => sampled.max_tokens.get(),
        Answers::Reasoned(reasoned) => reasoned.think_tokens + 1,
    })
}
