//! Which questions serve as few-shot examples.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::io;

use crate::draw::head;
use crate::question::Digest;
use crate::{Bank, Question};

/// A question that may become a few-shot example.
#[derive(Debug)]
struct Candidate<C> {
    /// Position in a random order that depends on the seed and the content. Half of the hash; equal
    /// halves are copies.
    rank: u64,
    index: u32,
    category: C,
    answer: u8,
}

/// Sorts candidates, best few-shot example first.
///
/// The first `spread` are chosen one by one, from the least used category and then with the least
/// used answer letter. Ties, and the rest, follow the random order.
fn best_first<C: Clone + Eq + Hash>(rest: &mut [Candidate<C>], spread: usize) {
    rest.sort_unstable_by_key(|candidate| (candidate.rank, candidate.index));
    let mut categories: HashMap<C, usize> = HashMap::new();
    let mut answers: HashMap<u8, usize> = HashMap::new();
    for chosen in 0..spread.min(rest.len()) {
        let times = |candidate: &Candidate<C>| {
            let category = categories.get(&candidate.category).copied().unwrap_or(0);
            let answer = answers.get(&candidate.answer).copied().unwrap_or(0);
            (category, answer)
        };
        // `min_by_key` returns the first of equals: the random order breaks ties.
        let best = (chosen..rest.len()).min_by_key(|&place| times(&rest[place]));
        // The others keep their order.
        rest[chosen..=best.unwrap_or(chosen)].rotate_right(1);
        let best = &rest[chosen];
        *categories.entry(best.category.clone()).or_default() += 1;
        *answers.entry(best.answer).or_default() += 1;
    }
}

fn rank(digest: &[u8; 32], seed: u64) -> u64 {
    let rank = Digest::new("sureness examples 1")
        .number(seed)
        .bytes(digest);
    head(&rank.finish())
}

/// Sorts few-shot examples with one right option, best first, the first `spread` for variety.
pub(crate) fn sort(examples: &mut Vec<Question>, spread: usize, seed: u64) {
    let mut candidates: Vec<_> = (0..)
        .zip(examples.iter())
        .map(|(index, example)| Candidate {
            rank: rank(&example.content_digest(), seed),
            index,
            category: example.category.clone(),
            answer: example.right.first() as u8,
        })
        .collect();
    best_first(&mut candidates, spread);
    let mut slots: Vec<_> = std::mem::take(examples).into_iter().map(Some).collect();
    let sorted = candidates.iter();
    examples.extend(sorted.filter_map(|candidate| slots[candidate.index as usize].take()));
}

/// Sets few-shot examples aside from the questions themselves, at most half of them; best first. Only
/// questions with one right option are chosen: a prompt shows one. Drops the questions that repeat the
/// content of an example.
pub(crate) fn set_aside(
    questions: &mut Bank,
    wanted: usize,
    seed: u64,
) -> io::Result<Vec<Question>> {
    let mut candidates = Vec::with_capacity(questions.len());
    let mut ranks = Vec::with_capacity(questions.len());
    for index in 0..questions.len() {
        let rank = rank(&questions.content_digest(index)?, seed);
        ranks.push(rank);
        let Some((category, answer)) = questions.category_and_answer(index) else {
            continue;
        };
        candidates.push(Candidate {
            rank,
            index: index as u32,
            category,
            answer,
        });
    }
    // No prompt shows a question twice.
    candidates.sort_unstable_by_key(|candidate| (candidate.rank, candidate.index));
    candidates.dedup_by_key(|candidate| candidate.rank);
    let count = wanted.min(candidates.len() / 2);
    best_first(&mut candidates, count);
    candidates.truncate(count);
    let chosen: Vec<usize> = candidates.iter().map(|c| c.index as usize).collect();
    let examples = chosen.iter().map(|&index| questions.get(index));
    let examples = examples.collect::<io::Result<_>>()?;
    let shown: HashSet<u64> = candidates.iter().map(|c| c.rank).collect();
    questions.keep(|index| !shown.contains(&ranks[index]));
    Ok(examples)
}
