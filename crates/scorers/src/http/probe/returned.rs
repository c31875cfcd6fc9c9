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

impl Probe<'_> {
    /// The tokens that the server returns when asked for `top`. Learns how it wants to be asked.
    pub(super) async fn tokens_returned(
        &mut self,
        url: &Url,
        model: &str,
        top: u32,
    ) -> Result<Result<Listed, ScoreError>, ConnectError> {
        let mut tries = 0;
        loop {
            let template = self.template(model, top);
            let body = template.whole(PROMPTS[0], &template.ending(Some(top)));
            let answer = self.ask_when_loaded(url, Some(&body)).await?;
            if let Err(ScoreError::Rejected { message, .. }) = &answer
                && let Some(dialect) = self.dialect.after(message)
            {
                tracing::info!(message, ?dialect, "asking in another way");
                self.dialect = dialect;
                continue;
            }
            let tokens = answer.and_then(|answer| Listed::read(&answer));
            tries += 1;
            if !matches!(tokens, Err(ScoreError::NoLogprobs)) || tries == TRIES {
                return Ok(tokens);
            }
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
