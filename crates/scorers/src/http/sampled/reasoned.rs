//! Letters scored after a thought.
//!
//! Each thought is a request for an answer in words, up to a limit of tokens. A cue then fixes the
//! answer, and a second request scores the letters after both. On the completions route the second
//! prompt holds the thought; in a chat the server continues the assistant's message.

use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use sureness_prompts::Prompt;
use sureness_record::{Reasoned, Sampled};

use super::super::connect_error::ConnectError;
use super::super::exchange::batch::{Stats, in_order};
use super::super::options::HttpOptions;
use super::super::transport::Client;
use super::super::{HttpScorer, at_first_poll};
use super::api::{Api, STEPS};
use super::asking::Asking;
use super::probe::trial_template;
use super::said::Said;
use crate::{
    Draw, Hints, ModelIdentity, OptionScorer, OptionScores, Reading, Reply, ScoreError,
    ScoreRequest, Words,
};

/// Scores letters after a thought, through an OpenAI-compatible server.
pub struct ReasoningScorer {
    letters: HttpScorer,
    /// `None` where no token is to be thought.
    thinking: Option<Asking>,
    chat: bool,
    identity: ModelIdentity,
}

impl ReasoningScorer {
    /// Probes the server, for log-probabilities and for answers in words.
    pub async fn connect(options: HttpOptions, reasoned: Reasoned) -> Result<Self, ConnectError> {
        let chat = options.chat;
        let letters = HttpScorer::connect(options.clone()).await?;
        let thinking = match NonZeroU32::new(reasoned.think_tokens) {
            None => None,
            Some(max_tokens) => {
                let sampled = Sampled {
                    samples: NonZeroU32::MIN,
                    temperature: reasoned.temperature,
                    max_tokens,
                };
                let api = if chat { Api::Chat } else { Api::Completions };
                let endpoint = Arc::clone(&letters.endpoint);
                let template =
                    trial_template(&letters.transport, &endpoint, &options, api, sampled).await?;
                Some(Asking::new(&endpoint, template))
            }
        };
        let mut identity = letters.identity.clone();
        let mut detail = |name: &str, value: String| {
            identity.details.insert(name.to_owned(), value);
        };
        detail("answers", "reasoned".to_owned());
        detail("think tokens", reasoned.think_tokens.to_string());
        detail("temperature", reasoned.temperature.to_string());
        Ok(Self {
            letters,
            thinking,
            chat,
            identity,
        })
    }

    /// The server's address without credentials and query, for messages and logs.
    pub fn address(&self) -> String {
        self.letters.address()
    }

    async fn batch<C: Client>(&self, client: &C, batch: &[ScoreRequest]) -> Reply {
        let asked = batch.iter().map(|request| self.one(client, request));
        let (scores, stats) = in_order(client, asked.collect()).await;
        stats.reply(scores)
    }

    /// One thought, and the letters after it.
    async fn one<C: Client>(
        &self,
        client: &C,
        request: &ScoreRequest,
    ) -> (Result<OptionScores, ScoreError>, Stats) {
        let Some(thinking) = &self.thinking else {
            let (outcome, stats) = self.letters_after(client, request.clone()).await;
            return (
                outcome.map(|scores| with_words(scores, Said::default())),
                stats,
            );
        };
        let parts = Parts::of(&request.prompt, self.chat);
        let (said, stats) = thinking.said(client, &parts.question).await;
        let (said, usage) = match said {
            Ok(both) => both,
            Err(error) => return (Err(error), stats),
        };
        let after = parts.after(request, &said, self.chat);
        let (outcome, then) = self.letters_after(client, after).await;
        let outcome = outcome.map(|mut scores| {
            let add = |a: Option<u32>, b: Option<u32>| Some(a?.saturating_add(b?));
            scores.usage.prompt_tokens = add(scores.usage.prompt_tokens, usage.prompt_tokens);
            scores.usage.cached_tokens = add(scores.usage.cached_tokens, usage.cached_tokens);
            scores.usage.answer_tokens = usage.answer_tokens;
            with_words(scores, said)
        });
        (outcome, stats.then(then))
    }

    async fn letters_after<C: Client>(
        &self,
        client: &C,
        request: ScoreRequest,
    ) -> (Result<OptionScores, ScoreError>, Stats) {
        let reply = self.letters.score_through(client, &[request]).await;
        let stats = Stats::of_reply(&reply);
        let outcome = reply.scores.into_iter().next();
        let none = ScoreError::Malformed {
            message: "no answer to the only prompt".to_owned(),
        };
        (outcome.unwrap_or(Err(none)), stats)
    }
}

fn with_words(scores: OptionScores, said: Said) -> OptionScores {
    OptionScores {
        words: Some(Box::new(Words {
            text: said.text,
            thought: said.thought,
            logprob: None,
            reading: Reading::Thought,
        })),
        ..scores
    }
}

/// The parts of a prompt between which a thought goes.
struct Parts {
    /// What the thought is asked by.
    question: String,
    /// The prompt without its last line.
    head: String,
    /// Its last line, which asks for the letter.
    cue: String,
}

impl Parts {
    fn of(prompt: &Prompt, chat: bool) -> Self {
        let text = prompt.text();
        let (head, cue) = text.rsplit_once('\n').unwrap_or(("", &text));
        let question = if chat {
            format!("{head}\n\n{STEPS}")
        } else {
            format!("{head}\n{STEPS}")
        };
        Self {
            question,
            head: head.to_owned(),
            cue: cue.to_owned(),
        }
    }

    /// The request for the letters after a thought.
    fn after(&self, request: &ScoreRequest, said: &Said, chat: bool) -> ScoreRequest {
        let thought = [said.thought.as_deref(), Some(&*said.text)];
        let mut after = request.clone();
        if chat {
            let mut begun = String::new();
            // A thought that the server reports apart goes back between the usual marks.
            if let Some(thought) = &said.thought {
                begun = format!("<think>\n{}\n</think>\n\n", thought.trim());
            }
            begun.push_str(said.text.trim());
            begun.push_str("\n\n");
            begun.push_str(&self.cue);
            after.prompt = Prompt {
                prefix: "".into(),
                suffix: self.question.clone(),
            };
            after.draw = Some(Draw {
                number: 0,
                options: Vec::new(),
                said: Some(begun),
            });
        } else {
            let thought: String = thought.into_iter().flatten().collect();
            let (head, cue) = (&self.head, &self.cue);
            after.prompt = Prompt {
                prefix: "".into(),
                suffix: format!("{head}\n{STEPS} {}\n{cue}", thought.trim()),
            };
        }
        after
    }
}

impl OptionScorer for ReasoningScorer {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn hints(&self) -> Hints {
        Hints {
            answers_at_once: 1,
            ..self.letters.hints()
        }
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        self.batch(&self.letters.transport, batch).boxed()
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        at_first_poll(self.batch(&self.letters.blocking, batch), batch.len())
    }
}

impl std::fmt::Debug for ReasoningScorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReasoningScorer")
            .field("url", &self.address())
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ScoreRequest {
        ScoreRequest {
            key: crate::RequestKey([0; 32]),
            prompt: Prompt {
                prefix: "Question: One?\nAnswer: A\n\n".into(),
                suffix: "Question: Two?\nA. x\nB. y\nAnswer:".into(),
            },
            labels: ["A", "B"].map(str::to_owned).into(),
            draw: None,
        }
    }

    #[test]
    fn the_thought_goes_before_the_cue() {
        let request = request();
        let said = Said {
            text: "y it is.".into(),
            thought: None,
            ..Said::default()
        };
        let parts = Parts::of(&request.prompt, false);
        assert!(parts.question.ends_with(&format!("B. y\n{STEPS}")));
        let after = parts.after(&request, &said, false).prompt.text();
        assert!(after.starts_with("Question: One?\nAnswer: A\n\nQuestion: Two?"));
        assert!(
            after.ends_with(&format!("B. y\n{STEPS} y it is.\nAnswer:")),
            "{after}"
        );
    }

    #[test]
    fn in_a_chat_the_assistant_goes_on() {
        let request = request();
        let said = Said {
            text: "It is y.".into(),
            thought: Some("x or y?".into()),
            ..Said::default()
        };
        let parts = Parts::of(&request.prompt, true);
        let after = parts.after(&request, &said, true);
        assert_eq!(after.prompt.text(), parts.question);
        let begun = after.draw.and_then(|draw| draw.said).unwrap();
        assert_eq!(begun, "<think>\nx or y?\n</think>\n\nIt is y.\n\nAnswer:");
    }
}
