//! What a server returns when it is asked for log-probabilities.

use reqwest::Url;
use serde_json::Value;

use super::super::answer::{Choice, choices};
use super::super::connect_error::ConnectError;
use super::sampling::Listed;
use super::{PROMPTS, Probe};
use crate::ScoreError;

/// Requests whose answers may lack log-probabilities before the server counts as one without: behind
/// a router, only some machines may leave them out.
pub(super) const TRIES: usize = 10;

/// Answers to requests for log-probabilities.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::http) struct Counted {
    pub(in crate::http) answers: usize,
    /// Those without any.
    pub(in crate::http) without: usize,
}

impl Counted {
    /// Counts the outcome of a request.
    pub(in crate::http) fn add<T>(&mut self, outcome: &Result<T, ScoreError>) {
        let without = matches!(outcome, Err(ScoreError::NoLogprobs));
        self.answers += usize::from(without || outcome.is_ok());
        self.without += usize::from(without);
    }
}

impl Probe<'_> {
    /// The tokens that the server returns when asked for `top`.
    pub(super) async fn tokens_returned(
        &mut self,
        url: &Url,
        model: &str,
        top: u32,
    ) -> Result<Result<Listed, ScoreError>, ConnectError> {
        let mut tries = 0;
        loop {
            let answer = self.answer(url, model, Some(top)).await?;
            let tokens = answer.and_then(|answer| Listed::read(&answer));
            self.counted.add(&tokens);
            tries += 1;
            if !matches!(tokens, Err(ScoreError::NoLogprobs)) || tries == TRIES {
                return Ok(tokens);
            }
        }
    }

    /// The answer to a request, for the `top` most probable tokens if given. Learns from refusals how
    /// the server wants to be asked.
    pub(super) async fn answer(
        &mut self,
        url: &Url,
        model: &str,
        top: Option<u32>,
    ) -> Result<Result<Value, ScoreError>, ConnectError> {
        loop {
            let template = self.template(model, top.unwrap_or(0));
            let body = template.whole(PROMPTS[0], &template.ending(top));
            let answer = self.ask_when_loaded(url, Some(&body)).await?;
            let dialect = match &answer {
                Err(
                    ScoreError::Rejected { message, .. }
                    | ScoreError::Server {
                        status: 200,
                        message,
                        ..
                    },
                ) => self.dialect.after(message),
                _ => None,
            };
            let Some(dialect) = dialect else {
                return Ok(answer);
            };
            tracing::info!(
                ?dialect,
                "the server refused the request: asking in another way"
            );
            self.dialect = dialect;
        }
    }
}

/// Whether one of the answers lacks log-probabilities of any kind.
pub(super) fn lacks_logprobs(response: &Value) -> bool {
    let lacks = |choice: &Choice<'_>| {
        choice.after_sampling().is_none() && choice.tokens() == Err(ScoreError::NoLogprobs)
    };
    choices(response).is_ok_and(|choices| choices.iter().any(lacks))
}
