//! `--answers auto`: which way of asking a model allows.

use sureness_record::{Answers, Reasoned, Sampled};
use sureness_scorers::Opening;
use sureness_scorers::http::{Api, ConnectError, HttpScorer, Letters, SamplingScorer};

use crate::error::Failure;
use crate::models::open::{Model, http_options};
use crate::settings::{Asking, Settings};
use crate::watch::Watch;

/// Probability of the letters on a trial question above which a model that can think has not thought.
const ANSWERS_AT_ONCE: f64 = 0.5;

/// The settings of the ways among which `--answers auto` chooses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Offered {
    /// Of `sampled`.
    pub sampled: Sampled,
    /// Of `reasoned`.
    pub reasoned: Reasoned,
}

/// A way of asking, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The way.
    pub answers: Answers,
    /// The protocol.
    pub api: Api,
    /// Why, as a clause.
    pub because: String,
}

/// The way for a server that reports log-probabilities, by the model's answer to a trial question; `None` where
/// it gave none.
pub(crate) fn by_letters(letters: Option<&Letters>, reasoned: Reasoned) -> (Answers, &'static str) {
    match letters {
        Some(letters) if thinks_first(letters) => (
            Answers::Reasoned(reasoned),
            "the server reports log-probabilities, and the model thinks before it answers",
        ),
        Some(letters) if !letters.are_improbable() => (
            Answers::Letters,
            "the server reports log-probabilities, and the model answers with the letter",
        ),
        _ => (
            Answers::Letters,
            "the server reports log-probabilities, and the model does not begin with a thought",
        ),
    }
}

/// Whether the first token of an answer opens a thought, or follows one.
fn thinks_first(letters: &Letters) -> bool {
    let opens = letters.opening() == Opening::Thought && letters.mass < ANSWERS_AT_ONCE;
    letters.after_thought || opens
}

/// The same settings with the way that the models allow in place of `auto`. Says what was chosen, and why.
///
/// # Errors
///
/// If a model cannot be asked in any way, or the models are to be asked in different ones.
pub(crate) async fn resolved(
    settings: &Settings,
    models: &[Model],
    open_task: Option<&str>,
    watch: &dyn Watch,
) -> Result<Settings, Failure> {
    let Some(offered) = settings.asking.auto else {
        return Ok(settings.clone());
    };
    let mut first: Option<(String, Chosen)> = None;
    for model in models {
        let (name, chosen) = choose(model, &settings.asking, offered, open_task).await?;
        watch.note(&format!(
            "{name}: --answers {}: {}",
            chosen.answers.name(),
            chosen.because
        ));
        match &first {
            None => first = Some((name, chosen)),
            Some((other, before))
                if (before.answers, before.api) != (chosen.answers, chosen.api) =>
            {
                return Err(differing(other, before, &name, &chosen));
            }
            Some(_) => {}
        }
    }
    let mut settings = settings.clone();
    settings.asking.auto = None;
    if let Some((_, chosen)) = first {
        settings.asking.answers = chosen.answers;
        settings.asking.chat = chosen.api != Api::Completions;
        let in_words = chosen.answers.sampled().is_some();
        let embedded = models.iter().any(Model::is_embedded);
        settings.asking.api = (in_words && !embedded).then_some(chosen.api);
    }
    Ok(settings)
}

fn differing(first: &str, one: &Chosen, second: &str, other: &Chosen) -> Failure {
    let way = |chosen: &Chosen| format!("--answers {} over {}", chosen.answers.name(), chosen.api);
    Failure::new(format!(
        "{first} would be asked with {}, {second} with {}: their figures would not compare",
        way(one),
        way(other)
    ))
    .hint("name one way with --answers that both allow, or measure each in a run of its own")
}

/// The way for one model, with the model's name or its server's address.
async fn choose(
    model: &Model,
    asking: &Asking,
    offered: Offered,
    open_task: Option<&str>,
) -> Result<(String, Chosen), Failure> {
    let api = asking.api();
    let name = model.name().unwrap_or("the server's model").to_owned();
    let of = |answers, because: &str| Chosen {
        answers,
        api,
        because: because.to_owned(),
    };
    if let (Some(task), true) = (open_task, model.is_embedded()) {
        let because = format!("task {task} has open questions, which take answers in words");
        return Ok((name, of(Answers::Sampled(offered.sampled), &because)));
    }
    match model {
        Model::Gguf(file) => {
            let (answers, because) = super::embedded::way(file, asking.chat, offered.reasoned)?;
            Ok((name, of(answers, because)))
        }
        Model::Served { api_bases, model } => {
            let base = api_bases.first().map_or("", String::as_str);
            let server = Served {
                base,
                model: model.clone(),
                asking,
                offered,
            };
            let chosen = server.choose(open_task).await?;
            Ok((model.clone().unwrap_or_else(|| base.to_owned()), chosen))
        }
        #[cfg(feature = "nats")]
        Model::Relayed { .. } => {
            let because = "workers on other machines score letters alone";
            Ok((name, of(Answers::Letters, because)))
        }
    }
}

/// A model behind a server.
struct Served<'a> {
    base: &'a str,
    model: Option<String>,
    asking: &'a Asking,
    offered: Offered,
}

impl Served<'_> {
    async fn choose(&self, open_task: Option<&str>) -> Result<Chosen, Failure> {
        if let Some(task) = open_task {
            let because = format!("task {task} has open questions, which take answers in words");
            return self.in_words(because).await;
        }
        let api = self.asking.api();
        if api.is_only_for_words() {
            return self
                .in_words(format!("--api {api} reports no log-probabilities"))
                .await;
        }
        // Without a route that was asked for, the other one may be there.
        let other = if api == Api::Chat {
            Api::Completions
        } else {
            Api::Chat
        };
        let mut reason = String::new();
        let tried = if self.asking.api.is_some() || self.asking.chat {
            vec![api]
        } else {
            vec![api, other]
        };
        for api in tried {
            match self.letters(api).await {
                Ok(letters) => {
                    let (answers, why) = by_letters(letters.as_ref(), self.offered.reasoned);
                    return Ok(Chosen {
                        answers,
                        api,
                        because: format!("{why} (over {api})"),
                    });
                }
                Err(error) if leaves_words(&error) => reason = error.to_string(),
                Err(error) => return Err(error.into()),
            }
        }
        self.in_words(reason).await
    }

    async fn letters(&self, api: Api) -> Result<Option<Letters>, ConnectError> {
        let mut options = http_options(self.base, self.model.clone(), self.asking);
        options.chat = api == Api::Chat;
        let scorer = HttpScorer::connect(options).await?;
        Ok(scorer.letters().cloned())
    }

    /// The first protocol in which the server answers in words.
    async fn in_words(&self, because: String) -> Result<Chosen, Failure> {
        let wanted = self.asking.api();
        let others = Api::ALL.into_iter().filter(|api| *api != wanted);
        let mut first = None;
        let tried = std::iter::once(wanted).chain(others);
        for api in tried.take(if self.asking.api.is_some() {
            1
        } else {
            Api::ALL.len()
        }) {
            let options = http_options(self.base, self.model.clone(), self.asking);
            match SamplingScorer::connect(options, api, self.offered.sampled).await {
                Ok(_) => {
                    return Ok(Chosen {
                        answers: Answers::Sampled(self.offered.sampled),
                        api,
                        because: format!("{because} (answers over {api})"),
                    });
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.map_or_else(
            || Failure::new("there is no protocol to try"),
            Failure::from,
        ))
    }
}

/// Whether a server that letters cannot be scored on may still answer in words.
fn leaves_words(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::NoLogprobs { .. }
            | ConnectError::NoSuchRoute { .. }
            // Anthropic's servers want their key in another header.
            | ConnectError::Unauthorized { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(mass: f64, first: &str) -> Letters {
        Letters {
            mass,
            first: first.to_owned(),
            thinks: false,
            after_thought: false,
            chat: true,
        }
    }

    #[test]
    fn a_model_that_thinks_first_is_asked_after_its_thought() {
        let way = |letters: &Letters| by_letters(Some(letters), Reasoned::default()).0.name();
        assert_eq!(way(&letters(0.97, "B")), "letters");
        assert_eq!(way(&letters(0.002, "<think>")), "reasoned");
        assert_eq!(way(&letters(0.2, "<|channel|>")), "reasoned");
        // A base model in front of an instruction.
        assert_eq!(way(&letters(0.003, "\n")), "letters");
        assert_eq!(way(&letters(0.6, "Okay")), "letters");
        let declared = Letters {
            thinks: true,
            ..letters(0.1, "Okay")
        };
        assert_eq!(way(&declared), "reasoned");
        // Some servers call every answer of a thinking model a thought.
        let always = Letters {
            thinks: true,
            ..letters(0.96, "B")
        };
        assert_eq!(way(&always), "letters");
        let after = Letters {
            after_thought: true,
            ..letters(0.96, "B")
        };
        assert_eq!(way(&after), "reasoned");
        assert_eq!(by_letters(None, Reasoned::default()).0, Answers::Letters);
    }
}
