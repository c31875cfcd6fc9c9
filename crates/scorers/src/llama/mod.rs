//! Models in GGUF files, run by llama.cpp inside this process.
//!
//! Every option is observed, with its probability over the whole vocabulary, and the prefix
//! that a task's questions share is evaluated only once.

mod error;
mod file;
#[cfg(test)]
mod fixtures;
mod identity;
#[cfg(feature = "portable")]
pub mod kernels;
mod labels;
mod native;
mod options;
mod session;
#[cfg(test)]
mod tests;
mod worker;

pub use error::LlamaError;
pub use file::GgufInfo;
pub use options::{ChatRenderer, LlamaOptions, PromptForm};

use std::{
    path::Path,
    sync::mpsc::{self, Sender},
    thread::JoinHandle,
    time::Instant,
};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::{ModelIdentity, OptionScorer, Reply, ScoreError, ScoreRequest, Timing};
use file::Extent;
use worker::Job;

/// A GGUF model, loaded and ready to be asked.
///
/// The model lives on a thread of its own, which ends when the scorer is dropped. Batches are
/// answered one after the other, since one prompt already keeps all cores busy.
#[derive(Debug)]
pub struct LlamaScorer {
    identity: ModelIdentity,
    /// `None` only in `drop`: closing the channel ends the thread.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl LlamaScorer {
    /// Loads the model and reads the whole file once for its digest. Blocks until done, so an
    /// async caller should use `spawn_blocking`.
    pub fn load(path: &Path, options: LlamaOptions) -> Result<Self, LlamaError> {
        file::check(path)?;
        let (jobs, queue) = mpsc::channel();
        let (ready, outcome) = mpsc::sync_channel(1);
        let path = path.to_path_buf();
        let thread = std::thread::Builder::new()
            .name("llama.cpp".to_owned())
            .spawn(move || worker::run(&path, &options, &ready, &queue))
            .map_err(|error| LlamaError::Thread {
                message: error.to_string(),
            })?;
        let identity = outcome.recv().map_err(|_| LlamaError::Thread {
            message: "it ended while loading the model".to_owned(),
        })??;
        Ok(Self {
            identity,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// The metadata of a GGUF file. Reads no weights.
    pub fn metadata(path: &Path) -> Result<GgufInfo, LlamaError> {
        file::check(path)?;
        let model = file::open(path, Extent::Vocabulary)?;
        Ok(file::describe(&model, path))
    }

    /// Hands a batch to the model's thread.
    fn send(&self, batch: &[ScoreRequest]) -> oneshot::Receiver<Vec<worker::Answer>> {
        let requests = batch.to_vec();
        self.submit(|reply| Job::Score { requests, reply })
    }

    fn submit<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> oneshot::Receiver<T> {
        let (reply, outcome) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // If the thread is gone, this drops `reply`, which the receiver notices.
            let _ = jobs.send(job(reply));
        }
        outcome
    }
}

/// The thread's reply, or errors if the thread is gone.
fn reply(answers: Option<Vec<worker::Answer>>, count: usize, started: Instant) -> Reply {
    Reply {
        timing: Timing {
            server: started.elapsed(),
            ..Timing::default()
        },
        ..Reply::of(answers.unwrap_or_else(|| vec![Err(ended()); count]))
    }
}

fn ended() -> ScoreError {
    ScoreError::Backend {
        message: "the model's thread has ended".to_owned(),
    }
}

impl OptionScorer for LlamaScorer {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn check_prefix<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), ScoreError>> {
        let prefix = prefix.to_owned();
        let outcome = self.submit(|reply| Job::CheckPrefix { prefix, reply });
        Box::pin(async move { outcome.await.unwrap_or_else(|_| Err(ended())) })
    }

    fn score<'a>(&'a self, batch: &'a [ScoreRequest]) -> BoxFuture<'a, Reply> {
        let started = Instant::now();
        let answers = self.send(batch);
        Box::pin(async move { reply(answers.await.ok(), batch.len(), started) })
    }

    fn score_blocking(&self, batch: &[ScoreRequest]) -> Reply {
        let started = Instant::now();
        reply(self.send(batch).blocking_recv().ok(), batch.len(), started)
    }
}

impl Drop for LlamaScorer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // It ends after the current prompt. A panic has been reported as failed answers.
            let _ = thread.join();
        }
    }
}
