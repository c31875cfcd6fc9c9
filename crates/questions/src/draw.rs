//! Random draws of questions. They depend on a question's content, not on its row, so that adding or
//! reordering rows does not change them.

use std::path::Path;

use crate::error::Problem;
use crate::question::Digest;
use crate::{DataError, Dataset};

impl Dataset {
    /// Keeps `n` random questions in their order, or all if there are fewer.
    ///
    /// Each question is drawn by its own hash with the seed and the task: the draw does not
    /// depend on the order of the rows, and added rows displace only questions that they outrank.
    pub fn sample(&mut self, n: usize, seed: u64) -> Result<(), DataError> {
        if n >= self.questions.len() {
            return Ok(());
        }
        let digest = |index: usize| self.questions.content_digest(index);
        let ranked = Draw::new("sureness sample 2", seed, &self.task.id)
            .ranked(self.questions.len(), digest)
            .map_err(|error| DataError::of_file(Path::new(&self.source), Problem::Bank(error)))?;
        let mut chosen = vec![false; self.questions.len()];
        for &(_, index) in &ranked[..n] {
            chosen[index as usize] = true;
        }
        self.questions.keep(|index| chosen[index]);
        Ok(())
    }
}

/// A random draw of questions for some purpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw<'a> {
    purpose: &'a str,
    seed: u64,
    task: &'a str,
}

impl<'a> Draw<'a> {
    pub(crate) fn new(purpose: &'a str, seed: u64, task: &'a str) -> Self {
        Self {
            purpose,
            seed,
            task,
        }
    }

    /// Indices of the questions in the order in which they are drawn, with their ranks. `digest` reads a
    /// question's content digest.
    ///
    /// Keeps eight bytes of each digest: whole digests of a million questions would dominate memory.
    pub(crate) fn ranked<E>(
        self,
        count: usize,
        digest: impl Fn(usize) -> Result<[u8; 32], E>,
    ) -> Result<Vec<(u64, u32)>, E> {
        let mut alike = Vec::with_capacity(count);
        for index in 0..count {
            alike.push((head(&digest(index)?), index as u32));
        }
        alike.sort_unstable();
        let mut ranked = Vec::with_capacity(alike.len());
        // Without their number, all copies of a question would be drawn together and could fill the
        // sample.
        for copies in alike.chunk_by(|a, b| a.0 == b.0) {
            for (copy, &(_, index)) in copies.iter().enumerate() {
                let rank = Digest::new(self.purpose)
                    .number(self.seed)
                    .text(self.task)
                    .bytes(&digest(index as usize)?)
                    .number(copy as u64);
                ranked.push((head(&rank.finish()), index));
            }
        }
        ranked.sort_unstable();
        Ok(ranked)
    }
}

/// The first eight bytes of a digest, as a number that sorts as they do.
pub(crate) fn head(digest: &[u8; 32]) -> u64 {
    digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
