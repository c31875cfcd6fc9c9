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
use super::super::probe::{listed_tokens, tokenizing};
use super::super::transport::{Client, Endpoint, Resource};
use super::super::wire::Response;
use super::api::{Api, Template};
use super::counted::Counted;
use super::said::{Answers, said};
use crate::said::{End, Said};
use crate::{OptionScores, Reply, ScoreError, ScoreRequest, Usage};

type Scored = Result<OptionScores, ScoreError>;

/// The requests and answers of one server.
pub(super) struct Asking {
    endpoint: Arc<Endpoint>,
    resource: Resource,
    template: Template,
    /// Whether the server counts the tokens of one answer where a request has several.
    counts_one: bool,
    tokenizer: Resource,
    /// Whether the server has none.
    no_tokenizer: AtomicBool,
    /// Whether the server refused to tell the log-probabilities of an answer's tokens.
    no_logprobs: AtomicBool,
}

impl Asking {
    /// `counts_one` says whether the server counts the tokens of one answer where a request has several.
    pub(super) fn new(endpoint: &Arc<Endpoint>, template: Template, counts_one: bool) -> Self {
        let route = endpoint.base().route(template.api.path());
        Self {
            resource: endpoint.post(route),
            tokenizer: endpoint.post(endpoint.base().root_route("tokenize")),
            no_tokenizer: AtomicBool::new(false),
            endpoint: Arc::clone(endpoint),
            template,
            counts_one,
            no_logprobs: AtomicBool::new(false),
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn counts_one(&self) -> bool {
        self.counts_one
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
        let plain = || self.template.body(&prompt, n);
        if !self.asks_for_logprobs(first) {
            return self.outcomes(client, &plain(), part).await;
        }
        let body = self.template.body_with_logprobs(&prompt, n);
        let (outcomes, stats) = self.outcomes(client, &body, part).await;
        if !matches!(outcomes.first(), Some(Err(ScoreError::Rejected { .. }))) {
            return (outcomes, stats);
        }
        // Only an answer to the same request without the field shows that it was the field.
        let (outcomes, then) = self.outcomes(client, &plain(), part).await;
        if outcomes.iter().any(Result::is_ok) {
            tracing::info!("the server refuses log-probabilities: asking without them from now on");
            self.no_logprobs.store(true, Ordering::Relaxed);
        }
        (outcomes, stats.then(then))
    }

    /// Whether to ask for the log-probabilities of an answer's tokens: of open questions. Letters need none,
    /// and keep the request that they have always had.
    fn asks_for_logprobs(&self, first: &ScoreRequest) -> bool {
        let is_open = first.draw.as_ref().is_some_and(|it| it.options.is_empty());
        is_open
            && self.template.api.logprobs().is_some()
            && !self.no_logprobs.load(Ordering::Relaxed)
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
                let answers = answers.into_iter();
                let mut answers: Answers = answers.map(|said| said.map_err(scrub)).collect();
                self.count(client, &mut answers).await;
                outcomes(part, answers, self.of_all(usage))
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

    /// Has the server's tokenizer count the answers that the server leaves out, if it has one. That costs
    /// little; log-probabilities, which would tell too, slow llama.cpp's server down by up to a half.
    async fn count<C: Client>(&self, client: &C, answers: &mut Answers) {
        if !self.counts_one || self.no_tokenizer.load(Ordering::Relaxed) {
            return;
        }
        let others = answers.iter().flatten().skip(1);
        let uncounted = others.map(|said| async move {
            let counted = match said.tokens {
                None => self.tokens(client, said).await,
                known => known,
            };
            (counted, Stats::default())
        });
        let (counted, _) = in_order(client, uncounted.collect()).await;
        for (said, tokens) in answers.iter_mut().flatten().skip(1).zip(counted) {
            said.tokens = tokens;
        }
    }

    /// The tokens of an answer's text and thought, and the one that ends it.
    async fn tokens<C: Client>(&self, client: &C, said: &Said) -> Option<u32> {
        let text = [said.thought.as_deref(), Some(&*said.text)];
        let text: String = text.into_iter().flatten().collect();
        let body = tokenizing(&self.template.model, &text, false).to_string();
        let answered = client.send(&self.tokenizer, body.as_bytes()).await.ok()?;
        let read = success(&self.endpoint, &answered.response)
            .and_then(|()| json(&self.endpoint, &answered.response));
        match read {
            Ok(answer) => Some(listed_tokens(&answer)? + 1),
            Err(error) => {
                tracing::info!(%error, "no tokenizer: tokens of answers are estimated");
                self.no_tokenizer.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    fn of_all(&self, usage: Usage) -> Counted {
        Counted {
            usage,
            counts_one: self.counts_one,
            most: self.template.max_tokens,
            has_stop: self.template.api == Api::Completions,
        }
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
fn outcomes(part: &[ScoreRequest], answers: Answers, usage: Counted) -> Vec<Scored> {
    let given = answers.len().min(part.len());
    let good: Vec<&Said> = answers.iter().take(part.len()).flatten().collect();
    let mut usages = usage.shares(&good).into_iter();
    let mut answers = answers.into_iter();
    part.iter()
        .map(|request| {
            let said = answers.next().ok_or_else(|| ScoreError::Malformed {
                message: format!("{given} answers instead of {}", part.len()),
            })??;
            let draw = request.draw.as_ref().ok_or_else(|| ScoreError::Backend {
                message: "an answer in words was not asked for as one".to_owned(),
            })?;
            Ok(said.scores(request, draw, usages.next().unwrap_or_default()))
        })
        .collect()
}
