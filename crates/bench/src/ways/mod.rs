//! Ways of asking a server: which it allows, what each costs, and one question asked each way.

mod choice;
mod cost;
mod embedded;
mod trial;

use serde::Serialize;
use sureness_record::{Answers, Reasoned};
use sureness_scorers::OptionScorer;
use sureness_scorers::http::{
    Api, ConnectError, HttpOptions, HttpScorer, Letters, ReasoningScorer, SamplingScorer,
};

use crate::budget::Budget;
use crate::error::Failure;
pub(crate) use choice::resolved;
pub use choice::{Chosen, Offered};
use cost::Asked;
pub use cost::PerThousand;
use trial::Sample;
pub use trial::{Trial, TrialAnswer};

/// The ways in which a server can be asked.
#[derive(Debug, Clone, Serialize)]
pub struct Ways {
    /// In the order `letters`, `reasoned`, `sampled`.
    pub ways: Vec<Way>,
    /// The question of the trials.
    pub question: String,
    /// Mean bytes of the prompts that costs are computed for: those of the built-in questions on knowledge.
    pub prompt_bytes: f64,
    /// The way that `--answers auto` would take, and why; `None` if none is allowed.
    pub auto: Option<(String, String)>,
}

/// One way of asking.
#[derive(Debug, Clone, Serialize)]
pub struct Way {
    /// Its name: `letters`, `reasoned` or `sampled`.
    pub way: &'static str,
    /// The protocols that were tried, in order.
    pub protocols: Vec<Protocol>,
    /// The protocol of the trial; `None` where none is allowed.
    pub api: Option<String>,
    /// One question asked this way.
    pub trial: Option<Trial>,
    /// What a thousand questions would take.
    pub per_thousand: Option<PerThousand>,
}

/// A protocol and whether the server allows the way over it.
#[derive(Debug, Clone, Serialize)]
pub struct Protocol {
    /// Its name.
    pub api: String,
    /// Why it is not allowed; `None` if it is.
    pub refused: Option<String>,
}

impl Ways {
    /// The way with this name.
    pub fn way(&self, name: &str) -> Option<&Way> {
        self.ways.iter().find(|way| way.way == name)
    }
}

impl Protocol {
    fn of<S>(tried: &Tried<S>) -> Self {
        Self {
            api: tried.api.name().to_owned(),
            refused: tried.outcome.as_ref().err().map(ToString::to_string),
        }
    }
}

/// Tries each way on a server, with a few short requests and one question of the built-in pack. `api` is the
/// preferred protocol. `told` receives each way as it is known.
///
/// # Errors
///
/// If the built-in questions cannot be read, or a price list lacks the model.
pub async fn examine(
    options: HttpOptions,
    api: Api,
    offered: Offered,
    budget: &Budget,
    told: &mut dyn FnMut(&Way),
) -> Result<Ways, Failure> {
    let examination = Examination {
        sample: Sample::load()?,
        options,
        api,
        offered,
        budget,
    };
    examination.carry_out(told).await
}

struct Examination<'a> {
    sample: Sample,
    options: HttpOptions,
    api: Api,
    offered: Offered,
    budget: &'a Budget,
}

/// The outcome of connecting over one protocol.
struct Tried<S> {
    api: Api,
    outcome: Result<S, ConnectError>,
}

impl Examination<'_> {
    async fn carry_out(self, told: &mut dyn FnMut(&Way)) -> Result<Ways, Failure> {
        let mut letters = Vec::new();
        for api in self.ordered(&[Api::Completions, Api::Chat]) {
            let outcome = HttpScorer::connect(self.options_for(api)).await;
            letters.push(Tried { api, outcome });
        }
        let trial_letters = allowed(&letters).and_then(|(_, scorer)| scorer.letters().cloned());
        let by_letters = self.way(Answers::Letters, &letters).await?;
        told(&by_letters);

        let mut thoughts = Vec::new();
        for Tried { api, outcome } in letters {
            let outcome = match outcome {
                Ok(letters) => {
                    let options = self.options_for(api);
                    ReasoningScorer::over(letters, options, self.offered.reasoned).await
                }
                Err(error) => Err(error),
            };
            thoughts.push(Tried { api, outcome });
        }
        let reasoned = Answers::Reasoned(self.offered.reasoned);
        let after_thought = self.way(reasoned, &thoughts).await?;
        told(&after_thought);

        let mut words = Vec::new();
        for api in self.ordered(&Api::ALL) {
            let options = self.options_for(api);
            let outcome = SamplingScorer::connect(options, api, self.offered.sampled).await;
            words.push(Tried { api, outcome });
        }
        let sampled = Answers::Sampled(self.offered.sampled);
        let in_words = self.way(sampled, &words).await?;
        told(&in_words);

        let ways = vec![by_letters, after_thought, in_words];
        Ok(Ways {
            auto: auto(&ways, trial_letters.as_ref(), self.offered.reasoned),
            ways,
            question: self.sample.stem().to_owned(),
            prompt_bytes: self.sample.mean_bytes(),
        })
    }

    /// These protocols, the preferred one first.
    fn ordered(&self, all: &[Api]) -> Vec<Api> {
        let mut ordered = all.to_vec();
        ordered.sort_by_key(|api| *api != self.api);
        ordered
    }

    fn options_for(&self, api: Api) -> HttpOptions {
        HttpOptions {
            chat: api == Api::Chat,
            ..self.options.clone()
        }
    }

    /// One way, tried over the first protocol that allows it.
    async fn way<S: OptionScorer>(
        &self,
        answers: Answers,
        tried: &[Tried<S>],
    ) -> Result<Way, Failure> {
        let mut way = Way {
            way: answers.name(),
            protocols: tried.iter().map(Protocol::of).collect(),
            api: None,
            trial: None,
            per_thousand: None,
        };
        let Some((api, scorer)) = allowed(tried) else {
            return Ok(way);
        };
        let budget = self.budget.of_model(&scorer.identity().name)?;
        let at_once = scorer.hints().answers_at_once.max(1);
        let trial = self.sample.ask(scorer, answers, at_once).await?;
        let asked = Asked {
            answers,
            trial: &trial,
            sample: &self.sample,
            at_once,
        };
        way.per_thousand = asked.per_thousand(budget.prices.as_ref());
        way.trial = Some(trial);
        way.api = Some(api.name().to_owned());
        Ok(way)
    }
}

/// The first protocol that allows a way.
fn allowed<S>(tried: &[Tried<S>]) -> Option<(Api, &S)> {
    tried.iter().find_map(|tried| {
        let scorer = tried.outcome.as_ref().ok()?;
        Some((tried.api, scorer))
    })
}

/// The way that `--answers auto` would take.
fn auto(ways: &[Way], letters: Option<&Letters>, reasoned: Reasoned) -> Option<(String, String)> {
    let is_allowed = |name: &str| ways.iter().any(|way| way.way == name && way.api.is_some());
    let chosen = |way: &str, because: &str| Some((way.to_owned(), because.to_owned()));
    if is_allowed("letters") {
        let (answers, because) = choice::by_letters(letters, reasoned);
        return chosen(answers.name(), because);
    }
    is_allowed("sampled")
        .then(|| chosen("sampled", "no log-probabilities of the letters can be read"))
        .flatten()
}
