//! All workers of a lane as one scorer, and the sink that confirms saved answers.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use sureness_engine::{Answer, AnswerSink, Planned, SinkError};
use sureness_scorers::{Hints, ModelIdentity, OptionScorer, Reply, ScoreError, ScoreRequest};

use super::Core;

/// Bytes of a message beside its text.
const OVERHEAD: usize = 1024;

/// All workers of a lane as one scorer for the engine, which takes any number of questions.
#[derive(Clone)]
pub struct Relay {
    core: Arc<Core>,
    lane: u16,
    model: ModelIdentity,
}

impl Relay {
    pub(super) fn new(core: Arc<Core>, lane: u16, model: ModelIdentity) -> Self {
        Self { core, lane, model }
    }

    /// Wraps the sink that saves this lane's answers: results leave the broker only once saved.
    pub fn keeping(&self, inner: Box<dyn AnswerSink>) -> Box<dyn AnswerSink> {
        Box::new(Keeping {
            core: Arc::clone(&self.core),
            lane: self.lane,
            inner,
        })
    }

    async fn ask(&self, batch: &[ScoreRequest]) -> Reply {
        let state = self.core.lane(self.lane);
        let most = self.core.link.max_bytes().saturating_sub(OVERHEAD);
        let mut waiting = Vec::with_capacity(batch.len());
        {
            let mut book = state.book();
            for request in batch {
                let bytes = request.prompt.prefix.len().max(request.prompt.suffix.len());
                waiting.push(if bytes > most {
                    Err(ScoreError::Rejected {
                        status: 413,
                        message: format!(
                            "the prompt has {bytes} bytes and the NATS server takes {most}; raise \
                             its max_payload"
                        ),
                    })
                } else {
                    Ok(book.ask(request))
                });
            }
        }
        state.news.notify_one();
        let gone = || ScoreError::Backend {
            message: "the coordinator ended".into(),
        };
        let outcomes = waiting.into_iter().map(|waiting| async {
            match waiting {
                Ok(reply) => reply.await.unwrap_or_else(|_| Err(gone())),
                Err(error) => Err(error),
            }
        });
        Reply::of(join_all(outcomes).await)
    }
}

impl OptionScorer for Relay {
    fn identity(&self) -> &ModelIdentity {
        &self.model
    }

    fn hints(&self) -> Hints {
        Hints {
            relays: true,
            ..Hints::default()
        }
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        self.ask(batch).boxed()
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        // `--use-threads` is for the workers' scorers; this one only waits.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime.block_on(self.ask(batch)),
            Err(_) => Reply::of(vec![
                Err(ScoreError::Backend {
                    message: "a coordinator needs an async runtime".into(),
                });
                batch.len()
            ]),
        }
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("lane", &self.lane)
            .field("model", &self.model.name)
            .finish_non_exhaustive()
    }
}

/// Confirms results whose answers the inner sink has saved.
struct Keeping {
    core: Arc<Core>,
    lane: u16,
    inner: Box<dyn AnswerSink>,
}

impl AnswerSink for Keeping {
    fn plan(
        &mut self,
        group: u32,
        first: u32,
        questions: &[Planned],
    ) -> Result<Vec<bool>, SinkError> {
        self.inner.plan(group, first, questions)
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        self.inner.write(answers)?;
        let keys = answers.iter().map(|answer| answer.key);
        // Dropping the last copy of a receipt confirms its message.
        drop(self.core.lane(self.lane).book().saved(keys));
        Ok(())
    }
}
