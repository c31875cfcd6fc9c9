//! Which questions are still to be asked.

use sureness_scorers::{ModelIdentity, RequestKey};

use crate::plan::Requests;
use crate::{AnswerSink, Cancel, SinkError};

/// Keys per look-up, so that planning a large run needs little memory.
const CHUNK: usize = 4096;

/// A question that is to be asked. There may be a million of them, so this is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    /// Index into its group's questions.
    pub(crate) question: u32,
    /// Length of its prompt.
    pub(crate) bytes: u32,
    /// Content key of its request, so that it is not computed again when asked.
    pub(crate) key: RequestKey,
}

/// What a look-up found, by group.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) open: Vec<Vec<Open>>,
    /// How many are known, or the same as another question of this run.
    pub(crate) cached: Vec<usize>,
}

/// Asks the sink what it knows. Ends early, with what was found so far, when cancelled.
pub(crate) fn look_up(
    requests: &Requests,
    identity: &ModelIdentity,
    sink: &mut dyn AnswerSink,
    cancel: &Cancel,
) -> Result<Found, SinkError> {
    let identity = identity.digest();
    let groups = requests.plan().groups.len();
    let (mut open, mut cached) = (Vec::with_capacity(groups), Vec::with_capacity(groups));
    for group in &requests.plan().groups {
        let mut found = Vec::with_capacity(group.questions.len());
        let mut known_here = 0;
        let mut of_group = group.requests(identity);
        for (chunk, questions) in group.questions.chunks(CHUNK).enumerate() {
            if cancel.is_cancelled() {
                break;
            }
            let mut keys = Vec::with_capacity(questions.len());
            let mut lengths = Vec::with_capacity(questions.len());
            for question in questions {
                let request = of_group.of(question);
                keys.push(request.key);
                lengths.push((request.prompt.prefix.len() + request.prompt.suffix.len()) as u32);
            }
            let known = sink.known(&keys)?;
            if known.len() != keys.len() {
                return Err(SinkError {
                    message: format!(
                        "the store was asked for {} keys and told of {}",
                        keys.len(),
                        known.len()
                    ),
                });
            }
            known_here += known.iter().filter(|&&known| known).count();
            found.extend(
                keys.into_iter()
                    .zip(lengths)
                    .zip(known)
                    .enumerate()
                    .filter(|(_, (_, known))| !known)
                    .map(|(i, ((key, bytes), _))| Open {
                        question: (chunk * CHUNK + i) as u32,
                        bytes,
                        key,
                    }),
            );
        }
        found.shrink_to_fit();
        open.push(found);
        cached.push(known_here);
    }
    let before: Vec<usize> = open.iter().map(Vec::len).collect();
    drop_doubles(&mut open);
    for ((cached, before), open) in cached.iter_mut().zip(before).zip(&open) {
        *cached += before - open.len();
    }
    Ok(Found { open, cached })
}

/// Keeps the first of questions with the same key. Sorted rather than hashed: a million keys in a
/// hash set would be the largest thing in memory.
fn drop_doubles(open: &mut [Vec<Open>]) {
    let mut heads: Vec<(u64, u32, u32)> = Vec::with_capacity(open.iter().map(Vec::len).sum());
    for (group, questions) in open.iter().enumerate() {
        heads.extend(questions.iter().enumerate().map(|(i, q)| {
            let mut head = [0; 8];
            head.copy_from_slice(&q.key.0[..8]);
            (u64::from_le_bytes(head), group as u32, i as u32)
        }));
    }
    heads.sort_unstable();
    let key = |&(_, group, i): &(u64, u32, u32)| open[group as usize][i as usize].key;
    let mut doubles: Vec<(u32, u32)> = Vec::new();
    for alike in heads.chunk_by(|a, b| a.0 == b.0) {
        for (i, this) in alike.iter().enumerate() {
            if alike[..i].iter().any(|earlier| key(earlier) == key(this)) {
                doubles.push((this.1, this.2));
            }
        }
    }
    doubles.sort_unstable();
    let mut doubles = doubles.into_iter().peekable();
    for (group, questions) in open.iter_mut().enumerate() {
        let mut i = 0;
        questions.retain(|_| {
            let double = doubles.next_if_eq(&(group as u32, i)).is_some();
            i += 1;
            !double
        });
    }
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
            let mut open: Vec<Vec<Open>> = groups
                .iter()
                .map(|keys| {
                    let open = |(i, &k): (usize, &u8)| {
                        // Keys that differ only behind their first eight bytes, too.
                        let mut key = [0; 32];
                        key[31] = k;
                        key[0] = k % 3;
                        Open { question: i as u32, bytes: 0, key: RequestKey(key) }
                    };
                    keys.iter().enumerate().map(open).collect()
                })
                .collect();
            let mut seen = HashSet::new();
            let expected: Vec<Vec<Open>> = open
                .iter()
                .map(|g| g.iter().copied().filter(|q| seen.insert(q.key)).collect())
                .collect();
            drop_doubles(&mut open);
            prop_assert_eq!(open, expected);
        }
    }
}
