//! Hashes of content. Random draws depend on a question's content, not on its row, so that adding
//! or reordering rows does not change them.

use std::path::Path;

use blake3::Hasher;

use crate::error::Problem;
use crate::question::is_abstention;
use crate::{DataError, Dataset, Question};

/// A hash of parts, each with its length, so that no two lists of parts read the same.
#[derive(Debug)]
pub(crate) struct Digest(Hasher);

impl Digest {
    /// `purpose` keeps draws for different ends apart.
    pub(crate) fn new(purpose: &str) -> Self {
        Self(Hasher::new()).text(purpose)
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub(crate) fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

impl Question {
    /// A hash of context, stem, options and right options, or accepted answers.
    ///
    /// The id and the category are left out, since they may be row numbers and file names. So
    /// are the abstention options: a question is the same one with and without them.
    pub fn content_digest(&self) -> [u8; 32] {
        if self.is_open() {
            let digest = Digest::new("sureness open question 1")
                .text(self.context.as_deref().unwrap_or_default())
                .text(&self.stem);
            let accepted = self.accepted.iter();
            return accepted.fold(digest, |digest, it| digest.text(it)).finish();
        }
        let digest = Digest::new("sureness question 1")
            .text(self.context.as_deref().unwrap_or_default())
            .text(&self.stem)
            .number(match self.right.only() {
                Some(only) => only as u64,
                // Beyond every index.
                None => 1 << 32 | u64::from(self.right.mask()),
            });
        self.options
            .iter()
            .filter(|option| !is_abstention(option))
            .fold(digest, |digest, option| digest.text(option))
            .finish()
    }
}

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
