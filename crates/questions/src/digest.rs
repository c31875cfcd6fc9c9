//! Hashes of content: what is random here is drawn from what a question says, never from where
//! it stands, so that neither more rows nor another order change what was drawn.

use std::collections::HashMap;

use blake3::Hasher;

use crate::question::is_abstention;
use crate::{Dataset, Question};

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
    /// A hash of context, stem, options and answer.
    ///
    /// The id and the category are left out, since they may be row numbers and file names. So
    /// are the abstention options: a question is the same one with and without them.
    pub fn content_digest(&self) -> [u8; 32] {
        let digest = Digest::new("sureness question 1")
            .text(self.context.as_deref().unwrap_or_default())
            .text(&self.stem)
            .number(self.answer as u64);
        self.options
            .iter()
            .filter(|option| !is_abstention(option))
            .fold(digest, |digest, option| digest.text(option))
            .finish()
    }
}

impl Dataset {
    /// Keeps `n` questions drawn at random, in their order; all where there are no more.
    ///
    /// Each question is drawn by its own hash with the seed and the task: the draw does not
    /// depend on the order of the rows, and rows added later displace only those that they beat.
    pub fn sample(&mut self, n: usize, seed: u64) {
        if n >= self.questions.len() {
            return;
        }
        // Copies of a question differ by their number alone: without it they would be drawn or
        // left out together, and a sample of a set with many copies would hold little else.
        let mut copies: HashMap<[u8; 32], u64> = HashMap::new();
        let mut ranked: Vec<_> = self
            .questions
            .iter()
            .enumerate()
            .map(|(index, question)| {
                let content = question.content_digest();
                let copy = copies.entry(content).or_default();
                let rank = Digest::new("sureness sample 2")
                    .number(seed)
                    .text(&self.task.id)
                    .bytes(&content)
                    .number(*copy);
                *copy += 1;
                (rank.finish(), index)
            })
            .collect();
        ranked.sort_unstable();
        let mut keep = vec![false; self.questions.len()];
        for &(_, index) in &ranked[..n] {
            keep[index] = true;
        }
        let mut keep = keep.into_iter();
        self.questions.retain(|_| keep.next().unwrap_or(false));
    }
}
