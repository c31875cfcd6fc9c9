//! The thread that owns the model.
//!
//! Loading and evaluating take seconds to minutes and must not hold up the async runtime, and
//! a context must not be used from two places at once. So this thread does both; prompts
//! and answers travel over channels.

use std::{
    path::Path,
    sync::mpsc::{Receiver, SyncSender},
};

use llama_cpp_2::model::LlamaModel;
use sureness_prompts::Prompt;
use sureness_record::{Answers, Reasoned, Sampled};
use tokio::sync::oneshot;

use super::{
    error::LlamaError,
    file::{self, Extent},
    identity,
    labels::{Spellings, log_probabilities},
    options::{LlamaOptions, PromptForm},
    session::{Drawing, Session},
};
use crate::said::{STOP, Said};
use crate::thought::Parts;
use crate::{ModelIdentity, OptionScores, ScoreError, ScoreRequest};

pub(super) type Answer = Result<OptionScores, ScoreError>;

/// A task for the thread, and the channel for its result.
pub(super) enum Job {
    /// Score a batch.
    Score {
        requests: Vec<ScoreRequest>,
        reply: oneshot::Sender<Vec<Answer>>,
    },
    /// Check whether a prefix leaves room for a question.
    CheckPrefix {
        prefix: String,
        reply: oneshot::Sender<Result<(), ScoreError>>,
    },
}

/// Loads the model, reports the outcome, and scores until the channel closes.
pub(super) fn run(
    path: &Path,
    options: &LlamaOptions,
    ready: &SyncSender<Result<ModelIdentity, LlamaError>>,
    jobs: &Receiver<Job>,
) {
    let loaded = load(path, options);
    let (model, identity, trained_length) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            // Fails only if the caller is gone.
            let _ = ready.send(Err(error));
            return;
        }
    };
    let mut scorer = match Session::new(&model, trained_length, options) {
        Ok(session) => Scorer {
            session,
            spellings: Spellings::default(),
            form: &options.prompt_form,
            answers: options.answers,
        },
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(identity)).is_err() {
        return;
    }
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Score { requests, reply } => scorer.work(&requests, reply),
            Job::CheckPrefix { prefix, reply } => {
                // Fails only if the caller is gone.
                let _ = reply.send(scorer.session.check_length(&prefix));
            }
        }
    }
}

fn load(
    path: &Path,
    options: &LlamaOptions,
) -> Result<(LlamaModel, ModelIdentity, u32), LlamaError> {
    let extent = Extent::Weights {
        gpu_layers: options.gpu_layers,
    };
    let model = file::open(path, extent)?;
    let info = file::describe(&model, path);
    let identity = identity::of(&info, file::digest(path)?, options);
    Ok((model, identity, info.context_length))
}

struct Scorer<'a> {
    session: Session<'a>,
    spellings: Spellings,
    form: &'a PromptForm,
    answers: Answers,
}

impl Scorer<'_> {
    fn work(&mut self, requests: &[ScoreRequest], reply: oneshot::Sender<Vec<Answer>>) {
        let mut answers: Vec<Option<Answer>> = vec![None; requests.len()];
        for index in order_by_prefix(requests) {
            // The caller has dropped this batch: go on to the next.
            if reply.is_closed() {
                return;
            }
            answers[index] = Some(self.score(&requests[index]));
        }
        let _ = reply.send(answers.into_iter().flatten().collect());
    }

    fn score(&mut self, request: &ScoreRequest) -> Answer {
        match self.answers {
            Answers::Letters => {
                let prompt = self.laid_out(&request.prompt)?;
                self.letters(&prompt, &request.labels)
            }
            Answers::Sampled(sampled) => self.sampled(request, sampled),
            Answers::Reasoned(reasoned) => self.reasoned(request, reasoned),
        }
    }

    /// The log-probabilities of the labels after a prompt as the model sees it.
    fn letters(&mut self, prompt: &Prompt, labels: &[String]) -> Answer {
        let tokens = self.spellings.of(labels, self.session.vocab())?;
        let read = |logits: &[f32]| log_probabilities(logits, &tokens);
        let (read, usage) = self.session.evaluate(prompt, read)?;
        let (logprobs, mass) = read?;
        Ok(OptionScores {
            observed: vec![true; logprobs.len()],
            logprobs,
            mass,
            usage,
            words: None,
        })
    }

    /// One answer in words.
    fn sampled(&mut self, request: &ScoreRequest, sampled: Sampled) -> Answer {
        let draw = request.draw.as_ref().ok_or_else(|| ScoreError::Backend {
            message: "an answer in words was not asked for as one".to_owned(),
        })?;
        let prompt = self.laid_out(&request.prompt)?;
        let drawing = self.drawing(request, sampled.temperature, sampled.max_tokens.get());
        let (said, usage) = self.session.draw(&prompt, drawing)?;
        Ok(said.scores(request, draw, usage))
    }

    /// The letters after one thought.
    fn reasoned(&mut self, request: &ScoreRequest, reasoned: Reasoned) -> Answer {
        if reasoned.think_tokens == 0 {
            let prompt = self.laid_out(&request.prompt)?;
            let letters = self.letters(&prompt, &request.labels)?;
            return Ok(Said::default().before(letters));
        }
        let is_chat = matches!(self.form, PromptForm::Chat(_));
        let parts = Parts::of(&request.prompt, is_chat);
        let question = self.laid_out(&parts.question)?;
        let drawing = self.drawing(request, reasoned.temperature, reasoned.think_tokens);
        let (said, usage) = self.session.draw(&question, drawing)?;
        let after = if is_chat {
            let opened = question.suffix.trim_end().ends_with("<think>");
            Prompt {
                suffix: question.suffix + &parts.begun(&said, opened),
                ..question
            }
        } else {
            parts.after(&said)
        };
        let mut letters = self.letters(&after, &request.labels)?;
        letters.usage = usage.before(letters.usage);
        Ok(said.before(letters))
    }

    /// How the answer to a request is drawn: its key is the seed, so that it is the same whenever it
    /// is drawn.
    fn drawing(&self, request: &ScoreRequest, temperature: f64, max_tokens: u32) -> Drawing {
        let [a, b, c, d, ..] = request.key.0;
        Drawing {
            temperature: temperature as f32,
            max_tokens,
            // In a chat the model ends by itself.
            stop: matches!(self.form, PromptForm::Plain).then_some(STOP),
            seed: u32::from_le_bytes([a, b, c, d]) >> 1,
        }
    }

    /// A prompt as the model sees it.
    fn laid_out(&self, prompt: &Prompt) -> Result<Prompt, ScoreError> {
        match self.form {
            PromptForm::Plain => Ok(prompt.clone()),
            PromptForm::Chat(render) => render(prompt).map_err(|error| ScoreError::Backend {
                message: format!("the chat template failed: {error}"),
            }),
        }
    }
}

/// Indices grouped by prefix, in order of first appearance: a change of prefix costs as much as
/// several questions.
fn order_by_prefix(requests: &[ScoreRequest]) -> Vec<usize> {
    let mut prefixes: Vec<&str> = Vec::new();
    let ranks: Vec<usize> = requests
        .iter()
        .map(|request| {
            let prefix = &*request.prompt.prefix;
            prefixes
                .iter()
                .position(|known| *known == prefix)
                .unwrap_or_else(|| {
                    prefixes.push(prefix);
                    prefixes.len() - 1
                })
        })
        .collect();
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|&index| ranks[index]);
    order
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::RequestKey;

    #[test]
    fn equal_prefixes_come_together_and_otherwise_order_is_kept() {
        let requests: Vec<ScoreRequest> = ["b", "a", "b", "c", "a"]
            .iter()
            .map(|prefix| ScoreRequest {
                key: RequestKey([0; 32]),
                prompt: Prompt {
                    prefix: Arc::from(*prefix),
                    suffix: String::new(),
                },
                labels: Arc::from(Vec::new()),
                draw: None,
            })
            .collect();
        assert_eq!(order_by_prefix(&requests), [0, 2, 1, 4, 3]);
    }
}
