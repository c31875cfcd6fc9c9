//! Sends the requests of a batch and reads the answers.
//!
//! The asynchronous and the blocking client share this code: futures of the latter are ready at
//! their first poll, so that they need no runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::super::exchange::ask::json;
use super::super::exchange::batch::{Stats, in_order};
use super::super::exchange::success;
use super::super::transport::{Client, Endpoint, Resource};
use super::super::wire::Response;
use super::api::Template;
use super::said::{Answers, said};
use crate::said::{End, Said};
use crate::{OptionScores, Reply, ScoreError, ScoreRequest, Usage};

type Scored = Result<OptionScores, ScoreError>;

/// The requests and answers of one server.
pub(super) struct Asking {
    endpoint: Arc<Endpoint>,
    resource: Resource,
    template: Template,
    /// Whether the server refused to tell the log-probabilities of an answer's tokens.
    no_logprobs: AtomicBool,
}

impl Asking {
    pub(super) fn new(endpoint: &Arc<Endpoint>, template: Template) -> Self {
        let route = endpoint.base().route(template.api.path());
        Self {
            resource: endpoint.post(route),
            endpoint: Arc::clone(endpoint),
            template,
            no_logprobs: AtomicBool::new(false),
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Answers a batch: one request for all draws of a question, or one for each where the server
    /// takes no more.
    pub(super) async fn batch<C: Client>(&self, client: &C, batch: &[ScoreRequest]) -> Reply {
        let same_prompt = |a: &ScoreRequest, b: &ScoreRequest| a.prompt == b.prompt;
        let parts: Vec<&[ScoreRequest]> = if self.template.api.has_n() {
            batch.chunk_by(same_prompt).collect()
        } else {
            batch.chunks(1).collect()
        };
        let asked = parts.iter().map(|part| self.one(client, part));
        let (outcomes, stats) = in_order(client, asked.collect()).await;
        stats.reply(outcomes.into_iter().flatten().collect())
    }

    /// One request for several answers to one prompt.
    async fn one<C: Client>(&self, client: &C, part: &[ScoreRequest]) -> (Vec<Scored>, Stats) {
        let Some(first) = part.first() else {
            return (Vec::new(), Stats::default());
        };
        let (prompt, n) = (first.prompt.text(), part.len() as u32);
        // Letters need none, and keep the request that they have always had.
        let is_open = first.draw.as_ref().is_some_and(|it| it.options.is_empty());
        if is_open && self.asks_for_logprobs() {
            let body = self.template.body_with_logprobs(&prompt, n);
            let (outcomes, stats) = self.outcomes(client, &body, part).await;
            if !matches!(outcomes.first(), Some(Err(ScoreError::Rejected { .. }))) {
                return (outcomes, stats);
            }
            // Perhaps it was this field; if not, the next refusal tells.
            tracing::info!("the server refused the request: asking without log-probabilities");
            self.no_logprobs.store(true, Ordering::Relaxed);
        }
        let body = self.template.body(&prompt, n);
        self.outcomes(client, &body, part).await
    }

    fn asks_for_logprobs(&self) -> bool {
        self.template.api.logprobs().is_some() && !self.no_logprobs.load(Ordering::Relaxed)
    }

    /// What became of each draw in a request with this body.
    async fn outcomes<C: Client>(
        &self,
        client: &C,
        body: &[u8],
        part: &[ScoreRequest],
    ) -> (Vec<Scored>, Stats) {
        let answered = match client.send(&self.resource, body).await {
            Ok(answered) => answered,
            Err(error) => return (vec![Err(error); part.len()], Stats::unanswered()),
        };
        let parsing = Instant::now();
        let outcomes = match self.read(&answered.response, part.len()) {
            Ok((answers, usage)) => {
                let scrub = |error| self.endpoint.scrubbed(error);
                let answers = answers
                    .into_iter()
                    .map(|said| said.map_err(scrub))
                    .collect();
                outcomes(part, answers, usage)
            }
            Err(error) => vec![Err(self.endpoint.scrubbed(error)); part.len()],
        };
        (outcomes, Stats::of(&answered, parsing.elapsed()))
    }

    /// One answer to one prompt.
    pub(super) async fn said<C: Client>(
        &self,
        client: &C,
        prompt: &str,
    ) -> (Result<(Said, Usage), ScoreError>, Stats) {
        let body = self.template.body(prompt, 1);
        let answered = match client.send(&self.resource, &body).await {
            Ok(answered) => answered,
            Err(error) => return (Err(error), Stats::unanswered()),
        };
        let parsing = Instant::now();
        let read = self.read(&answered.response, 1);
        let one = read.and_then(|(answers, usage)| match <[_; 1]>::try_from(answers) {
            Ok([said]) => Ok((said?, usage)),
            Err(other) => Err(ScoreError::Malformed {
                message: format!("{} answers instead of one", other.len()),
            }),
        });
        let one = one.map_err(|error| self.endpoint.scrubbed(error));
        (one, Stats::of(&answered, parsing.elapsed()))
    }

    /// The answers in a response to a request for `asked` of them. Where all were withheld, each of them
    /// is: a filter that refuses the prompt answers in the model's place.
    fn read(&self, response: &Response, asked: usize) -> Result<(Answers, Usage), ScoreError> {
        let read = success(&self.endpoint, response)
            .and_then(|()| said(self.template.api, &json(&self.endpoint, response)?));
        let (withheld, usage) = match read {
            Err(ScoreError::Filtered { message }) => (Said::withheld(message), Usage::default()),
            Ok((answers, usage)) if answers.is_empty() && usage.prompt_tokens.is_some() => {
                (self.kept_back(usage, asked), usage)
            }
            read => return read,
        };
        Ok((vec![Ok(withheld); asked], usage))
    }

    /// What a response without answers stands for. One whose tokens were all generated was cut: thoughts
    /// that the server keeps to itself took them.
    fn kept_back(&self, usage: Usage, asked: usize) -> Said {
        let most = u64::from(self.template.max_tokens) * asked as u64;
        let is_cut = usage
            .answer_tokens
            .is_some_and(|tokens| u64::from(tokens) >= most);
        Said {
            end: if is_cut { End::Cut } else { End::Refused },
            ..Said::default()
        }
    }
}

/// The outcome of each draw of a question.
fn outcomes(part: &[ScoreRequest], answers: Answers, usage: Usage) -> Vec<Scored> {
    let given = answers.len().min(part.len());
    let good = answers.iter().take(part.len()).filter(|said| said.is_ok());
    let good = good.count();
    let (mut answers, mut places) = (answers.into_iter(), 0..good);
    part.iter()
        .map(|request| {
            let said = answers.next().ok_or_else(|| ScoreError::Malformed {
                message: format!("{given} answers instead of {}", part.len()),
            })??;
            let draw = request.draw.as_ref().ok_or_else(|| ScoreError::Backend {
                message: "an answer in words was not asked for as one".to_owned(),
            })?;
            let place = places.next().unwrap_or_default();
            Ok(said.scores(request, draw, share(usage, place, good)))
        })
        .collect()
}

/// The part of one of `given` answers in the counts of a request: the prompt is counted once.
fn share(usage: Usage, place: usize, given: usize) -> Usage {
    let once = |count: Option<u32>| count.map(|count| if place == 0 { count } else { 0 });
    let answer = usage.answer_tokens.map(|tokens| {
        let (each, rest) = (tokens / given as u32, tokens % given as u32);
        each + u32::from((place as u32) < rest)
    });
    Usage {
        prompt_tokens: once(usage.prompt_tokens),
        cached_tokens: once(usage.cached_tokens),
        answer_tokens: answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_neither_lost_nor_doubled() {
        let usage = Usage {
            prompt_tokens: Some(90),
            cached_tokens: Some(64),
            answer_tokens: Some(11),
        };
        let shares: Vec<Usage> = (0..3).map(|place| share(usage, place, 3)).collect();
        let sum = |of: fn(&Usage) -> Option<u32>| shares.iter().filter_map(of).sum::<u32>();
        assert_eq!(sum(|usage| usage.prompt_tokens), 90);
        assert_eq!(sum(|usage| usage.cached_tokens), 64);
        assert_eq!(sum(|usage| usage.answer_tokens), 11);
    }
}
