//! Finding the questions that have no cached answer.

use std::io;
use std::sync::Arc;

use sureness_scorers::RequestKey;

use crate::plan::{Requests, Source};
use crate::{AnswerSink, Cancel, Planned, SinkError};

/// Questions per look-up, so that planning a large run needs little memory.
const CHUNK: usize = 512;

/// A question that was never sent. There may be a million of them, so this is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    /// Its number in its group; see [`ItemId`](crate::ItemId).
    pub(crate) question: u32,
    /// Length of its prompt.
    pub(crate) bytes: u32,
}

/// A question that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    /// Its number in its group; see [`ItemId`](crate::ItemId).
    pub(crate) question: u32,
    /// Length of its prompt.
    pub(crate) bytes: u32,
    /// Content key of its request; zeros until its prompt is laid out for the first time.
    pub(crate) key: RequestKey,
}

impl From<Pending> for Open {
    fn from(Pending { question, bytes }: Pending) -> Self {
        Self {
            question,
            bytes,
            key: RequestKey([0; 32]),
        }
    }
}

/// The result of a look-up, by group.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) open: Vec<Vec<Pending>>,
    /// Questions with a cached answer, and duplicates of another question of this run.
    pub(crate) cached: Vec<usize>,
}

/// The beginning of a key, and the group and index of its open question.
type Head = (u64, u32, u32);

/// Hands the plan to the sink, which knows the cached answers. Ends early when cancelled, with the
/// result so far.
pub(crate) fn look_up(
    requests: &Requests,
    sink: &mut dyn AnswerSink,
    cancel: &Cancel,
) -> Result<Found, SinkError> {
    let mut found = Found::default();
    let mut heads: Vec<Head> = Vec::with_capacity(requests.plan().answers());
    for group in 0..requests.plan().groups.len() {
        let (open, known) = look_up_group(requests, group, sink, cancel, &mut heads)?;
        found.open.push(open);
        found.cached.push(known);
    }
    let before: Vec<usize> = found.open.iter().map(Vec::len).collect();
    let key = |group: u32, question| Ok(requests.read(group, question)?.key);
    drop_duplicates(&mut found.open, heads, key).map_err(|error| unreadable(&error))?;
    for ((cached, before), open) in found.cached.iter_mut().zip(before).zip(&found.open) {
        *cached += before - open.len();
    }
    Ok(found)
}

/// The open questions of one group, and the number of cached answers.
fn look_up_group(
    requests: &Requests,
    group: usize,
    sink: &mut dyn AnswerSink,
    cancel: &Cancel,
    heads: &mut Vec<Head>,
) -> Result<(Vec<Pending>, usize), SinkError> {
    let questions = &requests.plan().groups[group].questions;
    let draws = requests.plan().draws_each();
    let of_group = requests.group(group);
    let mut chunk = Chunk::default();
    let mut looked_up = LookedUp {
        group: group as u32,
        open: Vec::with_capacity(requests.plan().answers_of(group)),
        cached: 0,
        heads,
    };
    for number in 0..questions.len() {
        if cancel.is_cancelled() {
            break;
        }
        // The draws of a question follow each other.
        let wanted = requests.plan().wanted(group, number);
        if wanted == 0 {
            continue;
        }
        let (digests, question) = questions.read(number).map_err(|error| unreadable(&error))?;
        let question = Arc::new(question);
        let request = of_group.of_question(&question);
        let turn = requests.plan().groups[group].turn(&question);
        let bytes = (request.prompt.prefix.len() + request.prompt.suffix.len()) as u32;
        for draw in 0..wanted {
            let item = number * draws + draw;
            if !chunk.takes(item) {
                looked_up.add(sink, std::mem::take(&mut chunk))?;
            }
            let planned = Planned {
                key: of_group.key(&request, draw as u32),
                content: digests.content,
                cluster: digests.cluster,
                question: Arc::clone(&question),
                draw: draw as u32,
                turn,
            };
            chunk.push(item, planned, bytes);
        }
    }
    looked_up.add(sink, chunk)?;
    looked_up.open.shrink_to_fit();
    Ok((looked_up.open, looked_up.cached))
}

/// Items that follow each other, to be looked up together.
#[derive(Default)]
struct Chunk {
    first: usize,
    planned: Vec<Planned>,
    /// Bytes of each prompt.
    bytes: Vec<u32>,
}

impl Chunk {
    /// Whether this item continues the chunk.
    fn takes(&self, item: usize) -> bool {
        let next = self.first + self.planned.len();
        self.planned.is_empty() || (item == next && self.planned.len() < CHUNK)
    }

    fn push(&mut self, item: usize, planned: Planned, bytes: u32) {
        if self.planned.is_empty() {
            self.first = item;
        }
        self.planned.push(planned);
        self.bytes.push(bytes);
    }
}

/// The result of looking up one group.
struct LookedUp<'a> {
    group: u32,
    open: Vec<Pending>,
    cached: usize,
    heads: &'a mut Vec<Head>,
}

impl LookedUp<'_> {
    /// Hands a chunk to the sink, and adds what it has no answer for.
    fn add(&mut self, sink: &mut dyn AnswerSink, chunk: Chunk) -> Result<(), SinkError> {
        if chunk.planned.is_empty() {
            return Ok(());
        }
        let known = sink.plan(self.group, chunk.first as u32, &chunk.planned)?;
        if known.len() != chunk.planned.len() {
            let message = format!(
                "the store was asked about {} keys and answered for {}",
                chunk.planned.len(),
                known.len()
            );
            return Err(SinkError { message });
        }
        let items = (chunk.first as u32..).zip(chunk.planned).zip(chunk.bytes);
        for (((item, planned), bytes), known) in items.zip(known) {
            if known {
                self.cached += 1;
                continue;
            }
            self.heads
                .push((head(&planned.key), self.group, self.open.len() as u32));
            self.open.push(Pending {
                question: item,
                bytes,
            });
        }
        Ok(())
    }
}

fn head(key: &RequestKey) -> u64 {
    key.0.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

fn unreadable(error: &io::Error) -> SinkError {
    SinkError {
        message: format!("the questions cannot be read back: {error}"),
    }
}

/// Keeps the first of the questions with the same key. Sorts the beginnings of the keys: a hash set
/// of a million keys would be the largest thing in memory. `key` computes a whole key again where
/// beginnings are equal.
fn drop_duplicates(
    open: &mut [Vec<Pending>],
    mut heads: Vec<Head>,
    key: impl Fn(u32, u32) -> io::Result<RequestKey>,
) -> io::Result<()> {
    heads.sort_unstable();
    let mut duplicates: Vec<(u32, u32)> = Vec::new();
    for alike in heads.chunk_by(|a, b| a.0 == b.0).filter(|a| a.len() > 1) {
        let mut seen = Vec::new();
        for &(_, group, i) in alike {
            let key = key(group, open[group as usize][i as usize].question)?;
            if seen.contains(&key) {
                duplicates.push((group, i));
            } else {
                seen.push(key);
            }
        }
    }
    drop(heads);
    duplicates.sort_unstable();
    let mut duplicates = duplicates.into_iter().peekable();
    for (group, questions) in open.iter_mut().enumerate() {
        let mut i = 0;
        questions.retain(|_| {
            let duplicate = duplicates.next_if_eq(&(group as u32, i)).is_some();
            i += 1;
            !duplicate
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn the_first_of_each_key_stays(
            groups in prop::collection::vec(prop::collection::vec(0_u8..40, 0..40), 0..5),
        ) {
            // Keys that differ only behind their first eight bytes, too.
            let key = |group: u32, question: u32| {
                let k = groups[group as usize][question as usize];
                let mut key = [0; 32];
                key[31] = k;
                key[0] = k % 3;
                RequestKey(key)
            };
            let mut open = Vec::new();
            let mut heads = Vec::new();
            for (group, keys) in (0..).zip(&groups) {
                let questions = 0..keys.len() as u32;
                heads.extend(questions.clone().map(|i| (head(&key(group, i)), group, i)));
                open.push(questions.map(|question| Pending { question, bytes: 0 }).collect());
            }
            let mut seen = HashSet::new();
            let expected: Vec<Vec<Pending>> = (0..)
                .zip(&open)
                .map(|(group, questions): (u32, &Vec<Pending>)| {
                    let first = |q: &&Pending| seen.insert(key(group, q.question));
                    questions.iter().filter(first).copied().collect()
                })
                .collect();
            drop_duplicates(&mut open, heads, |group, question| Ok(key(group, question))).unwrap();
            prop_assert_eq!(open, expected);
        }
    }
}
